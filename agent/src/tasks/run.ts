import type { TaskIdentity, TaskSource } from '@runnerwatch/shared/model/task.ts';
import type {
  ContainerEnded,
  ContainerNotStarted,
  CoreDumped,
  GpuFault,
  KernelOom,
  ProcessExited,
  RunEnded,
  UnitEnded,
  UnitStartFailed,
} from '../watchers/watcher.ts';
import type { RunFacts } from './verdict/run-facts.ts';

/** What a cgroup's accounting files said; null: unread. */
export interface CgroupUse {
  readonly cpuUsec: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryBytes: number | null;
  readonly memoryMaxBytes: number | null;
  readonly oomKills: number | null;
}

/** Why an end could not be seen. */
export interface Blindness {
  /** A clause for people: `it ended while the agent was not running`. */
  readonly reason: string;
  /** Nobody was there to look; otherwise the agent looked and was not shown. */
  readonly wasAway: boolean;
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
  /** Of a container: whose engine's word on it counts. */
  socketPath: string | null;
  cgroup: string | null;
  /** The command of a `run`, which has no cgroup of its own. */
  process: { readonly pid: number; readonly startTicks: number | null } | null;
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
  /** The kernel's account of the last kill in it. */
  kernelOom: KernelOom | null;
  /** How many kills a warning has told of; null before the first count. */
  oomKillsTold: number | null;
  isOomWarned: boolean;
  gpuFault: GpuFault | null;
  coreDump: CoreDumped | null;
  /** What was said of why it could not be started, true or not. */
  readonly startErrors: UnitStartFailed[];
  mainPid: number | null;
  /** Where its main process worked, as first seen. */
  directory: string | null;
  /** As read at its end. */
  memoryTrend: RunFacts['memory']['trend'];
  disk: RunFacts['disk']['fullest'];
  exit: ProcessExited | null;
  unitEnded: UnitEnded | null;
  journalEnded: UnitEnded | null;
  containerEnded: ContainerEnded | ContainerNotStarted | null;
  runEnded: RunEnded | null;
  earlier: EarlierWord | null;
  /** Known only from before this agent's start, and not seen since. */
  isBelieved: boolean;
  /** Since when a belief is not borne out by a source that sees; by the monotonic clock. */
  doubtedAtMs: number | null;
  blindness: Blindness | null;
  logTail: readonly string[] | null;
  /** Files it writes its output to itself. */
  outputs: readonly OutputFile[];
}

/** An end as an earlier life of the agent told it. */
export interface EarlierWord {
  readonly at: number;
  readonly approximate: boolean;
  /** As wait(2) gives it. */
  readonly waitStatus: number | null;
}

/** A regular file, and which one: a name can come to mean another. */
export interface OutputFile {
  readonly isStderr: boolean;
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
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
    socketPath: null,
    cgroup: null,
    process: null,
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
    kernelOom: null,
    oomKillsTold: null,
    isOomWarned: false,
    gpuFault: null,
    coreDump: null,
    startErrors: [],
    mainPid: null,
    directory: null,
    memoryTrend: null,
    disk: null,
    exit: null,
    unitEnded: null,
    journalEnded: null,
    containerEnded: null,
    runEnded: null,
    earlier: null,
    isBelieved: false,
    doubtedAtMs: null,
    blindness: null,
    logTail: null,
    outputs: [],
  };
}

export function takeUse(run: Run, use: CgroupUse): void {
  run.cpuMs = use.cpuUsec === null ? run.cpuMs : use.cpuUsec / 1000;
  run.memoryPeakBytes = largest(run.memoryPeakBytes, use.memoryPeakBytes, use.memoryBytes);
  run.memoryLimitBytes = use.memoryMaxBytes ?? run.memoryLimitBytes;
  run.oomKills = largest(run.oomKills, use.oomKills);
}

/** Bus and journal each tell of a unit's end; the first word of each counts. */
export function takeUnitEnd(run: Run, ended: UnitEnded): void {
  if (ended.via === 'journal') run.journalEnded ??= ended;
  else run.unitEnded ??= ended;
  run.startedAt ??= ended.startedAt;
}

export function largest(...values: (number | null)[]): number | null {
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

export function isMainProcess({ mainPid, exit }: Run, pid: number): boolean {
  return pid === mainPid || pid === exit?.pid;
}

/** What runs in this cgroup may be called by: the parts of its path from the last on, a container's scope by its id. */
export function handlesIn(cgroup: string): string[] {
  return cgroup
    .split('/')
    .toReversed()
    .map((part) => /^(?:docker|libpod|crio)-([0-9a-f]{64})\.scope$/.exec(part)?.[1] ?? part);
}
