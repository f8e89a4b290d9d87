import type { Notification, NotificationType } from '@runnerwatch/shared/model/notification.ts';
import { and, asc, desc, eq, gt, inArray, isNull, lt, notInArray, or, type SQL, sql } from 'drizzle-orm';
import type { Database, Queries } from '../db/database.ts';
import { deliveries, notifications, transitions } from '../db/tables/schema.ts';
import { type DeliveryOutcome, handleLengthMax } from '../notifiers/notifier.ts';
import { newId } from './new-id.ts';
import type { Settlement } from './schedule.ts';

/** A promise taken by one claimant until its lease ends. */
export interface Claimed {
  readonly id: string;
  readonly receiver: string;
  readonly body: Notification;
  readonly attempts: number;
  readonly createdAt: number;
  readonly isTest: boolean;
  /** The handle of the last notification to this receiver that began a thread about the same incident. */
  readonly thread: string | null;
  /** There is a later word on its alert, or it ends or repeats what the receiver was never told: see collapse-store.ts. */
  readonly isLate: boolean;
}

export interface ClaimOptions {
  readonly receiver: string;
  readonly limit: number;
  /** Those about one incident go one after the other too. */
  readonly keepsThreads: boolean;
  readonly claimant: string;
  readonly now: Date;
  readonly leaseMs: number;
}

/**
 * Takes promises that are due. Those about one subject go to a receiver one after the other, in the order they were made:
 * a later one is not due before the earlier one is settled. The array is made once: as a plain subquery it may be run again
 * for every row, each time with other rows to skip, and take more than the limit. `offset 0` keeps the planner from reading the
 * whole queue for the few notifications of one subject: the cost of a claim does not grow with what waits.
 */
