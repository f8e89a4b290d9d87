import type { Report } from '../watcher.ts';
import {
  type Properties,
  type RunState,
  readRunState,
  readUnitState,
  type UnitFacts,
  type UnitState,
} from './properties.ts';
import { endInstant, endingJobs, latest, newTrack, type Track, unitEnded, unitStarted } from './unit-track.ts';

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
 *
 * A unit gets its new invocation id a moment before it leaves its inactive (or auto-restart) state, and PID 1 tells that
 * too, with result and times of the run before. A unit that came and went between two turns of PID 1's loop looks
 * the same but for its times: they are of a start later than any known, and of an end after it. Only that is a whole run.
 * Each invocation is told started once and ended once.
 */
export class UnitTable {
  readonly #report: Report;
  readonly #askFacts: (unit: string) => void;
  readonly #askJobType: (jobId: number, unit: string) => void;
  readonly #units = new Map<string, Track>();
  readonly #endedInvocations = new Set<string>();
  /** Per unit, systemd's own instant of the start of the last run told. */
  readonly #lastStarts = new Map<string, number>();
  #listeningSince = Number.POSITIVE_INFINITY;
  #isReloading = false;
  /** Signals were missed, or may be, since the last listing. */
  #isMissing = true;
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

  /** From now on every signal is heard. */
  listening(now: number): void {
    this.#listeningSince = now;
  }

