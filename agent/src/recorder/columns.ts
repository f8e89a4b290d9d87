import type { NodeGauges, TaskReading } from './reading.ts';

/** One recorded series: a gauge as it is read, or a counter told as what it grew by in a second. */
export interface Column<Reading> {
  readonly name: string;
  readonly read: (reading: Reading) => number | null;
  /** For a counter: what its growth in one millisecond is multiplied by. */
  readonly perMs?: number;
  /** For a counter: when it was read, by the monotonic clock; null or absent: with its tick. */
  readonly readAtMs?: (reading: Reading) => number | null;
  readonly decimals: number;
}

/** Microseconds in a millisecond, in percent: of one core, or of the time. */
const percentOfTime = { perMs: 0.1, decimals: 1 };
const perSecond = { perMs: 1000, decimals: 0 };
const percent = { decimals: 1 };
const whole = { decimals: 0 };
const withRest = { readAtMs: (reading: TaskReading) => reading.wholeAtMs };

export const taskColumns: readonly Column<TaskReading>[] = [
  { name: 'memory_bytes', read: (reading) => reading.memoryBytes, ...whole },
  { name: 'memory_limit_bytes', read: (reading) => reading.memoryLimitBytes, ...whole },
  { name: 'cpu_percent', read: (reading) => reading.cpuUsec, ...percentOfTime },
  { name: 'throttled_percent', read: (reading) => reading.throttledUsec, ...percentOfTime, ...withRest },
  { name: 'cpu_stall_percent', read: (reading) => reading.cpuStallUsec, ...percentOfTime, ...withRest },
  { name: 'memory_stall_percent', read: (reading) => reading.memoryStallUsec, ...percentOfTime, ...withRest },
  { name: 'io_stall_percent', read: (reading) => reading.ioStallUsec, ...percentOfTime, ...withRest },
  { name: 'read_bytes_per_s', read: (reading) => reading.readBytes, ...perSecond, ...withRest },
  { name: 'written_bytes_per_s', read: (reading) => reading.writtenBytes, ...perSecond, ...withRest },
  { name: 'processes', read: (reading) => reading.processes, ...whole },
];

export const nodeColumns: readonly Column<NodeGauges>[] = [
  { name: 'memory_bytes', read: (gauges) => gauges.memoryBytes, ...whole },
  { name: 'memory_limit_bytes', read: (gauges) => gauges.memoryLimitBytes, ...whole },
  { name: 'swap_bytes', read: (gauges) => gauges.swapBytes, ...whole },
  { name: 'cpu_percent', read: (gauges) => gauges.cpuPercent, ...percent },
  { name: 'load1', read: (gauges) => gauges.load1, decimals: 2 },
  { name: 'cpu_stall_percent', read: (gauges) => gauges.cpuStallPercent, ...percent },
  { name: 'memory_stall_percent', read: (gauges) => gauges.memoryStallPercent, ...percent },
  { name: 'io_stall_percent', read: (gauges) => gauges.ioStallPercent, ...percent },
  { name: 'read_bytes_per_s', read: (gauges) => gauges.readBytes, ...perSecond },
  { name: 'written_bytes_per_s', read: (gauges) => gauges.writtenBytes, ...perSecond },
  { name: 'disk_used_percent', read: (gauges) => gauges.diskUsedPercent, ...percent },
];
