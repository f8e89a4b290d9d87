import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';
import { spanText } from '@runnerwatch/shared/conditions/wording.ts';

export interface TimedTask {
  readonly subject: string;
  /** `task train-7`. */
  readonly who: string;
  readonly ranMs: number;
  readonly limitMs: number;
}

const warningPercent = 90;
/** Whoever enforces the limit needs a moment for it (systemd: TimeoutStopSec=, 90 s). */
const graceMs = 120_000;

/**
 * TaskOverrun by the task's own limit (RuntimeMaxSec=, `run --timeout`): information from the threshold on, a warning from
 * 90 %, critical when it runs on although the limit has passed.
 */
export function measureOverrun({ subject, who, ranMs, limitMs }: TimedTask, threshold: number): Measurement {
  const percent = (ranMs / limitMs) * 100;
  return {
    subject,
    level: { threshold, clear: threshold, forMs: 0 },
    warningAbove: Math.max(warningPercent, threshold),
    criticalAbove: ((limitMs + graceMs) / limitMs) * 100,
    items: [{ value: percent, text: `${who}: ${Math.floor(percent)}% of its time limit of ${spanText(limitMs)}` }],
    missing: [],
    absent: '',
    limit: `threshold ${threshold}%`,
  };
}
