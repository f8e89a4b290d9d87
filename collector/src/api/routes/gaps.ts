import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { listGaps } from '../../nodes/gaps.ts';
import { instantText } from '../schemas/delivery.ts';
import { nodeGap, nodeParams } from '../schemas/node.ts';
import { decodePosition, encodePosition, page, paging } from '../schemas/paging.ts';
import { type NodeRouteParts, oneNode } from './nodes.ts';

const position = z.tuple([z.int()]);

/** `GET /nodes/:id/gaps`. */
export function gapRoutes({ queries }: Pick<NodeRouteParts, 'queries'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/nodes/:id/gaps',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['nodes'],
          summary: 'What the agent of a node could not see, or could not keep, by its own word: newest first.',
          params: nodeParams,
          querystring: z.object(paging),
          response: { 200: page(nodeGap) },
        },
      },
      async ({ params, query: { limit, cursor } }) => {
        const node = await oneNode(queries, params.id);
        const [before] = cursor === undefined ? [] : decodePosition(cursor, position);
        const rows = await listGaps(queries, { nodeId: node.id, before, limit: limit + 1 });
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return {
          items: shown.map(({ id, at, gap }) => ({ id: String(id), at: instantText(at), ...gap })),
          next_cursor: last === undefined ? null : encodePosition([last.id]),
        };
      },
    );
  };
}
