import { and, eq, inArray, sql } from 'drizzle-orm';
import { leastRuns, type UsualTime } from '../conditions/usual-time.ts';
import type { Queries } from '../db/database.ts';
import { tasks } from '../db/tables/schema.ts';
import type { TaskRow } from './round.ts';

/** Runs of a job that say what is usual: the last so many. */
const runsLooked = 50;

interface UsualRow extends Record<string, unknown> {
  readonly project: string | null;
  readonly job: string;
  readonly runs: number;
  readonly median_ms: number;
}

type JobOf = Pick<TaskRow, 'project' | 'job'>;

/** How long the jobs of these runs usually take, without these runs. One statement; null for a job with too few runs. */
export async function listUsualTimes(db: Queries, runs: readonly TaskRow[]): Promise<(run: JobOf) => UsualTime | null> {
  const jobs = runs.filter(({ job }) => job !== null);
  if (jobs.length === 0) return () => null;
  const wanted = sql`(select distinct * from unnest(
    ${sql.param(jobs.map(({ project }) => project))}::text[], ${sql.param(jobs.map(({ job }) => job))}::text[]) as j(project, job))`;
  const apart = sql`r.id <> all(${sql.param(jobs.map(({ id }) => id))}::text[])`;
  const rows = await db.execute<UsualRow>(usualOf({ jobs: wanted, apart }));
  return byJob([...rows]);
}

/** Running tasks that are older than anything their job usually needs: a first choice, for the condition to judge. */
export async function listOverdueRuns(
  db: Queries,
  now: Date,
): Promise<{ task: TaskRow; ranMs: number; usual: UsualTime | null }[]> {
  const running = sql`t.ended_at is null and t.status = 'running' and t.job is not null`;
  const at = sql`${now.toISOString()}::timestamptz`;
  const usual = usualOf({
    jobs: sql`(select distinct t.project, t.job from tasks t where ${running} and t.started_at < ${at} - interval '5 minutes')`,
    apart: sql`true`,
  });
  // The start is told by the node's clock, which may be ahead of ours or behind it.
  const rows = await db.execute<UsualRow & { id: string; ran_ms: number }>(sql`
    select t.id, u.project, u.job, u.runs, u.median_ms, r.ran_ms
    from (${usual}) u
    join tasks t on t.job = u.job and t.project is not distinct from u.project and ${running}
    join nodes n on n.id = t.node_id and n.status = 'online'
    cross join lateral (select (extract(epoch from ${at} - t.started_at) * 1000 + coalesce(n.clock_skew_ms, 0))::float8 as ran_ms) r
    where r.ran_ms > u.median_ms * 3 and not exists (
      select 1 from alerts a where a.task_id = t.id and a.condition = 'TaskOverrun' and a.status = 'firing')`);
  const found = [...rows];
  if (found.length === 0) return [];
  const known = await db
    .select()
    .from(tasks)
    .where(
      and(
        eq(tasks.status, 'running'),
        inArray(
          tasks.id,
          found.map(({ id }) => id),
        ),
      ),
    );
  return known.flatMap((task) => {
    const row = found.find(({ id }) => id === task.id);
    return row === undefined ? [] : [{ task, ranMs: Number(row.ran_ms), usual: usualTime(row) }];
  });
}

/** The index over (project, job, end) takes a null project only when it is asked for it by name. */
function usualOf({ jobs, apart }: { jobs: ReturnType<typeof sql>; apart: ReturnType<typeof sql> }) {
  const last = (project: ReturnType<typeof sql>) => sql`(
    select r.duration_ms from tasks r
    where ${project} and r.job = j.job and r.status = 'completed' and r.duration_ms is not null and ${apart}
    order by r.ended_at desc limit ${runsLooked}::int)`;
  return sql`
    select j.project, j.job, count(*)::int as runs,
      percentile_cont(0.5) within group (order by d.duration_ms)::float8 as median_ms
    from ${jobs} j
    cross join lateral (
      ${last(sql`r.project = j.project`)} union all ${last(sql`j.project is null and r.project is null`)}) d
    group by j.project, j.job having count(*) >= ${leastRuns}::int`;
}

function byJob(rows: readonly UsualRow[]): (run: JobOf) => UsualTime | null {
  return ({ project, job }) => {
    const row = rows.find((one) => one.job === job && one.project === project);
    return row === undefined ? null : usualTime(row);
  };
}

function usualTime({ runs, median_ms: medianMs }: UsualRow): UsualTime {
  return { runs: Number(runs), medianMs: Number(medianMs) };
}
