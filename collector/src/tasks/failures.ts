import { type Cause, failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { tasks } from '../db/tables/schema.ts';
import { jobId } from './jobs.ts';

export const failureGroupings = ['job', 'node', 'cause', 'project', 'hour', 'day'] as const;
export type FailureGrouping = (typeof failureGroupings)[number];

/** The failures of one job, node, cause, project, hour or day over a time. */
export interface FailureGroup {
  /** `project/job`, a node's name, a cause, a project, the instant an hour or a day begins; null: of runs that have none. */
  readonly key: string | null;
  /** Of a job or node, for a look at it; null otherwise. */
  readonly id: string | null;
  /** Runs that ended; beside a cause all of them, whatever their cause. */
  readonly ends: number;
  readonly failures: number;
  /** Failures of ends, 0…1. */
  readonly failure_rate: number;
  /** Failures by cause. */
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  readonly last_failed_at: string;
  /** Failures in the time before; null where that was not asked for. */
  readonly failures_before: number | null;
}

/** The last group of a page. */
export interface FailurePosition {
  readonly failures: number;
  readonly group: string;
}

export interface FailureQuery {
  readonly by: FailureGrouping;
  /** The time before, from here to `since`, is counted beside. */
  readonly before?: Date | undefined;
  readonly since: Date;
  readonly until: Date;
  readonly limit: number;
  readonly after?: FailurePosition | undefined;
}

export interface FailurePage {
  readonly items: readonly FailureGroup[];
  readonly next: FailurePosition | null;
  /** How many groups there are from this page on. */
  readonly groups: number;
  /** All failures of the time before; null where that was not asked for. */
  readonly failuresBefore: number | null;
}

/**
 * Groups with a failure that ended at or after `since` and before `until`: the most failures first, hours and days from the newest on.
 * One pass over the ends of that time, out of the index alone where the database has cleaned up behind itself.
 */
export async function listFailures(
  queries: Queries,
  { by, before, since, until, limit, after }: FailureQuery,
): Promise<FailurePage> {
  const { first, second } = columnsOf[by];
  const ends = by === 'cause' ? sql`(select sum(ends) from counted)` : sql`sum(ends)`;
  const wasBefore = before === undefined ? sql`false` : sql`${isFailure} and ${isWithin(before, since)}`;
  const rows = await queries.execute<GroupRow>(sql`
    with counted as (
      select ${first} as first, ${second} as second, status, cause, count(*) as ends, max(ended_at) as last_ended_at
      from tasks
      where ${isWithin(since, until)}
      group by 1, 2, 3, 4
    ), by_cause as (
      select first, second, coalesce(cause, 'unknown') as cause, sum(ends) as ends,
        sum(ends) filter (where ${isFailure}) as failures,
        max(last_ended_at) filter (where ${isFailure}) as last_failed_at
      from counted group by 1, 2, 3
    ), grouped as (
      select jsonb_build_array(first, second)::text collate "C" as "group", ${ends}::int as ends,
        sum(failures)::int as failures, max(last_failed_at) as last_failed_at,
        jsonb_object_agg(cause, failures) filter (where failures > 0) as causes
      from by_cause group by first, second having sum(failures) > 0
    ), earlier as (
      select jsonb_build_array(first, second)::text collate "C" as "group", failures_before from (
        select ${first} as first, ${second} as second, count(*)::int as failures_before from tasks where ${wasBefore} group by 1, 2
      ) failed
    )
    select grouped.*, nodes.name as node, count(*) over ()::int as groups, earlier.failures_before
    from grouped left join earlier using ("group") left join nodes on ${by === 'node' ? sql`nodes.id = "group"::jsonb ->> 0` : sql`false`}
    where ${after === undefined ? sql`true` : isAfter(by, after)}
    order by ${isTime(by) ? sql`"group" desc` : sql`failures desc, "group"`} limit ${limit + 1}::int`);
  const shown = [...rows].slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => failureGroup(by, row, before !== undefined)),
    next: rows.length > limit && last !== undefined ? { failures: last.failures, group: last.group } : null,
    groups: rows[0]?.groups ?? 0,
    failuresBefore: before === undefined ? null : await queries.$count(tasks, wasBefore),
  };
}

interface GroupRow extends Record<string, unknown> {
  /** JSON of the two columns it is grouped by. */
  readonly group: string;
  readonly node: string | null;
  readonly ends: number;
  readonly failures: number;
  readonly causes: FailureGroup['causes'];
  readonly last_failed_at: string;
  readonly failures_before: number | null;
  readonly groups: number;
}

/** Written out, as the index of failures has it. */
const isFailure = sql.raw(`status in (${failureStatuses.map((status) => `'${status}'`).join(', ')})`);
const none = sql`null::text`;
const columnsOf: Readonly<Record<FailureGrouping, { readonly first: SQL; readonly second: SQL }>> = {
  job: { first: sql`project`, second: sql`job` },
  node: { first: sql`node_id`, second: none },
  cause: { first: sql`coalesce(cause, 'unknown')`, second: none },
  project: { first: sql`project`, second: none },
  hour: { first: sql`date_trunc('hour', ended_at at time zone 'UTC')`, second: none },
  day: { first: sql`date_trunc('day', ended_at at time zone 'UTC')`, second: none },
};

function isTime(by: FailureGrouping): boolean {
  return by === 'hour' || by === 'day';
}

function isAfter(by: FailureGrouping, { failures, group }: FailurePosition): SQL {
  if (isTime(by)) return sql`"group" < ${group}`;
  return sql`(failures < ${failures}::int or (failures = ${failures}::int and "group" > ${group}))`;
}

function isWithin(since: Date, until: Date): SQL {
  return sql`ended_at >= ${since.toISOString()}::timestamptz and ended_at < ${until.toISOString()}::timestamptz`;
}

function failureGroup(by: FailureGrouping, row: GroupRow, isCompared: boolean): FailureGroup {
  const [first, second] = JSON.parse(row.group) as [string | null, string | null];
  return {
    ...named(by, { first, second, node: row.node }),
    ends: row.ends,
    failures: row.failures,
    failure_rate: row.failures / row.ends,
    causes: row.causes,
    last_failed_at: new Date(row.last_failed_at).toISOString(),
    failures_before: isCompared ? (row.failures_before ?? 0) : null,
  };
}

function named(
  by: FailureGrouping,
  { first, second, node }: { first: string | null; second: string | null; node: string | null },
): Pick<FailureGroup, 'key' | 'id'> {
  switch (by) {
    case 'job':
      if (second === null) return { key: null, id: null };
      return { key: first === null ? second : `${first}/${second}`, id: jobId({ project: first, name: second }) };
    case 'node':
      return { key: node ?? first, id: first };
    case 'hour':
    case 'day':
      return { key: first === null ? null : new Date(`${first}Z`).toISOString(), id: null };
    default:
      return { key: first, id: null };
  }
}
