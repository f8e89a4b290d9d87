import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { shownStatus } from '../../nodes/record.ts';
import { listFleet, raisedConditions } from '../../nodes/store.ts';
import { countRunning } from '../../tasks/store.ts';
import { fleetNode } from '../schemas/node.ts';
import type { NodeRouteParts } from './nodes.ts';

const nodesMax = 10_000;

/** `GET /fleet`. */
export function fleetRoutes({ queries }: Pick<NodeRouteParts, 'queries'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/fleet',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['nodes'],
          summary: 'Every node in short, by name: how it is, what is wrong with it, and what its agent cannot see.',
          response: { 200: z.object({ items: z.array(fleetNode) }) },
        },
      },
      async () => {
        const rows = await listFleet(queries, nodesMax);
        const ids = rows.map(({ id }) => id);
        const conditions = await raisedConditions(queries, ids);
        const running = await countRunning(queries, ids);
        const items = rows.map((row) => ({
          id: row.id,
          name: row.name,
          status: shownStatus(row),
          running_tasks: running.get(row.id) ?? 0,
          conditions: conditions.get(row.id) ?? [],
          sources: row.limited,
        }));
        return { items };
      },
    );
  };
}
