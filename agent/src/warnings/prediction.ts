import { slopeOf } from '../recorder/slope.ts';
import type { Window } from './window.ts';

/** When something will be full, if it goes on as it goes. */
export interface Prediction {
  readonly leftMs: number;
  readonly bytesPerSecond: number;
}

export interface Filling {
  readonly window: Window;
  readonly capacityBytes: number;
  /** A window shorter than this says nothing yet. */
  readonly leastSpanMs: number;
}

const leastGrowthShare = 0.01;
const leastRisingShare = 0.75;
/** Of the slope of the whole window, in its newer half: less, and the growth is coming to its end. */
const leastRecentShare = 0.25;

/**
 * Null while it does not fill up: when it grows by less than a hundredth of its capacity in the window, goes up and down,
 * has stopped (a model was read in), or stays below what it had reached before and come down from (a heap between two collections, a scratch disk).
 */
export function predict({ window, capacityBytes, leastSpanMs }: Filling): Prediction | null {
  const { oldest, latest, peakBefore } = window;
  if (oldest === null || latest === null || !isLongEnough(window, leastSpanMs)) return null;
  if (latest.value - oldest.value < capacityBytes * leastGrowthShare) return null;
  if (peakBefore !== null && latest.value < peakBefore) return null;
  const rows = window.rows();
  const slope = slopeOf(rows);
  if (slope === null || slope.perSecond <= 0 || slope.risingShare < leastRisingShare) return null;
  const recent = slopeOf(rows.slice(Math.floor(rows.length / 2)));
  if (recent === null || recent.perSecond < slope.perSecond * leastRecentShare) return null;
  const leftBytes = Math.max(0, capacityBytes - latest.value);
  return { leftMs: (leftBytes / slope.perSecond) * 1000, bytesPerSecond: slope.perSecond };
}

export function isLongEnough({ oldest, latest }: Window, leastSpanMs: number): boolean {
  return oldest !== null && latest !== null && latest.atMs - oldest.atMs >= leastSpanMs;
}
