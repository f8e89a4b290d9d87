import { readKernelFile } from './kernel-file.ts';

/** Clock ticks of all CPUs since boot (proc_stat(5)), and how many CPUs are on line. */
export interface CpuTimes {
  readonly totalTicks: number;
  /** Neither idle nor waiting for a disk. Time of guests is already part of user and nice. */
  readonly busyTicks: number;
  readonly cpuCount: number;
}

export function readCpuTimes(root: string): CpuTimes | null {
  const text = readKernelFile(root, '/proc/stat');
  return text === null ? null : parseCpuTimes(text);
}

/** Null when the text has no whole `cpu` line. */
export function parseCpuTimes(text: string): CpuTimes | null {
  const end = text.indexOf('\n');
  const line = text.slice(0, end === -1 ? text.length : end);
  if (!line.startsWith('cpu ')) return null;
  // user nice system idle iowait irq softirq steal; kernels before 2.6.11 end earlier.
  const ticks = line.slice(4).trim().split(' ').slice(0, 8).map(Number);
  if (ticks.length < 4 || ticks.some((value) => Number.isNaN(value))) return null;
  const totalTicks = ticks.reduce((sum, value) => sum + value, 0);
  return { totalTicks, busyTicks: totalTicks - (ticks[3] ?? 0) - (ticks[4] ?? 0), cpuCount: countCpus(text) };
}

function countCpus(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\ncpu'); at !== -1; at = text.indexOf('\ncpu', at + 4)) count += 1;
  return count;
}

/** Processes and threads made since the start of the system (`processes` of /proc/stat); null when unread. */
export function readForkCount(root: string): number | null {
  const count = /^processes (\d+)$/m.exec(readKernelFile(root, '/proc/stat') ?? '')?.[1];
  return count === undefined ? null : Number(count);
}
