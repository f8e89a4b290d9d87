import { asc, eq, inArray, or } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes, tasks, transitions } from '../db/tables/schema.ts';
import { type AlertRow, alertsOf, findIncident, type IncidentRow } from '../incidents/store.ts';
import { listByTransitions, type NotificationRecord } from '../outbox/store.ts';
import type { NodeRow, TaskRow } from './round.ts';

export type TransitionRecord = typeof transitions.$inferSelect;

/** A transition with everything that was promised because of it. */
export interface ExplainedTransition {
  readonly transition: TransitionRecord;
  readonly notifications: readonly NotificationRecord[];
}

export interface ExplainedIncident {
  readonly incident: IncidentRow;
  readonly alerts: readonly AlertRow[];
  readonly transitions: readonly ExplainedTransition[];
}

export interface ExplainedTask {
  readonly task: TaskRow;
  readonly node: NodeRow | null;
  /** TaskFailed of this task, the warnings of it, and the alerts in which it was told (its node's). */
  readonly alerts: readonly AlertRow[];
  readonly transitions: readonly ExplainedTransition[];
}

/** Why an incident did or did not reach people; null when there is none of that id. */
export async function explainIncident(db: Queries, id: string): Promise<ExplainedIncident | null> {
  const incident = await findIncident(db, id);
  if (incident === null) return null;
  const members = await alertsOf(db, [id]);
  return {
    incident,
    alerts: members,
    transitions: await timelineOf(
      db,
      members.map((alert) => alert.id),
    ),
  };
}

/** What happened to these alerts, in order, with its notifications. */
export async function timelineOf(db: Queries, alertIds: readonly string[]): Promise<ExplainedTransition[]> {
  if (alertIds.length === 0) return [];
  const rows = await db
    .select()
    .from(transitions)
    .where(inArray(transitions.alertId, [...alertIds]))
    .orderBy(asc(transitions.at), asc(transitions.id));
  return withNotifications(db, rows);
}

/** Why a task did or did not reach people, by its id or its newest run of that scheduler's id; null when unknown. */
export async function explainTask(db: Queries, id: string): Promise<ExplainedTask | null> {
  const found = await db
    .select({ task: tasks, node: nodes })
    .from(tasks)
    .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(or(eq(tasks.id, id), eq(tasks.taskId, id)));
  const [best] = found.toSorted(
    (a, b) =>
      Number(b.task.id === id) - Number(a.task.id === id) || b.task.receivedAt.getTime() - a.task.receivedAt.getTime(),
  );
  if (best === undefined) return null;
  const own = await db
    .select()
    .from(transitions)
    .where(eq(transitions.taskId, best.task.id))
    .orderBy(asc(transitions.at), asc(transitions.id));
  const alertIds = [...new Set(own.flatMap(({ alertId }) => (alertId === null ? [] : [alertId])))];
  const members = await db
    .select()
    .from(alerts)
    .where(or(inArray(alerts.id, alertIds), eq(alerts.taskId, best.task.id)));
  const ofNode = members.filter(({ condition }) => condition !== 'TaskFailed').map((alert) => alert.id);
  const around = (await timelineOf(db, ofNode)).filter(({ transition }) => transition.taskId === null);
  const explained = [...(await withNotifications(db, own)), ...around];
  explained.sort(
    (a, b) => a.transition.at.getTime() - b.transition.at.getTime() || (a.transition.id < b.transition.id ? -1 : 1),
  );
  return { ...best, alerts: members, transitions: explained };
}

async function withNotifications(db: Queries, rows: readonly TransitionRecord[]): Promise<ExplainedTransition[]> {
  const promised = await listByTransitions(
    db,
    rows.map(({ id }) => id),
  );
  const explained = new Map(
    rows.map((transition) => [transition.id, { transition, notifications: [] as NotificationRecord[] }]),
  );
  for (const notification of promised) explained.get(notification.transitionId)?.notifications.push(notification);
  return [...explained.values()];
}

/** Names of nodes, for people. */
export async function nodeNames(db: Queries, ids: readonly (string | null)[]): Promise<Map<string, string>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (wanted.length === 0) return new Map();
  const rows = await db.select({ id: nodes.id, name: nodes.name }).from(nodes).where(inArray(nodes.id, wanted));
  return new Map(rows.map(({ id, name }) => [id, name]));
}
