import type { ReactNode } from 'react';
import { type Bar, BarChart } from '../../parts/bar-chart.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, jobText, numberText, percentText } from '../../parts/texts.ts';
import { useNowMs } from '../../parts/time.tsx';
import classes from './job.module.css';
import type { JobDetail } from './job-page.tsx';

const dayMs = 86_400_000;
const shownDays = 30;

/** Its ends day by day (UTC), the failed ones at the bottom. */
export function JobDays({ job }: { job: JobDetail }): ReactNode {
  const today = Math.floor(useNowMs() / dayMs);
  const bars = Array.from({ length: shownDays }, (_, index) => dayBar(job, today - shownDays + 1 + index));
  return (
    <Panel
      title="Ends by day"
      aside={
        <ul className={classes.legend}>
          <li data-tone="critical">failed</li>
          <li data-tone="good">well</li>
        </ul>
      }
    >
      <BarChart
        label="Ends by day"
        bars={bars}
        text={numberText}
        ends={[dateText(today - shownDays + 1), dateText(today)]}
      />
    </Panel>
  );
}

function dayBar(job: JobDetail, day: number): Bar {
  const since = new Date(day * dayMs).toISOString();
  const { ends, failed } = job.days.find((one) => since.startsWith(one.day)) ?? { ends: 0, failed: 0 };
  return {
    key: since,
    words:
      ends === 0
        ? `${dateText(day)}: none`
        : `${dateText(day)}: ${numberText(failed)} of ${countText(ends, 'run')} failed, ${percentText((100 * failed) / ends)}`,
    stack: [
      { tone: 'critical', value: failed },
      { tone: 'good', value: ends - failed },
    ],
    link: {
      to: '/tasks',
      search: {
        job: jobText({ job: job.name, project: job.project }),
        since,
        until: new Date((day + 1) * dayMs).toISOString(),
      },
    },
  };
}

function dateText(day: number): string {
  return new Date(day * dayMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}
