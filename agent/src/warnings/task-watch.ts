import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import { bytesText } from '@runnerwatch/shared/conditions/wording.ts';
import { matchesGlob } from '@runnerwatch/shared/model/glob.ts';
import type { TaskReading } from '../recorder/reading.ts';
import type { Run } from '../tasks/run.ts';
import type { Writer } from './disk-full.ts';
import type { Judgments } from './judgments.ts';
import { type LogGrewAt, LogQuestion } from './log-question.ts';
import { measureMemory, memoryEveryMs, memoryWindow } from './memory-exhaustion.ts';
import type { WarningSettings } from './settings.ts';
import { measureOverrun } from './task-overrun.ts';
import { type Activity, follow, measureStall, type Stillness } from './task-stalled.ts';
import { secondsOf } from './urgency.ts';
import { Window } from './window.ts';

/** What one task is watched by, at one moment. */
export interface TaskMoment {
  readonly run: Run;
  readonly reading: TaskReading | null;
  /** Page cache and the like of its cgroup: what the kernel takes back before anything is killed; null when unread. */
  readonly reclaimableBytes: number | null;
  readonly logLines: number | null;
  /** What any task can still get from the node; null when unread. */
  readonly nodeAvailableBytes: number | null;
  readonly now: Now;
}

/** The compact memory of one task: two windows of 25 points and a few numbers. */
export class TaskWatch {
  readonly #settings: WarningSettings;
  readonly #judgments: Judgments;
  readonly #memory = memoryWindow();
  readonly #written = new Window({ points: 25, peakKeptMs: 0 });
  readonly #log: LogQuestion;
  #stillness: Stillness | null = null;
  #start: { readonly ranMs: number; readonly atMs: number } | null = null;
  #name = '';
  #hasNodeLimit = false;
  dueMs: number;

  constructor({
    settings,
    judgments,
    logGrewAt,
    dueMs,
  }: {
    settings: WarningSettings;
    judgments: Judgments;
    logGrewAt: LogGrewAt;
    dueMs: number;
  }) {
    this.#settings = settings;
    this.#judgments = judgments;
    this.#log = new LogQuestion(logGrewAt, settings.stalled?.forMs ?? 0);
    this.dueMs = dueMs;
  }

  take(moment: TaskMoment): void {
    const { run, reading, now } = moment;
    this.dueMs = now.monotonicMs + memoryEveryMs;
    this.#name = run.identity.name;
    if (reading?.writtenBytes != null) this.#written.push(now.monotonicMs, reading.writtenBytes);
    this.#judgeMemory(moment);
    this.#judgeStall(moment);
    this.#judgeOverrun(moment);
  }

