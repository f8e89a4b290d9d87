/** One reading of an amount; instants by any one clock. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** How an amount went over some readings. */
export interface Slope {
  /** The median of the slopes of all pairs of points (Theil and Sen): up to three points in ten may lie anywhere. */
  readonly perSecond: number;
  /** How many of the pairs rise, 0…1: a steady climb is near 1, a saw's teeth near a half. */
  readonly risingShare: number;
}

/** Null for fewer than three points. */
export function slopeOf(points: readonly Point[]): Slope | null {
  if (points.length < 3) return null;
  const slopes: number[] = [];
  let rising = 0;
  for (const [index, one] of points.entries()) {
    for (let other = 0; other < index; other += 1) {
      const before = points[other];
      if (before === undefined || before.atMs === one.atMs) continue;
      const slope = ((one.value - before.value) / (one.atMs - before.atMs)) * 1000;
      if (slope > 0) rising += 1;
      slopes.push(slope);
    }
  }
  if (slopes.length === 0) return null;
  const sorted = Float64Array.from(slopes).sort();
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  const perSecond = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { perSecond, risingShare: rising / slopes.length };
}
