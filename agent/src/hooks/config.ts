import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';

/** The words a task's end goes by, as in subscriptions: `end` is every end, `fail` every failed one but a timeout. */
export const hookEvents = ['end', 'success', 'fail', 'timeout'] as const;
export type HookEvent = (typeof hookEvents)[number];

/** One entry of `hooks` in agent.yaml: a program of this node, or an address, that hears of ends here. */
export const hookConfig = z
  .strictObject({
    events: z._default(field.listOf(z.enum(hookEvents, { error: `expected one of ${hookEvents.join(', ')}` })), [
      'end',
    ]),
    exec: z.optional(
      z.array(field.text, { error: 'expected a list: the program by its absolute path, then its arguments' }).check(
        z.refine(([program]) => program?.startsWith('/') === true, {
          error: 'expected the program by its absolute path, then its arguments',
        }),
      ),
    ),
    webhook: z.optional(field.httpUrl),
    timeout: z._default(
      field.duration.check(z.refine((ms) => ms > 0, { error: 'expected a duration above 0, such as 10s' })),
      10_000,
    ),
  })
  .check((context) => {
    const { exec, webhook } = context.value;
    if ((exec === undefined) !== (webhook === undefined)) return;
    context.issues.push({ code: 'custom', input: context.value, message: 'expected either exec or webhook' });
  });
export type HookConfig = z.output<typeof hookConfig>;
