import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Task } from '../../data/api-types.ts';
import { chartLeftPx, chartRightPx } from '../../parts/chart-options.ts';
import { countText, durationText, statusText, visible } from '../../parts/texts.ts';
import { taskTones } from '../../theme/tones.ts';
import { lanesOf } from './lanes.ts';
import classes from './node.module.css';
import type { Shown } from './use-shown.ts';

export interface TaskTimelineProps {
  readonly tasks: readonly Task[];
  readonly shown: Shown;
  /** There are more than these. */
  readonly isCut: boolean;
  readonly rangeText: string;
}

/** No bar is drawn narrower than this share of the range. */
const leastShare = 1 / 160;
const roomyLanes = 10;

/** A bar for each task from its start to its end, coloured by its verdict; each leads to its task. */
export function TaskTimeline({ tasks, shown, isCut, rangeText }: TaskTimelineProps): ReactNode {
  const { fromMs, toMs } = shown;
  const rangeMs = toMs - fromMs;
  const stretches = tasks
    .map((task) => ({ task, ...stretchOf(task, toMs) }))
    .filter((stretch) => stretch.toMs >= fromMs)
    .toSorted((a, b) => a.fromMs - b.fromMs);
  const lanes = lanesOf(stretches, rangeMs * leastShare);
  const laneCount = Math.max(1, ...lanes.map((lane) => lane + 1));
  const lanePx = laneCount <= roomyLanes ? 22 : Math.max(4, 220 / laneCount);
  const percentOf = (ms: number) => (100 * (Math.max(ms, fromMs) - fromMs)) / rangeMs;
  if (stretches.length === 0) return <p className={classes.none}>No task ran here in the last {rangeText}.</p>;
  return (
    <div style={{ paddingLeft: chartLeftPx, paddingRight: chartRightPx, minWidth: 0 }}>
      <div
        className={classes.timeline}
        role="group"
        aria-label="Tasks over time"
        style={{ height: laneCount * lanePx }}
        data-size={laneCount <= roomyLanes ? 'roomy' : 'dense'}
      >
        {stretches.map(({ task, ...stretch }, index) => {
          const left = Math.min(percentOf(stretch.fromMs), 100 * (1 - leastShare));
          const words = wordsOf(task);
          return (
            <Link
              key={task.id}
              to="/tasks/$id"
              params={{ id: task.id }}
              preload={false}
              className={classes.bar}
              data-tone={taskTones[task.status]}
              data-running={task.ended_at === null}
              aria-label={words}
              title={words}
              style={{
                left: `${left}%`,
                width: `${Math.max(100 * leastShare, percentOf(stretch.toMs) - left)}%`,
                top: (lanes[index] ?? 0) * lanePx,
                height: lanePx - (lanePx > 6 ? 3 : 1),
              }}
            >
              <span>{visible(task.name)}</span>
            </Link>
          );
        })}
      </div>
      {isCut && <p className={classes.none}>Shown are the newest {countText(tasks.length, 'task')}.</p>}
    </div>
  );
}

function stretchOf({ started_at, ended_at, duration_ms }: Task, nowMs: number) {
  const toMs = ended_at === null ? nowMs : Date.parse(ended_at);
  const fromMs = started_at === null ? toMs - (duration_ms ?? 0) : Date.parse(started_at);
  return { fromMs, toMs };
}

function wordsOf({ name, status, duration_ms, verdict }: Task): string {
  const took = duration_ms === null ? '' : ` after ${durationText(duration_ms)}`;
  return visible(`${name}: ${statusText(status)}${took}${verdict === null ? '' : `. ${verdict.summary}`}`);
}
