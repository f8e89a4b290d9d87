import { readKernelFile } from './kernel-file.ts';

/** Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes (proc_loadavg(5)). */
export interface LoadAverage {
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
}

export function readLoadAverage(root: string): LoadAverage | null {
  const text = readKernelFile(root, '/proc/loadavg');
  return text === null ? null : parseLoadAverage(text);
}

/** Null when the text does not begin with three numbers. */
export function parseLoadAverage(text: string): LoadAverage | null {
  const match = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(text);
  return match === null ? null : { load1: Number(match[1]), load5: Number(match[2]), load15: Number(match[3]) };
}
