import type { UnitEnded, UnitStarted } from '../watcher.ts';
import type { UnitFacts, UnitState } from './properties.ts';

/** What is known of one run of a unit, put together from messages as they come. */
export interface Track {
  readonly unit: string;
  phase: 'idle' | 'live';
  invocationId: string | null;
  /** As told: systemd's instant, else when it was first heard of. */
  startedAt: number | null;
  systemStartedAt: number | null;
  mainStartedAt: number | null;
  mainEndedAt: number | null;
  mainPid: number | null;
  facts: UnitFacts | null;
  isStartTold: boolean;
  isOomTold: boolean;
  result: string | null;
  execMain: UnitEnded['execMain'];
  /** Jobs queued now; the type is null until known. */
  jobs: Map<number, string | null>;
  wasStopOrdered: boolean;
  /** Jobs queued before the run was live: they brought it up. */
  startJobs: Set<number>;
  hasStartJobDone: boolean;
  /** How many messages. */
  heard: number;
  /** Every message of this run was heard, so that the absence of a stop job says something. */
  isLifeSeen: boolean;
}

export function newTrack(unit: string): Track {
  return {
    unit,
    phase: 'idle',
    invocationId: null,
    startedAt: null,
    systemStartedAt: null,
    mainStartedAt: null,
    mainEndedAt: null,
    mainPid: null,
    facts: null,
    isStartTold: false,
    isOomTold: false,
    result: null,
    execMain: null,
    jobs: new Map(),
    wasStopOrdered: false,
    startJobs: new Set(),
    hasStartJobDone: false,
    heard: 0,
    isLifeSeen: true,
  };
}

/** Jobs that end a run (org.freedesktop.systemd1(5), "JobType"). */
export const endingJobs: ReadonlySet<string> = new Set(['stop', 'restart', 'try-restart', 'reload-or-try-restart']);

/** The unit's own instant; a service that waits for its restart was never inactive, so its main process's. */
export function endInstant(track: Track, { state, now }: { state: UnitState; now: number }): number {
  const endedAt = latest(state.endedAt, track.mainEndedAt);
  return endedAt !== null && endedAt >= (track.systemStartedAt ?? 0) ? endedAt : now;
}

export function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

export function unitStarted(track: Track): UnitStarted {
  return {
    kind: 'unit_started',
    unit: track.unit,
    invocationId: track.invocationId,
    description: track.facts?.description ?? null,
    cgroup: track.facts?.cgroup ?? null,
    mainPid: track.facts?.mainPid ?? null,
    command: track.facts?.command ?? null,
    user: track.facts?.user ?? null,
    memoryMaxBytes: track.facts?.memoryMaxBytes ?? null,
    runtimeMaxMs: track.facts?.runtimeMaxMs ?? null,
    startedAt: track.startedAt,
  };
}

export interface EndMoment {
  readonly at: number;
  readonly approximate: boolean;
  readonly isSystemStopping: boolean;
}

export function unitEnded(track: Track, { at, approximate, isSystemStopping }: EndMoment): UnitEnded {
  return {
    kind: 'unit_ended',
    unit: track.unit,
    invocationId: track.invocationId,
    result: track.result,
    execMain: track.execMain,
    mainPid: track.mainPid,
    stopJob: stopJobOf(track),
    ...(isSystemStopping ? { systemStopping: true } : {}),
    cpuNs: null,
    memoryPeakBytes: null,
    startedAt: track.startedAt,
    at,
    approximate,
    via: 'dbus',
  };
}

/** A job whose type could not be learnt in time counts as a stop job: reload jobs leave the unit running. */
function stopJobOf(track: Track): boolean | null {
  const hasEndingJob = [...track.jobs].some(
    ([jobId, type]) => !track.startJobs.has(jobId) && (type === null || endingJobs.has(type)),
  );
  if (track.wasStopOrdered || hasEndingJob) return true;
  return track.isLifeSeen ? false : null;
}
