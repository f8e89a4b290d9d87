import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Job } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { jobPlace } from '../../parts/places.ts';
import { RunStrip } from '../../parts/run-strip.tsx';
import { countText, durationText, jobText, percentText, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './task.module.css';
import type { TaskDetail } from './task-page.tsx';

/** How other runs of its job ended. */
export function JobHistory({ task }: { task: TaskDetail }): ReactNode {
  const job = task.job === null ? null : jobText(task);
  return (
    <Panel title="Its job" aside={job !== null && <Link {...jobPlace({ name: job })}>{visible(job)}</Link>}>
      {job === null ? (
        <Empty title="It has no job.">
          <p>Runs under one name are compared: give it with run --job, or by tasks.identify in agent.yaml.</p>
        </Empty>
      ) : (
        <Runs task={task} job={job} />
      )}
    </Panel>
  );
}

function Runs({ task, job }: { task: TaskDetail; job: string }): ReactNode {
  const runs = useQuery(read('GET /tasks', { query: { job, limit: 60 } }));
  const { data: summary } = useQuery(read('GET /jobs/{id}', { path: { id: job } }));
  return (
    <Loaded query={runs}>
      {({ items }) => {
        const lastGood = items.find(({ status }) => status === 'completed');
        return (
          <>
            <RunStrip tasks={items} currentId={task.id} />
            <dl className={classes.figures}>
              <div>
                <dt>Failed, 30 days</dt>
                <dd>{summary === undefined ? ' ' : failedText(summary)}</dd>
              </div>
              <div>
                <dt>Usually takes</dt>
                <dd>{durationText(summary?.durations.p50_ms)}</dd>
              </div>
              <div>
                <dt>Last ended well</dt>
                <dd>
                  <At at={lastGood?.ended_at} />
                </dd>
              </div>
            </dl>
          </>
        );
      }}
    </Loaded>
  );
}

type JobFigures = Pick<Job, 'failed' | 'runs' | 'running' | 'failure_rate'>;

function failedText({ failed, runs, running, failure_rate: rate }: JobFigures): string {
  return `${failed} of ${countText(runs - running, 'end')}${rate === null ? '' : `, ${percentText(rate * 100)}`}`;
}
