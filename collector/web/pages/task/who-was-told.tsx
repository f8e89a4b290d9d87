import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Transition } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { Story } from '../../parts/story.tsx';
import type { TaskDetail } from './task-page.tsx';

/** Why its end did or did not reach people. */
export function WhoWasTold({ task: { id } }: { task: TaskDetail }): ReactNode {
  const query = useQuery({
    ...read('GET /explain/tasks/{id}', { path: { id } }),
    refetchInterval: ({ state }) => (isUnderway(state.data?.transitions) ? underwayMs : false),
  });
  return (
    <Panel title="Who was told">
      <Loaded query={query}>
        {({ conclusion, transitions }) => <Story conclusion={conclusion} transitions={transitions} />}
      </Loaded>
    </Panel>
  );
}

/** Deliveries settle without a word of the stream. */
const underwayMs = 2000;

function isUnderway(transitions: readonly Transition[] | undefined): boolean {
  return transitions?.some(({ deliveries }) => deliveries.some(({ state }) => state === 'pending')) === true;
}
