import type { TaskSource } from '@runnerwatch/shared/model/task.ts';

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
  } | null;
  /** What the engine said of the container. */
  readonly container: {
    readonly exitCode: number | null;
    readonly oomKilled: boolean | null;
    readonly oomAt: number | null;
    readonly signals: readonly { readonly signal: number; readonly at: number }[];
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
    /** The kernel's log line about it: a kill for the whole machine's sake, or for a limit's. */
    readonly kernelLine: { readonly at: number; readonly isGlobal: boolean; readonly text: string } | null;
  };
  /** The machine is going down. */
  readonly shuttingDown: boolean;
  /** Why the end could not be seen, when it could not. */
  readonly blindReason: string | null;
}
