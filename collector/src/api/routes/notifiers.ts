import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { previewNotification } from '../../outbox/preview.ts';
import type { TestResult } from '../../outbox/send-test.ts';
import { notFound } from '../errors.ts';

export interface NotifierRouteDeps {
  /** Every receiver there is, with subscriptions' own targets (`webhook:<subscription>`). */
  readonly receivers: () => ReadonlySet<string>;
  readonly sendTest: (receiver: string) => Promise<TestResult>;
  readonly preview: (asked: {
    receiver: string;
    notificationId?: string | undefined;
  }) => ReturnType<typeof previewNotification>;
}

const testAnswer = z.object({
  notification_id: z.string(),
  receiver: z.string(),
  /** `pending`: no answer within 12 s. */
  outcome: z.enum(['delivered', 'failed', 'pending']),
  http_status: z.int().nullable(),
  error: z.string().nullable(),
  /** What is to be known although it was delivered: a recipient who was refused, a template that failed. */
  note: z.string().nullable(),
  duration_ms: z.number(),
});

const previewAnswer = z.object({
  /** What it was made of. */
  notification_id: z.string(),
  subject: z.string().nullable(),
  text: z.string(),
  html: z.string().nullable(),
  /** Why it is not as its template would have it. */
  note: z.string().nullable(),
});

/** `POST /notifiers/:name/test`, `POST /notifiers/:name/preview`. */
export function notifierRoutes({ receivers, sendTest, preview }: NotifierRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/notifiers/:name/test',
      {
        config: { role: 'operator' },
        schema: {
          tags: ['notifications'],
          summary: 'Sends a test notification by the way every notification goes, once, and answers what became of it.',
          params: z.object({ name: z.string().max(200) }),
          response: { 200: testAnswer },
        },
      },
      async ({ params: { name } }) => {
        if (!receivers().has(name)) throw notFound(`notifier ${name}; there are: ${listed(receivers())}`);
        const { notificationId, outcome, durationMs } = await sendTest(name);
        return {
          notification_id: notificationId,
          receiver: name,
          outcome:
            outcome === null
              ? ('pending' as const)
              : outcome.outcome === 'delivered'
                ? ('delivered' as const)
                : ('failed' as const),
          http_status: outcome?.httpStatus ?? null,
          note: outcome?.outcome === 'delivered' ? (outcome.note ?? null) : null,
          error: outcome === null ? 'no answer within 12 s' : outcome.outcome === 'delivered' ? null : outcome.error,
          duration_ms: durationMs,
        };
      },
    );
    app.post(
      '/notifiers/:name/preview',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['notifications'],
          summary:
            'What this notifier would send of a notification of the past, without sending it; without an id of the last one.',
          params: z.object({ name: z.string().max(200) }),
          body: z.object({ notification_id: z.string().max(200).optional() }).nullish(),
          response: { 200: previewAnswer },
        },
      },
      async ({ params: { name }, body }) => {
        if (!receivers().has(name)) throw notFound(`notifier ${name}; there are: ${listed(receivers())}`);
        const notificationId = body?.notification_id;
        const made = await preview({ receiver: name, notificationId });
        if (made === null) throw notFound(`delivery ${notificationId}`);
        const { subject, text, html = null, note = null } = made;
        return { notification_id: made.notificationId, subject, text, html, note };
      },
    );
  };
}

/** Those of the configuration; targets of single subscriptions have a colon. */
function listed(receivers: ReadonlySet<string>): string {
  return [...receivers].filter((one) => !one.includes(':')).join(', ');
}
