import { readPidStat } from '../proc/pid-stat.ts';
import { processTree } from '../proc/process-tree.ts';
import { type Host, tryKill } from './host.ts';

/** As long as a command has between TERM and KILL. */
const GRACE_MS = 10_000;
/** setTimeout counts in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface TimeLimit {
  readonly isOver: () => boolean;
  cancel(): void;
}

/** Ends the command and all that descend from it when its time is over: TERM, and KILL to what is still there 10 s later. */
export function limitTime(host: Host, pid: number, timeoutMs: number | null): TimeLimit {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const kill = (asked: ReadonlyMap<number, number | null>) => {
    const left = [...asked].filter(
      ([member, ticks]) => ticks !== null && readPidStat('/', member)?.startTicks === ticks,
    );
    for (const member of new Set([...left.map(([member]) => member), ...processTree('/', pid)]))
      tryKill(host, member, 'SIGKILL');
  };
  const terminate = () => {
    isOver = true;
    const tree = processTree('/', pid);
    const asked = new Map(tree.map((member) => [member, readPidStat('/', member)?.startTicks ?? null]));
    for (const member of tree) tryKill(host, member, 'SIGTERM');
    // A stopped process gets its TERM only when it goes on.
    for (const member of tree) tryKill(host, member, 'SIGCONT');
    timer = setTimeout(() => kill(asked), GRACE_MS);
  };
  const arm = (leftMs: number) => {
    const nowMs = Math.min(leftMs, LONGEST_TIMER_MS);
    timer = setTimeout(() => (leftMs > nowMs ? arm(leftMs - nowMs) : terminate()), nowMs);
  };
  if (timeoutMs !== null) arm(timeoutMs);
  return { isOver: () => isOver, cancel: () => clearTimeout(timer) };
}
