import { and, asc, eq, gt, inArray, isNull, lt, notInArray, or, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alertCounts, collectorState, notifications, silences, subscriptions } from '../db/tables/schema.ts';
import { afterSilenceMs } from './silence.ts';

export type SubscriptionRow = typeof subscriptions.$inferSelect;
export type SilenceRow = typeof silences.$inferSelect;

/** Everything that routing needs beside the file, as of a version or newer. */
export interface StoredRouting {
  readonly version: number;
  readonly subscriptions: readonly SubscriptionRow[];
  readonly silences: readonly SilenceRow[];
}

export async function loadRouting(db: Queries, now: Date): Promise<StoredRouting> {
  // First, so that a change behind it is seen at the next look.
  const version = await readVersion(db);
  return {
    version,
    subscriptions: await db.select().from(subscriptions).orderBy(asc(subscriptions.createdAt), asc(subscriptions.id)),
    silences: await db
      .select()
      .from(silences)
      .where(or(isNull(silences.endsAt), gt(silences.endsAt, new Date(now.getTime() - afterSilenceMs)))),
  };
}

const versionKey = 'routing_version';

/** Counts the changes of subscriptions and silences, for collectors that did not make them. */
export async function readVersion(db: Queries): Promise<number> {
  const [row] = await db.select().from(collectorState).where(eq(collectorState.key, versionKey));
  return row === undefined ? 0 : Number(row.value);
}

/** A change of what routing goes by: together with its new version, or not at all. */
export async function changeRouting<T>(db: Queries, change: (tx: Queries) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    const result = await change(tx);
    await tx.execute(sql`
      insert into collector_state (key, value) values (${versionKey}, '1'::jsonb)
      on conflict (key) do update set value = to_jsonb((collector_state.value #>> '{}')::bigint + 1)`);
    return result;
  });
}

export async function insertSubscription(
  db: Queries,
  values: typeof subscriptions.$inferInsert,
): Promise<SubscriptionRow> {
  return changeRouting(db, async (tx) => one(await tx.insert(subscriptions).values(values).returning()));
}

export interface SubscriptionFilter {
  readonly id?: string;
  readonly origin?: SubscriptionRow['origin'];
  /** Of a job alert. */
  readonly job?: { readonly project: string | null; readonly name: string };
}

/** Those that nobody has ended by their own hand, oldest first. */
export async function listSubscriptions(
  db: Queries,
  { id, origin, job }: SubscriptionFilter = {},
): Promise<SubscriptionRow[]> {
  const ofJob =
    job && and(eq(subscriptions.job, job.name), sql`${subscriptions.project} is not distinct from ${job.project}`);
  return db
    .select()
    .from(subscriptions)
    .where(
      and(
        isNull(subscriptions.deletedAt),
        id === undefined ? undefined : eq(subscriptions.id, id),
        origin === undefined ? undefined : eq(subscriptions.origin, origin),
        ofJob,
      ),
    )
    .orderBy(asc(subscriptions.createdAt), asc(subscriptions.id));
}

/** Null: there is none of that id. */
export async function updateSubscription(
  db: Queries,
  filter: { readonly id: string; readonly origin?: SubscriptionRow['origin'] },
  change: Partial<typeof subscriptions.$inferInsert>,
): Promise<SubscriptionRow | null> {
  const { id, origin } = filter;
  return changeRouting(db, async (tx) => {
    const [row] = await tx
      .update(subscriptions)
      .set(change)
      .where(
        and(
          eq(subscriptions.id, id),
          isNull(subscriptions.deletedAt),
          origin === undefined ? undefined : eq(subscriptions.origin, origin),
        ),
      )
      .returning();
    return row ?? null;
  });
}

/** The own target of a receiver, also of an ended subscription: what it was told may still have to be resolved. */
export async function findTarget(db: Queries, receiver: string): Promise<string | null> {
  const [row] = await db
    .select({ target: subscriptions.target })
    .from(subscriptions)
    .where(eq(subscriptions.receiver, receiver));
  return row?.target ?? null;
}

/** Notifications promised because of each of these, without those that something is over. */
export async function countSent(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: notifications.subscription, count: sql<number>`count(*)::int` })
    .from(notifications)
    .where(
      and(
        inArray(notifications.subscription, [...ids]),
        notInArray(notifications.type, [
          'condition.resolved',
          'node.recovered',
          'incident.resolved',
          'incident.acknowledged',
        ]),
      ),
    )
    .groupBy(notifications.subscription);
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** A job is gone when no task bears its name any more; its alerts go with it. Returns how many. */
export async function endOrphanedJobAlerts(db: Queries, now: Date): Promise<number> {
  const orphaned = and(
    eq(subscriptions.origin, 'job_alert'),
    isNull(subscriptions.deletedAt),
    sql`not exists (select 1 from tasks t where t.job = ${subscriptions.job} and t.project is not distinct from ${subscriptions.project})`,
  );
  const [found] = await db.select({ id: subscriptions.id }).from(subscriptions).where(orphaned).limit(1);
  if (found === undefined) return 0;
  return changeRouting(
    db,
    async (tx) =>
      (await tx.update(subscriptions).set({ deletedAt: now }).where(orphaned).returning({ id: subscriptions.id }))
        .length,
  );
}

