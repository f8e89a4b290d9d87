import { taskRecording } from '@runnerwatch/shared/model/recording.ts';
import { cause, schedulerWord, taskSource, taskStatus, verdict } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod';
import { moment, paging } from './paging.ts';

const count = z.number().nullable();

export const taskSchema = z.object({
  id: z.string(),
  task_id: z.string(),
  name: z.string(),
  job: z.string().nullable(),
  project: z.string().nullable(),
  owner: z.string().nullable(),
  node: z.string(),
  node_id: z.string(),
  source: taskSource,
  unit: z.string().nullable(),
  container_id: z.string().nullable(),
  command: z.string().nullable(),
  status: taskStatus,
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  ended_at_approximate: z.boolean(),
  duration_ms: count,
  cpu_ms: count,
  memory_peak_bytes: count,
  memory_limit_bytes: count,
  error_message: z.string().nullable(),
  verdict: z.nullable(verdict),
  scheduler: z
    .object({ ...schedulerWord.shape, corrected: z.boolean(), note: z.string().nullable() })
    .nullable()
    .describe('What its scheduler says; `corrected` when the node proved something else.'),
  amendments: z.int(),
});

export const taskDetailSchema = taskSchema.extend({
  log_tail: z.array(z.string()).nullable(),
  error_excerpt: z.array(z.string()).nullable(),
  has_recording: z.boolean().describe('Whether `/tasks/:id/recording` answers. It comes a moment after the end.'),
});

/** Columns of equal length, one value every `interval_ms` up to `until`; null is a value that was not read. */
export const recordingSchema = z.object({ task_id: z.string(), ...taskRecording.shape });

const filterText = z.string().max(512).optional();

export const taskQuery = z.object({
  ...paging,
  status: z.string().max(256).optional().describe('One status, or several with commas: `failed,killed_oom`.'),
  node: filterText.describe("A node's id or name."),
  job: filterText.describe("A job's id, its name, or `project/name`."),
  project: filterText,
  owner: filterText,
  cause: z.optional(cause),
  since: moment.optional().describe('Ended at or after this, or still running.'),
  until: moment.optional().describe('Ended before this.'),
});

export const taskParams = z.object({
  id: z.string().max(512).describe("A task's id, or its scheduler's task id (then the newest run)."),
});

export { taskStatus };
