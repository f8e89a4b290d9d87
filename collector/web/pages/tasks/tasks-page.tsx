import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { readPages } from '../../data/queries.ts';
import { Command, Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { SavedViews, type View } from '../../parts/saved-views.tsx';
import { TaskTable } from '../../parts/task-table.tsx';
import { failures, queryOf, type TasksSearch } from './search.ts';
import { TaskFilters } from './task-filters.tsx';

const views: readonly View<TasksSearch>[] = [
  { name: 'All', search: {} },
  { name: 'Running', search: { status: 'running' } },
  { name: 'Failures', search: { status: failures } },
  { name: 'Out of memory', search: { status: 'killed_oom' } },
];

/** Tasks as they run and end. What is looked for stands in the address. */
export function TasksPage(): ReactNode {
  const search = useSearch({ from: '/tasks' });
  const navigate = useNavigate({ from: '/tasks' });
  const show = (wanted: TasksSearch) => void navigate({ search: wanted, replace: true });
  const query = useInfiniteQuery(readPages('GET /tasks', { query: queryOf(search) }));
  const isFiltered = Object.keys(search).length > 0;
  return (
    <Page title="Tasks" actions={<SavedViews list="task" given={views} search={search} show={show} />}>
      <Panel title={isFiltered ? 'Tasks like that' : 'Running first, then the newest end'} isFlush>
        <TaskFilters search={search} show={show} />
        <Loaded query={query} lines={8}>
          {(tasks) =>
            tasks.length > 0 ? (
              <TaskTable label="Tasks" tasks={tasks} more={query} />
            ) : isFiltered ? (
              <Empty title="No task is like that.">
                <p>Take a filter away, or look further back.</p>
              </Empty>
            ) : (
              <Empty title="No task yet.">
                <p>Run one that fails, and see why it did:</p>
                <Command text="npx runnerwatch run -- sh -c 'exit 3'" />
              </Empty>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}
