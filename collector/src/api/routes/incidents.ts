import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { nodeNames, outcomeOf } from '../../alerts/explain.ts';
import type { Database, Queries } from '../../db/database.ts';
import { readMembers } from '../../incidents/members.ts';
import { type Acknowledgement, findIncident, type IncidentRow, listIncidents } from '../../incidents/store.ts';
import { authorOf } from '../auth.ts';
import { badRequest, notFound } from '../errors.ts';
import { decodeCursor, pageOf, pageQuery } from '../schemas/cursor.ts';
import { conclude, incident, incidentDetail, toIncident } from '../schemas/incident.ts';
import { endOf, writtenDuration, writtenInstant } from '../schemas/routing.ts';

export interface IncidentRouteDeps {
  readonly db: Database;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Null: there is no such incident. */
  readonly acknowledge: (acknowledgement: Acknowledgement) => Promise<IncidentRow | null>;
}

/** A switch in a query: present, `true` or `1` is on. */
const onOff = z
  .enum(['', 'true', '1', 'false', '0'])
  .optional()
  .transform((value) => value !== undefined && value !== 'false' && value !== '0');
const acknowledgement = z.object({
  note: z.string().max(4000).default(''),
  by: z.string().max(200).default('').describe("Who acknowledges; of a person's own token it is that person."),
  expires_at: writtenInstant.optional(),
  for: writtenDuration.optional().describe('Instead of `expires_at`: so long nobody is reminded.'),
});
const idParam = z.object({ id: z.string().max(200) });

/** `GET /incidents`, `GET /incidents/:id`, `POST /incidents/:id/ack`. */
export function incidentRoutes(deps: IncidentRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readingRoutes(deps));
    await app.register(acknowledgingRoutes(deps));
  };
}

function readingRoutes({ db }: IncidentRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/incidents',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['incidents'],
          summary: 'Incidents, newest first. Without `open` or `status` all of them.',
          querystring: z.object({
            ...pageQuery,
            open: onOff,
            all: onOff,
            status: z.enum(['open', 'resolved']).optional(),
            severity: z.enum(['info', 'warning', 'critical']).optional(),
            node: z.string().max(300).optional().describe("A node's id or name: incidents with an alert about it."),
          }),
          response: { 200: z.object({ items: z.array(incident), next_cursor: z.string().nullable() }) },
        },
      },
      async ({ query: { limit, cursor, open, all, status, severity, node } }) => {
        if (open && (all || status === 'resolved'))
          throw badRequest('open', 'open and all (or status=resolved) contradict each other');
        const before = decodeCursor(cursor);
        const rows = await listIncidents(db.drizzle, {
          status: open ? 'open' : status,
          severity,
          node,
          limit: limit + 1,
          ...(before === undefined ? {} : { before: { openedAt: before.at, id: before.id } }),
        });
        const records = await withMembers(db.drizzle, rows.slice(0, limit), { node });
        return pageOf(rows, limit, {
          position: ({ openedAt, id }) => ({ at: openedAt, id }),
          item: (row) => records(row),
        });
      },
    );
    app.get(
      '/incidents/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['incidents'],
          summary: 'One incident with the first of its alerts, and who was told.',
          params: idParam,
          response: { 200: incidentDetail },
        },
      },
      async ({ params: { id } }) => {
        const found = await loadIncident(db, id);
        if (found === null) throw notFound(`incident ${id}`);
        return { ...found, ...(await tellingOf(db.drizzle, id)) };
      },
    );
  };
}

function acknowledgingRoutes({ db, now, acknowledge }: IncidentRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/incidents/:id/ack',
      {
        config: { role: 'operator' },
        schema: {
          tags: ['incidents'],
          summary:
            'Someone has seen it, and nobody is reminded, until `expires_at` if that is given. An incident of failed tasks is resolved by that; others end when their conditions do.',
          params: idParam,
          body: acknowledgement,
          response: { 200: incident },
        },
      },
      async (request) => {
        const { params, body } = request;
        const { id } = params;
        const { note, expires_at: endsAt } = body;
        const by = authorOf(request, body.by) ?? '';
        const until = endOf({ ends_at: endsAt, for: body.for }, { field: 'expires_at', now: now() });
        const row = await acknowledge({ id, note, by, until });
        if (row === null) throw notFound(`incident ${id}`);
        return (await withMembers(db.drizzle, [row]))(row);
      },
    );
  };
}

/** The public record of one incident, as the live stream shows it; null when it is gone. */
export async function loadIncident(db: Database, id: string): Promise<z.infer<typeof incident> | null> {
  const row = await findIncident(db.drizzle, id);
  return row === null ? null : (await withMembers(db.drizzle, [row]))(row);
}

async function tellingOf(db: Queries, id: string) {
  const outcome = await outcomeOf(db, id);
  return {
    conclusion: conclude(outcome),
    notifications_pending: outcome.pending,
    timeline_total: outcome.moments,
  };
}

async function withMembers(
  db: Queries,
  rows: readonly IncidentRow[],
  { node }: { node?: string | undefined } = {},
): Promise<(row: IncidentRow) => z.infer<typeof incident>> {
  const members = await readMembers(
    db,
    rows.map(({ id }) => id),
    { node },
  );
  const names = await nodeNames(
    db,
    [...members.values()].flatMap(({ nodeIds, alerts }) => [...nodeIds, ...alerts.map(({ nodeId }) => nodeId)]),
  );
  return (row) => toIncident(row, { members: members.get(row.id), names });
}
