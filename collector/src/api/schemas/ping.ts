import { taskStatus } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod';

const job = z
  .string()
  .min(1)
  .max(512)
  .describe("A job's name, `project/name` encoded (`lm%2Ftrain`), or a job's id. It need not be known yet.");

export const pingParams = z.object({ job });

export const pingEndParams = z.object({
  job,
  exit_code: z.string().regex(/^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/, {
    error: 'expected start, fail or an exit code from 0 to 255; a job within a project is written project%2Fname',
  }),
});

const name = z.string().min(1).max(200).optional();

/** Loose: what a caller adds for another service must not cost it its ping. */
export const pingQuery = z.looseObject({
  rid: name.describe("The caller's own id of this run: joins start and end, and makes repeats harmless."),
  owner: name,
  node: name.describe('Name of the node that it runs on.'),
});

export const pingBody = z
  .string()
  .nullish()
  .describe('The last lines of its log, as plain text of any size: the last 64 KiB are read, 100 lines kept.');

export const pingAnswer = z.object({
  task_id: z.string().describe('Of the run, for `/tasks/:id`.'),
  status: z.nullable(taskStatus),
  is_new: z.boolean().describe('False: it was a repeat, and changed nothing.'),
});
