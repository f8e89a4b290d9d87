import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { TaskStatusBadge } from '../../parts/badges.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Columns, Page } from '../../parts/page.tsx';
import { nodePlace } from '../../parts/places.ts';
import { visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import { JobHistory } from './job-history.tsx';
import { LastLines } from './last-lines.tsx';
import { Recording } from './recording.tsx';
import { TaskFacts } from './task-facts.tsx';
import { VerdictPanel } from './verdict-panel.tsx';
import { WhoWasTold } from './who-was-told.tsx';

export type TaskDetail = Routes['GET /tasks/{id}']['answer'];

/** One run of work: why it ended first, then everything that this rests on. */
export function TaskPage(): ReactNode {
  const { id } = useParams({ from: '/tasks/$id' });
  const query = useQuery(read('GET /tasks/{id}', { path: { id } }));
  const task = query.data;
  return (
    <Page
      title={task === undefined ? 'Task' : visible(task.name)}
      lead={task && <Lead task={task} />}
      actions={task && <TaskStatusBadge status={task.status} />}
    >
      <Loaded query={query} lines={9}>
        {(loaded) => (
          <>
            <VerdictPanel task={loaded} />
            <LastLines task={loaded} />
            {loaded.has_recording && <Recording task={loaded} />}
            <Columns>
              <JobHistory task={loaded} />
              <WhoWasTold task={loaded} />
            </Columns>
            <TaskFacts task={loaded} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ task: { node, node_id, status, started_at, ended_at } }: { task: TaskDetail }): ReactNode {
  return (
    <>
      on <Link {...nodePlace({ id: node_id })}>{visible(node)}</Link>
      {', '}
      {status === 'running' ? (
        <>
          running for <Elapsed since={started_at} />
        </>
      ) : (
        <>
          ended <Ago at={ended_at} />
        </>
      )}
    </>
  );
}
