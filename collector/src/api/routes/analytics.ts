import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { type FailurePosition, listFailures } from '../../tasks/failures.ts';
import { badRequest } from '../errors.ts';
import { failureGroupPage, failureQuery } from '../schemas/analytics.ts';
import { decodePosition, encodePosition, parseMoment } from '../schemas/paging.ts';
import type { JobRouteParts } from './jobs.ts';

/** `/analytics/failures`. */
export function analyticsRoutes({ queries, clock }: JobRouteParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/analytics/failures',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['analytics'],
          summary:
            'Where failures come from: by job, node, cause or project the most failures first, hours and days from the newest on.',
          querystring: failureQuery,
          response: { 200: failureGroupPage },
        },
      },
      async ({ query: { by, since: from, before: earlier, until: to, limit, cursor } }) => {
        const nowMs = clock.wallMs();
        const since = parseMoment('since', from, nowMs);
        const until = to === undefined ? new Date(nowMs + 1) : parseMoment('until', to, nowMs);
        if (until <= since) throw badRequest('until', 'expected a moment after `since`');
        const before = earlier === undefined ? undefined : parseMoment('before', earlier, nowMs);
        if (before !== undefined && before >= since) throw badRequest('before', 'expected a moment before `since`');
        const after = cursor === undefined ? undefined : positionOf(cursor);
        const found = await listFailures(queries, { by, before, since, until, limit, after });
        return {
          items: found.items.map((item) => ({ ...item, causes: { ...item.causes } })),
          next_cursor: found.next === null ? null : encodePosition([found.next.failures, found.next.group]),
          groups: found.groups,
          failures_before: found.failuresBefore,
        };
      },
    );
  };
}

/** @throws ApiError when it is none of ours. */
function positionOf(cursor: string): FailurePosition {
  const [failures, group] = decodePosition(cursor, z.tuple([z.int().min(0), z.string()]));
  return { failures, group };
}
