import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Task } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { type Bar, BarChart } from '../../parts/bar-chart.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { durationText, instantText, statusText } from '../../parts/texts.ts';
import { Ago, useNowMs } from '../../parts/time.tsx';
import { taskTones } from '../../theme/tones.ts';
import { useZone, type Zone } from '../../theme/zone.ts';
import type { JobDetail } from './job-page.tsx';

const shownMax = 60;
/** A few runs that take forever would make all others equal. */
const usualTimesMax = 4;

/** Its newest runs, as high as they took long, coloured by how they ended; each leads to its task. */
export function JobRuns({ job: { id, durations, runs } }: { job: JobDetail }): ReactNode {
  const query = useQuery(read('GET /tasks', { query: { job: id, limit: shownMax } }));
  const [zone] = useZone();
  const nowMs = useNowMs();
  const usualMs = durations.p50_ms;
  return (
    <Panel title="Runs and how long they took" aside={runs > shownMax ? `the newest ${shownMax}` : undefined}>
      <Loaded query={query} lines={5}>
        {({ items }) => (
          <BarChart
            label="Runs"
            bars={items.toReversed().map((task) => runBar(task, { zone, nowMs }))}
            text={durationText}
            top={usualMs === null ? undefined : usualMs * usualTimesMax}
            mark={usualMs === null ? undefined : { value: usualMs, text: `usually ${durationText(usualMs)}` }}
            ends={[<Ago key="first" at={items.at(-1)?.started_at} />, <Ago key="last" at={items[0]?.started_at} />]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function runBar(task: Task, { zone, nowMs }: { zone: Zone; nowMs: number }): Bar {
  const { id, status, started_at, ended_at } = task;
  const soFarMs = started_at === null ? 1 : Math.max(1, nowMs - Date.parse(started_at));
  const tookMs = status === 'running' ? soFarMs : (task.duration_ms ?? 1);
  const when = ended_at === null ? '' : `, ended ${instantText(ended_at, { zone })}`;
  return {
    key: id,
    words: `${statusText(status)} after ${durationText(status === 'running' ? soFarMs : task.duration_ms)}${when}`,
    stack: [{ tone: taskTones[status], value: Math.max(1, tookMs) }],
    link: { to: '/tasks/$id', params: { id } },
  };
}
