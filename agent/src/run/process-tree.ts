import { readKernelFile } from '../proc/kernel-file.ts';

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
