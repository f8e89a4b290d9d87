import type { Report, UnitEnded, UnitStarted } from '../watcher.ts';
import {
  type Properties,
  type RunState,
  readRunState,
  readUnitState,
  type UnitFacts,
  type UnitState,
} from './properties.ts';

/** A row of Manager.ListUnitsByPatterns (org.freedesktop.systemd1(5)). */
export interface ListedUnit {
  readonly unit: string;
  readonly path: string;
  readonly activeState: string;
  readonly subState: string;
  /** The job queued for it: stop, restart …; '' for none. */
  readonly jobType: string;
}

export interface UnitTableOptions {
  readonly report: Report;
  /** Ask for the unit's properties and answer with {@link UnitTable.factsKnown} or {@link UnitTable.factsUnavailable}. Called only for units that were alive in the last message. */
  readonly askFacts: (unit: string) => void;
  /** Ask for a job's type and answer with {@link UnitTable.jobTypeKnown}. Jobs, unlike units, are not loaded by being asked for. */
  readonly askJobType: (jobId: number, unit: string) => void;
}

/**
 * What the manager's signals say about the units we tell of, one run (invocation) of a unit at a time:
 *
 *   absent ──UnitNew, properties──▶ idle ──active──▶ live ──inactive, failed, auto-restart, other invocation──▶ told, absent
 *
 * A run's Result is inside the PropertiesChanged signal that precedes its inactive state; nothing is asked once a unit
 * went, since the question alone makes PID 1 load a blank unit of that name that claims success and goes again.
 * A unit that came and went between two turns of PID 1's loop is seen only as inactive, but with an invocation id not
 * seen before: that is a whole run. Each invocation is told started once and ended once.
 */
export class UnitTable {
  readonly #report: Report;
  readonly #askFacts: (unit: string) => void;
  readonly #askJobType: (jobId: number, unit: string) => void;
  readonly #units = new Map<string, Track>();
  readonly #endedInvocations = new Set<string>();
  #isReloading = false;
  #isSystemStopping = false;

  constructor({ report, askFacts, askJobType }: UnitTableOptions) {
    this.#report = report;
    this.#askFacts = askFacts;
    this.#askJobType = askJobType;
  }

