import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escalate, type Waiting } from './escalate.ts';
import type { Steps } from './subscription.ts';

const minute = 60_000;
const steps: Steps = [
  { afterMs: 15 * minute, receiver: 'oncall' },
  { afterMs: 60 * minute, receiver: 'lead' },
];
const told: Waiting = { since: 0, taken: 0 };

describe('escalation', () => {
  it('takes a step when its time has passed, and says when the next one is due', () => {
    const at = (now: number, waiting = told) => escalate({ waiting, steps, resumedAt: null, now });

    expect(at(15 * minute - 1)).toEqual({ waiting: told, due: [], nextAt: 15 * minute });
    const first = at(15 * minute);
    expect(first).toEqual({ waiting: { since: 0, taken: 1 }, due: [steps[0]], nextAt: 60 * minute });
    expect(at(59 * minute, first.waiting)).toEqual({ ...first, due: [] });
    expect(at(60 * minute, first.waiting)).toEqual({ waiting: { since: 0, taken: 2 }, due: [steps[1]], nextAt: null });
  });

  it('takes every step that fell due while nobody looked', () => {
    expect(escalate({ waiting: told, steps, resumedAt: null, now: 90 * minute }).due).toEqual(steps);
  });

  it('begins anew at the end of an acknowledgement or a silence, with the first step', () => {
    const waiting = { since: 0, taken: 2 };
    const resumedAt = 100 * minute;

    expect(escalate({ waiting, steps, resumedAt, now: 101 * minute })).toEqual({
      waiting: { since: resumedAt, taken: 0 },
      due: [],
      nextAt: 115 * minute,
    });
    expect(escalate({ waiting: { since: resumedAt, taken: 1 }, steps, resumedAt, now: 116 * minute }).due).toEqual([]);
  });

  it('takes each step once, in its order and never early, however often it is looked at', () => {
    const plan = fc
      .uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 })
      .map((times) => times.toSorted((a, b) => a - b).map((afterMs) => ({ afterMs, receiver: `r${afterMs}` })));
    fc.assert(
      fc.property(plan, fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 20 }), ([first, ...others], waits) => {
        if (first === undefined) return;
        const all: Steps = [first, ...others];
        let waiting = told;
        let now = 0;
        const taken: string[] = [];
        for (const wait of waits) {
          now += wait;
          const answer = escalate({ waiting, steps: all, resumedAt: null, now });
          expect(answer.nextAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
          taken.push(...answer.due.map(({ receiver }) => receiver));
          waiting = answer.waiting;
        }

        const due = all.filter(({ afterMs }) => waits.length > 0 && afterMs <= now);
        expect(taken).toEqual(due.map(({ receiver }) => receiver));
      }),
    );
  });
});
