import type { ReactNode } from 'react';
import type { Node, NodeSample } from '../../data/api-types.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/page.tsx';
import { bytesText, percentText, visible } from '../../parts/texts.ts';
import classes from './node.module.css';
import { useReading } from './use-reading.ts';

type Process = NonNullable<NodeSample['processes']>[number];

const shownMax = 12;

/** What uses the most memory now. Nothing while nobody reads it. */
export function Processes({ node }: { node: Node }): ReactNode {
  const processes = useReading(node)?.processes ?? [];
  if (processes.length === 0) return null;
  const rows = processes.toSorted((a, b) => b.rss_bytes - a.rss_bytes).slice(0, shownMax);
  return (
    <Panel title="Processes" isFlush aside="by memory, now">
      <DataTable
        label="Processes"
        columns={columns}
        rows={rows}
        rowKey={({ pid, start_ticks }) => `${pid} ${start_ticks}`}
      />
    </Panel>
  );
}

const columns: readonly Column<Process>[] = [
  { title: 'Name', isWide: true, cell: ({ name }) => <strong className={classes.name}>{visible(name)}</strong> },
  { title: 'PID', isNumber: true, cell: ({ pid }) => pid },
  { title: 'CPU', isNumber: true, cell: ({ cpu_percent }) => percentText(cpu_percent) },
  { title: 'Memory', isNumber: true, cell: ({ rss_bytes }) => bytesText(rss_bytes) },
];
