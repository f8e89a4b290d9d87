import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';

export const execSettings = z.strictObject({
  type: z.literal('exec'),
  /** The program and its arguments; no shell looks at them. */
  command: field.listOf(field.text).check(
    z.refine(([program]) => program?.startsWith('/') === true, {
      error: 'expected a program by its absolute path, then its arguments',
    }),
  ),
  timeout,
  rate_limit: rateLimit,
  brief,
});
export type ExecSettings = z.output<typeof execSettings>;
