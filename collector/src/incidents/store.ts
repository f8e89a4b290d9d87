import type { Severity } from '@runnerwatch/shared/model/condition.ts';
import { and, desc, eq, gt, gte, inArray, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, incidents } from '../db/tables/schema.ts';

export type IncidentRow = typeof incidents.$inferSelect;
export type AlertRow = typeof alerts.$inferSelect;

export interface Opening {
  /** Used when no incident of this key is open. */
  readonly id: string;
  readonly groupKey: string;
  readonly title: string;
  readonly severity: Severity;
  readonly now: Date;
  /** It is for a task that failed. */
  readonly isFailure?: boolean;
}

/** The open incident of a key, opened when there is none; its severity is that of its worst alert, and its title that of the first such. */
export async function openIncident(tx: Queries, opening: Opening): Promise<IncidentRow> {
  const { id, groupKey, title, severity, now, isFailure = false } = opening;
  const failures = isFailure ? 1 : 0;
  const [row] = await tx
    .insert(incidents)
    .values({ id, groupKey, status: 'open', title, severity, openedAt: now, failures })
    .onConflictDoUpdate({
      target: incidents.groupKey,
      targetWhere: sql`status = 'open'`,
      set: {
        severity: worse(severity),
        failures: sql`${incidents.failures} + ${failures}::int`,
        title: sql`case when ${worse(severity)} <> ${incidents.severity} then ${title} else ${incidents.title} end`,
      },
    })
    .returning();
  if (row === undefined) throw new Error('an incident was neither opened nor found');
  return row;
}

/** A cause that has come back goes on in its incident, unless another of its key is open. */
export async function reopenIncident(tx: Queries, id: string): Promise<void> {
  await tx
    .update(incidents)
    .set({ status: 'open', resolvedAt: null })
    .where(
      and(
        eq(incidents.id, id),
        eq(incidents.status, 'resolved'),
        sql`not exists (select 1 from incidents other where other.group_key = ${incidents.groupKey} and other.status = 'open')`,
      ),
    );
}

/** Which of these keys has an open incident, or else the newest of those with this beginning that were opened since. */
export async function findOpenKey(
  tx: Queries,
  { key, prefix, since }: { key: string; prefix: string | null; since: Date },
): Promise<string | null> {
  const young =
    prefix === null
      ? undefined
      : and(sql`starts_with(${incidents.groupKey}, ${prefix})`, gte(incidents.openedAt, since));
  const [row] = await tx
    .select({ groupKey: incidents.groupKey })
    .from(incidents)
    .where(and(eq(incidents.status, 'open'), or(eq(incidents.groupKey, key), young)))
    .orderBy(desc(eq(incidents.groupKey, key)), desc(incidents.openedAt))
    .limit(1);
  return row?.groupKey ?? null;
}

/** What an incident is called, with how many failures are in it. */
export function titleOfIncident({ title, failures }: Pick<IncidentRow, 'title' | 'failures'>): string {
  return failures > 1 ? `${title}, and ${failures - 1} more` : title;
}

/** The id of the open incident of a key, for a statement behind the one that opens it. */
export function idOfOpen(groupKey: string): SQL<string> {
  return sql`(select id from incidents where group_key = ${groupKey} and status = 'open')`;
}

/** Raises an incident's severity, never lowers it. */
export async function raiseSeverity(tx: Queries, id: string, severity: Severity): Promise<void> {
  await tx
    .update(incidents)
    .set({ severity: worse(severity) })
    .where(eq(incidents.id, id));
}

function worse(severity: Severity) {
  return sql`case when ${incidents.severity} = 'critical' or ${severity} = 'critical' then 'critical'
    when ${incidents.severity} = 'warning' or ${severity} = 'warning' then 'warning' else 'info' end`;
}

export async function setFinding(tx: Queries, id: string, finding: string | null): Promise<void> {
  await tx.update(incidents).set({ finding }).where(eq(incidents.id, id));
}

