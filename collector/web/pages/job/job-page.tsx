import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { TaskStatusBadge } from '../../parts/badges.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Columns, Page } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import { ExpectationPanel } from './expectation-panel.tsx';
import { JobAlerts } from './job-alerts.tsx';
import { JobCauses } from './job-causes.tsx';
import { JobDays } from './job-days.tsx';
import { JobFigures } from './job-figures.tsx';
import { JobRuns } from './job-runs.tsx';

export type JobDetail = Routes['GET /jobs/{id}']['answer'];

/** The runs under one name in the last 30 days, who is told of them, what is expected of them. */
export function JobPage(): ReactNode {
  const { id } = useParams({ from: '/jobs/$id' });
  const query = useQuery(read('GET /jobs/{id}', { path: { id } }));
  const job = query.data;
  return (
    <Page
      title={job === undefined ? 'Job' : visible(job.name)}
      lead={job && <Lead job={job} />}
      actions={job?.last_status && <TaskStatusBadge status={job.last_status} />}
    >
      <Loaded query={query} lines={9}>
        {(loaded) => (
          <>
            <JobFigures job={loaded} />
            <JobRuns job={loaded} />
            <Columns>
              <JobDays job={loaded} />
              <JobCauses job={loaded} />
            </Columns>
            <Columns>
              <JobAlerts job={loaded} />
              <ExpectationPanel job={loaded} />
            </Columns>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ job: { project, running, last_ended_at } }: { job: JobDetail }): ReactNode {
  return (
    <>
      {project === null ? 'without a project' : `of ${visible(project)}`}
      {running > 0 && `, ${running} running`}
      {last_ended_at !== null && (
        <>
          , last end <Ago at={last_ended_at} />
        </>
      )}
    </>
  );
}