  /** Until the next {@link resync} the absence of a signal says nothing. */
  mayMiss(): void {
    this.#isMissing = true;
    for (const track of this.#units.values()) track.isLifeSeen = false;
  }

  unitNew(unit: string): void {
    if (!this.#units.has(unit)) this.#units.set(unit, newTrack(unit));
  }

  /** PropertiesChanged on `.Scope` or `.Service`: comes before the unit's own change of the same moment. */
  runChanged(unit: string, properties: Properties, now: number): void {
    const track = this.#trackOf(unit);
    track.heard += 1;
    const { result, execMain, mainStartedAt, mainEndedAt, mainPid } = readRunState(properties);
    track.mainStartedAt = mainStartedAt ?? track.mainStartedAt;
    track.mainEndedAt = mainEndedAt ?? track.mainEndedAt;
    track.mainPid = mainPid ?? track.mainPid;
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
    track.heard += 1;
    if (track.phase === 'live' && isOther(state.invocationId, track.invocationId)) {
      // Ended and started again between two signals: how the first one ended went unseen, and the values are the second's.
      const { heard, result, execMain, mainStartedAt, mainEndedAt, mainPid } = track;
      this.#endUnseen(track, { at: laterThan(track, state) ?? now });
      track = this.#replace(unit, { ...newTrack(unit), heard, result, execMain, mainStartedAt, mainEndedAt, mainPid });
    }
    if (isOver(state)) this.#over(track, state, now);
    else this.#alive(track, state, now);
  }

  /** The manager dropped the unit. While it reloads, it drops and re-adds every unit; that ends nothing. */
  unitRemoved(unit: string, now: number): void {
    const track = this.#units.get(unit);
    if (track === undefined || this.#isReloading) return;
    const wasStarted = track.hasStartJobDone && track.invocationId !== null;
    if (track.phase === 'live' || wasStarted) this.#endUnseen(track, { at: now });
    this.#units.delete(unit);
  }

  /** The system goes down, or does so no more: the shutdown was cancelled. */
  systemStopping(isStopping: boolean, now: number): void {
    if (this.#isSystemStopping === isStopping) return;
    this.#isSystemStopping = isStopping;
    this.#report({ kind: 'system_stopping', isStopping, at: now });
  }

  jobNew(jobId: number, unit: string, now: number): void {
    if (shutdownTargets.has(unit)) this.systemStopping(true, now);
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

  jobRemoved(jobId: number, unit: string, { result, now }: { result: string; now: number }): void {
    if (shutdownTargets.has(unit) && result === 'canceled') this.systemStopping(false, now);
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
      this.#noteStart(track, state);
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
    this.#isMissing = false;
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
    this.#endUnseen({ ...track, isLifeSeen: false }, { at: now });
  }

  /** Changes with every word on this unit. */
  heardOf(unit: string): number {
    return this.#units.get(unit)?.heard ?? -1;
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
    if (track.phase === 'live' && isOther(state.invocationId, track.invocationId)) {
      this.#endUnseen({ ...track, isLifeSeen: false }, { at: laterThan(track, state) ?? now });
      track = this.#replace(unit, { ...newTrack(unit), isLifeSeen: false });
    }
    const { result, execMain, mainStartedAt, mainEndedAt, mainPid } = state;
    Object.assign(track, { result, execMain, mainStartedAt, mainEndedAt, mainPid, facts });
    if (state.activeState === 'failed') track.phase = 'live'; // it holds a run's end, told or not
    if (isOver(state)) return this.#over(track, state, now);
    track.invocationId ??= state.invocationId;
    track.phase = 'live';
    this.#noteStart(track, state);
    this.#tellStart(track);
  }

  #alive(track: Track, state: UnitState, now: number): void {
    track.invocationId = state.invocationId ?? track.invocationId;
    if (track.invocationId !== null && this.#endedInvocations.has(track.invocationId)) return;
    this.#noteStart(track, state);
    track.startedAt ??= now;
    if (track.phase === 'live') return;
    track.phase = 'live';
    this.#askFacts(track.unit);
  }

  #over(track: Track, state: UnitState, now: number): void {
    track.invocationId = state.invocationId ?? track.invocationId;
    const isNew = track.invocationId !== null && !this.#endedInvocations.has(track.invocationId);
    if (track.phase !== 'live' && !(isNew && this.#isWholeRun(track, state))) return;
    this.#noteStart(track, state);
    this.#end(track, { at: endInstant(track, { state, now }), approximate: false });
  }

  /** What is known of the run's start when only its end was heard: systemd's times, if they are of this run. */
  #isWholeRun(track: Track, state: UnitState): boolean {
    const startedAt = latest(state.startedAt, track.mainStartedAt);
    const endedAt = latest(state.endedAt, track.mainEndedAt);
    if (startedAt === null || endedAt === null || endedAt < startedAt) return false;
    return startedAt >= this.#listeningSince && startedAt > (this.#lastStarts.get(track.unit) ?? 0);
  }

  /** A service that is started again stays `activating`, so its unit keeps the time of its first start; its main process has its own. */
  #noteStart(track: Track, state: UnitState): void {
    const startedAt = latest(state.startedAt, track.mainStartedAt);
    if (startedAt === null || startedAt <= (this.#lastStarts.get(track.unit) ?? 0)) return;
    track.systemStartedAt = startedAt;
    if (!track.isStartTold) track.startedAt = startedAt;
  }

  /** It is over, and how was not heard. */
  #endUnseen(track: Track, { at }: { at: number }): void {
    this.#end(
      { ...track, result: null, execMain: null, mainStartedAt: null, mainPid: null },
      { at, approximate: true },
    );
  }

  #end(track: Track, { at, approximate }: { at: number; approximate: boolean }): void {
    this.#units.delete(track.unit);
    if (track.invocationId !== null) {
      if (this.#endedInvocations.has(track.invocationId)) return;
      remember(this.#endedInvocations, track.invocationId);
    }
    const lastStart = this.#lastStarts.get(track.unit) ?? 0;
    // A run that failed before its main process was executed still shows how that of the run before ended.
    const isMainOfThisRun = track.mainStartedAt === null || track.mainStartedAt > lastStart;
    const run = isMainOfThisRun ? track : { ...track, execMain: null, mainPid: null };
    if (track.systemStartedAt !== null) {
      this.#lastStarts.delete(track.unit);
      if (this.#lastStarts.size >= rememberedEnds) dropOldest(this.#lastStarts);
      this.#lastStarts.set(track.unit, track.systemStartedAt);
    }
    this.#tellStart(run);
    this.#report(unitEnded(run, { at, approximate, isSystemStopping: this.#isSystemStopping }));
  }

  #tellStart(track: Track): void {
    if (track.isStartTold) return;
    track.isStartTold = true;
    this.#report(unitStarted(track));
  }

  #trackOf(unit: string): Track {
    return this.#units.get(unit) ?? this.#replace(unit, { ...newTrack(unit), isLifeSeen: !this.#isMissing });
  }

  #replace(unit: string, track: Track): Track {
    this.#units.set(unit, track);
    return track;
  }
}

const rememberedEnds = 50_000;

function remember(ids: Set<string>, id: string): void {
  if (ids.size >= rememberedEnds) dropOldest(ids);
  ids.add(id);
}

function dropOldest(collection: Set<string> | Map<string, unknown>): void {
  for (const oldest of collection.keys()) {
    collection.delete(oldest);
    return;
  }
}

function isOther(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}

/** The start in `state`, if it is of a later run than the track's. */
function laterThan(track: Track, state: UnitState): number | null {
  return state.startedAt !== null && state.startedAt > (track.systemStartedAt ?? 0) ? state.startedAt : null;
}

/** Their start is queued when the machine goes down (bootup(7)). */
const shutdownTargets: ReadonlySet<string> = new Set([
  'shutdown.target',
  'reboot.target',
  'poweroff.target',
  'halt.target',
  'kexec.target',
  'soft-reboot.target',
]);

/** Also a service that waits to be started again has ended the run before. */
export function isOver({ activeState, subState }: { activeState: string | null; subState: string | null }): boolean {
  return activeState === 'inactive' || activeState === 'failed' || (subState ?? '').startsWith('auto-restart');
}