/** Resolves those of these incidents that have no firing alert left; returns them. */
export async function resolveIfOver(tx: Queries, ids: readonly string[], now: Date): Promise<IncidentRow[]> {
  if (ids.length === 0) return [];
  return tx
    .update(incidents)
    .set({ status: 'resolved', resolvedAt: now })
    .where(
      and(
        inArray(incidents.id, [...ids]),
        eq(incidents.status, 'open'),
        sql`not exists (select 1 from alerts where alerts.incident_id = ${incidents.id} and alerts.status = 'firing')`,
      ),
    )
    .returning();
}

export async function findIncident(db: Queries, id: string): Promise<IncidentRow | null> {
  const [row] = await db.select().from(incidents).where(eq(incidents.id, id));
  return row ?? null;
}

export interface ListOptions {
  readonly status?: IncidentRow['status'] | undefined;
  readonly severity?: IncidentRow['severity'] | undefined;
  /** A node's id or name: incidents with an alert about it. */
  readonly node?: string | undefined;
  readonly limit: number;
  readonly before?: { readonly openedAt: Date; readonly id: string } | undefined;
}

/** Newest first. */
export async function listIncidents(
  db: Queries,
  { status, severity, node, limit, before }: ListOptions,
): Promise<IncidentRow[]> {
  return db
    .select()
    .from(incidents)
    .where(
      and(
        status === undefined ? undefined : eq(incidents.status, status),
        severity === undefined ? undefined : eq(incidents.severity, severity),
        node === undefined
          ? undefined
          : sql`exists (select 1 from alerts where alerts.incident_id = ${incidents.id}
              and (alerts.node_id = ${node} or alerts.node_id in (select id from nodes where name = ${node})))`,
        before === undefined
          ? undefined
          : or(
              lt(incidents.openedAt, before.openedAt),
              and(eq(incidents.openedAt, before.openedAt), lt(incidents.id, before.id)),
            ),
      ),
    )
    .orderBy(desc(incidents.openedAt), desc(incidents.id))
    .limit(limit);
}

/** The alerts of these incidents, oldest first. */
export async function alertsOf(db: Queries, incidentIds: readonly string[]): Promise<AlertRow[]> {
  if (incidentIds.length === 0) return [];
  return db
    .select()
    .from(alerts)
    .where(inArray(alerts.incidentId, [...incidentIds]))
    .orderBy(alerts.firedAt, alerts.id);
}

export async function countOpenIncidents(db: Queries): Promise<number> {
  return db.$count(incidents, eq(incidents.status, 'open'));
}

/** Those of these incidents that a person is on: then nobody is reminded. */
export async function listAcknowledged(tx: Queries, ids: readonly string[], now: Date): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx
    .select({ id: incidents.id })
    .from(incidents)
    .where(
      and(
        inArray(incidents.id, [...new Set(ids)]),
        isNotNull(incidents.acknowledgedAt),
        or(isNull(incidents.acknowledgedUntil), gt(incidents.acknowledgedUntil, now)),
      ),
    );
  return new Set(rows.map(({ id }) => id));
}

export interface Acknowledgement {
  readonly id: string;
  readonly by: string;
  readonly note: string;
  /** When it counts as not acknowledged again; null: never. */
  readonly until?: Date | null;
}

/** Writes down that a person is on it; again replaces the note. Null: there is no such incident. */
export async function acknowledge(
  tx: Queries,
  { id, by, note, until = null }: Acknowledgement,
  now: Date,
): Promise<IncidentRow | null> {
  const [known] = await tx.select({ id: incidents.id }).from(incidents).where(eq(incidents.id, id)).for('update');
  if (known === undefined) return null;
  const [row] = await tx
    .update(incidents)
    .set({ acknowledgedAt: now, acknowledgedBy: by, acknowledgeNote: note, acknowledgedUntil: until })
    .where(eq(incidents.id, id))
    .returning();
  return row ?? null;
}