  /** Units with a run under way. */
  liveUnits(): readonly string[] {
    return [...this.#units.values()].filter((track) => track.phase === 'live').map((track) => track.unit);
  }

  isLive(unit: string): boolean {
    return this.#units.get(unit)?.phase === 'live';
  }

  unitNew(unit: string): void {
    if (!this.#units.has(unit)) this.#units.set(unit, newTrack(unit));
  }

  /** PropertiesChanged on `.Scope` or `.Service`: comes before the unit's own change of the same moment. */
  runChanged(unit: string, properties: Properties, now: number): void {
    const track = this.#trackOf(unit);
    const { result, execMain } = readRunState(properties);
    if (result !== null) track.result = result;
    if (execMain !== null) track.execMain = execMain;
    if ('ExecMainCode' in properties && execMain === null) track.execMain = null;
    if (track.result === 'oom-kill' && track.phase === 'live' && !track.isOomTold) {
      track.isOomTold = true;
      this.#report({ kind: 'unit_oom', unit, invocationId: track.invocationId, at: now });
    }
  }

  /** PropertiesChanged on `.Unit`. */
  unitChanged(unit: string, properties: Properties, now: number): void {
    const state = readUnitState(properties);
    if (state.activeState === null) return;
    let track = this.#trackOf(unit);
    track.isStateSeen = true;
    if (
      track.phase === 'live' &&
      state.invocationId !== null &&
      track.invocationId !== null &&
      state.invocationId !== track.invocationId
    ) {
      // Ended and started again between two signals: how the first one ended went unseen, and the values are the second's.
      const { result, execMain } = track;
      this.#end({ ...track, result: null, execMain: null }, { at: state.startedAt ?? now, approximate: true });
      track = this.#replace(unit, { ...newTrack(unit), result, execMain });
    }
    if (isOver(state)) this.#over(track, state, now);
    else this.#alive(track, state, now);
  }

  /** The manager dropped the unit. While it reloads, it drops and re-adds every unit; that ends nothing. */
  unitRemoved(unit: string, now: number): void {
    const track = this.#units.get(unit);
    if (track === undefined || this.#isReloading) return;
    if (track.phase === 'live') this.#end({ ...track, result: null, execMain: null }, { at: now, approximate: true });
    else if (track.hasStartJobDone && !track.isStateSeen) this.#endUnseen(track, now);
    this.#units.delete(unit);
  }

  jobNew(jobId: number, unit: string): void {
    if (shutdownTargets.has(unit)) this.#isSystemStopping = true;
    const track = this.#units.get(unit);
    if (track === undefined) return;
    track.jobs.set(jobId, null);
    if (track.phase === 'live') this.#askJobType(jobId, unit);
    else track.startJobs.add(jobId);
  }

  jobTypeKnown(jobId: number, unit: string, type: string): void {
    const track = this.#units.get(unit);
    if (track?.jobs.has(jobId)) track.jobs.set(jobId, type);
    if (track !== undefined && endingJobs.has(type)) track.wasStopOrdered = true;
  }

  jobRemoved(jobId: number, unit: string, result: string): void {
    const track = this.#units.get(unit);
    if (track === undefined) return;
    track.jobs.delete(jobId);
    if (track.startJobs.delete(jobId) && result === 'done') track.hasStartJobDone = true;
  }

  factsKnown(unit: string, facts: UnitFacts, state: UnitState & RunState): void {
    const track = this.#units.get(unit);
    if (track?.phase !== 'live') return;
    const isOfThisRun = facts.loaded && (track.invocationId === null || track.invocationId === state.invocationId);
    if (isOfThisRun) {
      track.facts = facts;
      track.invocationId ??= state.invocationId;
      track.startedAt ??= state.startedAt;
    }
    this.#tellStart(track);
  }

  factsUnavailable(unit: string): void {
    const track = this.#units.get(unit);
    if (track?.phase === 'live') this.#tellStart(track);
  }

  reloading(active: boolean): void {
    this.#isReloading = active;
  }

  /**
   * Everything that is not inactive at one moment, in the order of the bus: whoever was live and is not listed ended
   * unseen. Every listed unit is to be asked about then ({@link listedFacts}): what we know may be another run of the same
   * name, and a failed unit still holds how it failed.
   */
  resync(listed: readonly ListedUnit[], now: number): void {
    this.#isReloading = false;
    const names = new Set(listed.map((row) => row.unit));
    for (const track of this.#units.values()) {
      if (track.phase === 'live' && !names.has(track.unit)) this.listedGone(track.unit, now);
    }
    for (const row of listed) {
      const track = this.#trackOf(row.unit);
      if (!isOver(row)) track.phase = 'live';
      track.isLifeSeen = false;
      if (endingJobs.has(row.jobType)) track.wasStopOrdered = true;
    }
  }

  /** A run we knew is over, and nothing is left to ask. */
  listedGone(unit: string, now: number): void {
    const track = this.#units.get(unit);
    if (track?.phase !== 'live') return;
    this.#end({ ...track, result: null, execMain: null, isLifeSeen: false }, { at: now, approximate: true });
  }

  /** The invocation whose facts are known already; null when there is more to ask. */
  knownInvocation(unit: string): string | null {
    const track = this.#units.get(unit);
    return track?.phase === 'live' && track.facts !== null ? track.invocationId : null;
  }

  /**
   * The properties of a unit that was listed. Unlike {@link factsKnown} it may show that the run we knew is over: another
   * invocation is live, or the unit stays loaded as failed.
   */
  listedFacts(unit: string, facts: UnitFacts, { state, now }: { state: UnitState & RunState; now: number }): void {
    let track = this.#trackOf(unit);
    if (!facts.loaded || state.activeState === null) {
      if (track.phase === 'live' && !track.isStartTold) this.#units.delete(unit);
      return;
    }
    if (
      track.invocationId !== null &&
      state.invocationId !== null &&
      track.invocationId !== state.invocationId &&
      track.phase === 'live'
    ) {
      this.#end(
        { ...track, result: null, execMain: null, isLifeSeen: false },
        { at: state.startedAt ?? now, approximate: true },
      );
      track = this.#replace(unit, { ...newTrack(unit), phase: isOver(state) ? 'idle' : 'live', isLifeSeen: false });
    }
    track.result = state.result;
    track.execMain = state.execMain;
    track.facts = facts;
    if (isOver(state)) return this.#over(track, state, now);
    track.invocationId ??= state.invocationId;
    track.startedAt ??= state.startedAt;
    track.phase = 'live';
    this.#tellStart(track);
  }

  #alive(track: Track, state: UnitState, now: number): void {
    track.invocationId = state.invocationId ?? track.invocationId;
    track.startedAt = state.startedAt ?? track.startedAt ?? now;
    if (track.phase === 'live') return;
    if (track.invocationId !== null && this.#endedInvocations.has(track.invocationId)) return;
    track.phase = 'live';
    this.#askFacts(track.unit);
  }

  #over(track: Track, state: UnitState, now: number): void {
    const invocationId = state.invocationId ?? track.invocationId;
    const isRun = track.phase === 'live' || (invocationId !== null && !this.#endedInvocations.has(invocationId));
    if (!isRun) return;
    const run = { ...track, invocationId, startedAt: state.startedAt ?? track.startedAt };
    this.#end(run, { at: endInstant(state, now), approximate: false });
  }

  /** It was started and is gone, and no message said anything about the run itself. */
  #endUnseen(track: Track, now: number): void {
    this.#end(
      { ...track, invocationId: null, result: null, execMain: null, isLifeSeen: false },
      { at: now, approximate: true },
    );
  }

