import { and, desc, eq, gte, isNull, or, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { tasks } from '../db/tables/schema.ts';
import type { JobName } from '../tasks/jobs.ts';
import type { Word } from './ending.ts';

/** Null: there is no such run. */
export async function findNodeOfRun(queries: Queries, id: string): Promise<string | null> {
  const [run] = await queries.select({ nodeId: tasks.nodeId }).from(tasks).where(eq(tasks.id, id));
  return run?.nodeId ?? null;
}

/**
 * Which run of the job a word without a run id speaks of: the newest that is open; for an end also one that has ended so since
 * then, or was taken for lost within a day. Null: none.
 */
export async function findRunWithoutId(
  queries: Queries,
  { project, name }: JobName,
  { nodeId, word, since }: { readonly nodeId: string; readonly word: Word; readonly since: Date },
): Promise<string | null> {
  // Each with its end, so that the index over (project, job, end) finds them among any number of runs.
  const isOpen = and(isNull(tasks.endedAt), eq(tasks.status, 'running'));
  const [run] = await queries
    .select({ id: tasks.id })
    .from(tasks)
    .where(
      and(
        project === null ? isNull(tasks.project) : eq(tasks.project, project),
        eq(tasks.job, name),
        eq(tasks.nodeId, nodeId),
        eq(tasks.source, 'ping'),
        eq(tasks.taskId, tasks.id),
        word.kind === 'start' ? isOpen : or(isOpen, wasLost(since), endedSo(word, since)),
      ),
    )
    .orderBy(sql`${tasks.status} = 'running' desc`, desc(tasks.endedAt), desc(tasks.startedAt))
    .limit(1);
  return run?.id ?? null;
}

const lostMs = 86_400_000;

function wasLost(since: Date) {
  return and(eq(tasks.status, 'lost'), gte(tasks.endedAt, new Date(since.getTime() - lostMs)));
}

function endedSo({ isFailure, exitCode }: Extract<Word, { kind: 'end' }>, since: Date) {
  return and(
    eq(tasks.status, isFailure ? 'failed' : 'completed'),
    exitCode === null ? isNull(tasks.exitCode) : eq(tasks.exitCode, exitCode),
    gte(tasks.endedAt, since),
  );
}
