import { and, asc, eq, exists, inArray, isNull, lte, ne, notInArray, or, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, escalations, incidents, nodes, tasks, transitions } from '../db/tables/schema.ts';
import type { IncidentRow } from '../incidents/store.ts';
import type { FiringCase } from './round.ts';

export type EscalationRow = typeof escalations.$inferSelect;

/** From here on somebody may acknowledge; what waits already goes on waiting. */
export async function startEscalations(
  tx: Queries,
  rows: readonly Pick<EscalationRow, 'incidentId' | 'subscription' | 'since' | 'nextAt'>[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insert(escalations)
    .values([...rows])
    .onConflictDoNothing();
}

/**
 * What may have to go up: of open incidents that nobody is on, those whose time has come, and those whose acknowledgement has
 * ended since. Both rows are locked until the transaction ends; what somebody else is at is left out.
 */
export async function listDueEscalations(
  tx: Queries,
  now: Date,
): Promise<{ escalation: EscalationRow; incident: IncidentRow }[]> {
  return tx
    .select({ escalation: escalations, incident: incidents })
    .from(escalations)
    .innerJoin(incidents, eq(incidents.id, escalations.incidentId))
    .where(
      and(
        eq(incidents.status, 'open'),
        or(isNull(incidents.acknowledgedAt), lte(incidents.acknowledgedUntil, now)),
        or(lte(escalations.nextAt, now), sql`${incidents.acknowledgedUntil} > ${escalations.since}`),
      ),
    )
    .orderBy(asc(escalations.incidentId), asc(escalations.subscription))
    .for('update', { skipLocked: true });
}

/** The oldest alert of an incident that a subscription has told of and that still holds; null when all of them are over or set aside. */
export async function findCauseTold(
  tx: Queries,
  { incidentId, subscription }: Pick<EscalationRow, 'incidentId' | 'subscription'>,
): Promise<FiringCase | null> {
  const said = (answer: object) =>
    sql`${transitions.decisions} @> ${JSON.stringify([{ subscription, ...answer }])}::jsonb`;
  const telling = tx
    .select({ id: transitions.id })
    .from(transitions)
    .where(
      and(
        eq(transitions.alertId, alerts.id),
        notInArray(transitions.kind, ['resolved', 'escalated', 'acknowledged']),
        or(said({ notified: true }), said({ reason: 'receiver_already_told' })),
      ),
    );
  const [found] = await tx
    .select({ alert: alerts, node: nodes, task: tasks })
    .from(alerts)
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(
      and(
        eq(alerts.incidentId, incidentId),
        eq(alerts.status, 'firing'),
        isNull(alerts.calmSince),
        or(eq(alerts.condition, 'TaskFailed'), isNull(nodes.id), ne(nodes.draining, true)),
        exists(telling),
      ),
    )
    .orderBy(asc(alerts.firedAt), asc(alerts.id))
    .limit(1);
  return found ?? null;
}

export async function saveEscalation(tx: Queries, row: EscalationRow): Promise<void> {
  const { incidentId, subscription, ...rest } = row;
  await tx.update(escalations).set(rest).where(isOf({ incidentId, subscription }));
}

export async function deleteEscalation(
  tx: Queries,
  which: Pick<EscalationRow, 'incidentId' | 'subscription'>,
): Promise<void> {
  await tx.delete(escalations).where(isOf(which));
}

/** Forgets what is over. */
export async function deleteEndedEscalations(tx: Queries): Promise<void> {
  const over = tx.select({ id: incidents.id }).from(incidents).where(eq(incidents.status, 'resolved'));
  await tx.delete(escalations).where(inArray(escalations.incidentId, over));
}

function isOf({ incidentId, subscription }: Pick<EscalationRow, 'incidentId' | 'subscription'>) {
  return and(eq(escalations.incidentId, incidentId), eq(escalations.subscription, subscription));
}
