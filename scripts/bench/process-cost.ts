import { readFileSync } from 'node:fs';

/** CPU milliseconds a process has used, children not counted; in ticks of 10 ms (proc(5), /proc/PID/stat fields 14 and 15). */
export function cpuMs(pid: number): number {
  return cpuMsOf(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

export function cpuMsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident and anonymous memory in MiB (proc(5), /proc/PID/smaps_rollup). */
export interface MemoryMiB {
  readonly rss: number;
  readonly anonymous: number;
}

export function memoryMiB(pid: number): MemoryMiB {
  return memoryMiBOf(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
}

export function memoryMiBOf(rollup: string): MemoryMiB {
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]) / 1024;
  return { rss: field('Rss'), anonymous: field('Anonymous') };
}

/** Processes and threads begun since boot on this machine (proc_stat(5)): each costs the agent a look. */
export function forksSinceBoot(): number {
  return Number(/^processes (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Nearest-rank percentile of values in any order. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
