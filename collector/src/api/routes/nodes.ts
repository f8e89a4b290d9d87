import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { parseDuration } from '@runnerwatch/shared/runtime/duration.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { withIncidents } from '../../alerts/raised.ts';
import type { Queries } from '../../db/database.ts';
import {
  isDescendingByNature,
  type NodeOrder,
  type NodePosition,
  type NodeSort,
  readingOf,
} from '../../nodes/order.ts';
import { type NodeRecord, type NodeRow, nodeRecord } from '../../nodes/record.ts';
import {
  findNodes,
  listNodes,
  loadThresholds,
  onlineNodeIds,
  raisedConditions,
  removeNode,
  setDraining,
} from '../../nodes/store.ts';
import { newId } from '../../outbox/new-id.ts';
import { endSilence, insertSilence } from '../../routing/store.ts';
import type { SampleStore } from '../../samples/store.ts';
import { countRunning } from '../../tasks/store.ts';
import { authorOf } from '../auth.ts';
import { badRequest, conflict, notFound } from '../errors.ts';
import { drainBody, nodeDetail, nodeParams, nodeQuery, nodeSchema, samplePoint, sampleQuery } from '../schemas/node.ts';
import { decodePosition, encodePosition, page, parseMoment } from '../schemas/paging.ts';

export interface NodeRouteParts {
  readonly queries: Queries;
  readonly samples: Pick<SampleStore, 'newest' | 'query'>;
  readonly clock: Clock;
  /** After a person changed or removed a node: its session, its deadline and the live stream want to know. */
  readonly onChanged: (nodeId: string, change: 'drained' | 'undrained' | 'removed') => unknown;
}

const tags = ['nodes'];
const pointsMax = 2000;
const pointsWanted = 300;

/** `/nodes` and what is below it. */
export function nodeRoutes(parts: NodeRouteParts): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(readingRoutes(parts));
    await app.register(changingRoutes(parts));
  };
}

function readingRoutes(parts: NodeRouteParts): FastifyPluginAsyncZod {
  const { queries, samples, clock } = parts;
  return async (app) => {
    app.get(
      '/nodes',
      {
        config: { role: 'viewer' },
        schema: { tags, summary: 'All nodes.', querystring: nodeQuery, response: { 200: page(nodeSchema) } },
      },
      async ({ query: { limit, cursor, sort, order, ...filter } }) => {
        const rows = await listNodes(queries, filter, {
          limit: limit + 1,
          after: cursor === undefined ? undefined : decodePosition(cursor, nodePosition),
          order: await orderOf(parts, sort, order),
        });
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return {
          items: await recordsOf(parts, shown),
          next_cursor: last === undefined ? null : encodePosition([last.key, last.name, last.id]),
        };
      },
    );

    app.get(
      '/nodes/:id',
      {
        config: { role: 'viewer' },
        schema: { tags, summary: 'One node.', params: nodeParams, response: { 200: nodeDetail } },
      },
      async ({ params }) => {
        const node = await oneNode(queries, params.id);
        return { ...(await oneRecord(parts, node)), thresholds: await loadThresholds(queries, node.id) };
      },
    );

    app.get(
      '/nodes/:id/samples',
      {
        config: { role: 'viewer' },
        schema: {
          tags,
          summary: "A node's past readings.",
          params: nodeParams,
          querystring: sampleQuery,
          response: { 200: z.object({ items: z.array(samplePoint), step_ms: z.int(), next_cursor: z.null() }) },
        },
      },
      async ({ params, query }) => {
        const nowMs = clock.wallMs();
        const from = parseMoment('from', query.from, nowMs);
        const to = query.to === undefined ? new Date(nowMs + 1) : parseMoment('to', query.to, nowMs);
        if (to <= from) throw badRequest('to', 'expected a moment after `from`');
        const stepMs = chooseStepMs(query.step, to.getTime() - from.getTime());
        const node = await oneNode(queries, params.id);
        return { items: await samples.query(node.id, { from, to, stepMs }), step_ms: stepMs, next_cursor: null };
      },
    );
  };
}

