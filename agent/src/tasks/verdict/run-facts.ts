import type { TaskSource } from '@runnerwatch/shared/model/task.ts';
import type { MemoryTrend } from './trend.ts';

/**
 * Everything that was observed of one run of work, put together: what verdict.ts judges. Instants are milliseconds since
 * the epoch. Null: not seen, which is never the same as "did not happen".
 */
export interface RunFacts {
  readonly source: TaskSource;
  readonly startedAt: number | null;
  readonly endedAt: number;
  /** The end was found out afterwards. */
  readonly approximate: boolean;
  /** What systemd said of the unit. */
  readonly unit: {
    readonly isScope: boolean;
    readonly result: string | null;
    readonly execMain: { readonly code: 'exited' | 'killed' | 'dumped'; readonly status: number } | null;
    readonly stopJob: boolean | null;
    readonly oomAt: number | null;
    readonly via: 'dbus' | 'journal';
    readonly runtimeMaxMs: number | null;
    /** Why its program could not be executed, in systemd's words. */
    readonly startError: { readonly at: number; readonly words: string } | null;
  } | null;
  /** What the engine said of the container. */
  readonly container: {
    readonly exitCode: number | null;
    readonly oomKilled: boolean | null;
    readonly oomAt: number | null;
    readonly signals: readonly { readonly signal: number; readonly at: number }[];
    /** The unit of the engine, when that was being stopped. */
    readonly engineStopping: string | null;
    readonly notStarted: boolean;
    readonly error: string | null;
  } | null;
  /** What the kernel said of the main process. */
  readonly process: {
    readonly waitStatus: number | null;
    readonly via: 'connector' | 'pidfd' | 'zombie' | null;
    readonly blindReason: string | null;
    readonly at: number;
  } | null;
  /** What `runnerwatch run` said of its command. */
  readonly run: {
    readonly waitStatus: number | null;
    readonly timedOut: boolean;
    readonly startError: string | null;
    readonly timeoutMs: number | null;
  } | null;
  readonly memory: {
    readonly peakBytes: number | null;
    readonly limitBytes: number | null;
    /** The kernel's count of OOM kills in the task's cgroup; null when unread. */
    readonly oomKills: number | null;
    readonly oomAt: number | null;
    /** The kernel's own account of the last kill in it. */
    readonly kernelOom: KernelOomFacts | null;
    /** How its memory went just before the end, by the flight recorder. */
    readonly trend: MemoryTrend | null;
  };
  /** The last fault of a GPU shortly before the end. */
  readonly gpu: {
    readonly at: number;
    readonly xid: number;
    readonly gpu: string;
    /** Whose process the driver named: the main one, another one of the task, or none of it. */
    readonly whose: 'main' | 'member' | 'none';
    readonly text: string;
  } | null;
  /** What systemd-coredump said of a process of it. */
  readonly coreDump: {
    readonly at: number;
    readonly pid: number;
    readonly comm: string | null;
    readonly signal: number;
    readonly isMain: boolean;
    readonly file: string | null;
  } | null;
  readonly disk: {
    /** The fullest of the disks it used, as last read. */
    readonly fullest: {
      readonly mount: string;
      readonly of: 'space' | 'inodes';
      readonly usedPercent: number;
      readonly at: number;
    } | null;
    /** The last of its lines that complains of no space left. */
    readonly complaint: string | null;
    /** Nobody could read its log. */
    readonly isLogUnread: boolean;
  };
  /** The machine is going down. */
  readonly shuttingDown: boolean;
  /** Why the end could not be seen, when it could not; `wasAway`: nobody was there to look. */
  readonly blindness: { readonly reason: string; readonly wasAway: boolean } | null;
}

export interface KernelOomFacts {
  readonly at: number;
  /** For the whole machine's sake, not for a limit's. */
  readonly isGlobal: boolean;
  /** Whose limit it was: null for the task's own, a path for a group around it. */
  readonly group: string | null;
  readonly usageBytes: number | null;
  readonly limitBytes: number | null;
  readonly victim: {
    readonly pid: number;
    readonly comm: string | null;
    readonly rssBytes: number | null;
    /** It was the task's main process. */
    readonly isMain: boolean;
  };
  /** The largest of those that could have been killed. */
  readonly largest: { readonly pid: number; readonly comm: string; readonly rssBytes: number } | null;
}

/** A process of it was taken by the OOM killer. Proof, never inference: the kernel's count or log, systemd's word, the engine's word. */
export function hadOomKill({ unit, container, memory }: RunFacts): boolean {
  return (
    unit?.result === 'oom-kill' ||
    (unit?.oomAt ?? null) !== null ||
    container?.oomKilled === true ||
    (container?.oomAt ?? null) !== null ||
    (memory.oomKills ?? 0) > 0 ||
    memory.kernelOom !== null
  );
}
