import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type CollectorStatus, collectorStatus } from '../schemas/status.ts';

/** `GET /status`. The function answers within its own time limit, with nulls for what it could not read. */
export function statusRoutes({ status }: { status: () => Promise<CollectorStatus> }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/status',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['collector'],
          summary: 'How the collector itself is doing.',
          response: { 200: collectorStatus },
        },
      },
      status,
    );
  };
}
