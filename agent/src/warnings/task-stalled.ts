import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';
import { spanText } from '@runnerwatch/shared/conditions/wording.ts';

/** A task's signs of life, as totals since it began; null: not counted. */
export interface Activity {
  readonly cpuUsec: number | null;
  readonly ioBytes: number | null;
  readonly logLines: number | null;
}

/** Since when a task has shown nothing, and how its totals stood then. */
export interface Stillness {
  readonly sinceMs: number;
  readonly at: Activity;
}

/** What waiting costs: a timer here and there, a thousandth of a core and a little. */
const idleCoreShare = 0.001;
const idleCpuUsec = 20_000;
const idleIoBytes = 64 * 1024;

/** Begins anew with every sign of life. */
export function follow(before: Stillness | null, activity: Activity, nowMs: number): Stillness {
  if (before === null || isAlive(before, activity, nowMs)) return { sinceMs: nowMs, at: activity };
  return before;
}

function isAlive({ sinceMs, at }: Stillness, { cpuUsec, ioBytes, logLines }: Activity, nowMs: number): boolean {
  const idleUsec = idleCpuUsec + (nowMs - sinceMs) * 1000 * idleCoreShare;
  const grew = (now: number | null, then: number | null, free: number) =>
    now !== null && then !== null && (now < then || now - then > free);
  return (
    grew(cpuUsec, at.cpuUsec, idleUsec) || grew(ioBytes, at.ioBytes, idleIoBytes) || grew(logLines, at.logLines, 0)
  );
}

export interface StillTask {
  readonly subject: string;
  /** `task train-7`. */
  readonly who: string;
  /** Null when its CPU cannot be read: then nothing can be said. */
  readonly stillMs: number | null;
}

/** TaskStalled: no CPU, no reads or writes, no log lines for a long time. */
export function measureStall({ subject, who, stillMs }: StillTask, forMs: number): Measurement {
  return {
    subject,
    level: { threshold: forMs, clear: forMs / 2, forMs: 0 },
    criticalAbove: Number.POSITIVE_INFINITY,
    items:
      stillMs === null
        ? []
        : [
            {
              value: stillMs,
              text: stillMs > forMs / 2 ? `${who}: no CPU, IO or log for ${spanText(stillMs)}` : `${who}: works`,
            },
          ],
    missing: stillMs === null ? [`${who}: CPU`] : [],
    absent: '',
    limit: `threshold ${spanText(forMs)}`,
  };
}
