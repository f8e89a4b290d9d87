/** Percent: critical from halfway between the threshold and full (90 → 95). */
export function halfwayToFull(threshold: number): number {
  return Math.max(threshold, (threshold + 100) / 2);
}

/** What has no end of its scale: critical above twice the threshold. */
export function twice(threshold: number): number {
  return threshold * 2;
}
