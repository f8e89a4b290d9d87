import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import type { Node, NodeDetail } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { useSample } from '../../data/use-live.ts';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { durationText } from '../../parts/texts.ts';
import { taskTones } from '../../theme/tones.ts';
import { Gauges } from './gauges.tsx';
import classes from './node.module.css';
import { joinPoints, keepLive, type Point, pointOf } from './points.ts';
import { type Range, ranges } from './search.ts';
import { TaskTimeline } from './task-timeline.tsx';
import { useAlerts } from './use-alerts.ts';
import { useShown } from './use-shown.ts';

const tasksMax = 500;

/** The tasks of the node above its gauges, all on one axis of time, moving on as readings come. */
export function Readings({ node }: { node: NodeDetail }): ReactNode {
  const { range = '1h' } = useSearch({ from: '/nodes/$id' });
  const navigate = useNavigate({ from: '/nodes/$id' });
  const past = useQuery(read('GET /nodes/{id}/samples', { path: { id: node.id }, query: { from: range } }));
  const tasks = useQuery(read('GET /tasks', { query: { node: node.id, since: range, limit: tasksMax } }));
  const alerts = useAlerts(node);
  const live = useLivePoints(node);
  const shown = useShown(ranges[range]);
  const ends = (tasks.data?.items ?? []).flatMap(({ status, ended_at }) =>
    ended_at === null || status === 'completed' ? [] : [{ at: Date.parse(ended_at) / 1000, tone: taskTones[status] }],
  );
  return (
    <Panel
      title="Tasks and readings"
      aside={
        <SegmentedControl
          size="xs"
          data={Object.keys(ranges)}
          value={range}
          aria-label="How far back"
          onChange={(chosen) => void navigate({ search: { range: chosen as Range }, replace: true })}
        />
      }
    >
      <div className={classes.rows} data-charts>
        <div className={classes.row}>
          <div className={classes.gauge}>
            <h3>Tasks</h3>
            <span>from start to end</span>
          </div>
          <Loaded query={tasks} lines={2}>
            {({ items, next_cursor }) => (
              <TaskTimeline
                tasks={items}
                shown={shown}
                isCut={next_cursor !== null}
                rangeText={durationText(ranges[range])}
              />
            )}
          </Loaded>
        </div>
        <Loaded query={past} lines={14}>
          {({ items, step_ms }) => {
            const points = joinPoints(items, live, step_ms);
            return points.length === 0 ? (
              <Empty title="No reading in this time.">
                <p>Its agent was away. Look further back, or start it: systemctl start runnerwatch-agent.</p>
              </Empty>
            ) : (
              <Gauges node={node} points={points} alerts={alerts} shown={shown} marks={ends} />
            );
          }}
        </Loaded>
      </div>
    </Panel>
  );
}

/** Readings that came since the page was opened. */
function useLivePoints(node: Node): readonly Point[] {
  const sample = useSample(node);
  const [points, setPoints] = useState<readonly Point[]>([]);
  const { clock_skew_ms } = node;
  useEffect(() => {
    if (sample !== null) setPoints((before) => keepLive(before, pointOf(sample, { clock_skew_ms })));
  }, [sample, clock_skew_ms]);
  return points;
}
