import { and, asc, desc, eq, getTableColumns, inArray, lt, ne, or, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes, notifications, tasks, transitions } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import { listByTransitions, type NotificationRecord } from '../outbox/store.ts';
import type { NodeRow, TaskRow } from './round.ts';

export type TransitionRecord = typeof transitions.$inferSelect;

/** A transition with everything that was promised because of it. */
export interface ExplainedTransition {
  readonly transition: TransitionRecord;
  readonly notifications: readonly NotificationRecord[];
}

export interface ExplainedTask {
  readonly task: TaskRow;
  readonly node: NodeRow | null;
  /** TaskFailed of this task, the warnings of it, and the alerts in which it was told (its node's). */
  readonly alerts: readonly AlertRow[];
  readonly transitions: readonly ExplainedTransition[];
}

export interface StoryQuery {
  readonly limit: number;
  readonly before?: { readonly at: Date; readonly id: string } | undefined;
}

/**
 * What happened to the alerts of an incident, the newest first. The end of many alerts by one acknowledgement, of which nobody was
 * told, is told once.
 */
export async function storyOf(
  db: Queries,
  incidentId: string,
  { limit, before }: StoryQuery,
): Promise<ExplainedTransition[]> {
  const told = toldOnce(db, incidentId);
  const rows = await db
    .select()
    .from(told)
    .where(and(isTold(told), before && or(lt(told.at, before.at), and(eq(told.at, before.at), lt(told.id, before.id)))))
    .orderBy(desc(told.at), desc(told.id))
    .limit(limit);
  return withNotifications(db, rows);
}

/** What was promised because of all that happened, and how that went. */
export interface Outcome {
  readonly promised: number;
  readonly delivered: number;
  readonly pending: number;
  readonly dead: number;
  /** Without a promise of its own: it was, or will be, told in the message of another. */
  readonly isToldWithOthers: boolean;
  /** Why subscriptions kept still. */
  readonly reasons: readonly string[];
}

/** The outcome of everything in an incident, and how much {@link storyOf} has to tell. */
export async function outcomeOf(db: Queries, incidentId: string): Promise<Outcome & { readonly moments: number }> {
  const told = toldOnce(db, incidentId);
  const moments = await db.$count(told, isTold(told));
  const ofIncident = eq(alerts.incidentId, incidentId);
  const states = await db
    .select({ state: notifications.state, count: sql<number>`count(*)::int` })
    .from(notifications)
    .innerJoin(transitions, eq(transitions.id, notifications.transitionId))
    .innerJoin(alerts, eq(alerts.id, transitions.alertId))
    .where(ofIncident)
    .groupBy(notifications.state);
  const reasons =
    states.length > 0
      ? []
      : await db
          .selectDistinct({
            reason: sql<string>`jsonb_array_elements(${transitions.decisions}) ->> 'reason'`,
            notified: sql<boolean>`(jsonb_array_elements(${transitions.decisions}) ->> 'notified')::boolean`,
          })
          .from(transitions)
          .innerJoin(alerts, eq(alerts.id, transitions.alertId))
          .where(ofIncident);
  const countOf = (state: string) => states.find((one) => one.state === state)?.count ?? 0;
  return {
    moments,
    promised: states.reduce((sum, { count }) => sum + count, 0),
    delivered: countOf('delivered'),
    pending: countOf('pending'),
    dead: countOf('dead'),
    isToldWithOthers: reasons.some(({ notified }) => notified),
    reasons: [...new Set(reasons.map(({ reason }) => reason))],
  };
}

/** The transitions of an incident; of those alike at one instant, the first of which people were told is number one. */
function toldOnce(db: Queries, incidentId: string) {
  return db
    .select({
      ...getTableColumns(transitions),
      nth: sql<number>`row_number() over (partition by ${transitions.at}, ${transitions.kind}, ${transitions.reason}
        order by ${eq(transitions.decisions, [])}, ${transitions.id})`.as('nth'),
    })
    .from(transitions)
    .innerJoin(alerts, eq(alerts.id, transitions.alertId))
    .where(eq(alerts.incidentId, incidentId))
    .as('told');
}

function isTold(told: ReturnType<typeof toldOnce>) {
  return or(eq(told.nth, 1), ne(told.decisions, []));
}

/** What happened to these alerts, in order, with its notifications. */
async function timelineOf(db: Queries, alertIds: readonly string[]): Promise<ExplainedTransition[]> {
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
