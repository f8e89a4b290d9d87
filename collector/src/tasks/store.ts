import type { Cause, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import { and, desc, eq, getTableColumns, gte, inArray, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { unionAll } from 'drizzle-orm/pg-core';
import type { Queries } from '../db/database.ts';
import { nodes, taskRecordings, tasks } from '../db/tables/schema.ts';
import type { TaskCursor } from './cursor.ts';
import { isOfAny, isOfJob, parseJobId, splitsOf } from './jobs.ts';
import { type TaskRecord, taskRecord } from './record.ts';
import type { TaskRow } from './row.ts';

export interface TaskFilter {
  readonly statuses?: readonly TaskStatus[] | undefined;
  /** A node's id or name. */
  readonly node?: string | undefined;
  /** A job's id, its name, or `project/name`. */
  readonly job?: string | undefined;
  readonly project?: string | undefined;
  readonly owner?: string | undefined;
  readonly cause?: Cause | undefined;
  /** Ended at or after this, or still running. */
  readonly since?: Date | undefined;
  /** Ended before this; still running ones by their start. */
  readonly until?: Date | undefined;
}

export interface TaskPage {
  readonly items: readonly TaskRecord[];
  readonly next: TaskCursor | null;
}

const { logTail: _logTail, errorExcerpt: _errorExcerpt, ...listColumns } = getTableColumns(tasks);

/**
 * What still runs first, then the newest end first. Their ids come first: out of an index alone, in its order, in two parts,
 * because it has what runs and what has ended in two places. However much is stored, only the rows of the page are read.
 */
export async function listTasks(
  queries: Queries,
  filter: TaskFilter,
  { limit, after }: { readonly limit: number; readonly after?: TaskCursor | undefined },
): Promise<TaskPage> {
  const like = await likeThat(queries, filter);
  const order = [desc(tasks.endedAt), desc(tasks.id)];
  const list = (...terms: (SQL | undefined)[]) =>
    queries
      .select({ id: tasks.id })
      .from(tasks)
      .where(and(like, ...terms))
      .orderBy(...order)
      .limit(limit + 1);
  const ended = () => list(isNotNull(tasks.endedAt), hasEnded(filter), isAfter(after));
  const running = () => list(isNull(tasks.endedAt), hasBegun(filter), isBelow(after));
  const both = () => unionAll(running(), ended());
  const rows = await queries
    .select({ task: listColumns, node: nodes.name })
    .from(tasks)
    .innerJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(inArray(tasks.id, { running, ended, both }[wantedOf(filter, after)]()))
    .orderBy(...order)
    .limit(limit + 1);
  const items = rows.slice(0, limit);
  const last = items.at(-1)?.task;
  return {
    items: items.map(({ task, node }) => taskRecord(task, node)),
    next: rows.length > limit && last !== undefined ? { endedAt: last.endedAt, id: last.id } : null,
  };
}

function wantedOf({ statuses }: TaskFilter, after: TaskCursor | undefined): 'running' | 'ended' | 'both' {
  const isPast = after !== undefined && after.endedAt !== null;
  if (isPast || statuses?.includes('running') === false) return 'ended';
  return statuses?.every((status) => status === 'running') === true ? 'running' : 'both';
}

function hasBegun({ until }: TaskFilter): SQL | undefined {
  return until && sql`coalesce(${tasks.startedAt}, ${tasks.receivedAt}) < ${until.toISOString()}::timestamptz`;
}

function isBelow(after: TaskCursor | undefined): SQL | undefined {
  return after && lt(tasks.id, after.id);
}

function hasEnded({ since, until }: TaskFilter): SQL | undefined {
  return and(since && gte(tasks.endedAt, since), until && lt(tasks.endedAt, until));
}

function isAfter(after: TaskCursor | undefined): SQL | undefined {
  if (after === undefined || after.endedAt === null) return undefined;
  return sql`(${tasks.endedAt}, ${tasks.id}) < (${after.endedAt.toISOString()}::timestamptz, ${after.id})`;
}

async function likeThat(queries: Queries, filter: TaskFilter): Promise<SQL | undefined> {
  const { statuses, node, job, project, owner, cause } = filter;
  return and(
    statuses && inArray(tasks.status, [...statuses]),
    node === undefined ? undefined : inArray(tasks.nodeId, await idsOf(queries, node)),
    job === undefined ? undefined : hasJob(job),
    project === undefined ? undefined : eq(tasks.project, project),
    owner === undefined ? undefined : eq(tasks.owner, owner),
    cause && eq(tasks.cause, cause),
  );
}

/** Beforehand, because the index by node has its ends in order only for an id that is known. */
async function idsOf(queries: Queries, node: string): Promise<string[]> {
  const found = await queries
    .select({ id: nodes.id })
    .from(nodes)
    .where(or(eq(nodes.id, node), eq(nodes.name, node)));
  return found.map(({ id }) => id);
}

function hasJob(job: string): SQL | undefined {
  const pair = parseJobId(job);
  return pair === undefined ? or(eq(tasks.job, job), isOfAny(splitsOf(job))) : isOfJob(pair);
}

export interface TaskDetail extends TaskRecord {
  /** Oldest first; null when there is none to read. */
  readonly log_tail: string[] | null;
  /** What in there says why it failed. */
  readonly error_excerpt: string[] | null;
  readonly has_recording: boolean;
}

/** By its id, or the newest run of a scheduler's task id; null when there is none. */
export async function findTask(queries: Queries, idOrTaskId: string): Promise<TaskDetail | null> {
  const [found] = await queries
    .select({
      task: tasks,
      node: nodes.name,
      has_recording: sql<boolean>`exists (select from ${taskRecordings} where ${taskRecordings.taskId} = ${tasks.id})`,
    })
    .from(tasks)
    .innerJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(or(eq(tasks.id, idOrTaskId), eq(tasks.taskId, idOrTaskId)))
    .orderBy(sql`${tasks.id} = ${idOrTaskId} desc`, desc(tasks.endedAt), desc(tasks.receivedAt))
    .limit(1);
  if (found === undefined) return null;
  const { task, node, has_recording } = found;
  return { ...taskRecord(task, node), log_tail: task.logTail, error_excerpt: task.errorExcerpt, has_recording };
}

/** Said twice, because the index by node has those that run where an end is missing. */
export const isRunning = and(eq(tasks.status, 'running'), isNull(tasks.endedAt));

export async function runningTasks(queries: Queries, nodeId: string): Promise<TaskRow[]> {
  return queries
    .select()
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodeId), isRunning))
    .orderBy(tasks.id);
}

