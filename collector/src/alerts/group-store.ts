import { and, asc, eq, gt, inArray, ne, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, failureGroups, heldNotifications, nodes, tasks } from '../db/tables/schema.ts';
import type { Answer } from '../routing/decide.ts';
import { calmMsMin, calmWindows } from './grouping.ts';
import type { FiringCase } from './round.ts';

export type GroupRow = typeof failureGroups.$inferSelect;
type GroupKey = Pick<GroupRow, 'subscription' | 'groupKey'>;

/** Where what comes after too many kinds of failures waits. */
export const anyKind = '*';

/** What these subscriptions were told of one kind of failure, and of any, locked until the transaction ends. */
export async function findGroups(
  tx: Queries,
  { subscriptions, groupKey }: { subscriptions: readonly string[]; groupKey: string },
): Promise<GroupRow[]> {
  return tx
    .select()
    .from(failureGroups)
    .where(
      and(
        inArray(failureGroups.subscription, [...subscriptions]),
        inArray(failureGroups.groupKey, [groupKey, anyKind]),
      ),
    )
    .for('update');
}

/** Of how many kinds of failures these subscriptions were told since. */
export async function countKinds(
  tx: Queries,
  { subscriptions, since }: { subscriptions: readonly string[]; since: Date },
): Promise<Map<string, number>> {
  const rows = await tx
    .select({ subscription: failureGroups.subscription, kinds: sql<number>`count(*)::int` })
    .from(failureGroups)
    .where(
      and(
        inArray(failureGroups.subscription, [...subscriptions]),
        ne(failureGroups.groupKey, anyKind),
        gt(failureGroups.toldAt, since),
      ),
    )
    .groupBy(failureGroups.subscription);
  return new Map(rows.map(({ subscription, kinds }) => [subscription, kinds]));
}

/**
 * What waits for those subscriptions for which some of it is due, locked until the transaction ends; what another collector is at
 * is left out.
 */
export async function listDueGroups(tx: Queries, now: Date): Promise<GroupRow[]> {
  const at = now.toISOString();
  return tx
    .select()
    .from(failureGroups)
    .where(
      and(
        gt(failureGroups.waiting, 0),
        sql`${failureGroups.subscription} in (select due.subscription from failure_groups due
          where due.waiting > 0 and due.told_at + due.window_ms * interval '1 millisecond' <= ${at}::timestamptz)`,
      ),
    )
    .orderBy(asc(failureGroups.subscription), asc(failureGroups.groupKey))
    .for('update', { skipLocked: true });
}

export async function saveGroups(tx: Queries, rows: readonly GroupRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insert(failureGroups)
    .values([...rows])
    .onConflictDoUpdate({
      target: [failureGroups.subscription, failureGroups.groupKey],
      set: { toldAt: sql`excluded.told_at`, windowMs: sql`excluded.window_ms`, waiting: sql`excluded.waiting` },
    });
}

/** The failures that wait in a group, oldest first. */
export async function listWaiting(
  tx: Queries,
  { subscription, groupKey }: GroupKey,
  limit: number,
): Promise<FiringCase[]> {
  return tx
    .select({ alert: alerts, node: nodes, task: tasks })
    .from(heldNotifications)
    .innerJoin(alerts, eq(alerts.id, heldNotifications.alertId))
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(and(eq(heldNotifications.subscription, subscription), eq(heldNotifications.groupKey, groupKey)))
    .orderBy(asc(heldNotifications.heldAt), asc(heldNotifications.alertId))
    .limit(limit);
}

/** Nothing of a group waits any longer; each of its failures gets the subscription's final answer. */
export async function settleGroup(
  tx: Queries,
  { subscription, groupKey }: GroupKey,
  answer: Answer & { readonly notified: boolean },
): Promise<void> {
  const grouped = JSON.stringify([{ subscription, reason: 'grouped' }]);
  await tx.execute(sql`
    update transitions set decisions = (
      select jsonb_agg(case when one->>'subscription' = ${subscription} and one->>'reason' = 'grouped'
        then (one - 'detail') || ${JSON.stringify(answer)}::jsonb else one end)
      from jsonb_array_elements(decisions) one)
    where decisions @> ${grouped}::jsonb and alert_id in (
      select alert_id from held_notifications where subscription = ${subscription} and group_key = ${groupKey})`);
  await tx
    .delete(heldNotifications)
    .where(and(eq(heldNotifications.subscription, subscription), eq(heldNotifications.groupKey, groupKey)));
}

/** What was held for another reason waits in a group from now on. */
export async function moveToGroup(
  tx: Queries,
  { alertId, subscription, groupKey }: GroupKey & { alertId: string },
): Promise<void> {
  await tx
    .update(heldNotifications)
    .set({ reason: 'grouped', groupKey })
    .where(and(eq(heldNotifications.alertId, alertId), eq(heldNotifications.subscription, subscription)));
}

/** Forgets what says nothing about the next failure. */
export async function deleteCalmGroups(tx: Queries, now: Date): Promise<void> {
  await tx.execute(sql`
    delete from failure_groups
    where waiting = 0 and told_at + greatest(${calmMsMin}::int, ${calmWindows}::int * window_ms) * interval '1 millisecond' <= ${now.toISOString()}::timestamptz`);
}
