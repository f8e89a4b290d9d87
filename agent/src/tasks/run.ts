import type { TaskIdentity, TaskSource } from '@runnerwatch/shared/model/task.ts';
import type { ContainerEnded, ContainerNotStarted, ProcessExited, RunEnded, UnitEnded } from '../watchers/watcher.ts';
import type { RunFacts } from './run-facts.ts';

/** What a cgroup's accounting files said; null: unread. */
export interface CgroupUse {
  readonly cpuUsec: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryCurrentBytes: number | null;
  readonly memoryMaxBytes: number | null;
  readonly oomKills: number | null;
}

/** One run of work while the ledger follows it: who it is, and what has been heard of it so far. */
export interface Run {
  /** The source's own name of this run: an invocation id, a container and its start, a run id. */
  readonly key: string;
  readonly source: TaskSource;
  identity: TaskIdentity;
  /** The unit's name, the container's id, the run's id: what later sightings of it carry. */
  readonly handle: string;
  readonly isScope: boolean;
  cgroup: string | null;
  startedAt: number | null;
  runtimeMaxMs: number | null;
  timeoutMs: number | null;
  memoryLimitBytes: number | null;
  memoryPeakBytes: number | null;
  cpuMs: number | null;
  /** The peak was read when it was over, or at a kill: before that it only says "at least". */
  isPeakFinal: boolean;
  oomKills: number | null;
  oomAt: number | null;
  unitOomAt: number | null;
  containerOomAt: number | null;
  readonly signals: { signal: number; at: number }[];
  kernelLine: RunFacts['memory']['kernelLine'];
  exit: ProcessExited | null;
  unitEnded: UnitEnded | null;
  journalEnded: UnitEnded | null;
  containerEnded: ContainerEnded | ContainerNotStarted | null;
  runEnded: RunEnded | null;
  /** Known only from before this agent's start, and not seen since. */
  isBelieved: boolean;
  blindReason: string | null;
  logTail: readonly string[] | null;
}

export interface NewRun {
  readonly key: string;
  readonly source: TaskSource;
  readonly identity: TaskIdentity;
  readonly handle: string;
  readonly isScope?: boolean;
  readonly startedAt: number | null;
}

export function openRun({ key, source, identity, handle, isScope = false, startedAt }: NewRun): Run {
  return {
    key,
    source,
    identity,
    handle,
    isScope,
    cgroup: null,
    startedAt,
    runtimeMaxMs: null,
    timeoutMs: null,
    memoryLimitBytes: null,
    memoryPeakBytes: null,
    cpuMs: null,
    isPeakFinal: false,
    oomKills: null,
    oomAt: null,
    unitOomAt: null,
    containerOomAt: null,
    signals: [],
    kernelLine: null,
    exit: null,
    unitEnded: null,
    journalEnded: null,
    containerEnded: null,
    runEnded: null,
    isBelieved: false,
    blindReason: null,
    logTail: null,
  };
}

export function takeUse(run: Run, use: CgroupUse): void {
  run.cpuMs = use.cpuUsec === null ? run.cpuMs : use.cpuUsec / 1000;
  run.memoryPeakBytes = largest(run.memoryPeakBytes, use.memoryPeakBytes, use.memoryCurrentBytes);
  run.memoryLimitBytes = use.memoryMaxBytes ?? run.memoryLimitBytes;
  run.oomKills = largest(run.oomKills, use.oomKills);
}

