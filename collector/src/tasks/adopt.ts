import type { TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';

/**
 * An agent speaks of tasks that a scheduler told of first: those records become the agent's own, under its id, with what was
 * told of them, so that one run is never two. Inside the writer's transaction, before it reads the stored tasks.
 */
export async function adoptTasks(
  transaction: Queries,
  nodeId: string,
  identities: readonly TaskIdentity[],
): Promise<void> {
  const scheduled = identities.filter(({ id, task_id }) => task_id !== id);
  if (scheduled.length === 0) return;
  // The node before its tasks, as everyone locks them.
  await transaction.execute(sql`select id from nodes where id = ${nodeId} for no key update`);
  const found = await transaction.execute<{ id: string; task_id: string }>(sql`
    select told.id, told.task_id from tasks told
    join nodes place on place.id = told.node_id
    join nodes own on own.id = ${nodeId}
    where told.task_id = any(${sql.param(scheduled.map(({ task_id }) => task_id))}::text[])
      and told.source in ('hakuriver', 'kohakuriver')
      and (place.id = own.id or place.status = 'never_seen')
      and not exists (select 1 from tasks known where known.id = any(${sql.param(scheduled.map(({ id }) => id))}::text[])
        and known.task_id = told.task_id)`);
  for (const { id, task_id } of found) {
    const identity = scheduled.find((one) => one.task_id === task_id);
    if (identity !== undefined) await rename(transaction, id, { ...identity, nodeId });
  }
}

async function rename(transaction: Queries, from: string, to: TaskIdentity & { nodeId: string }): Promise<void> {
  await transaction.execute(sql`
    update tasks set id = ${to.id}, node_id = ${to.nodeId}, name = ${to.name}, source = ${to.source}, unit = ${to.unit},
      container_id = ${to.container_id}
    where id = ${from}`);
  await transaction.execute(sql`update transitions set task_id = ${to.id} where task_id = ${from}`);
  await transaction.execute(sql`
    update incidents set group_key = ${`task/${to.id}`}
    where status = 'open' and group_key = ${`task/${from}`}`);
  await transaction.execute(sql`
    update alerts set task_id = ${to.id}, subject = ${to.id}, fingerprint = ${`task/${to.id}`}
    where task_id = ${from}`);
}
