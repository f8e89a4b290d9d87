import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { durationText, jobText, numberText, percentText } from '../../parts/texts.ts';
import { failures } from '../tasks/search.ts';
import classes from './job.module.css';
import type { JobDetail } from './job-page.tsx';

/** What its runs came to. */
export function JobFigures({ job }: { job: JobDetail }): ReactNode {
  const { runs, failed, failure_rate, durations } = job;
  const search = { job: jobText({ job: job.name, project: job.project }), since: '30d' };
  return (
    <dl className={classes.figures} aria-label="In the last 30 days">
      <Figure name="Runs, 30 days">
        <Link to="/tasks" search={search}>
          {numberText(runs)}
        </Link>
      </Figure>
      <Figure name="Failed">
        {failed === 0 ? (
          'none'
        ) : (
          <Link to="/tasks" search={{ ...search, status: failures }} data-tone="critical">
            {numberText(failed)}
            {failure_rate !== null && `, ${percentText(failure_rate * 100)}`}
          </Link>
        )}
      </Figure>
      <Figure name="Usually takes">{durationText(durations.p50_ms)}</Figure>
      <Figure name="19 of 20 within">{durationText(durations.p95_ms)}</Figure>
      <Figure name="Longest">{durationText(durations.max_ms)}</Figure>
    </dl>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
