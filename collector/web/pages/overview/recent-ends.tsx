import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { read } from '../../data/queries.ts';
import { Command, Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { TaskTable } from '../../parts/task-table.tsx';

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
            <TaskTable label="Running and newest ends" tasks={items} />
          )
        }
      </Loaded>
    </Panel>
  );
}
