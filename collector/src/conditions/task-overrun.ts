import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Judgment } from './condition.ts';
import { isKnown, type UsualTime } from './usual-time.ts';

const factor = 3;
/** A job of seconds may take a minute without being news. */
const leastExcessMs = 5 * 60_000;

/** TaskOverrun by history: a run takes more than three times what its job usually does. Its own time limit is its agent's to watch. */
export function judgeOverrun(
  { id, name, ranMs, usual }: { id: string; name: string; ranMs: number; usual: UsualTime | null },
  now: number,
): Judgment | null {
  if (!isKnown(usual)) return null;
  if (ranMs <= usual.medianMs * factor || ranMs - usual.medianMs <= leastExcessMs) return null;
  return {
    condition: 'TaskOverrun',
    component: 'collector',
    subject: id,
    status: 'true',
    severity: 'warning',
    reason: `task ${name}: runs for ${spanText(ranMs)}, usual is ${spanText(usual.medianMs)} (median of ${usual.runs} runs)`,
    value: Math.round((ranMs / usual.medianMs) * 10) / 10,
    threshold: factor,
    since: now,
  };
}
