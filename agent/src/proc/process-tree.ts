import { readKernelFile } from './kernel-file.ts';
import { readPageSizeBytes } from './page-size.ts';
import { readPidStat, TICKS_PER_SECOND } from './pid-stat.ts';

const MAX_PROCESSES = 512;

/** A process and all that descend from it now, parents first. Reads each thread group's first thread, which begets nearly all. */
export function processTree(root: string, pid: number): number[] {
  const found = [pid];
  for (let at = 0; at < found.length && found.length < MAX_PROCESSES; at++) {
    const parent = found[at] ?? 0;
    const children = readKernelFile(root, `/proc/${parent}/task/${parent}/children`);
    if (children !== null) found.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return found;
}

export interface TreeReading {
  /** Resident memory of all; what they share counts for each. */
  readonly memoryBytes: number;
  /** Of those that live, and of those they have waited for: it only falls when one ends that nobody waited for. */
  readonly cpuUsec: number;
  readonly processes: number;
}

/** What a process and its descendants use now; null when it is gone, or another process has its number. */
export function readProcessTree(root: string, pid: number, startTicks: number | null): TreeReading | null {
  const first = readPidStat(root, pid);
  const pageBytes = readPageSizeBytes(root);
  if (first === null || pageBytes === null || first.state === 'Z') return null;
  if (startTicks !== null && first.startTicks !== startTicks) return null;
  const stats = processTree(root, pid).flatMap((member) => readPidStat(root, member) ?? []);
  const ticks = stats.reduce((sum, { cpuTicks, waitedCpuTicks }) => sum + cpuTicks + waitedCpuTicks, 0);
  return {
    memoryBytes: stats.reduce((sum, { rssPages }) => sum + rssPages, 0) * pageBytes,
    cpuUsec: (ticks * 1_000_000) / TICKS_PER_SECOND,
    processes: stats.length,
  };
}