  /** What it writes to disks at present; null when that is not counted. */
  writer(): Writer | null {
    const { oldest, latest } = this.#written;
    if (oldest === null || latest === null || latest.atMs <= oldest.atMs) return null;
    const bytesPerSecond = ((latest.value - oldest.value) / (latest.atMs - oldest.atMs)) * 1000;
    return { name: this.#name, bytesPerSecond };
  }

  /** It is warned of for using up the node's own memory. */
  isExhaustingNode(run: Run): boolean {
    return this.#hasNodeLimit && this.#judgments.isFiring('MemoryExhaustionPredicted', run.identity.id);
  }

  #judgeMemory({ run, reading, reclaimableBytes, nodeAvailableBytes, now }: TaskMoment): void {
    const settings = this.#settings.memoryExhaustion;
    if (settings === null) return;
    const usedBytes =
      reading?.memoryBytes == null || reclaimableBytes === null
        ? null
        : Math.max(0, reading.memoryBytes - reclaimableBytes);
    if (usedBytes !== null) this.#memory.push(now.monotonicMs, usedBytes);
    const who = whoIs(run);
    const ownBytes = reading?.memoryLimitBytes ?? run.memoryLimitBytes;
    this.#hasNodeLimit = ownBytes === null;
    const capacity =
      ownBytes !== null
        ? { bytes: ownBytes, name: `limit ${bytesText(ownBytes)}` }
        : usedBytes === null || nodeAvailableBytes === null
          ? null
          : { bytes: usedBytes + nodeAvailableBytes, name: 'the end of the memory of the node' };
    const subject = run.identity.id;
    const missing = usedBytes === null || capacity === null ? [`${who}: memory`] : [];
    const measurement = measureMemory({ subject, who, window: this.#memory, capacity, missing }, settings);
    const value = secondsOf(measurement.items[0]?.value ?? 0, settings);
    const told = { value, threshold: settings.withinMs / 1000 };
    this.#judgments.take({ condition: 'MemoryExhaustionPredicted', measurement, told }, now);
  }

  #judgeStall({ run, reading, logLines, now }: TaskMoment): void {
    const settings = this.#settings.stalled;
    if (settings === null) return;
    if (!isMeantToWork(run, settings.include)) {
      const reason = 'not judged any more: the configuration was changed';
      return this.#judgments.end('TaskStalled', run.identity.id, { reason, now });
    }
    const cpuUsec = reading?.cpuUsec ?? null;
    const ioBytes =
      reading?.readBytes == null || reading.writtenBytes === null ? null : reading.readBytes + reading.writtenBytes;
    const stillMs = cpuUsec === null ? null : this.#stillMs(run, { cpuUsec, ioBytes, logLines }, now);
    const measurement = measureStall({ subject: run.identity.id, who: whoIs(run), stillMs }, settings.forMs);
    const told = { value: stillMs === null ? null : Math.round(stillMs / 1000), threshold: settings.forMs / 1000 };
    this.#judgments.take({ condition: 'TaskStalled', measurement, told }, now);
  }

  /** How long it has shown nothing. Before that is said for the first time its log has had its word. */
  #stillMs(run: Run, activity: Activity, now: Now): number {
    const forMs = this.#settings.stalled?.forMs ?? Number.POSITIVE_INFINITY;
    const { monotonicMs } = now;
    const isStalled = this.#judgments.isFiring('TaskStalled', run.identity.id);
    // A life before this one has seen it stand still: it has since, until it is seen to work.
    const seen =
      this.#stillness === null && isStalled
        ? { sinceMs: monotonicMs - forMs - 1, at: activity }
        : follow(this.#stillness, activity, monotonicMs);
    const { grewMs } = this.#log;
    this.#stillness = grewMs > seen.sinceMs ? { sinceMs: grewMs, at: activity } : seen;
    const { sinceMs } = this.#stillness;
    const stillMs = monotonicMs - sinceMs;
    if (stillMs <= forMs) return stillMs;
    const isKnown = isStalled || this.#log.isAnsweredFrom(sinceMs + forMs);
    this.#log.put(run, { stillMs, now });
    return isKnown ? stillMs : forMs;
  }

  #judgeOverrun({ run, now }: TaskMoment): void {
    const settings = this.#settings.overrun;
    const limitMs = run.timeoutMs ?? run.runtimeMaxMs;
    if (settings === null || limitMs === null || limitMs <= 0 || run.startedAt === null) return;
    // From the first sight on by the clock that nobody can step.
    this.#start ??= { ranMs: Math.max(0, now.wallMs - run.startedAt), atMs: now.monotonicMs };
    const ranMs = this.#start.ranMs + now.monotonicMs - this.#start.atMs;
    const measurement = measureOverrun(
      { subject: run.identity.id, who: whoIs(run), ranMs, limitMs },
      settings.threshold,
    );
    this.#judgments.take({ condition: 'TaskOverrun', measurement }, now);
  }
}

function whoIs({ identity }: Run): string {
  return `task ${identity.name}`;
}

/** Services and plain containers wait for work by nature; what a scheduler or a person started is meant to work until it ends. */
function isMeantToWork({ source, isScope, identity }: Run, include: readonly string[] | null): boolean {
  if (include !== null)
    return include.some((glob) => matchesGlob(identity.name, glob) || matchesGlob(identity.unit ?? '', glob));
  return source === 'run' || isScope || identity.task_id !== identity.id;
}
