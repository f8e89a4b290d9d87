import type { Database } from '../db/database.ts';

/** What waits, and what there is, right now. */
export interface Counts {
  readonly nodes_by_status: Readonly<Record<string, number>>;
  readonly incidents_open: number;
  readonly notifications_pending: number;
  readonly notifications_dead: number;
  readonly events_unjudged: number;
}

/** Two statements over the indexes made for them. */
export async function readCounts(db: Pick<Database, 'sql'>): Promise<Counts> {
  const [counts] = await db.sql<Omit<Counts, 'nodes_by_status'>>`
    select (select count(*) from incidents where status = 'open')::int as incidents_open,
      (select count(*) from notifications where state = 'pending')::int as notifications_pending,
      (select count(*) from notifications where state = 'dead')::int as notifications_dead,
      (select count(*) from events where judged_at is null)::int as events_unjudged`;
  const nodes = await db.sql<{ status: string; count: number }>`
    select case when draining and status = 'online' then 'draining' else status end as status, count(*)::int as count
    from nodes group by 1 order by 1`;
  if (counts === undefined) throw new Error('the database did not count');
  return { ...counts, nodes_by_status: Object.fromEntries(nodes.map(({ status, count }) => [status, count])) };
}
