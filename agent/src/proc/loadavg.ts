/** Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes (proc_loadavg(5)). */
export interface LoadAverage {
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
}

/** The pid that was given away last in our pid namespace, to a process or a thread; the same as before when none began since. */
export function parseNewestPid(text: string): number | null {
  const match = / (\d+)\s*$/.exec(text);
  return match === null ? null : Number(match[1]);
}

/** Null when the text does not begin with three numbers. */
export function parseLoadAverage(text: string): LoadAverage | null {
  const match = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(text);
  return match === null ? null : { load1: Number(match[1]), load5: Number(match[2]), load15: Number(match[3]) };
}
