import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from './schedule.ts';

const first = { attempts: 0, isTest: false };
const retry = { outcome: 'retry', error: 'HTTP 503' } as const;

describe('what becomes of a notification', () => {
  it('F105 is delivered, or dead when refused', () => {
    expect(settle({ outcome: 'delivered' }, first, { now: 0 })).toEqual({ state: 'delivered' });
    expect(settle({ outcome: 'refused', error: 'HTTP 410' }, first, { now: 0 })).toEqual({
      state: 'dead',
      error: 'HTTP 410',
    });
  });

  it('F104 goes by the receiver when it says when to come back', () => {
    expect(settle({ ...retry, afterMs: 1_800_000 }, first, { now: 5 })).toEqual({
      state: 'pending',
      nextAttemptAt: 1_800_005,
      error: 'HTTP 503',
    });
  });

  it('waits between half and all of a time that doubles from 1 s to 5 min', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, chance) => {
          const settled = settle(retry, { ...first, attempts }, { now: 0, random: () => chance });

          const fullMs = Math.min(300_000, 1000 * 2 ** Math.min(attempts, 30));
          expect(settled.state === 'pending' ? settled.nextAttemptAt : -1).toBeGreaterThanOrEqual(fullMs / 2);
          expect(settled.state === 'pending' ? settled.nextAttemptAt : Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
            fullMs,
          );
        },
      ),
    );
  });

  it('tries a test once', () => {
    expect(settle(retry, { ...first, isTest: true }, { now: 0 })).toEqual({ state: 'dead', error: 'HTTP 503' });
  });
});
