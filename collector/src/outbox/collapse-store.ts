import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { and, asc, eq, inArray, lte, notInArray, sql } from 'drizzle-orm';
import type { Database, Queries } from '../db/database.ts';
import { inParts } from '../db/in-parts.ts';
import { notifications, transitions } from '../db/tables/schema.ts';
import { combine } from './combine.ts';
import { newId } from './new-id.ts';
import { promiseNotifications } from './outbox.ts';
import { apart, type Claimed } from './store.ts';

/** What could not be delivered for this long is told as a sum. */
const oldMs = 72 * 3_600_000;

export interface Collapse {
  readonly claimed: Claimed;
  readonly claimant: string;
  readonly now: Date;
  readonly leaseMs: number;
}

/**
 * What one receiver has not been told of an alert becomes one message: the last, which says what the others would have. They are
 * settled as collapsed into it, dead letters among them, and the claim passes on to it.
 *
 * @returns what is to be sent: the last, or what was claimed when that stands alone; null when a digest has the last word already
 */
export async function collapseOntoLast(
  db: Database,
  { claimed, claimant, now, leaseMs }: Collapse,
): Promise<Claimed | null> {
  return db.drizzle.transaction(async (tx) => {
    const siblings = await lockSiblings(tx, claimed);
    const latest = siblings.at(-1);
    if (latest?.state === 'collapsed') {
      await settleInto(tx, [claimed.id], { into: latest.collapsedInto, now });
      return null;
    }
    const toldUntil = siblings.findLastIndex(({ state }) => state === 'delivered');
    const untold = siblings.slice(toldUntil + 1);
    const last = untold.findLast(({ state }) => state === 'pending');
    const others = untold.filter((one) => one !== last && isBefore(one, last));
    if (last === undefined || others.length === 0) return claimed;
    const body = combine(
      others.map((one) => one.body as Notification),
      last.body as Notification,
      { wasTold: toldUntil >= 0 },
    );
    const ids = others.flatMap(({ id, state }) => (state === 'collapsed' ? [] : [id]));
    await settleInto(tx, ids, { into: last.id, now });
    await tx
      .update(notifications)
      .set({ body, claimedBy: claimant, claimedUntil: new Date(now.getTime() + leaseMs) })
      .where(eq(notifications.id, last.id));
    return {
      ...claimed,
      id: last.id,
      body,
      attempts: last.attempts,
      createdAt: last.createdAt.getTime(),
      isLate: false,
    };
  });
}

async function settleInto(
  tx: Queries,
  ids: readonly string[],
  { into, now }: { into: string | null; now: Date },
): Promise<void> {
  await tx
    .update(notifications)
    .set({ state: 'collapsed', collapsedInto: into, settledAt: now, claimedBy: null, claimedUntil: null })
    .where(inArray(notifications.id, [...ids]));
}

type Row = typeof notifications.$inferSelect;

/** Everything promised to this receiver about the same alert, oldest first. A digest hangs on one of many alerts that it tells of, so no word about that one stands for it; that somebody is on it is not how an alert stands. */
async function lockSiblings(tx: Queries, { id, receiver }: Claimed): Promise<Row[]> {
  const alert = tx
    .select({ id: transitions.alertId })
    .from(transitions)
    .innerJoin(notifications, eq(notifications.transitionId, transitions.id))
    .where(eq(notifications.id, id));
  const rows = await tx
    .select({ row: notifications })
    .from(notifications)
    .innerJoin(transitions, eq(transitions.id, notifications.transitionId))
    .where(
      and(
        inArray(transitions.alertId, alert),
        eq(notifications.receiver, receiver),
        notInArray(notifications.type, apart),
      ),
    )
    .orderBy(asc(notifications.createdAt), asc(notifications.id))
    .for('update', { of: notifications });
  return rows.map(({ row }) => row);
}

function isBefore(one: Row, last: Row | undefined): boolean {
  return last !== undefined && `${one.createdAt.toISOString()}${one.id}` < `${last.createdAt.toISOString()}${last.id}`;
}

/**
 * What is too old becomes one digest for each receiver, except the last word on what still holds: that stays. A digest that has
 * not been taken yet is counted into the new one, so that a receiver gets one when it is back.
 *
 * @returns how many for whom
 */
export async function collapseOld(db: Database, now: Date): Promise<{ receiver: string; count: number }[]> {
  const before = new Date(now.getTime() - oldMs);
  const rows = await db.drizzle
    .selectDistinct({ receiver: notifications.receiver })
    .from(notifications)
    .where(and(eq(notifications.state, 'pending'), lte(notifications.createdAt, before)));
  const collapsed: { receiver: string; count: number }[] = [];
  for (const { receiver } of rows) {
    const count = await db.drizzle.transaction((tx) => digestOld(tx, { receiver, before, now }));
    if (count > 0) collapsed.push({ receiver, count });
  }
  return collapsed;
}

async function digestOld(
  tx: Queries,
  { receiver, before, now }: { receiver: string; before: Date; now: Date },
): Promise<number> {
  const old = await tx.execute<{ id: string; type: string; at: string; digest: Notification['digest'] | null }>(sql`
    select n.id, n.type, n.created_at as at, n.body -> 'digest' as digest
    from notifications n join transitions t on t.id = n.transition_id left join alerts a on a.id = t.alert_id
    where n.state = 'pending' and n.receiver = ${receiver} and not n.is_test
      and (n.claimed_until is null or n.claimed_until <= ${now.toISOString()}::timestamptz)
      and (n.body -> 'digest' is not null or n.created_at <= ${before.toISOString()}::timestamptz
        and not (coalesce(a.status, '') = 'firing' and not exists (
          select 1 from transitions other join notifications later on later.transition_id = other.id
          where other.alert_id = t.alert_id and later.receiver = n.receiver and later.state = 'pending'
            and (later.created_at, later.id) > (n.created_at, n.id))))
    order by n.created_at, n.id
    for update of n`);
  const rows = [...old];
  const count = rows.filter(({ digest }) => digest === null).length;
  if (count === 0) return 0;
  const transitionId = newId(now.getTime());
  const reason = 'could not be delivered for 72 hours';
  await tx.insert(transitions).values({ id: transitionId, kind: 'digest', at: now, reason, decisions: [] });
  const at = toInstant(now.getTime());
  const told = { type: 'digest', at, incident: null, node: null, transition: 'digest', repeat: 0 } as const;
  const body = { ...told, digest: sumOf(rows, at) };
  const [id = ''] = await promiseNotifications(tx, [{ transitionId, subscription: 'digest', receiver, body }], now);
  const settled = rows.map((row) => row.id);
  await inParts(settled, 1000, (ids) => settleInto(tx, ids, { into: id, now }));
  return count;
}

function sumOf(
  rows: readonly { type: string; at: string; digest: Notification['digest'] | null }[],
  until: string,
): NonNullable<Notification['digest']> {
  const byType: Record<string, number> = {};
  let since = until;
  for (const { type, at, digest } of rows) {
    for (const [name, count] of Object.entries(digest?.by_type ?? { [type]: 1 }))
      byType[name] = (byType[name] ?? 0) + count;
    const first = digest?.since ?? toInstant(Date.parse(at));
    if (first < since) since = first;
  }
  return { since, until, notifications: Object.values(byType).reduce((sum, count) => sum + count, 0), by_type: byType };
}
