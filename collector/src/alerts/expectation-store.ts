import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, tasks } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import type { ExpectationRow } from '../tasks/expectations.ts';
import type { TaskRow } from './round.ts';

/** Runs looked at for where a job runs and when it began last. */
const runsLooked = 100;
/** A run that ended well is looked at for so long: by an engine that was away, too. */
const shortRunsMs = 86_400_000;

export interface JobRuns {
  /** Newest first; what runs before what has ended. */
  readonly recent: readonly TaskRow[];
  readonly running: readonly TaskRow[];
  /** The last word of any node that these ran on, in epoch milliseconds; null: of no node that an agent speaks for. */
  readonly heardAt: number | null;
}

export async function findRuns(tx: Queries, expectation: ExpectationRow): Promise<JobRuns> {
  const rows = await tx
    .select()
    .from(tasks)
    .where(ofJob(expectation))
    .orderBy(sql`${tasks.endedAt} desc nulls first`)
    .limit(Math.max(runsLooked, (expectation.maxConcurrent ?? 0) + 1));
  const [node] = await tx.execute<{ heard: string | null }>(sql`
    select max(last_heard_at) as heard from nodes
    where status <> 'never_seen' and id = any(${sql.param([...new Set(rows.map(({ nodeId }) => nodeId))])}::text[])`);
  const heard = node?.heard ?? null;
  return {
    recent: rows,
    running: rows.filter(({ status }) => status === 'running'),
    heardAt: heard === null ? null : new Date(heard).getTime(),
  };
}

/** Runs that ended well sooner than expected, and of which that was not said yet. */
export async function listShortRuns(tx: Queries, expectation: ExpectationRow, now: Date): Promise<TaskRow[]> {
  const since = new Date(Math.max(expectation.setAt.getTime(), now.getTime() - shortRunsMs)).toISOString();
  return tx
    .select()
    .from(tasks)
    .where(
      and(
        ofJob(expectation),
        sql`${tasks.endedAt} >= ${since}::timestamptz`,
        eq(tasks.status, 'completed'),
        sql`${tasks.durationMs} < ${expectation.minRunMs}::int8`,
        sql`not exists (select 1 from alerts a where a.task_id = ${tasks.id} and a.condition = 'TaskTooShort')`,
      ),
    )
    .limit(100);
}

/** What fires of these conditions, whatever it is about. */
export async function listFiringOf(tx: Queries, conditions: readonly AlertRow['condition'][]): Promise<AlertRow[]> {
  return tx
    .select()
    .from(alerts)
    .where(and(eq(alerts.status, 'firing'), inArray(alerts.condition, [...conditions])));
}

function ofJob({ project, job }: ExpectationRow) {
  return and(project === null ? isNull(tasks.project) : eq(tasks.project, project), eq(tasks.job, job));
}
