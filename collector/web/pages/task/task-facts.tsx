import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Panel } from '../../parts/page.tsx';
import { jobPlace } from '../../parts/places.ts';
import { bytesText, durationText, jobText, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './task.module.css';
import type { TaskDetail } from './task-page.tsx';

/** Everything else that is known of it. */
export function TaskFacts({ task }: { task: TaskDetail }): ReactNode {
  return (
    <Panel title="Facts">
      <dl className={classes.facts}>
        {factsOf(task)
          .filter(([, value]) => value !== null && value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === 'string' ? visible(value) : value}</dd>
            </div>
          ))}
      </dl>
    </Panel>
  );
}

function factsOf(task: TaskDetail): [string, ReactNode][] {
  const { scheduler, amendments } = task;
  const peak = task.memory_peak_bytes;
  return [
    ['Command', task.command && <code>{visible(task.command)}</code>],
    ['Exit code', task.exit_code === null ? null : String(task.exit_code)],
    ['Signal', task.signal],
    ['Took', task.duration_ms === null ? null : durationText(task.duration_ms)],
    ['CPU time', task.cpu_ms === null ? null : durationText(task.cpu_ms)],
    [
      'Peak memory',
      peak === null
        ? null
        : `${bytesText(peak)}${task.memory_limit_bytes === null ? '' : ` of ${bytesText(task.memory_limit_bytes)}`}`,
    ],
    ['Started', <At key="at" at={task.started_at} />],
    ['Ended', task.ended_at && <At key="at" at={task.ended_at} isApproximate={task.ended_at_approximate} />],
    [
      'Job',
      task.job && (
        <Link key="job" {...jobPlace({ name: jobText(task) })}>
          {visible(jobText(task))}
        </Link>
      ),
    ],
    ['Owner', task.owner],
    ['Source', [task.source, task.unit].filter(Boolean).join(' · ')],
    ['Container', task.container_id],
    [
      'Its scheduler says',
      scheduler && [scheduler.name, scheduler.status, scheduler.message, scheduler.note].filter(Boolean).join(' · '),
    ],
    ['Amended', amendments === 0 ? null : `${amendments} times, see who was told`],
    ['Task id', task.task_id],
  ];
}