/** How many tasks run, per node id; nodes without any are absent. */
export async function countRunning(queries: Queries, nodeIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await queries
    .select({ nodeId: tasks.nodeId, count: sql<number>`count(*)::int` })
    .from(tasks)
    .where(and(sql`${tasks.nodeId} = any(${sql.param([...nodeIds])}::text[])`, isRunning))
    .groupBy(tasks.nodeId);
  return new Map(rows.map(({ nodeId, count }) => [nodeId, count]));
}

export interface LostOptions {
  /** When the node was judged unreachable: a bound for the end, not a reading. */
  readonly at: Date;
  readonly verdict: Verdict;
}

/**
 * The running tasks of a silent node become `lost`; returns them as they are now. Inside the engine's transaction,
 * which has locked the node first (nodes/store.ts `lockNode`), as the writer does.
 */
export async function markLost(transaction: Queries, nodeId: string, { at, verdict }: LostOptions): Promise<TaskRow[]> {
  return transaction
    .update(tasks)
    .set({ status: 'lost', endedAt: at, endedAtApproximate: true, verdict, cause: verdict.cause, receivedAt: at })
    .where(and(eq(tasks.nodeId, nodeId), isRunning))
    .returning();
}

/** The stored rows of these ids, locked until the transaction ends. */
export async function loadForUpdate(transaction: Queries, ids: readonly string[]): Promise<Map<string, TaskRow>> {
  if (ids.length === 0) return new Map();
  const rows = await transaction
    .select()
    .from(tasks)
    .where(sql`${tasks.id} = any(${sql.param([...ids])}::text[])`)
    .orderBy(tasks.id)
    .for('update');
  return new Map(rows.map((row) => [row.id, row]));
}

const columns = Object.entries(getTableColumns(tasks)).map(([key, { name }]) => ({ key: key as keyof TaskRow, name }));
const replacement = sql.raw(
  columns.flatMap(({ name }) => (name === 'id' ? [] : [`"${name}" = excluded."${name}"`])).join(', '),
);

/** Inserts or replaces whole rows: all in one document, so that it is the same statement, prepared once, for any number of them. */
export async function saveTasks(transaction: Queries, rows: readonly TaskRow[]): Promise<void> {
  if (rows.length === 0) return;
  const documents = rows.map((row) => Object.fromEntries(columns.map(({ key, name }) => [name, row[key]])));
  await transaction.execute(sql`
    insert into tasks select * from jsonb_populate_recordset(null::tasks, ${JSON.stringify(documents)}::jsonb)
    on conflict (id) do update set ${replacement}`);
}

/**
 * Ended, and told of, before the instant; at most `limit` at a time. Returns how many. A node whose clock stands in the past
 * tells of new ends that only look old.
 */
export async function deleteTasksEndedBefore(queries: Queries, before: Date, limit: number): Promise<number> {
  const iso = before.toISOString();
  const deleted = await queries
    .delete(tasks)
    .where(
      sql`${tasks.id} in (select id from tasks where ended_at < ${iso}::timestamptz and received_at < ${iso}::timestamptz
        order by ended_at limit ${limit})`,
    )
    .returning({ id: tasks.id });
  return deleted.length;
}
