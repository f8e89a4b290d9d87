import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { previewSilence } from '../../alerts/preview.ts';
import type { Database } from '../../db/database.ts';
import type { NodeRow } from '../../nodes/record.ts';
import { findNodes, setDraining } from '../../nodes/store.ts';
import { newId } from '../../outbox/new-id.ts';
import { type LivePolicy, toSilence } from '../../routing/live-policy.ts';
import type { Matcher } from '../../routing/matcher.ts';
import { concernsNode } from '../../routing/silence.ts';
import { endSilence, insertSilence, listSilences, type SilenceRow } from '../../routing/store.ts';
import { authorOf } from '../auth.ts';
import { badRequest, notFound } from '../errors.ts';
import { endOf, toMatchers } from '../schemas/routing.ts';
import { hidden, previewBody, showSilence, silence, silenceBody } from '../schemas/silence.ts';

export interface SilenceRouteDeps {
  readonly db: Database;
  readonly policy: LivePolicy;
  readonly now: () => number;
  /** One has ended: what it kept back may be told. `undrained`: the node whose drain it came with. */
  readonly onEnded: (undrained: string | null) => void;
}

const tags = ['silences'];
const idParam = z.object({ id: z.string().max(200) });
const onOff = z
  .enum(['', 'true', '1', 'false', '0'])
  .optional()
  .transform((value) => value !== undefined && value !== 'false' && value !== '0');

/** `/silences`: orders that matching alerts notify nobody for a time. */
export function silenceRoutes(deps: SilenceRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readingRoutes(deps));
    await app.register(changingRoutes(deps));
  };
}

function readingRoutes({ db, now }: SilenceRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/silences',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'Silences that are or will be, newest first; with `all` also those that are over.',
          querystring: z.object({
            all: onOff,
            node: z
              .string()
              .max(512)
              .optional()
              .describe(
                'Those that concern this node, by its id or name: they name it by a pattern or a label, or a condition on whatever node.',
              ),
          }),
          response: { 200: z.object({ items: z.array(silence), next_cursor: z.null() }) },
        },
      },
      async ({ query: { all, node } }) => {
        const at = now();
        const rows = await listSilences(db.drizzle, { now: new Date(at), withPast: all });
        const shown = node === undefined ? rows : concerning(rows, await findNodes(db.drizzle, node));
        return { items: shown.map((row) => showSilence(row, at)), next_cursor: null };
      },
    );
    app.get(
      '/silences/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'One silence, also one that is over.',
          params: idParam,
          response: { 200: silence },
        },
      },
      async ({ params: { id } }) => {
        const at = now();
        const [row] = await listSilences(db.drizzle, { now: new Date(at), withPast: true, id });
        if (row === undefined) throw notFound(`silence ${id}`);
        return showSilence(row, at);
      },
    );
    app.post(
      '/silences/preview',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: 'What such a silence would hide now. Nothing is stored.',
          body: previewBody,
          response: { 200: hidden },
        },
      },
      async ({ body }) => hides(db, toMatchers(body.matchers)),
    );
  };
}

function concerning(rows: readonly SilenceRow[], nodes: readonly NodeRow[]): SilenceRow[] {
  return rows.filter((row) =>
    nodes.some(({ id, name, labels }) =>
      row.nodeId === null
        ? concernsNode(toSilence(row).matchers, { node: name, node_id: id, labels })
        : row.nodeId === id,
    ),
  );
}

function changingRoutes({ db, policy, now, onEnded }: SilenceRouteDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/silences',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Silences. The answer says what that hides now; with `dry_run` nothing else happens.',
          querystring: z.object({ dry_run: onOff }),
          body: silenceBody,
          response: { 200: silence.extend({ hides: hidden }), 201: silence.extend({ hides: hidden }) },
        },
      },
      async (request, reply) => {
        const { body, query } = request;
        const author = authorOf(request, body.author);
        if (author === undefined) throw badRequest('author', 'expected who silences');
        if (query.dry_run) request.subject = 'dry run';
        const row = silenceOf({ ...body, author }, now());
        const stored = query.dry_run ? row : await insertSilence(db.drizzle, row);
        if (!query.dry_run) await policy.refresh();
        const answer = { ...showSilence(stored, now()), hides: await hides(db, toMatchers(body.matchers)) };
        return reply.code(query.dry_run ? 200 : 201).send(answer);
      },
    );
    app.delete(
      '/silences/:id',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Ends a silence now. What it kept back and still holds is told.',
          params: idParam,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id } }, reply) => {
        const ended = await endSilence(db.drizzle, { id }, new Date(now()));
        if (ended === null) throw notFound(`silence ${id}, or it is over`);
        const undrained = ended.origin === 'drain' ? ended.nodeId : null;
        if (undrained !== null) await setDraining(db.drizzle, undrained, false);
        await policy.refresh();
        onEnded(undrained);
        return reply.code(204).send(null);
      },
    );
  };
}

/** @throws ApiError for a silence that would never silence anything, or that nobody would ever end */
function silenceOf(body: z.infer<typeof silenceBody> & { author: string }, now: number): SilenceRow {
  const startsAt = body.starts_at === undefined ? now : Date.parse(body.starts_at);
  const endsAt = endOf(body, { field: 'ends_at', now: Math.max(startsAt, now) });
  if (endsAt === null && body.recurrence === undefined)
    throw badRequest(
      'for',
      'expected how long (for: 2h) or until when (ends_at); only a recurring one may have no end',
    );
  return {
    id: newId(now),
    origin: 'person',
    author: body.author,
    reason: body.reason,
    matchers: toMatchers(body.matchers),
    recurrence: body.recurrence ?? null,
    startsAt: new Date(startsAt),
    endsAt,
    nodeId: null,
    createdAt: new Date(now),
    announcedAt: null,
  };
}

async function hides(db: Database, matchers: readonly Matcher[]): Promise<z.infer<typeof hidden>> {
  const found = await previewSilence(db.drizzle, matchers);
  return {
    count: found.length,
    items: found.slice(0, 100).map(({ alert, node, task }) => ({
      alert_id: alert.id,
      incident_id: alert.incidentId,
      condition: alert.condition,
      node: node?.name ?? alert.nodeId,
      task_id: task?.taskId ?? null,
      severity: alert.severity,
      reason: alert.reason,
    })),
  };
}
