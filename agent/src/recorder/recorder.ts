import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { type RecordedSeries, recordingPointsMax, type TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import { nodeColumns, taskColumns } from './columns.ts';
import type { NodeGauges, TaskReading, TaskReadings, TickInstant } from './reading.ts';
import type { RecordedPart } from './recorder-file.ts';
import { Track } from './track.ts';

export interface RecorderOptions {
  readonly windowMs: number;
  readonly intervalMs: number;
}

/** A run that has ended. Instants are milliseconds since the epoch. */
export interface EndedRun {
  readonly key: string;
  readonly cgroup: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number;
}

/** Runs recorded at a time; what runs beside them has only its node's series. */
const maxTracks = 256;
/** Of the node, from before a task's start. */
const leadMs = 10_000;
const maxPartings = 64;

/**
 * The last minutes of every task and of the node, in memory. Ticks are numbered by the wall clock at the first one and count
 * on from there by whichever clock moved further, so that a clock set back disturbs nothing and a suspend leaves a hole.
 */
export class Recorder {
  readonly #intervalMs: number;
  readonly #capacity: number;
  readonly #node: Track<NodeGauges>;
  readonly #tracks = new Map<string, Track<TaskReading>>();
  /** Read when a cgroup's main process ended, for tasks that never met a tick. */
  readonly #partings = new Map<string, TaskReading>();
  #last: { readonly tick: number; readonly wallMs: number; readonly monotonicMs: number | null } | null = null;
  /** The last row of an earlier life. */
  #restored: { readonly tick: number; readonly wallMs: number } | null = null;
  #toldTick: number | null = null;

  constructor({ windowMs, intervalMs }: RecorderOptions) {
    this.#intervalMs = intervalMs;
    this.#capacity = Math.max(1, Math.ceil(windowMs / intervalMs));
    this.#node = new Track(nodeColumns, this.#capacity);
  }

  get sizeBytes(): number {
    return [...this.#tracks.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, this.#node.sizeBytes);
  }

  take(readings: TaskReadings, node: NodeGauges, now: TickInstant): void {
    const tick = this.#tickAt(now);
    this.#last = { tick, ...now };
    this.#node.add(tick, node, now.monotonicMs);
    for (const [key, reading] of readings) this.#trackOf(key, tick)?.add(tick, reading, now.monotonicMs);
  }

  /** The main process of this cgroup has just ended, and the cgroup is still there. */
  part(cgroup: string, reading: TaskReading): void {
    this.#partings.delete(cgroup);
    this.#partings.set(cgroup, reading);
    const [oldest] = this.#partings.keys();
    if (this.#partings.size > maxPartings && oldest !== undefined) this.#partings.delete(oldest);
  }

  /** The recording of a run that has ended, and is forgotten here; null when nothing was read in its last minutes. */
  close({ key, cgroup, startedAt, endedAt }: EndedRun): TaskRecording | null {
    const track = this.#tracks.get(key);
    const parting = cgroup === null ? undefined : this.#partings.get(cgroup);
    this.#tracks.delete(key);
    if (cgroup !== null) this.#partings.delete(cgroup);
    if (this.#last === null) return null;
    const endTick = Math.min(this.#last.tick, this.#tickOf(endedAt));
    const task = track ?? partingTrack(parting, endTick);
    const startTick = startedAt === null ? -Infinity : this.#tickOf(startedAt - leadMs);
    const isUnread = (tick: number) => !this.#node.hasRow(tick) && task?.hasRow(tick) !== true;
    let from = Math.max(startTick, endTick - this.#capacity + 1, this.#last.tick - this.#capacity + 1);
    let to = endTick;
    while (to >= from && isUnread(to)) to -= 1;
    while (to >= from && isUnread(from)) from += 1;
    return to < from ? null : this.#recording(task, from, to);
  }

  /** What was read since the last call; null when nothing runs that is recorded. */
  takePart(): RecordedPart | null {
    const last = this.#last;
    if (last === null || last.tick === this.#toldTick || this.#tracks.size === 0) return null;
    const atMost = Math.min(this.#capacity, recordingPointsMax);
    const from = Math.max((this.#toldTick ?? -Infinity) + 1, last.tick - atMost + 1);
    const range = { from, to: last.tick, step: 1 };
    this.#toldTick = last.tick;
    return {
      interval_ms: this.#intervalMs,
      tick: last.tick,
      until_ms: last.wallMs,
      node: this.#node.series(range),
      runs: Object.fromEntries([...this.#tracks].map(([key, track]) => [key, track.series(range)])),
    };
  }

  /** Takes up what an earlier life left on disk, oldest first, of the runs that are believed to go on. */
  restore(parts: readonly RecordedPart[], isOpen: (key: string) => boolean): void {
    for (const { interval_ms: intervalMs, tick, until_ms: wallMs, node, runs } of parts) {
      if (intervalMs !== this.#intervalMs || tick <= (this.#last?.tick ?? -1)) continue;
      this.#node.restore(tick - lengthOf(node) + 1, node);
      for (const [key, series] of Object.entries(runs))
        if (isOpen(key)) this.#trackOf(key, tick)?.restore(tick - lengthOf(series) + 1, series);
      this.#last = { tick, wallMs, monotonicMs: null };
      this.#restored = { tick, wallMs };
      this.#toldTick = tick;
    }
  }

  #tickAt({ wallMs, monotonicMs }: TickInstant): number {
    const last = this.#last;
    if (last === null) return Math.round(wallMs / this.#intervalMs);
    const monotonicStepMs = last.monotonicMs === null ? 0 : monotonicMs - last.monotonicMs;
    const stepMs = Math.max(monotonicStepMs, wallMs - last.wallMs);
    return last.tick + Math.max(1, Math.round(stepMs / this.#intervalMs));
  }

  /** The newest tick that is not after the instant. */
  #tickOf(wallMs: number): number {
    const last = this.#last ?? { tick: 0, wallMs: 0 };
    return last.tick + Math.floor((wallMs - last.wallMs) / this.#intervalMs);
  }

  #wallOf(tick: number): number {
    const last = this.#last ?? { tick: 0, wallMs: 0 };
    return last.wallMs - (last.tick - tick) * this.#intervalMs;
  }

  /** When all tracks are taken, a run that is read at every tick takes that of one which is not. */
  #trackOf(key: string, tick: number): Track<TaskReading> | null {
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    if (this.#tracks.size >= maxTracks) {
      const [stalest] = [...this.#tracks].toSorted(([, a], [, b]) => (a.lastTick ?? 0) - (b.lastTick ?? 0));
      if (stalest === undefined || (stalest[1].lastTick ?? 0) >= tick - 1) return null;
      this.#tracks.delete(stalest[0]);
    }
    const track = new Track(taskColumns, this.#capacity);
    this.#tracks.set(key, track);
    return track;
  }

  #recording(task: Track<TaskReading> | null, from: number, to: number): TaskRecording {
    const step = Math.ceil((to - from + 1) / recordingPointsMax);
    const until = this.#wallOf(to);
    const restored = this.#restored;
    const isTorn = restored !== null && restored.tick >= from && restored.tick < to;
    return {
      interval_ms: this.#intervalMs * step,
      until: toInstant(until),
      complete_until: toInstant(isTorn ? restored.wallMs : until),
      task: task?.series({ from, to, step }) ?? {},
      node: this.#node.series({ from, to, step }),
    };
  }
}

function partingTrack(parting: TaskReading | undefined, tick: number): Track<TaskReading> | null {
  if (parting === undefined) return null;
  const track = new Track(taskColumns, 1);
  track.add(tick, parting, 0);
  return track;
}

function lengthOf(series: RecordedSeries): number {
  return Math.max(0, ...Object.values(series).map(({ length }) => length));
}
