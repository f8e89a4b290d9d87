import type { Gap } from '@runnerwatch/shared/model/event.ts';
import type { Judgment } from './condition.ts';

/** Without another loss for this long it is over. */
const quietMs = 15 * 60_000;

/** SpoolOverflow: an agent had to give up facts it had written down. Null for a gap of any other source. */
export function judgeSpoolGap(gap: Gap, at: number): Judgment | null {
  if (gap.source !== 'spool') return null;
  const count =
    gap.lost === null ? (gap.at_most === null ? 'an unknown number of' : `at most ${gap.at_most}`) : String(gap.lost);
  const lane = gap.lane === null ? '' : ` (${gap.lane})`;
  const range = gap.from === null || gap.to === null ? '' : ` from ${gap.from} to ${gap.to}`;
  return {
    ...shape,
    status: 'true',
    reason: `${count} records${lane} were given up${range}: ${gap.cause}`,
    value: gap.lost ?? gap.at_most,
    since: at,
  };
}

/** Null while the last loss is too recent to call it over. */
export function judgeSpoolQuiet({ lastGapAt }: { lastGapAt: number }, now: number): Judgment | null {
  if (now - lastGapAt < quietMs) return null;
  return {
    ...shape,
    status: 'false',
    reason: `nothing was given up for ${quietMs / 60_000} minutes`,
    value: 0,
    since: now,
  };
}

const shape = {
  condition: 'SpoolOverflow',
  component: 'agent',
  subject: '',
  severity: 'critical',
  threshold: 0,
} as const;
