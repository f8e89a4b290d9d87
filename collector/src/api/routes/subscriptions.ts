import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Policy } from '../../routing/subscription.ts';
import { subscription, toSubscription } from '../schemas/subscription.ts';

/** `GET /subscriptions`: who hears what. They are few and come from the configuration, so there is one page. */
export function subscriptionRoutes({ policy }: { policy: Policy }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/subscriptions',
      {
        schema: {
          tags: ['notifications'],
          summary: 'Who hears what. `enabled` false: nobody hears anything.',
          response: { 200: z.object({ enabled: z.boolean(), items: z.array(subscription), next_cursor: z.null() }) },
        },
      },
      async () => ({ enabled: policy.enabled, items: policy.subscriptions.map(toSubscription), next_cursor: null }),
    );
  };
}
