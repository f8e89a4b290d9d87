import * as z from 'zod';
import { failureGroupings } from '../../tasks/failures.ts';
import { moment, paging } from './paging.ts';

export const failureGroup = z.object({
  key: z
    .string()
    .nullable()
    .describe(
      "`project/job`, a node's name, a cause, a project, or the instant an hour or a day begins (UTC); null: runs that have none.",
    ),
  id: z.string().nullable().describe('Of a job or a node; null otherwise.'),
  ends: z.int().describe('Runs that ended; beside a cause all of them, whatever their cause.'),
  failures: z.int(),
  failure_rate: z.number().describe('Failures of ends, 0 to 1.'),
  causes: z.record(z.string(), z.int()).describe('Failures by cause.'),
  last_failed_at: z.string(),
});

export const failureQuery = z.object({
  ...paging,
  by: z.enum(failureGroupings).default('job'),
  since: moment.default('7d').describe('Ends at or after this.'),
  until: moment.optional().describe('Ends before this; now when left out.'),
});
