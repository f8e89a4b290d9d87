import { lanes } from '@runnerwatch/shared/model/event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRemovals, type SegmentView } from './retention.ts';

const limits = { maxBytes: 100, maxAgeMs: 1000, keepMs: 100, keepBytes: 50 };

function segment(lane: SegmentView['lane'], firstSeq: number, endedAt: number | undefined = 0): SegmentView {
  return { lane, firstSeq, lastSeq: firstSeq + 9, sizeBytes: 20, endedAt };
}

describe('retention', () => {
  it('keeps acknowledged segments as long and as many as asked, then forgets the oldest', () => {
    const segments = [segment('ends', 1, 0), segment('ends', 11, 60), segment('ends', 21, 90)];
    const situation = { segments, acknowledged: { ends: 30, facts: 0 }, wantedBytes: 0 };

    expect(decideRemovals({ ...situation, now: 95 }, limits)).toEqual([{ segment: segments[0], why: 'kept' }]);
    expect(decideRemovals({ ...situation, now: 300 }, limits)).toHaveLength(3);
  });

  it('gives up acknowledged ones first, then facts, then ends, never one that is written on', () => {
    const segments = [
      segment('ends', 1),
      segment('ends', 11),
      { ...segment('ends', 21), endedAt: undefined },
      segment('facts', 1),
      { ...segment('facts', 11), endedAt: undefined },
    ];
    const removed = (wantedBytes: number, acknowledged = 0) =>
      decideRemovals({ segments, acknowledged: { ends: acknowledged, facts: 0 }, wantedBytes, now: 0 }, limits).map(
        (removal) => `${removal.segment.lane} ${removal.segment.firstSeq} ${removal.why}`,
      );

    expect(removed(0)).toEqual([]);
    expect(removed(10, 10)).toEqual(['ends 1 kept']);
    expect(removed(10)).toEqual(['facts 1 size']);
    expect(removed(30).toSorted()).toEqual(['ends 1 size', 'facts 1 size']);
    expect(removed(1000).toSorted()).toEqual(['ends 1 size', 'ends 11 size', 'facts 1 size']);
  });

  it('takes an absurd age for a wrong clock', () => {
    const situation = {
      segments: [segment('facts', 1), { ...segment('facts', 11), endedAt: undefined }],
      acknowledged: { ends: 0, facts: 0 },
      wantedBytes: 0,
    };

    expect(decideRemovals({ ...situation, now: 1001 }, limits)).toMatchObject([{ why: 'age' }]);
    expect(decideRemovals({ ...situation, now: 5001 }, limits)).toEqual([]);
    expect(decideRemovals({ ...situation, now: -5001 }, limits)).toEqual([]);
  });

  it('always gives up the oldest of a lane, and never more than it must', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...lanes), { maxLength: 12 }),
        fc.nat(30),
        fc.nat(80),
        (order, acknowledged, wantedBytes) => {
          const seqs = { ends: 1, facts: 1 };
          const segments = order.map((lane) => {
            const firstSeq = seqs[lane];
            seqs[lane] += 10;
            return segment(lane, firstSeq, firstSeq);
          });
          const removed = new Set(
            decideRemovals(
              { segments, acknowledged: { ends: acknowledged, facts: 0 }, wantedBytes, now: 50 },
              limits,
            ).map((removal) => removal.segment),
          );

          for (const lane of lanes) {
            const ofLane = segments.filter((one) => one.lane === lane).map((one) => removed.has(one));
            expect(ofLane.lastIndexOf(true)).toBe(ofLane.filter(Boolean).length - 1);
          }
          const left = segments.filter((one) => !removed.has(one)).length;
          expect(left * 20 + wantedBytes <= 100 || left === 0).toBe(true);
        },
      ),
    );
  });
});