/** Forgets those that ended before and that nobody waits for: no alert they told of fires, nothing is on its way. */
export async function deleteSubscriptionsBefore(db: Queries, before: Date, limit: number): Promise<number> {
  const isOld = sql`coalesce(${subscriptions.deletedAt}, ${subscriptions.expiresAt}) < ${before.toISOString()}::timestamptz`;
  const isAwaited = sql`exists (
    select 1 from notifications n join transitions t on t.id = n.transition_id left join alerts a on a.id = t.alert_id
    where n.subscription = ${subscriptions.id} and (n.state = 'pending' or (a.status = 'firing' and a.condition <> 'TaskFailed')))`;
  const old = db
    .select({ id: subscriptions.id })
    .from(subscriptions)
    .where(and(isOld, sql`not ${isAwaited}`))
    .limit(limit);
  return changeRouting(db, async (tx) => {
    const deleted = await tx
      .delete(subscriptions)
      .where(inArray(subscriptions.id, old))
      .returning({ id: subscriptions.id });
    const ids = deleted.map(({ id }) => id);
    if (ids.length > 0) await tx.delete(alertCounts).where(inArray(alertCounts.subscription, ids));
    return ids.length;
  });
}

export async function insertSilence(db: Queries, values: typeof silences.$inferInsert): Promise<SilenceRow> {
  return changeRouting(db, async (tx) => one(await tx.insert(silences).values(values).returning()));
}

/** Newest first; without `isOver` those that are or will be. */
export async function listSilences(
  db: Queries,
  { now, withPast, id }: { now: Date; withPast: boolean; id?: string | undefined },
): Promise<SilenceRow[]> {
  const isOpen: SQL | undefined = withPast ? undefined : or(isNull(silences.endsAt), gt(silences.endsAt, now));
  return db
    .select()
    .from(silences)
    .where(and(isOpen, id === undefined ? undefined : eq(silences.id, id)))
    .orderBy(sql`${silences.createdAt} desc`, sql`${silences.id} desc`)
    .limit(1000);
}

/** Ends it now. Null: there is none of that id, or it is over. */
export async function endSilence(
  db: Queries,
  which: { readonly id: string } | { readonly drainOf: string },
  now: Date,
): Promise<SilenceRow | null> {
  const named =
    'id' in which ? eq(silences.id, which.id) : and(eq(silences.origin, 'drain'), eq(silences.nodeId, which.drainOf));
  return changeRouting(db, async (tx) => {
    const [row] = await tx
      .update(silences)
      .set({ endsAt: now, startsAt: sql`least(${silences.startsAt}, ${now.toISOString()}::timestamptz)` })
      .where(and(named, or(isNull(silences.endsAt), gt(silences.endsAt, now))))
      .returning();
    return row ?? null;
  });
}

export async function findSilences(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, SilenceRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select()
    .from(silences)
    .where(inArray(silences.id, [...ids]));
  return new Map(rows.map((row) => [row.id, row]));
}

/** True for the first who asks since the silence ended: who does is to say that it was silent until then. */
export async function announceSilence(
  tx: Queries,
  { id, endedAt, now }: { id: string; endedAt: number; now: Date },
): Promise<boolean> {
  const isNews = or(isNull(silences.announcedAt), lt(silences.announcedAt, new Date(endedAt)));
  const claimed = await tx
    .update(silences)
    .set({ announcedAt: now })
    .where(and(eq(silences.id, id), isNews))
    .returning({ id: silences.id });
  return claimed.length > 0;
}

/** The order that a node's drain, the present or the last one, came with. */
export async function findDrain(db: Queries, nodeId: string): Promise<SilenceRow | null> {
  const [row] = await db
    .select()
    .from(silences)
    .where(and(eq(silences.origin, 'drain'), eq(silences.nodeId, nodeId)))
    .orderBy(sql`${silences.createdAt} desc`)
    .limit(1);
  return row ?? null;
}

/** Forgets those that were over before. */
export async function deleteSilencesBefore(db: Queries, before: Date, limit: number): Promise<number> {
  const old = db.select({ id: silences.id }).from(silences).where(lt(silences.endsAt, before)).limit(limit);
  const deleted = await db.delete(silences).where(inArray(silences.id, old)).returning({ id: silences.id });
  return deleted.length;
}

function one<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a row was not stored');
  return row;
}
