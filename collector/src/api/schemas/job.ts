import { taskStatus } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod';
import { moment, paging } from './paging.ts';

export const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string().nullable(),
  runs: z.int(),
  running: z.int(),
  failed: z.int(),
  failure_rate: z.number().nullable().describe('Failed of ended, 0 to 1; null while none has ended.'),
  last_status: z.nullable(taskStatus),
  last_ended_at: z.string().nullable(),
});

const duration = z.number().nullable();

export const jobDetailSchema = jobSchema.extend({
  causes: z.record(z.string(), z.int()),
  durations: z.object({ p50_ms: duration, p95_ms: duration, mean_ms: duration, max_ms: duration }),
});

const since = moment.default('30d').describe('Runs that ended since, or still run.');
export const jobQuery = z.object({ ...paging, since });
export const jobDetailQuery = z.object({ since });
export const jobParams = z.object({ id: z.string().max(512).describe("A job's id, or `project/name` encoded.") });