export async function claimDue(
  queries: Queries,
  { receiver, limit, keepsThreads, claimant, now, leaseMs }: ClaimOptions,
): Promise<Claimed[]> {
  const at = now.toISOString();
  const until = new Date(now.getTime() + leaseMs).toISOString();
  const rows = await queries.execute<{
    id: string;
    receiver: string;
    body: Notification;
    attempts: number;
    created_at: string;
    is_test: boolean;
    thread: string | null;
    is_late: boolean;
  }>(sql`
    update notifications set claimed_until = ${until}::timestamptz, claimed_by = ${claimant}
    where id = any (array(
      select due.id from notifications due join transitions on transitions.id = due.transition_id
      where due.state = 'pending' and due.receiver = ${receiver} and due.next_attempt_at <= ${at}::timestamptz
        and (due.claimed_until is null or due.claimed_until <= ${at}::timestamptz)
        and not exists (
          select 1 from (
            select from notifications earlier
            where earlier.state = 'pending' and earlier.receiver = due.receiver and earlier.subject = due.subject
              and (earlier.created_at, earlier.id) < (due.created_at, due.id) offset 0) sooner)
        ${keepsThreads ? inThread : sql``}
      order by due.next_attempt_at, due.id
      limit ${limit}
      for update of due skip locked))
    returning id, receiver, body, attempts, created_at, is_test, type not in (${standsAlone}) and (
      select coalesce(bool_or(kin.state = 'pending' and kin.id <> notifications.id), false)
        or (type in ('condition.resolved', 'node.recovered', 'incident.resolved', 'condition.renotified') and not coalesce(bool_or(kin.state = 'delivered'), false))
      from (
        select other.id from transitions own join transitions other on other.alert_id = own.alert_id
        where own.id = notifications.transition_id offset 0) moment
      cross join lateral (
        select n.id, n.state from notifications n
        where n.transition_id = moment.id and n.receiver = notifications.receiver and n.type not in (${standsAlone}) offset 0) kin
    ) as is_late, (
      select first.handle from notifications first
      where first.handle is not null and first.receiver = notifications.receiver
        and first.body -> 'incident' ->> 'id' = notifications.body -> 'incident' ->> 'id'
      order by first.id desc limit 1) as thread`);
  return [...rows]
    .map((row) => ({
      id: row.id,
      receiver: row.receiver,
      body: row.body,
      attempts: row.attempts,
      createdAt: Date.parse(row.created_at),
      isTest: row.is_test,
      thread: row.thread,
      isLate: row.is_late,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What says nothing of how its alert stands by now: no other word stands for it, nor it for another. */
export const apart: NotificationType[] = ['digest', 'incident.acknowledged'];
const standsAlone = sql.join(
  apart.map((type) => sql`${type}`),
  sql`, `,
);

/** Through the alerts of the incident, which have indexes, and not its id in the body, which has none. */
const inThread = sql`
        and not exists (
          select 1 from alerts own join alerts sibling on sibling.incident_id = own.incident_id
            join transitions sooner on sooner.alert_id = sibling.id join notifications earlier on earlier.transition_id = sooner.id
          where own.id = transitions.alert_id and earlier.state = 'pending' and earlier.receiver = due.receiver
            and (earlier.created_at, earlier.id) < (due.created_at, due.id))`;

export interface Attempt {
  readonly claimed: Claimed;
  readonly claimant: string;
  readonly outcome: DeliveryOutcome;
  readonly settlement: Settlement;
  readonly at: Date;
  readonly durationMs: number;
  readonly now: Date;
}

/** Writes down an attempt and what becomes of the promise, in one statement. False: the claim was no longer the claimant's, and the promise stays as it is. */
export async function settleClaim(
  db: Database,
  { claimed, claimant, outcome, settlement, at, durationMs, now }: Attempt,
): Promise<boolean> {
  const error = (outcome.outcome === 'delivered' ? outcome.note : outcome.error) ?? null;
  const handle = outcome.outcome === 'delivered' ? (outcome.handle ?? '') : '';
  const kept = handle === '' || handle.length > handleLengthMax ? null : handle;
  const nextAttemptAt = new Date(
    settlement.state === 'pending' ? settlement.nextAttemptAt : now.getTime(),
  ).toISOString();
  const [row] = await db.sql<{ settled: number }>`
    with settled as (
      update notifications set state = ${settlement.state}, attempts = attempts + 1, next_attempt_at = ${nextAttemptAt}::timestamptz,
        claimed_until = null, claimed_by = null, last_error = ${settlement.state === 'delivered' ? null : settlement.error},
        settled_at = ${settlement.state === 'pending' ? null : now.toISOString()}::timestamptz, handle = coalesce(${kept}, handle)
      where id = ${claimed.id} and claimed_by = ${claimant} and state = 'pending'
      returning id)
    insert into deliveries (id, notification_id, attempt, at, duration_ms, outcome, http_status, error)
    values (${newId(now.getTime())}, ${claimed.id}, ${claimed.attempts + 1}, ${at.toISOString()}::timestamptz, ${Math.round(durationMs)},
      ${outcome.outcome}, ${outcome.httpStatus ?? null}, ${error})
    returning (select count(*) from settled)::int as settled`;
  return row?.settled === 1;
}

/** Ends every claim at once: right only for who knows that no other collector works on this database. */
export async function releaseClaims(db: Queries): Promise<void> {
  await db
    .update(notifications)
    .set({ claimedUntil: null, claimedBy: null })
    .where(and(eq(notifications.state, 'pending'), sql`${notifications.claimedBy} is not null`));
}

/**
 * When attempts at these receivers since then ended, in epoch milliseconds, oldest first; null: begun by a claim that stands, and
 * not known to have ended. An attempt's id is not older than its end, and has an index.
 */
export async function listAttemptEnds(
  db: Queries,
  { receivers, since, withClaimed }: { receivers: readonly string[]; since: Date; withClaimed: boolean },
): Promise<{ receiver: string; endedAt: number | null }[]> {
  const endedAt = sql<number | null>`extract(epoch from ${deliveries.at})::float8 * 1000 + ${deliveries.durationMs}`;
  const ended = await db
    .select({ receiver: notifications.receiver, endedAt })
    .from(deliveries)
    .innerJoin(notifications, eq(notifications.id, deliveries.notificationId))
    .where(
      and(
        gt(deliveries.id, since.getTime().toString(16).padStart(12, '0')),
        gt(endedAt, since.getTime()),
        inArray(notifications.receiver, [...receivers]),
      ),
    )
    .orderBy(endedAt);
  if (!withClaimed) return ended;
  const claimed = await db
    .select({ receiver: notifications.receiver, endedAt: sql<null>`null` })
    .from(notifications)
    .where(
      and(
        eq(notifications.state, 'pending'),
        sql`${notifications.claimedBy} is not null`,
        inArray(notifications.receiver, [...receivers]),
      ),
    );
  return [...ended, ...claimed];
}

/** Subscriptions' own targets that something is due for. */
export async function listDueTargets(db: Queries, now: Date): Promise<string[]> {
  const at = now.toISOString();
  const rows = await db.execute<{ receiver: string }>(sql`
    select distinct receiver from notifications
    where state = 'pending' and receiver like '%:%' and next_attempt_at <= ${at}::timestamptz
      and (claimed_until is null or claimed_until <= ${at}::timestamptz)`);
  return [...rows].map(({ receiver }) => receiver);
}

/** A receiver answers again: nothing promised to it waits any longer for the end of its own pause. */
export async function makeDue(db: Queries, receiver: string, now: Date): Promise<void> {
  await db
    .update(notifications)
    .set({ nextAttemptAt: now })
    .where(
      and(
        eq(notifications.state, 'pending'),
        eq(notifications.receiver, receiver),
        gt(notifications.nextAttemptAt, now),
        isNull(notifications.claimedBy),
      ),
    );
}

/** Receivers that took nothing since something to them was given up. */
export async function listGivenUp(db: Queries): Promise<string[]> {
  const rows = await db.execute<{ receiver: string }>(sql`
    select dead.receiver from notifications dead where dead.state = 'dead' and not dead.is_test
    group by dead.receiver
    having max(dead.settled_at) > coalesce(
      (select max(told.settled_at) from notifications told where told.receiver = dead.receiver and told.state = 'delivered'),
      '-infinity')`);
  return [...rows].map(({ receiver }) => receiver);
}

/** Gives up what is promised to receivers that have left the configuration, and to targets of subscriptions that are gone. */
export async function giveUpOnOthers(
  db: Queries,
  { receivers, now }: { receivers: readonly string[]; now: Date },
): Promise<{ id: string; receiver: string }[]> {
  return db
    .update(notifications)
    .set({
      state: 'dead',
      settledAt: now,
      claimedBy: null,
      claimedUntil: null,
      lastError: 'its receiver is no longer configured',
    })
    .where(
      and(
        eq(notifications.state, 'pending'),
        notInArray(notifications.receiver, [...receivers]),
        sql`not exists (select 1 from subscriptions s where s.receiver = ${notifications.receiver} and s.target is not null)`,
      ),
    )
    .returning({ id: notifications.id, receiver: notifications.receiver });
}

/** A dead letter is promised anew under its old id. Null: there is no such notification; false: it is not dead. */
export async function reviveDead(db: Queries, { id, now }: { id: string; now: Date }): Promise<boolean | null> {
  const revived = await db
    .update(notifications)
    .set({ state: 'pending', nextAttemptAt: now, settledAt: null, claimedBy: null, claimedUntil: null })
    .where(and(eq(notifications.id, id), eq(notifications.state, 'dead')))
    .returning({ id: notifications.id });
  if (revived.length > 0) return true;
  const [known] = await db.select({ id: notifications.id }).from(notifications).where(eq(notifications.id, id));
  return known === undefined ? null : false;
}

/** `collapsed`: another says what it would have said. */
export type NotificationState = 'pending' | 'delivered' | 'dead' | 'collapsed';

/** A promise with every attempt to keep it. */
export interface NotificationRecord {
  readonly id: string;
  readonly transitionId: string;
  readonly alertId: string | null;
  readonly taskId: string | null;
  readonly incidentId: string | null;
  readonly subscription: string;
  readonly receiver: string;
  readonly type: string;
  /** The kind of its transition. */
  readonly transition: string;
  readonly state: NotificationState;
  readonly createdAt: Date;
  readonly nextAttemptAt: Date;
  readonly settledAt: Date | null;
  readonly lastError: string | null;
  readonly isTest: boolean;
  /** The notification that tells what this one would have. */
  readonly collapsedInto: string | null;
  readonly attempts: readonly AttemptRecord[];
}

export interface AttemptRecord {
  readonly attempt: number;
  readonly at: Date;
  readonly durationMs: number;
  readonly outcome: 'delivered' | 'retry' | 'refused';
  readonly httpStatus: number | null;
  readonly error: string | null;
}

export interface ListOptions {
  readonly state?: NotificationState | undefined;
  readonly limit: number;
  /** Only those made before this one. */
  readonly before?: { readonly createdAt: Date; readonly id: string } | undefined;
}

/** Newest first. */
export async function listNotifications(
  db: Queries,
  { state, limit, before }: ListOptions,
): Promise<NotificationRecord[]> {
  return select(db, {
    where: and(
      state === undefined ? undefined : eq(notifications.state, state),
      before === undefined
        ? undefined
        : or(
            lt(notifications.createdAt, before.createdAt),
            and(eq(notifications.createdAt, before.createdAt), lt(notifications.id, before.id)),
          ),
    ),
    limit,
  });
}

export async function findNotification(db: Queries, id: string): Promise<NotificationRecord | null> {
  const [found] = await select(db, { where: eq(notifications.id, id), limit: 1 });
  return found ?? null;
}

/** What a notification tells; without an id the newest that is no test. */
export async function findBody(queries: Queries, id: string | undefined): Promise<Notification | null> {
  const [row] = await queries
    .select({ body: notifications.body })
    .from(notifications)
    .where(id === undefined ? eq(notifications.isTest, false) : eq(notifications.id, id))
    .orderBy(desc(notifications.createdAt), desc(notifications.id))
    .limit(1);
  return row === undefined ? null : (row.body as Notification);
}

/** Those promised by these transitions, newest first. */
export async function listByTransitions(db: Queries, transitionIds: readonly string[]): Promise<NotificationRecord[]> {
  if (transitionIds.length === 0) return [];
  return select(db, { where: inArray(notifications.transitionId, [...transitionIds]), limit: 1000 });
}

/** How many wait and how many were given up. */
export async function countNotifications(db: Queries): Promise<{ pending: number; dead: number }> {
  const rows = await db
    .select({ state: notifications.state, count: sql<number>`count(*)::int` })
    .from(notifications)
    .where(inArray(notifications.state, ['pending', 'dead']))
    .groupBy(notifications.state);
  const countOf = (state: NotificationState) => rows.find((row) => row.state === state)?.count ?? 0;
  return { pending: countOf('pending'), dead: countOf('dead') };
}

async function select(
  db: Queries,
  { where, limit }: { where: SQL | undefined; limit: number },
): Promise<NotificationRecord[]> {
  const rows = await db
    .select({
      id: notifications.id,
      transitionId: notifications.transitionId,
      alertId: transitions.alertId,
      taskId: transitions.taskId,
      incidentId: sql<string | null>`${notifications.body} -> 'incident' ->> 'id'`,
      subscription: notifications.subscription,
      receiver: notifications.receiver,
      type: notifications.type,
      transition: transitions.kind,
      state: notifications.state,
      createdAt: notifications.createdAt,
      nextAttemptAt: notifications.nextAttemptAt,
      settledAt: notifications.settledAt,
      lastError: notifications.lastError,
      isTest: notifications.isTest,
      collapsedInto: notifications.collapsedInto,
    })
    .from(notifications)
    .innerJoin(transitions, eq(transitions.id, notifications.transitionId))
    .where(where)
    .orderBy(desc(notifications.createdAt), desc(notifications.id))
    .limit(limit);
  if (rows.length === 0) return [];
  const attempts = await db
    .select()
    .from(deliveries)
    .where(
      inArray(
        deliveries.notificationId,
        rows.map(({ id }) => id),
      ),
    )
    .orderBy(asc(deliveries.at), asc(deliveries.id));
  const records = new Map(rows.map((row) => [row.id, { ...row, attempts: [] as AttemptRecord[] }]));
  for (const attempt of attempts) records.get(attempt.notificationId)?.attempts.push(attempt);
  return [...records.values()];
}
