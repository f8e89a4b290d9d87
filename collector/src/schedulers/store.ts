import { and, desc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { collectorState, conditionStates, nodes, schedulerTasks, tasks } from '../db/tables/schema.ts';
import type { NodeRow } from '../nodes/record.ts';
import { type Fact, insertToldFacts } from '../tasks/facts.ts';
import type { TaskRow } from '../tasks/row.ts';
import type { SchedulerTask } from './scheduler.ts';

export interface Remembered {
  /** Tasks whose ids are not later were there before anybody watched; null: this scheduler was never read. */
  readonly watermark: string | null;
  readonly open: readonly SchedulerTask[];
  readonly settled: readonly Pick<SchedulerTask, 'taskId' | 'status' | 'exitCode' | 'nodeName'>[];
}

const settledMax = 20_000;
const rowsPerStatement = 500;

export async function loadRemembered(queries: Queries, scheduler: string): Promise<Remembered> {
  const [state] = await queries
    .select({ value: collectorState.value })
    .from(collectorState)
    .where(eq(collectorState.key, stateKey(scheduler)));
  const ofScheduler = eq(schedulerTasks.scheduler, scheduler);
  const open = await queries
    .select()
    .from(schedulerTasks)
    .where(and(ofScheduler, eq(schedulerTasks.isSettled, false)));
  const settled = await queries
    .select()
    .from(schedulerTasks)
    .where(and(ofScheduler, eq(schedulerTasks.isSettled, true)))
    .orderBy(desc(schedulerTasks.changedAt))
    .limit(settledMax);
  return { watermark: watermarkOf(state?.value), open, settled };
}

export async function saveWatermark(queries: Queries, scheduler: string, watermark: string): Promise<void> {
  await queries
    .insert(collectorState)
    .values({ key: stateKey(scheduler), value: { watermark } })
    .onConflictDoUpdate({ target: collectorState.key, set: { value: { watermark } } });
}

/** In a field of its own: digits alone would come back from JSON as a number that has lost some. */
function watermarkOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('watermark' in value)) return null;
  return typeof value.watermark === 'string' ? value.watermark : null;
}

function stateKey(scheduler: string): string {
  return `scheduler/${scheduler}`;
}

/** The scheduler's last word on these tasks; what follows from it is still to be done. */
export async function saveWords(
  queries: Queries,
  scheduler: string,
  { words, now }: { readonly words: readonly SchedulerTask[]; readonly now: Date },
): Promise<void> {
  for (let from = 0; from < words.length; from += rowsPerStatement) {
    const rows = words
      .slice(from, from + rowsPerStatement)
      .map((word) => ({ ...word, scheduler, isSettled: false, changedAt: now }));
    await queries
      .insert(schedulerTasks)
      .values(rows)
      .onConflictDoUpdate({
        target: [schedulerTasks.scheduler, schedulerTasks.taskId],
        set: {
          status: sql`excluded.status`,
          exitCode: sql`excluded.exit_code`,
          message: sql`excluded.message`,
          nodeName: sql`excluded.node_name`,
          batchId: sql`excluded.batch_id`,
          name: sql`excluded.name`,
          owner: sql`excluded.owner`,
          command: sql`excluded.command`,
          hasStarted: sql`excluded.has_started`,
          isSettled: false,
          changedAt: now,
        },
      });
  }
}

export async function settleWords(queries: Queries, scheduler: string, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await queries
    .update(schedulerTasks)
    .set({ isSettled: true })
    .where(and(eq(schedulerTasks.scheduler, scheduler), isOneOf(schedulerTasks.taskId, taskIds)));
}

/** Settled and unchanged since before the instant; at most `limit` at a time. Returns how many. */
export async function deleteWordsBefore(queries: Queries, before: Date, limit: number): Promise<number> {
  const [row] = await queries.execute<{ count: number }>(sql`
    with gone as (
      delete from scheduler_tasks where ctid = any(array(
        select ctid from scheduler_tasks
        where is_settled and changed_at < ${before.toISOString()}::timestamptz limit ${limit}::int)) returning 1)
    select count(*)::int as count from gone`);
  return row?.count ?? 0;
}

export type JoinedNode = Pick<NodeRow, 'id' | 'name' | 'status' | 'sources'>;

const { logTail: _logTail, ...runColumns } = getTableColumns(tasks);
export type StoredRun = Omit<TaskRow, 'logTail'>;

/** Every stored run of these task ids of a scheduler, with its node; the newest first. */
export async function findRuns(
  queries: Queries,
  taskIds: readonly string[],
): Promise<{ readonly task: StoredRun; readonly node: JoinedNode }[]> {
  if (taskIds.length === 0) return [];
  return queries
    .select({ task: runColumns, node: joinedNode })
    .from(tasks)
    .innerJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(isOneOf(tasks.taskId, taskIds))
    .orderBy(desc(tasks.receivedAt), desc(tasks.id));
}

const joinedNode = { id: nodes.id, name: nodes.name, status: nodes.status, sources: nodes.sources };

/** Nodes whose names begin, up to their first dot, as one of these do. */
export async function findNodesNamed(queries: Queries, names: readonly string[]): Promise<JoinedNode[]> {
  if (names.length === 0) return [];
  const short = [...new Set(names.map(shortName))];
  return queries
    .select(joinedNode)
    .from(nodes)
    .where(sql`lower(split_part(${nodes.name}, '.', 1)) = any(${sql.param(short)}::text[])`);
}

export function shortName(name: string): string {
  return (name.split('.')[0] ?? '').toLowerCase();
}

/** Facts that follow from a scheduler's words. */
export async function insertFacts(
  transaction: Queries,
  scheduler: string,
  told: { readonly facts: readonly Fact[]; readonly now: Date },
): Promise<void> {
  await insertToldFacts(transaction, { streamId: stateKey(scheduler), ...told });
}

export interface Raised {
  readonly nodeId: string;
  readonly condition: 'TaskGhost' | 'SchedulerUnreachable';
  /** A scheduler's name; of a ghost, with the task behind it. */
  readonly subject: string;
}

/** What is raised for the sake of any scheduler. */
export async function findRaised(queries: Queries): Promise<Raised[]> {
  const rows = await queries
    .select()
    .from(conditionStates)
    .where(
      and(
        inArray(conditionStates.condition, ['TaskGhost', 'SchedulerUnreachable']),
        eq(conditionStates.status, 'true'),
      ),
    );
  return rows.map(({ nodeId, condition, subject }) => ({
    nodeId,
    subject,
    condition: condition as Raised['condition'],
  }));
}

function isOneOf(column: typeof tasks.taskId | typeof schedulerTasks.taskId, values: readonly string[]) {
  return sql`${column} = any(${sql.param([...values])}::text[])`;
}
