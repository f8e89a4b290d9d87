import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import type { Cause, SchedulerWord, TaskSource, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { countColumn, instantColumn } from './columns.ts';
import { nodes } from './nodes.ts';

export const tasks = pgTable(
  'tasks',
  {
    /** Unique in the fleet, made by the agent (taskIdentity.id). */
    id: text('id').primaryKey(),
    /** What its scheduler calls it; may come again for a re-queued task. */
    taskId: text('task_id').notNull(),
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    job: text('job'),
    project: text('project'),
    owner: text('owner'),
    source: text('source').$type<TaskSource>().notNull(),
    unit: text('unit'),
    containerId: text('container_id'),
    command: text('command'),
    status: text('status').$type<TaskStatus>().notNull(),
    exitCode: integer('exit_code'),
    signal: text('signal'),
    startedAt: instantColumn('started_at'),
    endedAt: instantColumn('ended_at'),
    endedAtApproximate: boolean('ended_at_approximate').notNull().default(false),
    durationMs: countColumn('duration_ms'),
    cpuMs: countColumn('cpu_ms'),
    memoryPeakBytes: countColumn('memory_peak_bytes'),
    memoryLimitBytes: countColumn('memory_limit_bytes'),
    errorMessage: text('error_message'),
    verdict: jsonb('verdict').$type<Verdict>(),
    cause: text('cause').$type<Cause>(),
    scheduler: jsonb('scheduler').$type<SchedulerWord>(),
    logTail: jsonb('log_tail').$type<string[]>(),
    errorExcerpt: jsonb('error_excerpt').$type<string[]>(),
    /** How often a later, better-proven end replaced what was stored (lost → completed, unknown → failed). */
    amendments: integer('amendments').notNull().default(0),
    receivedAt: instantColumn('received_at').notNull(),
  },
  (table) => [
    // The newest ends that are like this, and counts of ends and failures out of the index alone (tasks/failures.ts).
    index('tasks_by_end').on(
      table.endedAt,
      table.id,
      table.status,
      table.cause,
      table.nodeId,
      table.project,
      table.job,
      table.owner,
    ),
    // Few: what went wrong in a time, by what it was (tasks/failures.ts).
    index('tasks_failed')
      .on(table.endedAt, table.id, table.project, table.job, table.nodeId, table.cause)
      .where(sql`status in ('failed', 'killed', 'killed_oom', 'timed_out', 'lost', 'unknown')`),
    index('tasks_by_task_id').on(table.taskId),
    index('tasks_by_node').on(table.nodeId, table.endedAt, table.id, table.status),
    // What a job's runs came to, and its newest ones, out of the index alone (tasks/jobs.ts).
    index('tasks_by_job').on(
      table.project,
      table.job,
      table.endedAt,
      table.status,
      table.cause,
      table.durationMs,
      table.id,
    ),
  ],
);

/** The last minutes of a task that failed: one row a task, deleted with it. */
export const taskRecordings = pgTable('task_recordings', {
  taskId: text('task_id')
    .primaryKey()
    .references(() => tasks.id, { onDelete: 'cascade' }),
  /** When its last reading was taken: of two recordings of a task the one that reaches further stays. */
  until: instantColumn('until').notNull(),
  recording: jsonb('recording').$type<TaskRecording>().notNull(),
});
