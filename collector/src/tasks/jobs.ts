import { type Cause, failureStatuses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { or, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { holding } from '../db/like-pattern.ts';

/** A job is a name under a project; null where its tasks have no project. */
export interface JobName {
  readonly project: string | null;
  readonly name: string;
}

/** What its runs come to, over a time. */
export interface JobRecord {
  readonly id: string;
  readonly name: string;
  readonly project: string | null;
  readonly runs: number;
  readonly running: number;
  readonly failed: number;
  /** Failed of ended, 0…1; null while none has ended. */
  readonly failure_rate: number | null;
  readonly last_status: TaskStatus | null;
  readonly last_ended_at: string | null;
}

/** One run of a job, in short. */
export interface JobRun {
  readonly id: string;
  readonly status: TaskStatus;
  readonly ended_at: string | null;
  readonly duration_ms: number | null;
}

export interface ListedJob extends JobRecord {
  /** Half of its last runs took less. */
  readonly p50_ms: number | null;
  /** The newest end first; {@link lastRunsMax} at most. */
  readonly last_runs: readonly JobRun[];
}

export interface JobDay {
  /** A date, UTC: `2026-11-22`. */
  readonly day: string;
  readonly ends: number;
  readonly failed: number;
}

export interface JobDetail extends JobRecord {
  /** Days on which a run ended, the oldest first. */
  readonly days: readonly JobDay[];
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly durations: {
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    readonly mean_ms: number | null;
    readonly max_ms: number | null;
  };
}

export interface JobPage {
  readonly items: readonly ListedJob[];
  readonly next: string | null;
}

/** `j_` and the exact pair, so that a slash in a project or a name does not matter. */
export function jobId({ project, name }: JobName): string {
  return `j_${Buffer.from(JSON.stringify([project, name])).toString('base64url')}`;
}

/** The pair of an id made by {@link jobId}; undefined for any other text. */
export function parseJobId(id: string): JobName | undefined {
  if (!id.startsWith('j_')) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(id.slice(2), 'base64url').toString());
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [project, name] = value as [unknown, unknown];
    if ((project !== null && typeof project !== 'string') || typeof name !== 'string') return undefined;
    return { project, name };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const failures = sql.param([...failureStatuses]);
const isFailure = sql`status = any(${failures}::text[])`;

interface SummaryRow extends Record<string, unknown> {
  readonly project: string | null;
  readonly name: string;
  readonly runs: number;
  readonly running: number;
  readonly failed: number;
  readonly last_status: TaskStatus | null;
  readonly last_ended_at: string | null;
}

export interface JobQuery {
  readonly since: Date;
  /** Part of `project/name`. */
  readonly search?: string | undefined;
  readonly limit: number;
  /** The id of the last one of the page before. */
  readonly after?: string | undefined;
}

const lastRunsMax = 20;
/*
 * Two of them, one for jobs without a project: the index knows `=` and `is null`, but not `is not distinct from`. They are asked for
 * in the order of the whole index, because of `is null` it would not be known that the order of ends is enough.
 */
const lastRuns = (since: Date) =>
  sql`select id, status, ended_at, duration_ms from tasks where job = listed.name and ended_at >= ${since.toISOString()}::timestamptz`;
const newestFirst = sql`order by project desc, job desc, ended_at desc limit ${lastRunsMax}`;

interface ListedRow extends SummaryRow {
  readonly p50_ms: number | null;
  readonly last_runs: readonly JobRun[] | null;
}

/** By project and name. Runs count that ended at or after `since` or still run. A name is looked at once, not for each of its runs. */
export async function listJobs(queries: Queries, { since, search, limit, after }: JobQuery): Promise<JobPage> {
  const last = after === undefined ? undefined : parseJobId(after);
  const beyond =
    last === undefined ? sql`true` : sql`(coalesce(project, ''), name) > (${last.project ?? ''}, ${last.name})`;
  const named = search === undefined ? sql`true` : sql`coalesce(project || '/', '') || name ilike ${holding(search)}`;
  const rows = await queries.execute<ListedRow>(sql`
    with counted as materialized (
      select project, job as name, status, count(*) as runs, max(ended_at) as last_ended_at
      from ${within(since, sql`job is not null`)} group by 1, 2, 3
    ), listed as (
      select project, name, sum(runs)::int as runs,
        coalesce(sum(runs) filter (where status = 'running'), 0)::int as running,
        coalesce(sum(runs) filter (where ${isFailure}), 0)::int as failed,
        max(last_ended_at) as last_ended_at
      from counted where ${beyond} and ${named}
      group by project, name order by coalesce(project, ''), name limit ${limit + 1}
    )
    select listed.*, newest.* from listed cross join lateral (
      select jsonb_agg(run order by ended_at desc) as last_runs,
        (array_agg(status order by ended_at desc))[1] as last_status,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms
      from (
        (${lastRuns(since)} and project = listed.project ${newestFirst})
        union all
        (${lastRuns(since)} and project is null and listed.project is null ${newestFirst})
      ) as run
    ) as newest
    order by coalesce(project, ''), name`);
  const items = [...rows].slice(0, limit).map((row) => ({
    ...jobRecord(row),
    p50_ms: row.p50_ms,
    last_runs: (row.last_runs ?? []).map((run) => ({ ...run, ended_at: instantText(run.ended_at) })),
  }));
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Null when no task bears the name. `id`: of {@link jobId}, `project/name`, or a name without project. */
export async function findJobName(queries: Queries, id: string): Promise<JobName | null> {
  const pair = parseJobId(id);
  const pairs = pair === undefined ? [{ project: null, name: id }, ...splitsOf(id)] : [pair];
  const [known] = await queries.execute<{ project: string | null; name: string }>(
    sql`select project, job as name from tasks where ${isOfAny(pairs)} order by project nulls first limit 1`,
  );
  return known ?? null;
}

/** What `project/name` may mean: either may have slashes of its own. */
export function splitsOf(text: string): JobName[] {
  const slashes = [...text.matchAll(/\//g)].map(({ index }) => index);
  return slashes.map((at) => ({ project: text.slice(0, at), name: text.slice(at + 1) }));
}

/** Null when no task bears the name; `id` as in {@link findJobName}. Every statement is answered out of the index. */
export async function findJob(queries: Queries, id: string, since: Date): Promise<JobDetail | null> {
  const known = await findJobName(queries, id);
  if (known === null) return null;
  const ofJob = within(since, isOfJob(known));
  const [sums] = await queries.execute<SummaryRow & JobDetail['durations']>(sql`
    select count(*)::int as runs,
      count(*) filter (where status = 'running')::int as running,
      count(*) filter (where ${isFailure})::int as failed,
      max(ended_at) as last_ended_at,
      (select status from ${ofJob} where ended_at is not null order by ended_at desc limit 1) as last_status,
      percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
      percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
      avg(duration_ms)::float8 as mean_ms, max(duration_ms)::float8 as max_ms
    from ${ofJob}`);
  const causes = await queries.execute<{ cause: Cause; count: number }>(
    sql`select cause, count(*)::int as count from ${ofJob} where cause is not null group by cause order by 2 desc`,
  );
  const days = await queries.execute<{ day: string; ends: number; failed: number }>(sql`
    select to_char(day, 'YYYY-MM-DD') as day, sum(ends)::int as ends, coalesce(sum(ends) filter (where ${isFailure}), 0)::int as failed
    from (select date_trunc('day', ended_at at time zone 'UTC') as day, status, count(*) as ends
      from ${ofJob} where ended_at is not null group by 1, 2) as counted group by 1 order by 1`);
  const none = { runs: 0, running: 0, failed: 0, last_status: null, last_ended_at: null };
  return {
    ...jobRecord({ ...none, ...sums, ...known }),
    days: [...days],
    causes: Object.fromEntries([...causes].map(({ cause, count }) => [cause, count])),
    durations: {
      p50_ms: sums?.p50_ms ?? null,
      p95_ms: sums?.p95_ms ?? null,
      mean_ms: sums?.mean_ms ?? null,
      max_ms: sums?.max_ms ?? null,
    },
  };
}

/** The tasks of one job, as their index has them. */
export function isOfJob({ project, name }: JobName): SQL {
  return sql`(${project === null ? sql`tasks.project is null` : sql`tasks.project = ${project}`} and tasks.job = ${name})`;
}

/** Undefined for none. */
export function isOfAny(jobs: readonly JobName[]): SQL | undefined {
  return or(...jobs.map(isOfJob));
}

/** Those that ended since or still run, in two parts, because an index has them in two places. */
function within(since: Date, like: SQL): SQL {
  const columns = sql`select project, job, status, cause, ended_at, duration_ms from tasks where ${like}`;
  return sql`(${columns} and ended_at >= ${since.toISOString()}::timestamptz union all ${columns} and ended_at is null) as runs`;
}

function jobRecord(row: SummaryRow): JobRecord {
  const ended = row.runs - row.running;
  return {
    id: jobId(row),
    name: row.name,
    project: row.project,
    runs: row.runs,
    running: row.running,
    failed: row.failed,
    failure_rate: ended === 0 ? null : row.failed / ended,
    last_status: row.last_status,
    last_ended_at: instantText(row.last_ended_at),
  };
}

function instantText(instant: string | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
