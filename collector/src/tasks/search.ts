import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { holding } from '../db/like-pattern.ts';
import { type JobName, jobId } from './jobs.ts';

/** Names have no index for parts of them: so many of the newest ends are looked at, so that the answer comes while one types. */
const searchedMax = 20_000;
const newest = sql`(select id, task_id, name, project, job, status, node_id, ended_at from tasks order by ended_at desc, id desc limit ${searchedMax}) as newest`;

export interface FoundTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly node: string;
}

/** Running ones first, then the newest end; by a part of the name, or the scheduler's id. */
export async function searchTasks(queries: Queries, text: string, limit: number): Promise<FoundTask[]> {
  const rows = await queries.execute<{ id: string; name: string; status: TaskStatus; node: string }>(sql`
    select newest.id, newest.name, newest.status, nodes.name as node
    from ${newest} join nodes on nodes.id = newest.node_id
    where newest.name ilike ${holding(text)} or newest.task_id = ${text} or newest.id = ${text}
    order by newest.ended_at desc, newest.id desc limit ${limit}`);
  return [...rows];
}

/** By a part of `project/name`, those with the newest runs first. */
export async function searchJobs(
  queries: Queries,
  text: string,
  limit: number,
): Promise<(JobName & { readonly id: string })[]> {
  const rows = await queries.execute<{ project: string | null; name: string }>(sql`
    select project, job as name from ${newest}
    where job is not null and coalesce(project || '/', '') || job ilike ${holding(text)}
    group by project, job order by max(coalesce(ended_at, 'infinity')) desc limit ${limit}`);
  return [...rows].map((job) => ({ ...job, id: jobId(job) }));
}
