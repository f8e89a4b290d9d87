import type { PidStat } from '../../proc/pid-stat.ts';
import type { ProcessExited } from '../watcher.ts';
import type { UnitCgroup } from './unit-cgroup.ts';

/** One process, from when we first heard of it to its end. */
export interface ProcessRecord {
  readonly pid: number;
  fd: number;
  parent: number;
  /** The parent's unit at FORK; null when outside of any or not known. */
  bornIn: string | null;
  unit: UnitCgroup | null;
  isMain: boolean;
  /** Of a container's main process: it is process 1 of its own pid namespace. */
  isInit: boolean;
  /** The scope it said it would become the main process of (scope-launcher.ts), and whether it has executed that by now. */
  launch: { readonly scope: string; isDone: boolean } | null;
  startTicks: number | null;
  comm: string | null;
  threads: number;
  /** False while only a scan has found it. */
  isForkSeen: boolean;
  ending: { waitStatus: number | null; sinceMs: number } | null;
  followers: ((exit: ProcessExited) => void)[] | null;
}

/** Its end is told. */
export function isReported({ isMain, followers }: ProcessRecord): boolean {
  return isMain || followers !== null;
}

export type SeenStatus = Pick<ProcessExited, 'waitStatus' | 'via'>;

export const unseen: SeenStatus = { waitStatus: null, via: null };

/** What EXIT messages said so far of a process that is over. */
export function lastWord({ ending }: ProcessRecord): SeenStatus {
  const waitStatus = ending?.waitStatus ?? null;
  return waitStatus === null ? unseen : { waitStatus, via: 'connector' };
}

/** A process of which only the number is known. */
export function emptyRecord(pid: number, fd: number): ProcessRecord {
  return {
    pid,
    fd,
    parent: 0,
    bornIn: null,
    unit: null,
    isMain: false,
    isInit: false,
    launch: null,
    startTicks: null,
    comm: null,
    threads: 1,
    isForkSeen: false,
    ending: null,
    followers: null,
  };
}

/** A process found by a scan. */
export function recordFrom(stat: PidStat): ProcessRecord {
  return {
    ...emptyRecord(stat.pid, -1),
    parent: stat.ppid,
    startTicks: stat.startTicks,
    comm: stat.comm,
    threads: stat.threads,
  };
}
