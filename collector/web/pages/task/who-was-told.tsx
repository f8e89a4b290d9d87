import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { read } from '../../data/queries.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { Story } from '../../parts/story.tsx';
import type { TaskDetail } from './task-page.tsx';

/** Why its end did or did not reach people. */
export function WhoWasTold({ task: { id } }: { task: TaskDetail }): ReactNode {
  const query = useQuery(read('GET /explain/tasks/{id}', { path: { id } }));
  return (
    <Panel title="Who was told">
      <Loaded query={query}>
        {({ conclusion, transitions }) => <Story conclusion={conclusion} transitions={transitions} />}
      </Loaded>
    </Panel>
  );
}
