import type { ReactNode } from 'react';
import type { Verdict } from '../../data/api-types.ts';
import { BarList } from '../../parts/bar-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Panel } from '../../parts/page.tsx';
import { causeText, countText, jobText } from '../../parts/texts.ts';
import { causeTones } from '../../theme/tones.ts';
import type { JobDetail } from './job-page.tsx';

/** Why its runs failed; each bar leads to them. */
export function JobCauses({ job }: { job: JobDetail }): ReactNode {
  const causes = (Object.entries(job.causes) as [Verdict['cause'], number][])
    .filter(([cause]) => cause !== 'success')
    .toSorted(([, one], [, other]) => other - one);
  return (
    <Panel title="Causes">
      {causes.length === 0 ? (
        <Empty title={job.last_ended_at === null ? 'No run has ended yet.' : 'Every run ended well.'}>
          <p>Why runs fail is counted here, by what proves it.</p>
        </Empty>
      ) : (
        <BarList
          label="Causes"
          items={causes.map(([cause, count]) => ({
            key: cause,
            name: causeText(cause),
            value: count,
            tone: causeTones[cause],
            words: `${countText(count, 'run')} by ${causeText(cause)}`,
            link: {
              to: '/tasks',
              search: { job: jobText({ job: job.name, project: job.project }), cause, since: '30d' },
            },
          }))}
        />
      )}
    </Panel>
  );
}
