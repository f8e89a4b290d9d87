import type { ReactNode } from 'react';
import type { Alert, ConditionReport, NodeDetail, NodeSample } from '../../data/api-types.ts';
import { Chart, type ChartProps, type Unit } from '../../parts/chart.tsx';
import { bytesText, countText, dash, percentText } from '../../parts/texts.ts';
import { severityTones, type Tone } from '../../theme/tones.ts';
import { fullestDisk, memoryPercent } from '../nodes/readings.ts';
import classes from './node.module.css';
import type { Point } from './points.ts';
import { useReading } from './use-reading.ts';
import type { Shown } from './use-shown.ts';

export interface GaugesProps {
  readonly node: NodeDetail;
  readonly points: readonly Point[];
  readonly alerts: readonly Alert[];
  readonly shown: Shown;
  readonly marks: NonNullable<ChartProps['marks']>;
}

/** A chart for each gauge, with its threshold, and shaded while its condition fired or its agent was silent. */
export function Gauges({ node, points, alerts, shown, marks }: GaugesProps): ReactNode {
  const sample = useReading(node);
  const times = points.map(({ at }) => Date.parse(at) / 1000);
  return gauges.map((gauge) => {
    const series = gauge.lines.map(({ name, tone, of }) => ({ name, tone, values: points.map((point) => point[of]) }));
    if (series.every(({ values }) => values.every((value) => value === null))) return null;
    const threshold = node.thresholds[gauge.conditions[0] ?? ''];
    return (
      <section key={gauge.title} className={classes.row} aria-label={gauge.title}>
        <div className={classes.gauge}>
          <h3>{gauge.title}</h3>
          <strong>{sample === null ? dash : gauge.now(sample)}</strong>
          <span>{(sample && gauge.beside?.(sample)) ?? gauge.about}</span>
        </div>
        <Chart
          label={`${gauge.title} of ${node.name}`}
          times={times}
          series={series}
          unit={gauge.unit}
          heightPx={118}
          sync={`node ${node.id}`}
          range={[shown.fromMs / 1000, shown.toMs / 1000]}
          marks={marks}
          spans={spansOf(gauge, { alerts, shown })}
          thresholds={threshold === undefined ? [] : [{ value: threshold, tone: 'critical' }]}
          {...(gauge.max === undefined ? {} : { max: gauge.max })}
        />
      </section>
    );
  });
}

interface Gauge {
  readonly title: string;
  readonly unit: Unit;
  readonly max?: number;
  readonly lines: readonly { readonly name: string; readonly tone: Tone; readonly of: Exclude<keyof Point, 'at'> }[];
  readonly now: (sample: NodeSample) => string;
  readonly beside?: (sample: NodeSample) => string | null;
  readonly about: string;
  /** Its conditions; of the first the threshold is drawn, as its agent judges by it. */
  readonly conditions: readonly ConditionReport['condition'][];
}

const gauges: readonly Gauge[] = [
  {
    title: 'Memory',
    unit: 'percent',
    max: 100,
    lines: [{ name: 'used', tone: 'memory', of: 'memory_used_percent' }],
    now: (sample) => percentText(memoryPercent(sample)),
    beside: ({ memory_available_bytes, memory_total_bytes }) =>
      `${bytesText(memory_available_bytes)} of ${bytesText(memory_total_bytes)} free`,
    about: 'used',
    conditions: ['MemoryPressure', 'MemoryExhaustionPredicted'],
  },
  {
    title: 'CPU',
    unit: 'percent',
    max: 100,
    lines: [{ name: 'all cores', tone: 'info', of: 'cpu_percent' }],
    now: ({ cpu_percent }) => percentText(cpu_percent),
    beside: ({ cpu_count }) => (cpu_count === null ? null : countText(cpu_count, 'core')),
    about: 'all cores',
    conditions: [],
  },
  {
    title: 'Load',
    unit: 'number',
    lines: [{ name: 'of a minute', tone: 'info', of: 'load1' }],
    now: ({ load1 }) => load1?.toFixed(2) ?? dash,
    beside: ({ load5, load15 }) =>
      load5 === null || load15 === null ? null : `${load5.toFixed(2)} and ${load15.toFixed(2)} of 5 and 15 min`,
    about: 'of a minute',
    conditions: ['HighLoad'],
  },
  {
    title: 'Waiting',
    unit: 'percent',
    lines: [
      { name: 'for memory', tone: 'memory', of: 'psi_memory_some' },
      { name: 'for CPU', tone: 'info', of: 'psi_cpu_some' },
      { name: 'for disks', tone: 'warning', of: 'psi_io_some' },
    ],
    now: ({ psi_memory, psi_cpu, psi_io }) => {
      const read = [psi_memory, psi_cpu, psi_io].flatMap((psi) => (psi === null ? [] : [psi.some_avg10]));
      return read.length === 0 ? dash : percentText(Math.max(...read));
    },
    about: 'of the time (PSI), the worst',
    conditions: [],
  },
  {
    title: 'Fullest disk',
    unit: 'percent',
    max: 100,
    lines: [{ name: 'the fullest', tone: 'warning', of: 'disk_used_percent_max' }],
    now: (sample) => percentText(fullestDisk(sample)?.used_percent),
    beside: (sample) => fullestDisk(sample)?.mount ?? null,
    about: 'the fullest',
    conditions: ['DiskPressure', 'InodePressure', 'DiskFullPredicted'],
  },
  {
    title: 'Network',
    unit: 'bytes_per_s',
    lines: [
      { name: 'in', tone: 'good', of: 'network_rx_bytes_per_s' },
      { name: 'out', tone: 'info', of: 'network_tx_bytes_per_s' },
    ],
    now: ({ network_rx_bytes_per_s: bytes }) => (bytes === null ? dash : `${bytesText(bytes)}/s`),
    beside: ({ network_tx_bytes_per_s: bytes }) => (bytes === null ? null : `in; ${bytesText(bytes)}/s out`),
    about: 'in',
    conditions: [],
  },
];

function spansOf({ conditions }: Gauge, { alerts, shown }: Pick<GaugesProps, 'alerts' | 'shown'>) {
  return alerts.flatMap(({ condition, severity, fired_at, resolved_at }) => {
    const isAway = condition === 'ComponentUnreachable';
    if (!isAway && !conditions.some((one) => one === condition)) return [];
    const toMs = resolved_at === null ? shown.toMs : Date.parse(resolved_at);
    const tone: Tone = isAway ? 'idle' : severityTones[severity];
    return [{ from: Date.parse(fired_at) / 1000, to: toMs / 1000, tone }];
  });
}
