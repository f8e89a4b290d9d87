import * as z from 'zod';
import { isTimeZone } from '../../routing/window.ts';
import type { ExpectationRow } from '../../tasks/expectations.ts';
import { refuseSchedule, timeAfter } from '../../tasks/schedule.ts';
import { instantText } from './delivery.ts';
import { showDuration, toMs, writtenDuration } from './routing.ts';

const shown = z.string().nullable();

export const expectation = z.object({
  job_id: z.string(),
  every: shown.describe('A run must start so long after the last one; null: whenever it likes.'),
  schedule: shown.describe('Or at these times: a cron expression of five fields.'),
  time_zone: shown.describe('The zone whose clock `schedule` goes by.'),
  next_at: shown.describe('The next time of `schedule`.'),
  grace: z.string().describe('How late it may start.'),
  max_run: shown,
  min_run: shown.describe('A run that ends well sooner is suspicious.'),
  max_concurrent: z.int().nullable(),
  set_at: z.string(),
});

const limit = writtenDuration.nullable().default(null);

const cron = z
  .string()
  .trim()
  .max(200)
  .check((context) => {
    const message = refuseSchedule(context.value);
    if (message !== null) context.issues.push({ code: 'custom', message, input: context.value });
  });

export const expectationBody = z.strictObject({
  every: limit,
  schedule: cron.nullable().default(null),
  time_zone: z
    .string()
    .max(100)
    .refine(isTimeZone, { error: 'expected a time zone such as Europe/Berlin' })
    .nullable()
    .default(null)
    .describe('Of `schedule`; UTC when left out.'),
  grace: writtenDuration.default('5m'),
  max_run: limit,
  min_run: limit,
  max_concurrent: z.int().min(1).max(1000).nullable().default(null),
});

export function toExpectation(row: ExpectationRow, now: number): z.infer<typeof expectation> {
  const { schedule, timeZone } = row;
  const nextAt = schedule === null || timeZone === null ? null : timeAfter({ schedule, timeZone }, now);
  return {
    job_id: row.jobId,
    every: shownOrNull(row.everyMs),
    schedule,
    time_zone: timeZone,
    next_at: nextAt === null ? null : instantText(new Date(nextAt)),
    grace: showDuration(row.graceMs),
    max_run: shownOrNull(row.maxRunMs),
    min_run: shownOrNull(row.minRunMs),
    max_concurrent: row.maxConcurrent,
    set_at: instantText(row.setAt),
  };
}

/** Null for none, and for `0`, which is off. */
export function durationOrNull(text: string | null): number | null {
  return text === null ? null : toMs(text) || null;
}

function shownOrNull(ms: number | null): string | null {
  return ms === null ? null : showDuration(ms);
}
