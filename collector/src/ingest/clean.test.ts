import { type Event, event } from '@runnerwatch/shared/model/event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanEvent, cleanRecord, clip, countOrNull, integerOrNull } from './clean.ts';

describe('cutting a text', () => {
  it('F077 never exceeds the limit, never cuts inside a character, and says how much is missing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.integer({ min: 32, max: 300 }),
        (text, limitBytes) => {
          const cut = clip(text, limitBytes);
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limitBytes);
          expect(cut).not.toMatch(/\0|\p{Surrogate}/u);
          const mark = /^(.*)…\[\+(\d+) bytes\]$/su.exec(cut);
          const whole = text.replaceAll('\0', '\ufffd');
          if (Buffer.byteLength(whole) <= limitBytes) expect(cut).toBe(whole);
          else expect(Buffer.byteLength(mark?.[1] ?? '') + Number(mark?.[2])).toBe(Buffer.byteLength(whole));
        },
      ),
    );
  });

  it('replaces what PostgreSQL cannot hold', () => {
    expect(clip('a\0b\ud800c\udc00', 100)).toBe('a\ufffdb\ufffdc\ufffd');
  });
});

describe('cleaning an event', () => {
  const at = '2026-11-22T04:00:00.000Z';

  it('F077 keeps as many labels as are allowed, and the count of the others', () => {
    const labels = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`l${index}`, 'v'.repeat(1000)]));

    const cleaned = cleanRecord({ labels }).labels;

    expect(Object.keys(cleaned)).toHaveLength(65);
    expect(cleaned['labels_cut']).toBe('99936');
    expect(Buffer.byteLength(cleaned['l0'] ?? '')).toBeLessThanOrEqual(256);
  });

  it('leaves an ordinary event as it is', () => {
    const ordinary: Event = event.parse({
      seq: 1,
      at,
      body: {
        kind: 'gap',
        gap: {
          source: 'spool',
          cause: 'full',
          lost: 2,
          at_most: null,
          from: at,
          to: at,
          lane: 'ends',
          from_seq: 1,
          to_seq: 2,
        },
      },
    });

    expect(cleanEvent(ordinary)).toEqual({ kind: 'clean', event: ordinary });
  });

  it.each([
    '2026-02-30T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '2026-01-01T25:00:00.000Z',
  ])('refuses an event at %s, which is no instant', (impossible) => {
    const body = { kind: 'agent_started', agent_version: '1', boot_id: null, previous: 'none' } as const;

    expect(cleanEvent({ seq: 1, at: impossible, body })).toEqual({ kind: 'refused', reason: 'at: not an instant' });
  });
});

describe('numbers for columns', () => {
  it('are whole and within their column, or unknown', () => {
    expect([1.4, -0.6, 2 ** 53, Number.POSITIVE_INFINITY, null].map(countOrNull)).toEqual([1, -1, null, null, null]);
    expect([3, 2 ** 31, -5, 1.5, null].map(integerOrNull)).toEqual([3, null, -5, null, null]);
  });
});
