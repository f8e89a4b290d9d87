import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { and, asc, eq, gte, inArray, isNotNull, lte, or, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, tasks, transitions } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import { isRunning } from '../tasks/store.ts';
import type { TaskRow } from './round.ts';

/* What became of tasks that were lost with their node, and which failed tasks are over. */

/** The tasks that were lost with an alert, as they are now. */
export async function listLostWith(tx: Queries, alertId: string): Promise<TaskRow[]> {
  const lost = tx
    .select({ id: transitions.taskId })
    .from(transitions)
    .where(and(eq(transitions.alertId, alertId), isNotNull(transitions.taskId)));
  return tx.select().from(tasks).where(inArray(tasks.id, lost)).orderBy(asc(tasks.id));
}

/** On how many nodes this task's job failed since, and how many jobs failed on its node. */
export async function countFailuresAround(
  tx: Queries,
  { nodeId, project, job, name }: TaskRow,
  since: Date,
): Promise<{ nodes: number; jobs: number }> {
  const nameOfJob = sql`coalesce(${tasks.job}, ${tasks.name})`;
  const isOfJob = and(sql`${nameOfJob} = ${job ?? name}`, sql`${tasks.project} is not distinct from ${project}`);
  const isOnNode = eq(tasks.nodeId, nodeId);
  const [row] = await tx
    .select({
      nodes: sql<number>`(count(distinct ${tasks.nodeId}) filter (where ${isOfJob}))::int`,
      jobs: sql<number>`(count(distinct (${tasks.project}, ${nameOfJob})) filter (where ${isOnNode}))::int`,
    })
    .from(tasks)
    .where(and(gte(tasks.endedAt, since), inArray(tasks.status, [...failureStatuses]), or(isOfJob, isOnNode)));
  return row ?? { nodes: 0, jobs: 0 };
}

/** What runs on these nodes, as far as anyone knows. */
export async function listRunningOn(tx: Queries, nodeIds: readonly string[]): Promise<TaskRow[]> {
  return tx
    .select()
    .from(tasks)
    .where(and(inArray(tasks.nodeId, [...nodeIds]), isRunning));
}

/** Takes the loss back: the tasks run, as far as anyone knows. */
export async function unloseTasks(tx: Queries, ids: readonly string[]): Promise<TaskRow[]> {
  if (ids.length === 0) return [];
  return tx
    .update(tasks)
    .set({
      status: 'running',
      cause: null,
      verdict: null,
      endedAt: null,
      endedAtApproximate: false,
      durationMs: null,
      amendments: sql`${tasks.amendments} + 1`,
    })
    .where(and(inArray(tasks.id, [...ids]), eq(tasks.status, 'lost')))
    .returning();
}

/** Firing TaskFailed alerts of earlier runs of a job. */
export async function listFailuresOfJob(
  tx: Queries,
  { job, project, endedBy }: { job: string; project: string | null; endedBy: Date },
): Promise<AlertRow[]> {
  const rows = await tx
    .select({ alert: alerts })
    .from(alerts)
    .innerJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(
      and(
        eq(alerts.status, 'firing'),
        eq(alerts.condition, 'TaskFailed'),
        eq(tasks.job, job),
        sql`${tasks.project} is not distinct from ${project}`,
        lte(tasks.endedAt, endedBy),
      ),
    );
  return rows.map(({ alert }) => alert);
}

/** Firing TaskFailed alerts older than this, at most 500. */
export async function listOldFailures(tx: Queries, firedBy: Date): Promise<AlertRow[]> {
  return tx
    .select()
    .from(alerts)
    .where(and(eq(alerts.status, 'firing'), eq(alerts.condition, 'TaskFailed'), lte(alerts.firedAt, firedBy)))
    .limit(500);
}
