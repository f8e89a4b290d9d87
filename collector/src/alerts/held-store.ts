import { eq, ne, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { inParts } from '../db/in-parts.ts';
import { alerts, heldNotifications, nodes, tasks } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import type { NodeRow, TaskRow } from './round.ts';

export type HeldRow = typeof heldNotifications.$inferSelect;

/** What is held twice stays held since the first time. */
export async function insertHeld(tx: Queries, rows: readonly HeldRow[]): Promise<void> {
  await inParts(rows, 500, (part) => tx.insert(heldNotifications).values(part).onConflictDoNothing());
}

/**
 * What a silence or quiet hours hold and no other collector is at, locked until the transaction ends; with the alert, which may
 * be over by now.
 */
export async function listHeld(
  tx: Queries,
): Promise<{ held: HeldRow; alert: AlertRow; node: NodeRow | null; task: TaskRow | null }[]> {
  return tx
    .select({ held: heldNotifications, alert: alerts, node: nodes, task: tasks })
    .from(heldNotifications)
    .innerJoin(alerts, eq(alerts.id, heldNotifications.alertId))
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(ne(heldNotifications.reason, 'grouped'))
    .orderBy(heldNotifications.heldAt, heldNotifications.alertId)
    .for('update', { of: heldNotifications, skipLocked: true });
}

export async function deleteHeld(
  tx: Queries,
  rows: readonly Pick<HeldRow, 'alertId' | 'subscription'>[],
): Promise<void> {
  if (rows.length === 0) return;
  const column = (pick: (row: (typeof rows)[number]) => string) => sql.param(rows.map(pick));
  await tx.execute(sql`
    delete from held_notifications h using unnest(
      ${column(({ alertId }) => alertId)}::text[], ${column(({ subscription }) => subscription)}::text[]) as over(alert_id, subscription)
    where h.alert_id = over.alert_id and h.subscription = over.subscription`);
}