function changingRoutes(parts: NodeRouteParts): FastifyPluginAsyncZod {
  const { queries, clock, onChanged } = parts;
  return async (app) => {
    const drain = async (idOrName: string, { draining, by, reason }: DrainOrder) => {
      const node = await oneNode(queries, idOrName);
      await setDraining(queries, node.id, draining);
      const now = new Date(clock.wallMs());
      if (!draining) await endSilence(queries, { drainOf: node.id }, now);
      else if (!node.draining) await insertSilence(queries, silenceOfDrain(node, { by, reason, now }));
      await onChanged(node.id, draining ? 'drained' : 'undrained');
      return oneRecord(parts, await oneNode(queries, node.id));
    };
    app.post(
      '/nodes/:id/drain',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'No notifications for this node until undrain. It is listed with the silences.',
          params: nodeParams,
          body: drainBody,
          response: { 200: nodeSchema },
        },
      },
      (request) =>
        drain(request.params.id, { draining: true, ...request.body, by: authorOf(request, request.body?.by) }),
    );
    app.post(
      '/nodes/:id/undrain',
      {
        config: { role: 'operator' },
        schema: {
          tags,
          summary: 'Notifications for this node again.',
          params: nodeParams,
          response: { 200: nodeSchema },
        },
      },
      ({ params }) => drain(params.id, { draining: false }),
    );

    app.delete(
      '/nodes/:id',
      {
        config: { role: 'admin' },
        schema: {
          tags,
          summary: 'Forgets a node with its tasks and samples. Its agent, if it still runs, comes back as a new one.',
          params: nodeParams,
          response: { 204: z.null() },
        },
      },
      async ({ params }, reply) => {
        const node = await oneNode(queries, params.id);
        await removeNode(queries, node.id);
        await onChanged(node.id, 'removed');
        return reply.code(204).send(null);
      },
    );
  };
}

interface DrainOrder {
  readonly draining: boolean;
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** Says who drains a node, and why; what is kept back goes by the node's flag. */
function silenceOfDrain(node: NodeRow, { by, reason, now }: Omit<DrainOrder, 'draining'> & { now: Date }) {
  return {
    id: newId(now.getTime()),
    origin: 'drain' as const,
    author: by ?? 'unknown',
    reason: reason ?? 'draining',
    matchers: [{ key: 'node', patterns: [node.name] }],
    startsAt: now,
    endsAt: null,
    nodeId: node.id,
    createdAt: now,
  };
}

const nodePosition = z
  .tuple([z.number(), z.string(), z.string()])
  .transform(([key, name, id]): NodePosition => ({ key, name, id }));

async function orderOf({ queries, samples }: RecordParts, by: NodeSort, order?: 'asc' | 'desc'): Promise<NodeOrder> {
  const isDescending = order === undefined ? isDescendingByNature(by) : order === 'desc';
  const reading = readingOf[by];
  if (reading === undefined) return { by, isDescending };
  const readings = (await onlineNodeIds(queries)).flatMap((id) => {
    const sample = samples.newest(id);
    const value = sample === null ? null : reading(sample);
    return value === null ? [] : [[id, value] as const];
  });
  return { by, isDescending, readings: new Map(readings) };
}

/** A node as the API shows it; null when there is none. For the live stream. */
export async function loadNodeRecord(
  parts: Pick<NodeRouteParts, 'queries' | 'samples'>,
  nodeId: string,
): Promise<NodeRecord | null> {
  const [node] = await findNodes(parts.queries, nodeId);
  return node === undefined ? null : oneRecord(parts, node);
}

/** @throws ApiError when there is none, or more than one of the name. */
export async function oneNode(queries: Queries, idOrName: string): Promise<NodeRow> {
  const found = await findNodes(queries, idOrName);
  const [node] = found;
  if (node === undefined) throw notFound(`node ${idOrName}`);
  if (found.length > 1) {
    throw conflict(`${found.length} nodes are named ${idOrName}; use an id: ${found.map(({ id }) => id).join(', ')}`);
  }
  return node;
}

type RecordParts = Pick<NodeRouteParts, 'queries' | 'samples'>;

async function oneRecord(parts: RecordParts, node: NodeRow): Promise<NodeRecord> {
  const [record] = await recordsOf(parts, [node]);
  if (record === undefined) throw notFound(`node ${node.id}`);
  return record;
}

async function recordsOf({ queries, samples }: RecordParts, rows: readonly NodeRow[]): Promise<NodeRecord[]> {
  if (rows.length === 0) return [];
  const nodeIds = rows.map(({ id }) => id);
  const conditions = await withIncidents(queries, await raisedConditions(queries, nodeIds));
  const running = await countRunning(queries, nodeIds);
  return rows.map((row) =>
    nodeRecord(row, {
      conditions: conditions.get(row.id) ?? [],
      runningTasks: running.get(row.id) ?? 0,
      sample: row.status === 'online' ? samples.newest(row.id) : null,
    }),
  );
}

function chooseStepMs(step: string | undefined, rangeMs: number): number {
  if (step === undefined) return Math.max(10_000, Math.ceil(rangeMs / pointsWanted / 10_000) * 10_000);
  const stepMs = parseDuration(step);
  if (stepMs === undefined || stepMs < 1000)
    throw badRequest('step', 'expected a duration of at least 1s, such as 10s or 5m');
  if (rangeMs / stepMs > pointsMax) {
    throw badRequest('step', `expected a step that makes at most ${pointsMax} points of the range`);
  }
  return stepMs;
}
