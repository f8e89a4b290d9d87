import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Point } from '../../recorder/slope.ts';
import { trendOf } from './trend.ts';

const MiB = 1024 ** 2;
const seconds = (count: number, bytesAt: (second: number) => number): Point[] =>
  Array.from({ length: count }, (_, second) => ({ atMs: second * 1000, value: bytesAt(second) }));

describe('the trend of memory', () => {
  it('is the slope of the last 90 seconds, not of what was before', () => {
    const points = seconds(300, (second) => (second < 209 ? 0 : (second - 209) * 40 * MiB));

    expect(trendOf(points)).toEqual({ bytesPerSecond: 40 * MiB, overMs: 90_000 });
  });

  it('says over how short a time it was seen', () => {
    expect(trendOf(seconds(31, (second) => second * MiB))).toEqual({ bytesPerSecond: MiB, overMs: 30_000 });
  });

  it('is not bent by a reading in ten that is wild', () => {
    const points = seconds(91, (second) => (second % 10 === 3 ? 900_000 * MiB : second * MiB));

    expect(trendOf(points)?.bytesPerSecond).toBeCloseTo(MiB, 0);
  });

  it('does not take the one leap that killed it for growth', () => {
    const points = seconds(91, (second) => (second === 90 ? 4096 * MiB : 512 * MiB));

    expect(trendOf(points)?.bytesPerSecond).toBe(0);
  });

  it('is negative for memory given back', () => {
    expect(trendOf(seconds(60, (second) => (100 - second) * MiB))?.bytesPerSecond).toBe(-MiB);
  });

  it('is not known from four readings, or from two seconds', () => {
    expect(trendOf([])).toBeNull();
    expect(trendOf(seconds(4, (second) => second * MiB))).toBeNull();
    expect(trendOf(Array.from({ length: 20 }, (_, index) => ({ atMs: index * 100, value: index })))).toBeNull();
    expect(trendOf(Array.from({ length: 20 }, () => ({ atMs: 5, value: 1 })))).toBeNull();
  });

  it('is a number within the slopes there are, in whatever order the readings come', () => {
    const reading = fc.record({
      atMs: fc.integer({ min: 0, max: 200_000 }),
      value: fc.integer({ min: 0, max: 2 ** 40 }),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 60 }), (points) => {
        const trend = trendOf(points);
        expect(trendOf(points.toReversed())?.overMs).toBe(trend?.overMs);
        if (trend !== null) expect(Number.isFinite(trend.bytesPerSecond)).toBe(true);
      }),
    );
  });
});
