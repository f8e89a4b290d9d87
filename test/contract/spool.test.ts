import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpool, type Spool } from '@runnerwatch/agent/spool/spool.ts';
import { type Lane, lanes } from '@runnerwatch/shared/model/event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noon, taskEnded, taskIdOf, taskStarted } from '../support/events.ts';

/** What a spool must do, in a few lines: per lane a list that only grows, and how far it is acknowledged. */
interface Model {
  readonly written: Record<Lane, string[]>;
  readonly acknowledged: Record<Lane, number>;
}

type Step =
  | { readonly kind: 'append'; readonly lane: Lane; readonly count: number }
  | { readonly kind: 'acknowledge'; readonly lane: Lane; readonly share: number }
  | { readonly kind: 'read'; readonly lane: Lane; readonly maxBytes: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'settle'; readonly share: number };

const lane = fc.constantFrom(...lanes);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), lane, count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('acknowledge' as const), lane, share }),
  fc.record({ kind: fc.constant('read' as const), lane, maxBytes: fc.integer({ min: 1, max: 20_000 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
  fc.record({ kind: fc.constant('settle' as const), share }),
);

const open = (folder: string, segmentBytes: number) =>
  openSpool({
    folder,
    segmentBytes,
    reserveBytes: 0,
    tickMs: 0,
    now: () => noon,
    report: (problem) => {
      if (problem.kind !== 'rewound') throw new Error(`unexpected problem: ${problem.kind}`);
    },
  });

async function readLane(
  spool: Spool,
  { lane: from, after, maxBytes }: { lane: Lane; after: number; maxBytes: number },
): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for (let seq = after; ; ) {
    const events = await spool.read(from, seq, maxBytes);
    const last = events.at(-1);
    if (last === undefined) return ids;
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => seq + index + 1));
    ids.push(...events.map((event) => taskIdOf(event.text)));
    seq = last.seq;
  }
}

async function take(spool: Spool, model: Model, action: Exclude<Step, { kind: 'reopen' }>): Promise<void> {
  if (action.kind === 'append') {
    const ids = Array.from(
      { length: action.count },
      (_, index) => `${action.lane}-${model.written[action.lane].length + index + 1}`,
    );
    const seqs = await Promise.all(
      ids.map((id) => spool.append(action.lane === 'ends' ? taskEnded(id) : taskStarted(id), noon)),
    );
    expect(seqs).toEqual(ids.map((_, index) => model.written[action.lane].length + index + 1));
    model.written[action.lane].push(...ids);
  } else if (action.kind === 'acknowledge') {
    const seq = Math.floor(action.share * model.written[action.lane].length);
    await readLane(spool, { lane: action.lane, after: 0, maxBytes: 1e6 });
    spool.acknowledge(action.lane, seq);
    model.acknowledged[action.lane] = Math.max(model.acknowledged[action.lane], seq);
  } else if (action.kind === 'read') {
    const after = model.acknowledged[action.lane];
    expect(await readLane(spool, { lane: action.lane, after, maxBytes: action.maxBytes })).toEqual(
      model.written[action.lane].slice(after),
    );
  } else {
    for (const one of lanes) model.acknowledged[one] = Math.floor(action.share * model.written[one].length);
    for (const one of lanes) await readLane(spool, { lane: one, after: 0, maxBytes: 1e6 });
    expect(await spool.settle(model.acknowledged)).toEqual({ kind: 'ready', after: model.acknowledged });
  }
}

describe('spool contract', () => {
  it('behaves like two lists under any sequence of appends, reads, acknowledgements, restarts and rewinds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(1, 2000, 1_000_000),
        async (steps, segmentBytes) => {
          const folder = join(await mkdtemp(join(tmpdir(), 'runnerwatch-')), 'spool');
          const model: Model = { written: { ends: [], facts: [] }, acknowledged: { ends: 0, facts: 0 } };
          let spool = await open(folder, segmentBytes);
          try {
            for (const action of steps) {
              if (action.kind === 'reopen') {
                await spool.close();
                spool = await open(folder, segmentBytes);
              } else await take(spool, model, action);
              expect(spool.acknowledged).toEqual(model.acknowledged);
              expect(spool.positions.last).toEqual({
                ends: model.written.ends.length,
                facts: model.written.facts.length,
              });
            }
          } finally {
            await spool.close();
            await rm(join(folder, '..'), { recursive: true });
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
