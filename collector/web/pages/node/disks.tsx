import type { ReactNode } from 'react';
import type { NodeDetail, NodeSample } from '../../data/api-types.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Panel } from '../../parts/page.tsx';
import { bytesText, percentText, visible } from '../../parts/texts.ts';
import classes from './node.module.css';
import { useReading } from './use-reading.ts';

type Disk = NonNullable<NodeSample['disks']>[number];

/** The fullest first. Nothing while nobody reads it. */
export function Disks({ node }: { node: NodeDetail }): ReactNode {
  const disks = useReading(node)?.disks ?? [];
  if (disks.length === 0) return null;
  return (
    <Panel title="Disks" isFlush aside="the fullest first">
      <DataTable
        label="Disks"
        columns={columnsOf(node.thresholds['DiskPressure'])}
        rows={disks.toSorted((a, b) => b.used_percent - a.used_percent)}
        rowKey={({ mount }) => mount}
      />
    </Panel>
  );
}

const columnsOf = (limitPercent: number | undefined): readonly Column<Disk>[] => [
  {
    title: 'Mount',
    isWide: true,
    cell: ({ mount, device, fstype }) => (
      <strong className={classes.name} title={`${device}, ${fstype}`}>
        {visible(mount)}
      </strong>
    ),
  },
  {
    title: 'Used',
    isNumber: true,
    cell: ({ mount, used_percent }) => (
      <Meter
        isCompact
        label={`Space used on ${mount}`}
        percent={used_percent}
        text={percentText(used_percent)}
        {...(limitPercent === undefined ? {} : { limitPercent })}
      />
    ),
  },
  { title: 'Inodes', isNumber: true, from: 560, cell: ({ inodes_used_percent }) => percentText(inodes_used_percent) },
  { title: 'Free', isNumber: true, cell: ({ available_bytes }) => bytesText(available_bytes) },
];
