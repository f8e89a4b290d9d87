import type { PidStat } from '../../proc/pid-stat.ts';
import { type ProcessRecord, type SeenStatus, unseen } from './process-record.ts';

export interface LookSource {
  readStat(pid: number): PidStat | null;
  /** Whether there is such a process, also where its stat line could not be read. */
  isThere(pid: number): boolean;
}

/** What is left to see of a process that nobody has waited for yet. */
export function zombieStatus(source: LookSource, { pid, startTicks }: ProcessRecord): SeenStatus {
  const stat = source.readStat(pid);
  const isSame = stat !== null && stat.state === 'Z' && (startTicks ?? stat.startTicks) === stat.startTicks;
  return isSame && stat.exitCode !== null ? { waitStatus: stat.exitCode, via: 'zombie' } : unseen;
}

/** Where no pidfd tells. One that only cannot be looked at is not gone. */
export function isGone(source: LookSource, { pid, startTicks }: ProcessRecord): boolean {
  const stat = source.readStat(pid);
  if (stat === null) return !source.isThere(pid);
  return startTicks !== null && stat.startTicks !== startTicks;
}

/** Where no pidfd tells: whether others of its threads live on. */
export function hasThreads(source: LookSource, { pid, startTicks }: ProcessRecord): boolean {
  const stat = source.readStat(pid);
  return stat !== null && stat.threads > 1 && (startTicks ?? stat.startTicks) === stat.startTicks;
}
