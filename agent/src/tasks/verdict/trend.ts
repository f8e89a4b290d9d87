import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import { type Point, slopeOf } from '../../recorder/slope.ts';

/** How memory went towards its last reading: growing, or (negative) shrinking. */
export interface MemoryTrend {
  readonly bytesPerSecond: number;
  readonly overMs: number;
}

const windowMs = 90_000;
const leastPoints = 5;
const leastSpanMs = 3_000;
/** More than this makes too many pairs. */
const mostPoints = 120;

/** The slope over the last 90 s before the newest reading. Readings in any order; null for too few or too short a time to speak of. */
export function trendOf(points: readonly Point[]): MemoryTrend | null {
  const inOrder = points.toSorted((a, b) => a.atMs - b.atMs);
  const newest = inOrder.at(-1);
  if (newest === undefined) return null;
  const last = inOrder.filter(({ atMs }) => newest.atMs - atMs <= windowMs).slice(-mostPoints);
  const overMs = newest.atMs - (last[0]?.atMs ?? newest.atMs);
  if (last.length < leastPoints || overMs < leastSpanMs) return null;
  const slope = slopeOf(last);
  return slope === null ? null : { bytesPerSecond: slope.perSecond, overMs };
}

/** The recorder's readings of a task's memory. */
export function memoryPointsOf({ interval_ms: intervalMs, until, task }: TaskRecording): Point[] {
  const series = task['memory_bytes'] ?? [];
  const untilMs = Date.parse(until);
  return series.flatMap((value, index) =>
    value === null ? [] : [{ atMs: untilMs - (series.length - 1 - index) * intervalMs, value }],
  );
}
