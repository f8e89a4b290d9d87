import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, headers, rateLimit, timeout } from '../fields.ts';
import { ownLabels } from './message.ts';

/** Prometheus data model: what a label may be called; two underscores in front are Prometheus' own. */
function refuseLabel(name: string): string | null {
  if (!/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return 'expected a label name of letters, digits and underscores';
  return ownLabels.some((own) => own === name) ? 'this label is set by runnerwatch itself' : null;
}

export const alertmanagerSettings = z
  .strictObject({
    type: z.literal('alertmanager'),
    /** Every member of a cluster: each is told, as Prometheus does it. */
    urls: field
      .listOf(field.httpUrl)
      .check(z.refine((list) => list.length > 0 && list.length <= 10, { error: 'expected one to ten URLs' })),
    token: z.optional(field.text),
    token_file: z.optional(field.path),
    username: z.optional(field.text),
    password: z.optional(field.text),
    password_file: z.optional(field.path),
    headers,
    /** On every alert, beside our own. */
    labels: z._default(field.mapOf(field.text, refuseLabel), {}),
    /** How long the failure of a task, which nothing resolves, stays an alert there. */
    task_failure_for: z._default(field.duration, 3_600_000),
    timeout,
    rate_limit: rateLimit,
    brief,
  })
  .check((context) => {
    const { username, password, password_file, token, token_file, task_failure_for: failureMs } = context.value;
    const refuse = (key: string, message: string) =>
      context.issues.push({ code: 'custom', path: [key], input: undefined, message });
    const hasPassword = password !== undefined || password_file !== undefined;
    if (hasPassword !== (username !== undefined)) refuse('username', 'expected username and password, or neither');
    if (username !== undefined && (token !== undefined || token_file !== undefined))
      refuse('token', 'expected either a token, or username and password');
    if (failureMs < 60_000) refuse('task_failure_for', 'expected at least 1m, or it would be over before it is told');
  });
export type AlertmanagerSettings = z.output<typeof alertmanagerSettings>;