function largest(...values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether something said that a process of it was killed for want of memory. */
export function hadOom(run: Run): boolean {
  const { unitEnded, journalEnded, containerEnded } = run;
  return (
    (run.oomKills ?? 0) > 0 ||
    run.unitOomAt !== null ||
    run.containerOomAt !== null ||
    (unitEnded ?? journalEnded)?.result === 'oom-kill' ||
    (containerEnded?.kind === 'container_ended' && containerEnded.oomKilled === true)
  );
}

/** A container that ended with 137 for which nobody answers: engines do not notice every OOM kill, the kernel's log does. */
export function isUnexplainedKill({ containerEnded, signals }: Run): boolean {
  return containerEnded?.exitCode === 128 + SIGKILL && signals.length === 0;
}

const SIGKILL = 9;

/** Whether something said that it is over. */
export function hasEnded(run: Run): boolean {
  return (run.unitEnded ?? run.journalEnded ?? run.containerEnded ?? run.runEnded) !== null;
}

/** What was heard, in the shape that verdict.ts judges. */
export function factsOf(run: Run, { shuttingDown, now }: { shuttingDown: boolean; now: number }): RunFacts {
  const ended = run.unitEnded ?? run.journalEnded;
  const container = run.containerEnded;
  return {
    source: run.source,
    startedAt: run.startedAt,
    endedAt: ended?.at ?? container?.at ?? run.runEnded?.at ?? now,
    approximate: isApproximate(run),
    unit: ended === null ? null : unitFacts(run, ended),
    container:
      container === null
        ? null
        : {
            exitCode: container.exitCode,
            oomKilled: container.kind === 'container_ended' ? container.oomKilled : null,
            oomAt: run.containerOomAt,
            signals: run.signals,
            notStarted: container.kind === 'container_not_started',
            error: container.error,
          },
    process: trustedExit(run),
    run:
      run.runEnded === null
        ? null
        : {
            waitStatus: run.runEnded.waitStatus,
            timedOut: run.runEnded.timedOut,
            startError: run.runEnded.startError,
            timeoutMs: run.timeoutMs,
          },
    memory: {
      peakBytes: peakOf(run, ended),
      limitBytes: run.memoryLimitBytes,
      oomKills: run.oomKills,
      oomAt: run.oomAt,
      kernelLine: run.kernelLine,
    },
    shuttingDown,
    blindReason: run.blindReason,
  };
}

/** A peak from before the kill would speak against the limit that was reached. */
function peakOf(run: Run, ended: UnitEnded | null): number | null {
  const told = largest(ended?.memoryPeakBytes ?? null, run.runEnded?.memoryPeakBytes ?? null);
  return hadOom(run) && !run.isPeakFinal ? told : largest(run.memoryPeakBytes, told);
}

/** Two witnesses of a unit's end, bus and journal: each may know what the other does not. */
function unitFacts(run: Run, ended: UnitEnded): RunFacts['unit'] {
  const other = run.journalEnded;
  return {
    isScope: run.isScope,
    result: ended.result ?? other?.result ?? null,
    execMain: ended.execMain ?? other?.execMain ?? null,
    stopJob: ended.stopJob ?? other?.stopJob ?? null,
    oomAt: run.unitOomAt,
    via: ended.via,
    runtimeMaxMs: run.runtimeMaxMs,
  };
}

function isApproximate(run: Run): boolean {
  const ended = run.unitEnded ?? run.journalEnded ?? run.runEnded;
  if (ended !== null) return ended.approximate;
  return run.containerEnded?.kind === 'container_ended' ? run.containerEnded.approximate : run.containerEnded === null;
}

/**
 * The kernel's word on the main process. In a container's cgroup the runtime's own helpers come and go before it, so there
 * it counts only where it agrees with the engine; it then adds what the engine cannot say: code or signal.
 */
function trustedExit({ exit, source, containerEnded }: Run): RunFacts['process'] {
  if (exit === null) return null;
  if (source === 'docker' || source === 'podman') {
    if (exit.waitStatus === null || containerEnded?.exitCode == null) return null;
    const signal = exit.waitStatus & 0x7f;
    const asEngine = signal === 0 ? (exit.waitStatus >> 8) & 0xff : 128 + signal;
    if (asEngine !== containerEnded.exitCode) return null;
  }
  return { waitStatus: exit.waitStatus, via: exit.via, blindReason: exit.blindReason, at: exit.at };
}

/** How long it ran, and what it used: what the ending carries beside the verdict. */
export function useOf(run: Run, facts: RunFacts): { durationMs: number | null; cpuMs: number | null } {
  const cpuNs = run.unitEnded?.cpuNs ?? run.journalEnded?.cpuNs ?? null;
  const cpuMs = cpuNs === null ? (run.runEnded?.cpuMs ?? run.cpuMs) : cpuNs / 1e6;
  return {
    durationMs: run.startedAt === null ? null : Math.max(0, facts.endedAt - run.startedAt),
    cpuMs: cpuMs === null ? null : Math.round(cpuMs),
  };
}
