import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Queries } from '../../db/database.ts';
import { listAudit } from '../../people/audit.ts';
import { decodeCursor, pageOf, pageQuery } from '../schemas/cursor.ts';
import { moment, parseMoment } from '../schemas/paging.ts';
import { auditEntry, showAudit } from '../schemas/person.ts';

export interface AuditRouteDeps {
  readonly queries: Queries;
  readonly now: () => number;
}

/** `GET /audit`. */
export function auditRoutes({ queries, now }: AuditRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/audit',
      {
        config: { role: 'admin' },
        schema: {
          tags: ['people'],
          summary: 'Who changed what or was not let, newest first; kept as long as `retention.audit` says.',
          querystring: z.object({ ...pageQuery, person: z.string().max(100).optional(), since: moment.optional() }),
          response: { 200: z.object({ items: z.array(auditEntry), next_cursor: z.string().nullable() }) },
        },
      },
      async ({ query: { limit, cursor, person, since } }) => {
        const rows = await listAudit(queries, {
          person,
          since: since === undefined ? undefined : parseMoment('since', since, now()),
          before: decodeCursor(cursor),
          limit: limit + 1,
        });
        return pageOf(rows, limit, { position: ({ at, id }) => ({ at, id }), item: showAudit });
      },
    );
  };
}
