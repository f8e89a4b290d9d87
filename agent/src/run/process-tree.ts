import { readKernelFile } from '../proc/kernel-file.ts';

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

/** The most resident memory any one process of the tree ever had (`VmHWM`, proc_pid_status(5)); null when none could be read. */
export function largestPeakBytes(root: string, pids: readonly number[]): number | null {
  const peaks = pids.map((pid) => /^VmHWM:\s+(\d+) kB$/m.exec(readKernelFile(root, `/proc/${pid}/status`) ?? '')?.[1]);
  const known = peaks.filter((peak) => peak !== undefined).map((peak) => Number(peak) * 1024);
  return known.length === 0 ? null : Math.max(...known);
}

/** Processor time of all children of `pid` it has waited for, with theirs: fields 16 and 17 of /proc/PID/stat, in ticks of 10 ms. */
export function waitedCpuMs(root: string, pid: number): number | null {
  const text = readKernelFile(root, `/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const ticks = Number(fields[13]) + Number(fields[14]);
  return Number.isNaN(ticks) ? null : ticks * 10;
}
