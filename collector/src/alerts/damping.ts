/** How an alert ended before. */
export interface PastAlert {
  readonly flaps: number;
  /** Epoch milliseconds. */
  readonly resolvedAt: number;
}

const comebackMs = 3_600_000;
const calmMinMs = 10 * 60_000;
const calmMaxMs = 3_600_000;

/** How often an alert that fires now has come back, each time within an hour after it was over. */
export function flapsOf(past: PastAlert | null, now: number): number {
  return past !== null && now - past.resolvedAt < comebackMs ? past.flaps + 1 : 0;
}

/** How long an alert must not hold before it counts as over: at once, then ten minutes, twice as long each time, an hour at most. */
export function calmNeededMs(flaps: number): number {
  return flaps === 0 ? 0 : Math.min(calmMaxMs, calmMinMs * 2 ** (flaps - 1));
}

/** Whether an alert that no longer holds has proven that it stays so. */
export function isCalm({ flaps, calmSince }: { flaps: number; calmSince: Date | null }, now: number): boolean {
  const needed = calmNeededMs(flaps);
  return needed === 0 || (calmSince !== null && now - calmSince.getTime() >= needed);
}

/** The reason of an alert, with what is to be known when it comes and goes. */
export function reasonWithFlaps({ reason, flaps }: { reason: string; flaps: number }): string {
  return flaps === 0
    ? reason
    : `${reason}; it comes and goes, and is over after ${calmNeededMs(flaps) / 60_000} min of calm`;
}
