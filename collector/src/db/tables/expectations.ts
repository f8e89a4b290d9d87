import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { countColumn, instantColumn } from './columns.ts';

/** What a person expects of a job's runs. */
export const jobExpectations = pgTable('job_expectations', {
  /** Of tasks/jobs.ts `jobId`. */
  jobId: text('job_id').primaryKey(),
  project: text('project'),
  job: text('job').notNull(),
  everyMs: countColumn('every_ms'),
  /** In place of `every_ms`: a cron expression, and the zone whose clock it goes by. */
  schedule: text('schedule'),
  timeZone: text('time_zone'),
  graceMs: countColumn('grace_ms').notNull(),
  maxRunMs: countColumn('max_run_ms'),
  minRunMs: countColumn('min_run_ms'),
  maxConcurrent: integer('max_concurrent'),
  /** Nothing before it is judged. */
  setAt: instantColumn('set_at').notNull(),
});
