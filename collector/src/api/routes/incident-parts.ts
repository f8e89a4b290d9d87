import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { nodeNames, storyOf } from '../../alerts/explain.ts';
import type { Database } from '../../db/database.ts';
import { listMembers } from '../../incidents/members.ts';
import { findIncident } from '../../incidents/store.ts';
import { notFound } from '../errors.ts';
import { decodeCursor, pageOf, pageQuery } from '../schemas/cursor.ts';
import { alert, explainedTransition, toAlert, toTransition } from '../schemas/incident.ts';
import { decodePosition, encodePosition, page, paging } from '../schemas/paging.ts';

const idParam = z.object({ id: z.string().max(200) });

/** `GET /incidents/:id/alerts`, `GET /incidents/:id/timeline`: all of what an incident shows the first or the newest of. */
export function incidentPartRoutes({ db }: { db: Database }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/incidents/:id/alerts',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['incidents'],
          summary: 'The alerts of an incident: those that fire first, then as they came.',
          params: idParam,
          querystring: z.object(paging),
          response: { 200: page(alert) },
        },
      },
      async ({ params: { id }, query: { limit, cursor } }) => {
        if ((await findIncident(db.drizzle, id)) === null) throw notFound(`incident ${id}`);
        const after = cursor === undefined ? undefined : memberAfter(cursor);
        const rows = await listMembers(db.drizzle, id, { limit: limit + 1, after });
        const shown = rows.slice(0, limit);
        const names = await nodeNames(
          db.drizzle,
          shown.map(({ nodeId }) => nodeId),
        );
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return {
          items: shown.map((row) => toAlert(row, names)),
          next_cursor: last === undefined ? null : encodePosition([last.status, last.firedAt.getTime(), last.id]),
        };
      },
    );
    app.get(
      '/incidents/:id/timeline',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['incidents'],
          summary: 'What happened in an incident and who was told, the newest first.',
          params: idParam,
          querystring: z.object(pageQuery),
          response: { 200: page(explainedTransition) },
        },
      },
      async ({ params: { id }, query: { limit, cursor } }) => {
        if ((await findIncident(db.drizzle, id)) === null) throw notFound(`incident ${id}`);
        const story = await storyOf(db.drizzle, id, { limit: limit + 1, before: decodeCursor(cursor) });
        return pageOf(story, limit, { position: ({ transition }) => transition, item: toTransition });
      },
    );
  };
}

const memberPosition = z.tuple([z.enum(['firing', 'resolved']), z.int().min(0), z.string()]);

/** @throws ApiError when it is none of ours. */
function memberAfter(cursor: string) {
  const [status, firedAtMs, id] = decodePosition(cursor, memberPosition);
  return { status, firedAt: new Date(firedAtMs), id };
}
