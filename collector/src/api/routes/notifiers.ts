import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { TestResult } from '../../outbox/send-test.ts';
import { notFound } from '../errors.ts';

export interface NotifierRouteDeps {
  /** Every receiver there is. */
  readonly receivers: ReadonlySet<string>;
  readonly sendTest: (receiver: string) => Promise<TestResult>;
}

const testAnswer = z.object({
  notification_id: z.string(),
  receiver: z.string(),
  /** `pending`: no answer within 12 s. */
  outcome: z.enum(['delivered', 'failed', 'pending']),
  http_status: z.int().nullable(),
  error: z.string().nullable(),
  duration_ms: z.number(),
});

/** `POST /notifiers/:name/test`. */
export function notifierRoutes({ receivers, sendTest }: NotifierRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/notifiers/:name/test',
      {
        schema: {
          tags: ['notifications'],
          summary: 'Sends a test notification by the way every notification goes, once, and answers what became of it.',
          params: z.object({ name: z.string().max(200) }),
          response: { 200: testAnswer },
        },
      },
      async ({ params: { name } }) => {
        if (!receivers.has(name)) throw notFound(`notifier ${name}; there are: ${[...receivers].join(', ')}`);
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
          error: outcome === null ? 'no answer within 12 s' : outcome.outcome === 'delivered' ? null : outcome.error,
          duration_ms: durationMs,
        };
      },
    );
  };
}
