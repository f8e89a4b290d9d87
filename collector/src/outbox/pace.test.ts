import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

describe('a pace', () => {
  it('F108 never lets more than its count out within its time, and as many whenever that has passed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 30 })), { maxLength: 60 }),
        (count, steps) => {
          const pace = new Pace({ count, perMs: 1000 });
          const sentAt: number[] = [];
          let now = 0;
          for (const [waitMs, wanted] of steps) {
            now += waitMs;
            const taken = Math.min(wanted, pace.left(now));
            pace.take(taken, now);
            sentAt.push(...Array<number>(taken).fill(now));
          }

          for (const at of sentAt)
            expect(sentAt.filter((one) => one > at - 1000 && one <= at).length).toBeLessThanOrEqual(count);
          expect(pace.left(now + 1000)).toBe(count);
        },
      ),
    );
  });
});
