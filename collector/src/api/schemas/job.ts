import { taskStatus } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod';
import { expectation } from './expectation.ts';
import { moment, paging } from './paging.ts';

const summary = {
  id: z.string(),
  name: z.string(),
  project: z.string().nullable(),
  runs: z.int(),
  running: z.int(),
  failed: z.int(),
  failure_rate: z.number().nullable().describe('Failed of ended, 0 to 1; null while none has ended.'),
  last_status: z.nullable(taskStatus),
  last_ended_at: z.string().nullable(),
};

const duration = z.number().nullable();

export const jobSchema = z.object({
  ...summary,
  p50_ms: duration.describe('Half of its last runs took less.'),
  last_runs: z
    .array(
      z.object({
        id: z.string(),
        status: taskStatus,
        ended_at: z.string().nullable(),
        duration_ms: z.number().nullable(),
      }),
    )
    .describe('Those that ended, the newest first; 20 at most.'),
});

export const jobDetailSchema = z.object({
  ...summary,
  causes: z.record(z.string(), z.int()),
  durations: z.object({ p50_ms: duration, p95_ms: duration, mean_ms: duration, max_ms: duration }),
  days: z
    .array(z.object({ day: z.string(), ends: z.int(), failed: z.int() }))
    .describe('Dates (UTC) on which a run ended, the oldest first.'),
  expectation: z.nullable(expectation),
});

const since = moment.default('30d').describe('Runs that ended since, or still run.');
export const jobQuery = z.object({
  ...paging,
  since,
  search: z.string().max(200).optional().describe('Part of `project/name`.'),
});
export const jobDetailQuery = z.object({ since });
export const jobParams = z.object({ id: z.string().max(512).describe("A job's id, or `project/name` encoded.") });
