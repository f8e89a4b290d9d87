import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instantColumn } from './columns.ts';

/** The last word of a scheduler on each of its tasks that was not over when it was first read. */
export const schedulerTasks = pgTable(
  'scheduler_tasks',
  {
    /** As the configuration calls it. */
    scheduler: text('scheduler').notNull(),
    taskId: text('task_id').notNull(),
    status: text('status').notNull(),
    exitCode: integer('exit_code'),
    message: text('message'),
    nodeName: text('node_name'),
    batchId: text('batch_id'),
    name: text('name'),
    owner: text('owner'),
    command: text('command'),
    hasStarted: boolean('has_started').notNull(),
    /** Over, and everything that follows from it is stored. */
    isSettled: boolean('is_settled').notNull().default(false),
    changedAt: instantColumn('changed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.scheduler, table.taskId] })],
);
