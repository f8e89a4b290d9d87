/** Something with a beginning and an end, in milliseconds since the epoch. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Which of the rows below each other a stretch stands in, so that none covers another; as few rows as can be. Each is taken for
 * at least `leastMs` long, as it is drawn. `stretches` ascend by their beginning.
 */
export function lanesOf(stretches: readonly Stretch[], leastMs: number): readonly number[] {
  const ends: number[] = [];
  return stretches.map(({ fromMs, toMs }) => {
    const free = ends.findIndex((end) => end <= fromMs);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = Math.max(toMs, fromMs + leastMs);
    return lane;
  });
}
