import { type Cause, failureStatuses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';

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

export interface JobDetail extends JobRecord {
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly durations: {
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    readonly mean_ms: number | null;
    readonly max_ms: number | null;
  };
}

export interface JobPage {
  readonly items: readonly JobRecord[];
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
const summary = sql`
  project, job as name,
  count(*)::int as runs,
  count(*) filter (where status = 'running')::int as running,
  count(*) filter (where status = any(${failures}::text[]))::int as failed,
  (array_agg(status order by ended_at desc) filter (where ended_at is not null))[1] as last_status,
  max(ended_at) as last_ended_at`;

interface SummaryRow extends Record<string, unknown> {
  readonly project: string | null;
  readonly name: string;
  readonly runs: number;
  readonly running: number;
  readonly failed: number;
  readonly last_status: TaskStatus | null;
  readonly last_ended_at: string | null;
}

/** By project and name. Runs count that ended at or after `since` or still run. */
export async function listJobs(
  queries: Queries,
  { since, limit, after }: { since: Date; limit: number; after?: string | undefined },
): Promise<JobPage> {
  const last = after === undefined ? undefined : parseJobId(after);
  const beyond =
    last === undefined ? sql`true` : sql`(coalesce(project, ''), job) > (${last.project ?? ''}, ${last.name})`;
  const rows = await queries.execute<SummaryRow>(sql`
    select ${summary} from tasks
    where job is not null and ${isWithin(since)} and ${beyond}
    group by project, job order by coalesce(project, ''), job limit ${limit + 1}`);
  const items = [...rows].slice(0, limit).map(jobRecord);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Null when no task bears the name. `id`: of {@link jobId}, `project/name`, or a name without project. */
export async function findJobName(queries: Queries, id: string): Promise<JobName | null> {
  const pair = parseJobId(id);
  const named =
    pair === undefined
      ? sql`((project is not null and project || '/' || job = ${id}) or (project is null and job = ${id}))`
      : sql`(project is not distinct from ${pair.project} and job = ${pair.name})`;
  const [known] = await queries.execute<{ project: string | null; name: string }>(
    sql`select project, job as name from tasks where ${named} order by project nulls first limit 1`,
  );
  return known ?? null;
}

/** Null when no task bears the name; `id` as in {@link findJobName}. */
export async function findJob(queries: Queries, id: string, since: Date): Promise<JobDetail | null> {
  const known = await findJobName(queries, id);
  if (known === null) return null;
  const ofJob = sql`project is not distinct from ${known.project} and job = ${known.name} and ${isWithin(since)}`;
  const [row] = await queries.execute<SummaryRow>(
    sql`select ${summary} from tasks where ${ofJob} group by project, job`,
  );
  const causes = await queries.execute<{ cause: Cause; count: number }>(
    sql`select cause, count(*)::int as count from tasks where ${ofJob} and cause is not null group by cause order by 2 desc`,
  );
  const [durations] = await queries.execute<Record<'p50_ms' | 'p95_ms' | 'mean_ms' | 'max_ms', number | null>>(sql`
    select percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
      percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
      avg(duration_ms)::float8 as mean_ms, max(duration_ms)::float8 as max_ms
    from tasks where ${ofJob} and duration_ms is not null`);
  const none = { runs: 0, running: 0, failed: 0, last_status: null, last_ended_at: null };
  return {
    ...jobRecord(row ?? { ...known, ...none }),
    causes: Object.fromEntries([...causes].map(({ cause, count }) => [cause, count])),
    durations: {
      p50_ms: durations?.p50_ms ?? null,
      p95_ms: durations?.p95_ms ?? null,
      mean_ms: durations?.mean_ms ?? null,
      max_ms: durations?.max_ms ?? null,
    },
  };
}

function isWithin(since: Date): SQL {
  return sql`(ended_at is null or ended_at >= ${since.toISOString()}::timestamptz)`;
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
    last_ended_at: row.last_ended_at === null ? null : new Date(row.last_ended_at).toISOString(),
  };
}
