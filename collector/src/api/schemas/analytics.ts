import * as z from 'zod';
import { failureGroupings } from '../../tasks/failures.ts';
import { moment, page, paging } from './paging.ts';

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
  failures_before: z.int().nullable().describe('In the time from `before` to `since`; null without it.'),
});

export const failureGroupPage = page(failureGroup).extend({
  groups: z.int().describe('How many there are from this page on.'),
  failures_before: z.int().nullable().describe('All failures of the time from `before` to `since`; null without it.'),
});

export const failureQuery = z.object({
  ...paging,
  by: z.enum(failureGroupings).default('job'),
  since: moment.default('7d').describe('Ends at or after this.'),
  before: moment.optional().describe('An earlier moment: the failures from it to `since` are counted beside.'),
  until: moment.optional().describe('Ends before this; now when left out.'),
});
