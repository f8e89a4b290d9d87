import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from './ring.ts';

describe('the ring', () => {
  it('holds the newest rows, and null for what was not read or not ticked', () => {
    const ring = new Ring({ columns: 2, capacity: 4 });
    ring.write(10, [1, null]);
    ring.write(11, [2, 20]);
    ring.write(14, [5, 0]);

    expect(ring.column(0, 9, 15)).toEqual([null, null, 2, null, null, 5, null]);
    expect(ring.column(1, 11, 14)).toEqual([20, null, null, 0]);
    expect([11, 12, 14].map((tick) => ring.hasRow(tick))).toEqual([true, false, true]);
  });

  it('forgets everything after a silence longer than itself', () => {
    const ring = new Ring({ columns: 1, capacity: 3 });
    for (const tick of [1, 2, 3]) ring.write(tick, [tick]);
    ring.write(1_000_000, [7]);

    expect(ring.column(0, 999_997, 1_000_000)).toEqual([null, null, null, 7]);
  });

  it('leaves out a row that does not follow the last', () => {
    const ring = new Ring({ columns: 1, capacity: 3 });
    ring.write(5, [1]);
    ring.write(5, [2]);
    ring.write(4, [3]);

    expect(ring.column(0, 3, 5)).toEqual([null, null, 1]);
  });

  it('tells the newest row again at a later tick, whatever lies between', () => {
    const ring = new Ring({ columns: 2, capacity: 3 });
    ring.write(5, [1, null]);
    ring.repeat(6);
    ring.repeat(8);
    const near = [ring.column(0, 5, 8), ring.column(1, 5, 8)];
    ring.repeat(1_000_000);

    expect(near).toEqual([
      [null, 1, null, 1],
      [null, null, null, null],
    ]);
    expect(ring.column(0, 999_998, 1_000_000)).toEqual([null, null, 1]);
  });

  it('keeps pages exactly up to 64 GiB', () => {
    const ring = new Ring({ columns: 1, capacity: 1 });
    const bytes = 64 * 1024 ** 3 - 4096;
    ring.write(0, [bytes]);

    expect(ring.column(0, 0, 0)).toEqual([bytes]);
  });

  it('is as a list cut to its length, whatever is written', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.option(fc.integer({ min: 0, max: 1000 }))), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 8 }), (steps, capacity) => {
        const ring = new Ring({ columns: 1, capacity });
        const model = new Map<number, number | null>();
        let tick = 0;
        for (const [step, value] of steps) {
          tick += step;
          ring.write(tick, [value]);
          model.set(tick, value);
        }
        const held = Array.from({ length: tick + 2 }, (_, at) =>
          at > tick - capacity ? (model.get(at) ?? null) : null,
        );

        expect(ring.column(0, 0, tick + 1)).toEqual(held);
      }),
    );
  });
});
