import { and, desc, eq, gt, isNotNull, sql } from 'drizzle-orm';
import type { JobEnd } from '../conditions/node-fails-fast.ts';
import type { Queries } from '../db/database.ts';
import { tasks } from '../db/tables/schema.ts';

const endsLooked = 200;

/** The last runs of jobs that ended on a node since then, newest first. */
export async function listLastEnds(tx: Queries, nodeId: string, since: Date): Promise<JobEnd[]> {
  const rows = await tx
    .select({
      project: tasks.project,
      job: tasks.job,
      status: tasks.status,
      cause: tasks.cause,
      durationMs: tasks.durationMs,
      endedAt: tasks.endedAt,
    })
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodeId), gt(tasks.endedAt, since), isNotNull(tasks.job)))
    .orderBy(desc(tasks.endedAt), desc(tasks.id))
    .limit(endsLooked);
  return rows.flatMap(({ job, endedAt, ...end }) =>
    job === null || endedAt === null ? [] : [{ ...end, job, endedAt: endedAt.getTime() }],
  );
}

/** Whether a job has ended well on the node since the streak began for which NodeFailsFast fired. */
export async function hasSucceeded(tx: Queries, nodeId: string): Promise<boolean> {
  const [row] = await tx.execute<{ has: boolean }>(sql`
    select exists (
      select 1 from condition_states s
      join tasks t on t.node_id = s.node_id and t.ended_at > s.since and t.status = 'completed' and t.job is not null
      where s.node_id = ${nodeId} and s.condition = 'NodeFailsFast' and s.status = 'true') as has`);
  return row?.has === true;
}
