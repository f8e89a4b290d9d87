import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { lanesOf } from './lanes.ts';

it('puts what overlaps below each other, and what follows into a row that is free again', () => {
  const lanes = lanesOf(
    [
      { fromMs: 0, toMs: 100 },
      { fromMs: 10, toMs: 20 },
      { fromMs: 15, toMs: 16 },
      { fromMs: 60, toMs: 70 },
      { fromMs: 100, toMs: 101 },
    ],
    10,
  );

  expect(lanes).toEqual([0, 1, 2, 1, 0]);
});

it('never covers one with another', () => {
  const stretch = fc.record({ fromMs: fc.nat(1000), lengthMs: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(stretch), (given) => {
      const stretches = given
        .map(({ fromMs, lengthMs }) => ({ fromMs, toMs: fromMs + lengthMs }))
        .toSorted((a, b) => a.fromMs - b.fromMs);
      const lanes = lanesOf(stretches, 5);
      for (const [index, one] of stretches.entries())
        for (const [later, other] of stretches.entries())
          if (later > index && lanes[index] === lanes[later])
            expect(other.fromMs).toBeGreaterThanOrEqual(Math.max(one.toMs, one.fromMs + 5));
    }),
  );
});
