import * as z from 'zod';
import type { ExpectationRow } from '../../tasks/expectations.ts';
import { instantText } from './delivery.ts';
import { showDuration, toMs, writtenDuration } from './routing.ts';

const shown = z.string().nullable();

export const expectation = z.object({
  job_id: z.string(),
  every: shown.describe('A run must start so long after the last one; null: whenever it likes.'),
  grace: z.string().describe('How late it may start.'),
  max_run: shown,
  min_run: shown.describe('A run that ends well sooner is suspicious.'),
  max_concurrent: z.int().nullable(),
  set_at: z.string(),
});

const limit = writtenDuration.nullable().default(null);

export const expectationBody = z.strictObject({
  every: limit,
  grace: writtenDuration.default('5m'),
  max_run: limit,
  min_run: limit,
  max_concurrent: z.int().min(1).max(1000).nullable().default(null),
});

export function toExpectation(row: ExpectationRow): z.infer<typeof expectation> {
  return {
    job_id: row.jobId,
    every: shownOrNull(row.everyMs),
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
