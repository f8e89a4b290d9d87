/** The `count` items of the largest value above 0, largest first, in one pass: sorting hundreds every second is what a reading must not cost. */
export function largestBy<T>(items: readonly T[], valueOf: (item: T) => number, count: number): T[] {
  const best: { item: T; value: number }[] = [];
  let least = 0;
  for (const item of items) {
    const value = valueOf(item);
    if (value <= least) continue;
    let at = best.length;
    while (at > 0 && (best[at - 1]?.value ?? Infinity) < value) at -= 1;
    best.splice(at, 0, { item, value });
    if (best.length > count) best.pop();
    if (best.length === count) least = best.at(-1)?.value ?? 0;
  }
  return best.map(({ item }) => item);
}
