import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Chart, type Unit } from '../../parts/chart.tsx';
import { Panel } from '../../parts/page.tsx';
import { durationText } from '../../parts/texts.ts';
import type { Tone } from '../../theme/tones.ts';
import classes from './task.module.css';
import type { TaskDetail } from './task-page.tsx';

type TaskRecording = Routes['GET /tasks/{id}/recording']['answer'];
type Values = readonly (number | null)[];

/** What a task that has a recording, and its node, looked like just before the end, against its limit. */
export function Recording({ task }: { task: TaskDetail }): ReactNode {
  const { data } = useQuery(read('GET /tasks/{id}/recording', { path: { id: task.id } }));
  if (data === undefined) return null;
  const drawn = charts.map((chart) => ({ chart, lines: linesOf(chart, data) })).filter(({ lines }) => lines.length > 0);
  const count = Math.max(
    0,
    ...Object.values(data.task).map(({ length }) => length),
    ...Object.values(data.node).map(({ length }) => length),
  );
  if (drawn.length === 0) return null;
  const until = Date.parse(data.until) / 1000;
  const times = Array.from({ length: count }, (_, index) => until - ((count - 1 - index) * data.interval_ms) / 1000);
  return (
    <Panel title={`The last ${durationText(count * data.interval_ms)} before its end`} aside={missingText(data)}>
      <div className={classes.charts} data-charts>
        {drawn.map(({ chart: { title, unit, limit }, lines }) => (
          <figure key={title}>
            <figcaption>{title}</figcaption>
            <Chart
              label={`${title} before the end`}
              times={times}
              series={lines}
              unit={unit}
              heightPx={132}
              sync="recording"
              thresholds={limit === undefined ? [] : limitOf(data.task[limit])}
            />
          </figure>
        ))}
      </div>
    </Panel>
  );
}

interface Drawn {
  readonly title: string;
  readonly unit: Unit;
  readonly lines: readonly {
    readonly of: 'task' | 'node';
    readonly name: string;
    readonly label: string;
    readonly tone: Tone;
  }[];
  /** The task's series that is its limit. */
  readonly limit?: string;
}

const charts: readonly Drawn[] = [
  {
    title: 'Memory',
    unit: 'bytes',
    limit: 'memory_limit_bytes',
    lines: [{ of: 'task', name: 'memory_bytes', label: 'task', tone: 'memory' }],
  },
  {
    title: 'CPU',
    unit: 'percent',
    lines: [
      { of: 'task', name: 'cpu_percent', label: 'task', tone: 'info' },
      { of: 'task', name: 'throttled_percent', label: 'throttled', tone: 'warning' },
    ],
  },
  {
    title: 'Waiting for memory and disks',
    unit: 'percent',
    lines: [
      { of: 'task', name: 'memory_stall_percent', label: 'memory', tone: 'memory' },
      { of: 'task', name: 'io_stall_percent', label: 'disks', tone: 'warning' },
    ],
  },
  {
    title: 'Reads and writes',
    unit: 'bytes_per_s',
    lines: [
      { of: 'task', name: 'read_bytes_per_s', label: 'reads', tone: 'info' },
      { of: 'task', name: 'written_bytes_per_s', label: 'writes', tone: 'warning' },
    ],
  },
  {
    title: 'Memory of the node',
    unit: 'bytes',
    lines: [{ of: 'node', name: 'memory_bytes', label: 'used', tone: 'memory' }],
  },
  {
    title: 'CPU of the node',
    unit: 'percent',
    lines: [{ of: 'node', name: 'cpu_percent', label: 'all cores', tone: 'info' }],
  },
];

/** What was read, and was not 0 throughout. */
function linesOf({ lines }: Drawn, recording: TaskRecording) {
  return lines.flatMap(({ of, name, label, tone }) => {
    const values = recording[of][name] as Values | undefined;
    return values?.some((value) => value !== null && value !== 0) ? [{ name: label, tone, values }] : [];
  });
}

function limitOf(values: Values | undefined): { value: number; tone: Tone }[] {
  const value = values?.findLast((one) => one !== null) ?? null;
  return value === null ? [] : [{ value, tone: 'critical' }];
}

function missingText({ until, complete_until: completeUntil }: TaskRecording): string | undefined {
  const missingMs = Date.parse(until) - Date.parse(completeUntil);
  return missingMs > 0 ? `${durationText(missingMs)} at the end are missing: its agent was away` : undefined;
}
