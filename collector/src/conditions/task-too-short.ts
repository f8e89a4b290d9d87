import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Judgment } from './condition.ts';
import { isKnown, type UsualTime } from './usual-time.ts';

const share = 0.1;

/** TaskTooShort: a run ended well in less than a tenth of what its job usually takes. The verdict stands; this is a note beside it. */
export function judgeTooShort(
  { id, name, durationMs, usual }: { id: string; name: string; durationMs: number; usual: UsualTime | null },
  now: number,
): Judgment | null {
  if (!isKnown(usual) || durationMs >= usual.medianMs * share) return null;
  return {
    condition: 'TaskTooShort',
    component: 'collector',
    subject: id,
    status: 'true',
    severity: 'info',
    reason: `task ${name}: ended well after ${spanText(durationMs)}, usual is ${spanText(usual.medianMs)} (median of ${usual.runs} runs)`,
    value: durationMs,
    threshold: usual.medianMs * share,
    since: now,
  };
}
