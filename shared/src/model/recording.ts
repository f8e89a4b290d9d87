import * as z from 'zod/mini';
import { instant } from './instant.ts';

/** Most values of one series: a longer recording is told in coarser steps, never cut. */
export const recordingPointsMax = 500;

/** One value a step, oldest first, by the series' name (`memory_bytes`, `cpu_percent`). Null: not read. What was never read is left out. */
export const recordedSeries = z.record(
  z.string().check(z.regex(/^[a-z0-9_]{1,64}$/)),
  z.array(z.nullable(z.number())).check(z.maxLength(recordingPointsMax)),
);
export type RecordedSeries = z.infer<typeof recordedSeries>;

/** The last minutes of a task and of its node: all series have the same length and end at the same instant. */
export const taskRecording = z.object({
  interval_ms: z.int().check(z.gte(1)),
  /** When the last value of each series was read. */
  until: instant,
  /**
   * Up to here nothing is missing because of the agent itself: `until`, unless it died or was away within this time. Then it
   * is the last reading that had reached the disk, and the null values after it are what is missing.
   */
  complete_until: instant,
  task: recordedSeries,
  node: recordedSeries,
});
export type TaskRecording = z.infer<typeof taskRecording>;
