import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { read } from '../../data/queries.ts';
import { Command, Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { TaskTable } from '../../parts/task-table.tsx';
import { failures } from '../tasks/search.ts';

/** Also those that went well: the newest shows that ends are heard. What runs would leave them no place. */
const ended = `completed,${failures}`;

/** What ended last. */
export function RecentEnds(): ReactNode {
  const query = useQuery(read('GET /tasks', { query: { status: ended, limit: 12 } }));
  return (
    <Panel title="Newest ends" isFlush aside={<Link to="/tasks">all tasks</Link>}>
      <Loaded query={query} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing has ended yet.">
              <p>Run one that fails, and see why it did:</p>
              <Command text="npx runnerwatch run -- sh -c 'exit 3'" />
            </Empty>
          ) : (
            <TaskTable label="Newest ends" tasks={items} />
          )
        }
      </Loaded>
    </Panel>
  );
}
