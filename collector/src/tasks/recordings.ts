import type { Event } from '@runnerwatch/shared/model/event.ts';
import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import { eq, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { taskRecordings } from '../db/tables/schema.ts';

/**
 * Stores the recordings among the events. Told twice, the one that reaches further stays; one of a task that is not there, or
 * is another node's, is left out. The tasks of the same batch must be stored before. Returns the ids of the tasks that have a
 * new one.
 */
export async function saveRecordings(
  transaction: Queries,
  events: readonly Event[],
  { nodeId }: { readonly nodeId: string },
): Promise<string[]> {
  const byTask = new Map<string, TaskRecording>();
  for (const { body } of events) if (body.kind === 'task_recording') byTask.set(body.task_id, body.recording);
  return byTask.size === 0 ? [] : insert(transaction, [...byTask], nodeId);
}

/** By the task's own id; null when there is none. */
export async function findRecording(queries: Queries, taskId: string): Promise<TaskRecording | null> {
  const [found] = await queries
    .select({ recording: taskRecordings.recording })
    .from(taskRecordings)
    .where(eq(taskRecordings.taskId, taskId));
  return found?.recording ?? null;
}

async function insert(
  transaction: Queries,
  recordings: readonly (readonly [string, TaskRecording])[],
  nodeId: string,
): Promise<string[]> {
  const stored = await transaction.execute<{ task_id: string }>(sql`
    insert into task_recordings (task_id, until, recording)
    select tasks.id, told.until, told.recording
    from unnest(
      ${sql.param(recordings.map(([taskId]) => taskId))}::text[],
      ${sql.param(recordings.map(([, { until }]) => until))}::timestamptz[],
      ${sql.param(recordings.map(([, recording]) => JSON.stringify(recording)))}::jsonb[]
    ) as told(task_id, until, recording)
    join tasks on tasks.id = told.task_id and tasks.node_id = ${nodeId}
    order by tasks.id
    on conflict (task_id) do update set until = excluded.until, recording = excluded.recording
    where excluded.until >= task_recordings.until
    returning task_id`);
  return stored.map(({ task_id }) => task_id);
}