  #end(track: Track, { at, approximate }: { at: number; approximate: boolean }): void {
    if (track.invocationId !== null) {
      if (this.#endedInvocations.has(track.invocationId)) return void this.#units.delete(track.unit);
      this.#rememberEnded(track.invocationId);
    }
    this.#tellStart(track);
    this.#units.delete(track.unit);
    this.#report(unitEnded(track, { at, approximate, isSystemStopping: this.#isSystemStopping }));
  }

  #tellStart(track: Track): void {
    if (track.isStartTold) return;
    track.isStartTold = true;
    this.#report(unitStarted(track));
  }

  #rememberEnded(invocationId: string): void {
    this.#endedInvocations.add(invocationId);
    if (this.#endedInvocations.size <= rememberedEnds) return;
    for (const oldest of this.#endedInvocations) {
      this.#endedInvocations.delete(oldest);
      break;
    }
  }

  #trackOf(unit: string): Track {
    return this.#units.get(unit) ?? this.#replace(unit, newTrack(unit));
  }

  #replace(unit: string, track: Track): Track {
    this.#units.set(unit, track);
    return track;
  }
}

const rememberedEnds = 50_000;

/** Jobs that end a run (org.freedesktop.systemd1(5), "JobType"). */
const endingJobs: ReadonlySet<string> = new Set(['stop', 'restart', 'try-restart', 'reload-or-try-restart']);

/** Their start is queued when the machine goes down (bootup(7)). */
const shutdownTargets: ReadonlySet<string> = new Set([
  'shutdown.target',
  'reboot.target',
  'poweroff.target',
  'halt.target',
  'kexec.target',
  'soft-reboot.target',
]);

interface Track {
  readonly unit: string;
  phase: 'idle' | 'live';
  invocationId: string | null;
  startedAt: number | null;
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
  isStateSeen: boolean;
  /** Every message of this run was heard, so that the absence of a stop job says something. */
  isLifeSeen: boolean;
}

function newTrack(unit: string): Track {
  return {
    unit,
    phase: 'idle',
    invocationId: null,
    startedAt: null,
    facts: null,
    isStartTold: false,
    isOomTold: false,
    result: null,
    execMain: null,
    jobs: new Map(),
    wasStopOrdered: false,
    startJobs: new Set(),
    hasStartJobDone: false,
    isStateSeen: false,
    isLifeSeen: true,
  };
}

/** Also a service that waits to be started again has ended the run before. */
export function isOver({ activeState, subState }: { activeState: string | null; subState: string | null }): boolean {
  return activeState === 'inactive' || activeState === 'failed' || (subState ?? '').startsWith('auto-restart');
}

function endInstant(state: UnitState, now: number): number {
  const isOwn = state.endedAt !== null && (state.startedAt === null || state.endedAt >= state.startedAt);
  return isOwn && state.endedAt !== null ? state.endedAt : now;
}

function unitStarted(track: Track): UnitStarted {
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

interface EndMoment {
  readonly at: number;
  readonly approximate: boolean;
  readonly isSystemStopping: boolean;
}

function unitEnded(track: Track, { at, approximate, isSystemStopping }: EndMoment): UnitEnded {
  return {
    kind: 'unit_ended',
    unit: track.unit,
    invocationId: track.invocationId,
    result: track.result,
    execMain: track.execMain,
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
