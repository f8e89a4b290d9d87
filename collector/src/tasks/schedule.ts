import { Cron } from 'croner';

/** Times of day that come again, as cron writes them: five fields, or a name such as `@daily`. */
export interface CronRule {
  readonly schedule: string;
  /** An IANA name: `Europe/Berlin`. */
  readonly timeZone: string;
}

/** The last times up to `at` (epoch milliseconds, inclusive), newest first; fewer where there are no more. */
export function timesUpTo(rule: CronRule, at: number, count: number): number[] {
  return cronOf(rule)
    .previousRuns(count, new Date(at + 1))
    .map((time) => time.getTime());
}

/** The first time after `at`; null when none comes any more. */
export function timeAfter(rule: CronRule, at: number): number | null {
  return cronOf(rule).nextRun(new Date(at))?.getTime() ?? null;
}

/** Why this is no schedule, as a sentence; null when it is one. */
export function refuseSchedule(schedule: string): string | null {
  try {
    const comes = timeAfter({ schedule, timeZone: 'UTC' }, Date.UTC(2000, 0)) !== null;
    return comes ? null : 'such a time never comes';
  } catch {
    return 'expected five fields as in "0 3 * * mon-fri": minute, hour, day of month, month, day of week; or @daily';
  }
}

/** A time that the clock skips comes when it has gone forward; one that it shows twice comes the first time. */
function cronOf({ schedule, timeZone }: CronRule): Cron {
  return new Cron(schedule, { timezone: timeZone, mode: '5-part', paused: true });
}
