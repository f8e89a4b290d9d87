import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Task } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { TaskStatusBadge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { durationText, visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import classes from './overview.module.css';

/** What runs, and what ended last. */
export function RecentEnds(): ReactNode {
  const query = useQuery(read('GET /tasks', { query: { limit: 12 } }));
  return (
    <Panel title="Running and newest ends" isFlush>
      <Loaded query={query} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No task yet.">
              <p>Run one that fails, and see why it did:</p>
              <Command text="npx runnerwatch run -- sh -c 'exit 3'" />
            </Empty>
          ) : (
            <DataTable label="Running and newest ends" columns={columns} rows={items} rowKey={({ id }) => id} />
          )
        }
      </Loaded>
    </Panel>
  );
}

const columns: readonly Column<Task>[] = [
  { title: 'Status', cell: ({ status }) => <TaskStatusBadge status={status} /> },
  { title: 'Task', cell: ({ name }) => <strong className={classes.name}>{visible(name)}</strong> },
  {
    title: 'Why',
    isWide: true,
    from: 560,
    cell: ({ verdict, command }) => <span className={classes.soft}>{visible(verdict?.summary ?? command ?? '')}</span>,
  },
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
