import { and, eq, inArray, sql } from 'drizzle-orm';
import { alertCounts } from '../db/tables/schema.ts';
import { together } from '../db/together.ts';
import type { Decision } from '../routing/decide.ts';
import { type Judging, leave, type TaskRow } from './round.ts';

/* `max_alerts_per_job`: how often a subscription has told of a job since a run of it last ended well. */

/** Any number that nothing else in the database locks: "runnerwatch alert counts". */
const lockKey = 7_283_311_905;

const none: ReadonlyMap<string, number> = new Map();

/** What subscriptions with a limit have told of this task's job, locked against other collectors until the transaction ends. */
export async function countsOf(judging: Judging, task: TaskRow | null): Promise<ReadonlyMap<string, number>> {
  const limited = limitedNames(judging);
  if (task === null || limited.length === 0) return none;
  const { tx } = judging;
  const [, rows] = await together(
    tx.execute(sql`select pg_advisory_xact_lock(${lockKey}::bigint)`),
    tx
      .select({ subscription: alertCounts.subscription, alerts: alertCounts.alerts })
      .from(alertCounts)
      .where(and(eq(alertCounts.jobKey, jobKeyOf(task)), inArray(alertCounts.subscription, limited))),
  );
  return new Map(rows.map(({ subscription, alerts }) => [subscription, alerts]));
}

/** One more for each limited subscription that is told. */
export function count(judging: Judging, task: TaskRow, decisions: readonly Decision[]): void {
  const limited = new Set(limitedNames(judging));
  const told = decisions.filter(({ notified, subscription }) => notified && limited.has(subscription));
  if (told.length === 0) return;
  const jobKey = jobKeyOf(task);
  leave(
    judging,
    judging.tx
      .insert(alertCounts)
      .values(told.map(({ subscription }) => ({ subscription, jobKey, alerts: 1 })))
      .onConflictDoUpdate({
        target: [alertCounts.subscription, alertCounts.jobKey],
        set: { alerts: sql`${alertCounts.alerts} + 1` },
      })
      .execute(),
  );
}

/** A run of the job has ended well: what comes next is a new trouble. */
export function countAnew(judging: Judging, task: TaskRow): void {
  if (limitedNames(judging).length === 0) return;
  leave(
    judging,
    judging.tx
      .delete(alertCounts)
      .where(eq(alertCounts.jobKey, jobKeyOf(task)))
      .execute(),
  );
}

function limitedNames({ policy }: Judging): string[] {
  return policy.subscriptions.flatMap(({ name, maxAlertsPerJob }) => (maxAlertsPerJob === undefined ? [] : [name]));
}

/** A task without a job goes by its name. */
function jobKeyOf({ project, job, name }: TaskRow): string {
  return JSON.stringify([project, job ?? name]);
}
