import type { ReactNode } from 'react';
import type { Node, NodeSample } from '../../data/api-types.ts';
import { useSample } from '../../data/use-live.ts';
import { NodeStatusBadge } from '../../parts/badges.tsx';
import { type Column, DataTable, type DataTableProps } from '../../parts/data-table.tsx';
import { Meter } from '../../parts/meter.tsx';
import { dash, numberText, percentText, visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import classes from './nodes.module.css';
import { fullestDisk, isHeard, loadPercent, memoryPercent } from './readings.ts';
import type { NodesSort } from './search.ts';

export function NodesTable({
  nodes,
  ...table
}: { nodes: readonly Node[] } & Pick<DataTableProps<Node, NodesSort>, 'more' | 'sorted'>): ReactNode {
  // A node whose reading changed between two pages is on both.
  const rows = [...new Map(nodes.map((node) => [node.id, node])).values()];
  return (
    <DataTable
      label="Nodes"
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      rowLink={({ id }) => ({ to: '/nodes/$id', params: { id } })}
      {...table}
    />
  );
}

const columns: readonly Column<Node, NodesSort>[] = [
  { title: 'Name', sort: 'name', cell: ({ name }) => <strong className={classes.name}>{visible(name)}</strong> },
  { title: 'Status', cell: ({ status }) => <NodeStatusBadge status={status} /> },
  { title: 'What is wrong', sort: 'health', isWide: true, cell: (node) => <Trouble node={node} /> },
  {
    title: 'CPU',
    sort: 'cpu',
    isNumber: true,
    from: 820,
    cell: (node) => <Gauge node={node} label="CPU" percent={({ cpu_percent }) => cpu_percent} />,
  },
  {
    title: 'Memory',
    sort: 'memory',
    isNumber: true,
    from: 820,
    cell: (node) => <Gauge node={node} label="Memory" limitPercent={90} percent={memoryPercent} />,
  },
  { title: 'Load', sort: 'load', isNumber: true, from: 1080, cell: (node) => <Load node={node} /> },
  {
    title: 'Disk',
    sort: 'disk',
    isNumber: true,
    from: 1080,
    cell: (node) => (
      <Gauge
        node={node}
        label="Fullest disk"
        limitPercent={90}
        percent={(sample) => fullestDisk(sample)?.used_percent ?? null}
      />
    ),
  },
  { title: 'Tasks', isNumber: true, from: 560, cell: ({ running_tasks }) => numberText(running_tasks) },
  {
    title: 'Heard',
    sort: 'last_heard',
    isNumber: true,
    from: 560,
    cell: ({ last_heard_at, status }) => (status === 'online' ? 'now' : <Ago at={last_heard_at} />),
  },
];

function Trouble({ node }: { node: Node }): ReactNode {
  const firing = node.conditions.filter(({ status }) => status === 'true');
  if (firing.length > 0) {
    const text = firing.map(({ condition, reason }) => `${condition}: ${visible(reason)}`).join(' · ');
    return <span title={text}>{text}</span>;
  }
  const unseen = node.sources.filter(({ state }) => state === 'blind');
  if (unseen.length === 0) return null;
  return <span className={classes.soft}>{`cannot see ${unseen.map(({ name }) => name).join(', ')}`}</span>;
}

interface GaugeProps {
  readonly node: Node;
  readonly label: string;
  readonly percent: (sample: NodeSample) => number | null;
  readonly limitPercent?: number;
}

function Gauge({ node, label, percent, limitPercent }: GaugeProps): ReactNode {
  const sample = useSample(node);
  const value = sample === null || !isHeard(node) ? null : percent(sample);
  return (
    <Meter
      isCompact
      label={label}
      percent={value}
      text={percentText(value)}
      {...(limitPercent ? { limitPercent } : {})}
    />
  );
}

function Load({ node }: { node: Node }): ReactNode {
  const sample = useSample(node);
  const load = isHeard(node) ? sample?.load1 : null;
  return (
    <Meter
      isCompact
      label="Load of a minute"
      limitPercent={50}
      percent={typeof load === 'number' ? loadPercent(sample, node) : null}
      text={load?.toFixed(2) ?? dash}
    />
  );
}
