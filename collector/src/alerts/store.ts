import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { NotificationType, TransitionKind } from '@runnerwatch/shared/model/notification.ts';
import type { Cause, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { and, asc, desc, eq, inArray, isNotNull, isNull, max, min, ne, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { inParts } from '../db/in-parts.ts';
import { alerts, conditionStates, events, nodes, notifications, tasks, transitions } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import type { Decision, Told } from '../routing/decide.ts';
import type { NodeRow, TaskRow } from './round.ts';

/** A fact nobody has judged yet. */
export interface UnjudgedEvent {
  readonly id: number;
  readonly nodeId: string;
  readonly at: Date;
  readonly body: EventBody;
}

/** The oldest unjudged facts, locked until the transaction ends; those another engine holds are left out. */
export async function claimEvents(tx: Queries, limit: number): Promise<UnjudgedEvent[]> {
  return tx
    .select({ id: events.id, nodeId: events.nodeId, at: events.at, body: events.body })
    .from(events)
    .where(isNull(events.judgedAt))
    .orderBy(asc(events.id))
    .limit(limit)
    .for('update', { skipLocked: true });
}

export async function markJudged(tx: Queries, ids: readonly number[], now: Date): Promise<void> {
  await tx
    .update(events)
    .set({ judgedAt: now })
    .where(inArray(events.id, [...ids]));
}

export async function countUnjudged(db: Queries): Promise<number> {
  return db.$count(events, isNull(events.judgedAt));
}

export async function findNodes(tx: Queries, ids: readonly string[]): Promise<Map<string, NodeRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .select()
    .from(nodes)
    .where(inArray(nodes.id, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.id, row]));
}

/** Those of these nodes that are still taken for online. */
export async function listOnline(db: Queries, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({ id: nodes.id })
    .from(nodes)
    .where(and(inArray(nodes.id, [...ids]), eq(nodes.status, 'online')));
  return rows.map(({ id }) => id);
}

export async function findTasks(tx: Queries, ids: readonly string[]): Promise<Map<string, TaskRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .select()
    .from(tasks)
    .where(inArray(tasks.id, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.id, row]));
}

/** What was said of a task before, oldest first: the status of each of its transitions, which is their reason. */
export type TaskHistory = { readonly status: TaskStatus | 'started'; readonly cause: Cause | null }[];

export async function findHistories(tx: Queries, taskIds: readonly string[]): Promise<Map<string, TaskHistory>> {
  const histories = new Map<string, TaskHistory>(taskIds.map((id) => [id, []]));
  if (taskIds.length === 0) return histories;
  const rows = await tx
    .select({
      taskId: transitions.taskId,
      kind: transitions.kind,
      reason: transitions.reason,
      cause: transitions.taskCause,
    })
    .from(transitions)
    .where(inArray(transitions.taskId, [...histories.keys()]))
    .orderBy(asc(transitions.at), asc(transitions.id));
  for (const { taskId, kind, reason, cause } of rows) {
    const status = kind === 'started' ? 'started' : (reason as TaskStatus);
    if (taskId !== null) histories.get(taskId)?.push({ status, cause });
  }
  return histories;
}

export async function findFiring(tx: Queries, fingerprint: string): Promise<AlertRow | null> {
  const [row] = await tx
    .select()
    .from(alerts)
    .where(and(eq(alerts.fingerprint, fingerprint), eq(alerts.status, 'firing')));
  return row ?? null;
}

/** How an alert of this fingerprint ended last. */
export async function findPast(
  tx: Queries,
  fingerprint: string,
): Promise<{ flaps: number; resolvedAt: number; incidentId: string } | null> {
  const [row] = await tx
    .select({ flaps: alerts.flaps, resolvedAt: alerts.resolvedAt, incidentId: alerts.incidentId })
    .from(alerts)
    .where(and(eq(alerts.fingerprint, fingerprint), isNotNull(alerts.resolvedAt)))
    .orderBy(desc(alerts.resolvedAt))
    .limit(1);
  return row?.resolvedAt ? { ...row, resolvedAt: row.resolvedAt.getTime() } : null;
}

/** Every firing alert that can end by itself (failed tasks cannot), with its node and the task it speaks of. */
export async function listFiring(
  tx: Queries,
): Promise<{ alert: AlertRow; node: NodeRow | null; task: TaskRow | null }[]> {
  return tx
    .select({ alert: alerts, node: nodes, task: tasks })
    .from(alerts)
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(and(eq(alerts.status, 'firing'), ne(alerts.condition, 'TaskFailed')));
}

/** What one condition fires on, of what a subject says of itself. */
export async function listFiringSubjects(
  db: Queries,
  { nodeId, condition }: Pick<AlertRow, 'nodeId' | 'condition'>,
): Promise<string[]> {
  const rows = await db
    .select({ subject: alerts.subject })
    .from(alerts)
    .where(
      and(
        eq(alerts.condition, condition),
        eq(alerts.status, 'firing'),
        sql`${alerts.nodeId} is not distinct from ${nodeId}`,
      ),
    );
  return rows.map(({ subject }) => subject);
}

export async function insertAlert(
  tx: Queries,
  alert: Omit<typeof alerts.$inferInsert, 'status' | 'incidentId'> & { readonly incidentId: string | SQL<string> },
): Promise<AlertRow> {
  const [row] = await tx
    .insert(alerts)
    .values({ ...alert, status: 'firing' })
    .returning();
  if (row === undefined) throw new Error('an alert was not stored');
  return row;
}

