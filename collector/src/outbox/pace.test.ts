import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

const rate = (count: number) => ({ count, perMs: 1000 });

describe('a pace', () => {
  it('F108 never lets more than its count arrive within its time, whenever between claim and answer that is, and as many once it has passed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(
          fc.record({
            waitMs: fc.integer({ min: 0, max: 700 }),
            wanted: fc.integer({ min: 0, max: 30 }),
            answerMs: fc.integer({ min: 0, max: 1500 }),
            way: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { maxLength: 60 },
        ),
        (count, steps) => {
          const pace = new Pace(rate(count));
          const arrivedAt: number[] = [];
          let answers: number[] = [];
          let now = 0;
          const passTo = (until: number) => {
            const due = answers.filter((at) => at <= until).sort((a, b) => a - b);
            answers = answers.filter((at) => at > until);
            for (const at of due) pace.end(at);
            now = until;
          };
          for (const { waitMs, wanted, answerMs, way } of steps) {
            passTo(now + waitMs);
            const taken = Math.min(wanted, pace.left(now));
            pace.begin(taken);
            for (let sent = 0; sent < taken; sent += 1) {
              arrivedAt.push(now + answerMs * way);
              answers.push(now + answerMs);
            }
          }
          passTo(now + 1500);

          for (const at of arrivedAt)
            expect(arrivedAt.filter((one) => one > at - 1000 && one <= at).length).toBeLessThanOrEqual(count);
          expect(pace.left(now + 1000)).toBe(count);
        },
      ),
    );
  });

  it('F108 counts what went out in a life before this one, and not what never did', () => {
    const pace = new Pace(rate(5));
    pace.begin(3);
    pace.remember([-900, -100]);
    expect(pace.left(0)).toBe(0);

    pace.withdraw(3);

    expect(pace.left(0)).toBe(3);
    expect(pace.left(200)).toBe(4);
    expect(pace.left(900)).toBe(5);
  });
});
