import type { ReactNode } from 'react';
import type { Task } from '../data/api-types.ts';
import { TaskStatusBadge } from './badges.tsx';
import { type Column, DataTable, type DataTableProps } from './data-table.tsx';
import { taskPlace } from './places.ts';
import classes from './task-table.module.css';
import { durationText, jobText, visible, whyText } from './texts.ts';
import { Ago, Elapsed } from './time.tsx';

export interface TaskTableProps {
  readonly label: string;
  readonly tasks: readonly Task[];
  readonly more?: DataTableProps<Task, never>['more'];
}

/** Tasks, each leading to its page. */
export function TaskTable({ label, tasks, more }: TaskTableProps): ReactNode {
  return (
    <DataTable label={label} columns={columns} rows={tasks} rowKey={({ id }) => id} rowLink={taskPlace} more={more} />
  );
}

const columns: readonly Column<Task>[] = [
  { title: 'Task', cell: ({ name }) => <span className={classes.name}>{visible(name)}</span> },
  { title: 'Status', cell: ({ status }) => <TaskStatusBadge status={status} /> },
  {
    title: 'Why',
    isWide: true,
    from: 560,
    cell: (task) => {
      const text = visible(whyText(task));
      return (
        <span className={classes.soft} title={text}>
          {text}
        </span>
      );
    },
  },
  { title: 'Job', from: 1080, cell: (task) => <span className={classes.job}>{visible(jobText(task))}</span> },
  { title: 'Node', from: 820, cell: ({ node }) => visible(node) },
  {
    title: 'Took',
    isNumber: true,
    from: 560,
    cell: ({ status, started_at, duration_ms }) =>
      status === 'running' ? <Elapsed since={started_at} /> : durationText(duration_ms),
  },
  { title: 'Ended', isNumber: true, cell: ({ ended_at }) => <Ago at={ended_at} /> },
];