/** These are over. */
export async function resolveAlerts(tx: Queries, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(alerts)
    .set({ status: 'resolved', resolvedAt: now })
    .where(inArray(alerts.id, [...ids]));
}

export async function updateAlert(tx: Queries, id: string, change: Partial<typeof alerts.$inferInsert>): Promise<void> {
  await tx.update(alerts).set(change).where(eq(alerts.id, id));
}

export interface TransitionRow {
  readonly id: string;
  readonly alertId: string | null;
  readonly taskId: string | null;
  readonly nodeId: string | null;
  readonly kind: TransitionKind;
  readonly at: Date;
  readonly reason: string;
  readonly decisions: Decision[];
}

export async function insertTransitions(tx: Queries, rows: readonly TransitionRow[]): Promise<void> {
  await inParts(rows, 200, (part) => tx.insert(transitions).values(part));
}

/** What tells someone that an alert holds. */
const tellingTypes: NotificationType[] = [
  'condition.fired',
  'condition.renotified',
  'node.unreachable',
  'task.ended',
  'task.amended',
];

/** Who was promised word that these alerts hold, and when last. */
export async function listTold(
  tx: Queries,
  alertIds: readonly string[],
): Promise<(Told & { alertId: string; lastAt: Date })[]> {
  if (alertIds.length === 0) return [];
  const rows = await tx
    .select({
      alertId: transitions.alertId,
      subscription: notifications.subscription,
      receiver: notifications.receiver,
      lastMs: sql<number>`(extract(epoch from max(${notifications.createdAt})) * 1000)::float8`,
    })
    .from(transitions)
    .innerJoin(notifications, eq(notifications.transitionId, transitions.id))
    .where(and(inArray(transitions.alertId, [...alertIds]), inArray(notifications.type, tellingTypes)))
    .groupBy(transitions.alertId, notifications.subscription, notifications.receiver);
  return rows.flatMap(({ alertId, lastMs, ...told }) =>
    alertId === null ? [] : [{ ...told, alertId, lastAt: new Date(Math.round(Number(lastMs))) }],
  );
}

export interface ToldOfIncident extends Told {
  readonly alert: AlertRow;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** It was told because nobody acknowledged it. */
  readonly isEscalation: boolean;
}

/** Who was promised word of these incidents, for each of their alerts, a digest counting for the alert that it hangs on. */
export async function listToldOfIncidents(tx: Queries, incidentIds: readonly string[]): Promise<ToldOfIncident[]> {
  return tx
    .select({
      alert: alerts,
      subscription: notifications.subscription,
      receiver: notifications.receiver,
      firstAt: min(notifications.createdAt).mapWith(notifications.createdAt),
      lastAt: max(notifications.createdAt).mapWith(notifications.createdAt),
      isEscalation: sql<boolean>`bool_or(${transitions.kind} = 'escalated')`,
    })
    .from(alerts)
    .innerJoin(transitions, eq(transitions.alertId, alerts.id))
    .innerJoin(notifications, eq(notifications.transitionId, transitions.id))
    .where(and(inArray(alerts.incidentId, [...incidentIds]), inArray(notifications.type, [...tellingTypes, 'digest'])))
    .groupBy(alerts.id, notifications.subscription, notifications.receiver);
}

/** The last word on each of these alerts. */
export async function listLatestTransitions(
  tx: Queries,
  alertIds: readonly string[],
): Promise<Map<string, { kind: TransitionKind; decisions: Decision[] }>> {
  if (alertIds.length === 0) return new Map();
  const rows = await tx
    .select({ alertId: transitions.alertId, kind: transitions.kind, decisions: transitions.decisions })
    .from(transitions)
    .where(
      and(
        inArray(transitions.alertId, [...alertIds]),
        isNull(transitions.taskId),
        // Nothing changed by it.
        ne(transitions.kind, 'acknowledged'),
      ),
    )
    .orderBy(asc(transitions.at), asc(transitions.id));
  return new Map(
    rows.flatMap(({ alertId, kind, decisions }) =>
      alertId === null ? [] : [[alertId, { kind, decisions: decisions as Decision[] }]],
    ),
  );
}

export async function upsertConditionState(tx: Queries, state: typeof conditionStates.$inferInsert): Promise<void> {
  const { nodeId: _node, component: _component, condition: _condition, subject: _subject, ...rest } = state;
  await tx
    .insert(conditionStates)
    .values(state)
    .onConflictDoUpdate({
      target: [conditionStates.nodeId, conditionStates.component, conditionStates.condition, conditionStates.subject],
      set: rest,
    });
}

export async function findConditionState(
  tx: Queries,
  alert: AlertRow,
): Promise<typeof conditionStates.$inferSelect | null> {
  const [row] = await tx
    .select()
    .from(conditionStates)
    .where(
      and(
        eq(conditionStates.nodeId, alert.nodeId ?? ''),
        eq(conditionStates.component, alert.component),
        eq(conditionStates.condition, alert.condition),
        eq(conditionStates.subject, alert.subject),
      ),
    );
  return row ?? null;
}

/** What was said of tasks that have ended since. */
export async function deleteStatesOfEnded(tx: Queries): Promise<void> {
  await tx.execute(
    sql`delete from condition_states s using tasks t where s.subject = t.id and t.status not in ('running', 'lost')`,
  );
}

/** Nodes whose clock is further away than this. */
export async function listSkewed(tx: Queries, aboveMs: number): Promise<NodeRow[]> {
  return tx.select().from(nodes).where(sql`abs(${nodes.clockSkewMs}) > ${aboveMs}`);
}
