import type { ConditionReport, ConditionType } from '@runnerwatch/shared/model/condition.ts';
import type { NodeDescription, SourceState } from '@runnerwatch/shared/model/node.ts';
import { and, asc, eq, getTableColumns, inArray, isNotNull, ne, or, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { toDatabaseError } from '../db/errors.ts';
import { holding } from '../db/like-pattern.ts';
import { agents, conditionStates, nodes } from '../db/tables/schema.ts';
import type { NodeTouch } from './liveness.ts';
import { type NodeOrder, type NodePosition, orderTerms } from './order.ts';
import type { NodeRow } from './record.ts';

export interface Arrival {
  readonly id: string;
  readonly description: NodeDescription;
  readonly agentVersion: string;
  readonly remoteAddress: string | null;
  readonly heartbeatIntervalMs: number;
  readonly at: Date;
  readonly deadlineAt: Date;
}

/** An agent said hello: its node is there and online. */
export async function saveArrival(queries: Queries, arrival: Arrival): Promise<void> {
  const told = {
    ...describe(arrival.id, arrival.description),
    status: 'online' as const,
    agentVersion: arrival.agentVersion,
    remoteAddress: arrival.remoteAddress,
    heartbeatIntervalMs: arrival.heartbeatIntervalMs,
    connectedAt: arrival.at,
    lastHeardAt: arrival.at,
    deadlineAt: arrival.deadlineAt,
    goodbyeReason: null,
  };
  await queries
    .insert(nodes)
    .values({ id: arrival.id, firstSeenAt: arrival.at, ...told })
    .onConflictDoUpdate({ target: nodes.id, set: told });
}

/** What the agent says of its node, as columns; what it could not read leaves what was known. Labels of its enrolment come before its own. */
function describe(nodeId: string, { name, labels, boot_id, inventory, sources }: NodeDescription) {
  const ofEnrolment = sql`(select ${agents.labels} from ${agents} where ${agents.nodeId} = ${nodeId})`;
  return {
    name,
    labels: sql<Record<string, string>>`${JSON.stringify(labels)}::jsonb || coalesce(${ofEnrolment}, '{}'::jsonb)`,
    sources,
    bootId: boot_id,
    ...(inventory === null ? {} : { inventory }),
  };
}

export async function saveDescription(
  transaction: Queries,
  nodeId: string,
  description: NodeDescription,
): Promise<void> {
  await transaction.update(nodes).set(describe(nodeId, description)).where(eq(nodes.id, nodeId));
}

/** Replaces the state of one source. The node is locked by the caller. */
export async function saveSource(transaction: Queries, nodeId: string, source: SourceState): Promise<void> {
  const [node] = await transaction.select({ sources: nodes.sources }).from(nodes).where(eq(nodes.id, nodeId));
  if (node === undefined) return;
  const others = node.sources.filter(({ name }) => name !== source.name);
  await transaction
    .update(nodes)
    .set({ sources: [...others, source].toSorted((a, b) => a.name.localeCompare(b.name)) })
    .where(eq(nodes.id, nodeId));
}

/** The node, locked until the transaction ends; everything that changes its tasks takes this lock first. Null: removed. */
export async function lockNode(transaction: Queries, nodeId: string): Promise<NodeRow | null> {
  const [node] = await transaction.select().from(nodes).where(eq(nodes.id, nodeId)).for('no key update');
  return node ?? null;
}

/** A node that no agent has spoken for, so that the tasks told of it have a place. */
export async function ensureNode(transaction: Queries, node: { id: string; name: string }, now: Date): Promise<void> {
  await transaction
    .insert(nodes)
    .values({ ...node, status: 'never_seen', firstSeenAt: now, lastHeardAt: now })
    .onConflictDoNothing();
}

/** Of jobs that tell of themselves and name no node. */
export const nowhere = 'ping';

/** The node that stands in for one of this name, of which only jobs have told. */
export function standInId(name: string): string {
  return `ping:${name}`;
}

/** The node of an agent that has just come takes over what jobs told of it before, unless another agent's has its name too. */
export async function takeOverStandIn(transaction: Queries, { id, name }: { id: string; name: string }): Promise<void> {
  if (name === nowhere || id === standInId(name)) return;
  const [standIn] = await transaction
    .select({ id: nodes.id })
    .from(nodes)
    .where(
      and(
        eq(nodes.id, standInId(name)),
        sql`not exists (select 1 from nodes other where other.name = ${name} and other.id <> ${id} and other.status <> 'never_seen')`,
      ),
    );
  if (standIn !== undefined) await mergeNode(transaction, standIn.id, id);
}

/** One node takes over what was told of another, which is gone then. */
export async function mergeNode(queries: Queries, from: string, to: string): Promise<void> {
  await queries.transaction(async (transaction) => {
    await transaction.select({ id: nodes.id }).from(nodes).where(eq(nodes.id, from)).for('update');
    for (const table of ['tasks', 'events', 'alerts', 'transitions'])
      await transaction.execute(sql`update ${sql.identifier(table)} set node_id = ${to} where node_id = ${from}`);
    await transaction.delete(nodes).where(eq(nodes.id, from));
  });
}

export interface NodeFilter {
  /** Part of a name or of a label's value. */
  readonly search?: string | undefined;
  readonly status?: 'online' | 'offline' | 'stopped' | 'draining' | undefined;
  /** Is true on it; `any`: one of them is. */
  readonly condition?: ConditionType | 'any' | undefined;
}

export interface NodePage {
  readonly limit: number;
  /** The last one of the page before. */
  readonly after?: NodePosition | undefined;
  /** By name when left out. */
  readonly order?: NodeOrder;
}

/** In order; each with its position. */
export async function listNodes(
  queries: Queries,
  { search, status, condition }: NodeFilter,
  { limit, after, order = { by: 'name', isDescending: false } }: NodePage,
): Promise<(NodeRow & NodePosition)[]> {
  const pattern = search === undefined ? undefined : holding(search);
  const { key, beyond, orderBy } = orderTerms(order, after);
  return queries
    .select({ ...getTableColumns(nodes), key })
    .from(nodes)
    .where(and(pattern === undefined ? undefined : matches(pattern), hasStatus(status), isUnder(condition), beyond))
    .orderBy(...orderBy)
    .limit(limit);
}

export interface FleetRow extends Pick<NodeRow, 'id' | 'name' | 'status' | 'draining'> {
  /** Those that do not see everything. */
  readonly limited: SourceState[];
}

/** Every node in short, by name, then id. */
export async function listFleet(queries: Queries, limit: number): Promise<FleetRow[]> {
  const { id, name, status, draining, sources } = nodes;
  const limited = sql<
    SourceState[]
  >`jsonb_path_query_array(${sources}, '$[*] ? (@.state == "blind" || @.state == "degraded")')`;
  return queries.select({ id, name, status, draining, limited }).from(nodes).orderBy(asc(name), asc(id)).limit(limit);
}

function matches(pattern: string): SQL {
  return sql`(${nodes.name} ilike ${pattern} or exists (select 1 from jsonb_each_text(${nodes.labels}) as label where label.value ilike ${pattern}))`;
}

function hasStatus(status: NodeFilter['status']): SQL | undefined {
  if (status === undefined) return undefined;
  if (status === 'draining') return and(eq(nodes.status, 'online'), eq(nodes.draining, true));
  return status === 'online' ? and(eq(nodes.status, 'online'), eq(nodes.draining, false)) : eq(nodes.status, status);
}

function isUnder(condition: NodeFilter['condition']): SQL | undefined {
  if (condition === undefined) return undefined;
  const isNamed = condition === 'any' ? sql`true` : eq(conditionStates.condition, condition);
  return sql`exists (select 1 from ${conditionStates} where ${conditionStates.nodeId} = ${nodes.id} and ${conditionStates.status} = 'true' and ${isNamed})`;
}

/** By id, else by name: several when the name is not unique. */
export async function findNodes(queries: Queries, idOrName: string): Promise<NodeRow[]> {
  const found = await queries
    .select()
    .from(nodes)
    .where(or(eq(nodes.id, idOrName), eq(nodes.name, idOrName)))
    .orderBy(asc(nodes.id));
  const exact = found.filter(({ id }) => id === idOrName);
  return exact.length > 0 ? exact : found;
}

export async function setDraining(queries: Queries, nodeId: string, draining: boolean): Promise<void> {
  await queries.update(nodes).set({ draining }).where(eq(nodes.id, nodeId));
}

/** The node with its events, tasks and samples, and its agent's key. Its incidents stay: they are history. */
export async function removeNode(queries: Queries, nodeId: string): Promise<boolean> {
  return queries.transaction(async (transaction) => {
    await transaction.delete(agents).where(eq(agents.nodeId, nodeId));
    await transaction.delete(conditionStates).where(eq(conditionStates.nodeId, nodeId));
    const removed = await transaction.delete(nodes).where(eq(nodes.id, nodeId)).returning({ id: nodes.id });
    return removed.length > 0;
  });
}

/** Those that were online: each gets one fresh deadline when the collector starts. */
export async function onlineNodeIds(queries: Queries): Promise<string[]> {
  const rows = await queries.select({ id: nodes.id }).from(nodes).where(eq(nodes.status, 'online'));
  return rows.map(({ id }) => id);
}

/** Silent ones become offline; returns those that were not yet, as they are now. Inside the engine's transaction. */
export async function markOffline(transaction: Queries, nodeIds: readonly string[]): Promise<NodeRow[]> {
  if (nodeIds.length === 0) return [];
  return transaction
    .update(nodes)
    .set({ status: 'offline' })
    .where(and(inArray(nodes.id, [...nodeIds]), eq(nodes.status, 'online')))
    .returning();
}

/** Writes down who was heard, and who said goodbye. A node that was heard is online, whatever was thought before. @throws DatabaseError */
export async function saveTouches(queries: Queries, touches: readonly NodeTouch[]): Promise<void> {
  if (touches.length === 0) return;
  const column = <T>(pick: (touch: NodeTouch) => T) => sql.param(touches.map(pick));
  const saved = queries.execute(sql`
    update nodes set
      last_heard_at = told.heard_at::timestamptz,
      deadline_at = told.deadline_at::timestamptz,
      clock_skew_ms = coalesce(told.skew_ms, nodes.clock_skew_ms),
      status = case when told.goodbye is null then 'online' else 'stopped' end,
      goodbye_reason = told.goodbye
    from unnest(
      ${column(({ nodeId }) => nodeId)}::text[],
      ${column(({ heardAt }) => heardAt.toISOString())}::text[],
      ${column(({ deadlineAt }) => deadlineAt?.toISOString() ?? null)}::text[],
      ${column(({ clockSkewMs }) => clockSkewMs)}::int8[],
      ${column(({ goodbyeReason }) => goodbyeReason)}::text[]
    ) as told(id, heard_at, deadline_at, skew_ms, goodbye)
    where nodes.id = told.id`);
  await saved.catch((error: unknown) => {
    throw toDatabaseError(error);
  });
}

/** What is true or unknown now, per node id. */
export async function raisedConditions(
  queries: Queries,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, ConditionReport[]>> {
  const rows = await queries
    .select()
    .from(conditionStates)
    .where(
      and(
        ne(conditionStates.status, 'false'),
        sql`${conditionStates.nodeId} = any(${sql.param([...nodeIds])}::text[])`,
      ),
    )
    .orderBy(asc(conditionStates.condition), asc(conditionStates.subject));
  const byNode = new Map<string, ConditionReport[]>();
  for (const { nodeId, changedAt: _changedAt, since, ...state } of rows) {
    const reports = byNode.get(nodeId) ?? [];
    reports.push({ ...state, since: since.toISOString() });
    byNode.set(nodeId, reports);
  }
  return byNode;
}

/** Above which a node's agent finds a condition of the whole node, by condition, in its own unit; as it last judged. */
export async function loadThresholds(queries: Queries, nodeId: string): Promise<Record<string, number>> {
  const rows = await queries
    .select({ condition: conditionStates.condition, threshold: conditionStates.threshold })
    .from(conditionStates)
    .where(
      and(
        eq(conditionStates.nodeId, nodeId),
        eq(conditionStates.component, 'agent'),
        eq(conditionStates.subject, ''),
        isNotNull(conditionStates.threshold),
      ),
    );
  return Object.fromEntries(rows.map(({ condition, threshold }) => [condition, threshold ?? 0]));
}

/** How many nodes per shown status. */
export async function countNodes(queries: Queries): Promise<Record<string, number>> {
  const rows = await queries.execute<{ status: string; count: number }>(sql`
    select case when status = 'online' and draining then 'draining' else status end as status, count(*)::int as count
    from nodes group by 1`);
  return Object.fromEntries([...rows].map(({ status, count }) => [status, count]));
}
