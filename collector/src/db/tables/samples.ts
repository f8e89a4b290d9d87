import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import { index, jsonb, pgTable, primaryKey, real, text } from 'drizzle-orm/pg-core';
import { countColumn, instantColumn } from './columns.ts';
import { nodes } from './nodes.ts';

/** Readings as kept, one row per node every few seconds; what is drawn has its column, the rest is in `detail`. */
export const samples = pgTable(
  'samples',
  {
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
    at: instantColumn('at').notNull(),
    cpuPercent: real('cpu_percent'),
    load1: real('load1'),
    memoryUsedPercent: real('memory_used_percent'),
    memoryAvailableBytes: countColumn('memory_available_bytes'),
    diskUsedPercentMax: real('disk_used_percent_max'),
    networkRxBytesPerS: real('network_rx_bytes_per_s'),
    networkTxBytesPerS: real('network_tx_bytes_per_s'),
    psiMemorySome: real('psi_memory_some'),
    psiCpuSome: real('psi_cpu_some'),
    psiIoSome: real('psi_io_some'),
    detail: jsonb('detail').$type<Pick<NodeSample, 'disks'>>(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.at] }), index('samples_by_time').on(table.at)],
);
