import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import type { ConditionReport, ConditionType } from '@runnerwatch/shared/model/condition.ts';
import type { Logger } from 'pino';
import type { TaskReading } from '../recorder/reading.ts';
import type { Run } from '../tasks/run.ts';
import type { Writer } from './disk-full.ts';
import { Judgments } from './judgments.ts';
import type { LogGrewAt } from './log-question.ts';
import { memoryEveryMs } from './memory-exhaustion.ts';
import { NodeWatch } from './node-watch.ts';
import type { WarningSettings } from './settings.ts';
import { TaskWatch } from './task-watch.ts';
import { UnitWatch } from './unit-watch.ts';

export interface WarningsOptions {
  readonly settings: WarningSettings;
  /** What fires, kept over restarts. */
  readonly firing: { load(): ConditionReport[]; save(firing: readonly ConditionReport[]): void };
  /** Writes a report down. */
  readonly tell: (report: ConditionReport) => void;
  /** What of a cgroup's memory the kernel takes back when it is needed; null when unread. */
  readonly readReclaimable: (cgroup: string) => number | null;
  /** How many lines a run has logged; null when nobody counts them. */
  readonly logLinesOf: (run: Run) => number | null;
  /** Asked of a run that shows no other sign of life. */
  readonly logGrewAt: LogGrewAt;
  readonly failedUnits: () => Promise<readonly string[] | null>;
  readonly log: Logger;
}

/** One tick: what runs, what the kernel counts for it, and the node. */
export interface WarningTick {
  readonly runs: readonly Run[];
  /** By the run's key. */
  readonly readings: ReadonlyMap<string, TaskReading>;
  readonly sample: NodeReading;
  readonly now: Now;
}

export interface Warnings {
  take(tick: WarningTick): void;
}

/** Tasks watched at a time; those beyond are recorded and told of when they end, not warned of. */
const tasksMax = 1000;
const manyRuns = 200;
const patienceMs = 15_000;

/**
 * Early warnings, while something can still be done. Each task is looked at every five seconds, spread over them; what
 * fires is written down before it is told, so that a life of the agent that ends in between tells it again, never less.
 * The warnings of a task end with it: who is told of its end needs no other word, so the agent forgets them in silence.
 */
export function createWarnings(options: WarningsOptions): Warnings {
  const { settings, firing, tell } = options;
  const judgments = new Judgments(firing.load());
  const watches = new Map<string, TaskWatch>();
  const node = new NodeWatch({ settings, judgments });
  const units = new UnitWatch({
    settings: settings.unitFailed,
    judgments,
    askFailed: options.failedUnits,
    log: options.log,
  });
  let isFirst = true;

  function takeTasks({ runs, readings, sample, now }: WarningTick): boolean {
    for (const run of runs) {
      const watch = watches.get(run.identity.id) ?? begin(run, now);
      if (watch === null || now.monotonicMs < watch.dueMs) continue;
      const { cgroup, process } = run;
      const reading = readings.get(run.key) ?? null;
      // Where very many run, they are read in turn.
      if (reading === null && runs.length > manyRuns && now.monotonicMs < watch.dueMs + patienceMs) continue;
      watch.take({
        run,
        reading,
        // Without a cgroup of its own its memory is that of its processes, which has no page cache in it.
        reclaimableBytes: cgroup === null || process !== null ? 0 : options.readReclaimable(cgroup),
        logLines: options.logLinesOf(run),
        nodeAvailableBytes: sample.sample.memory_available_bytes,
        now,
      });
    }
    return forgetEnded(runs);
  }

  function begin(run: Run, now: Now): TaskWatch | null {
    if (watches.size >= tasksMax) return null;
    // What ran before us is spread over the interval; what begins now is looked at now.
    const spreadMs = isFirst ? (watches.size % 5) * (memoryEveryMs / 5) : 0;
    const { logGrewAt } = options;
    const watch = new TaskWatch({ settings, judgments, logGrewAt, dueMs: now.monotonicMs + spreadMs });
    watches.set(run.identity.id, watch);
    return watch;
  }

  function forgetEnded(runs: readonly Run[]): boolean {
    const open = new Set(runs.map(({ identity }) => identity.id));
    const firingOfGone = isFirst
      ? judgments.firing().filter(({ condition, subject }) => isOfTask(condition, subject) && !open.has(subject))
      : [];
    const gone = [...watches.keys()].filter((id) => !open.has(id));
    for (const id of gone) watches.delete(id);
    const wereFiring = [...gone, ...firingOfGone.map(({ subject }) => subject)].filter((id) => judgments.forget(id));
    return wereFiring.length > 0;
  }

  /** What an earlier life judged and this one does not. */
  function endSwitchedOff(now: Now): void {
    for (const { condition, subject } of judgments.firing()) {
      if (isJudged(condition, settings)) continue;
      judgments.end(condition, subject, { reason: 'not judged any more: the configuration was changed', now });
    }
  }

  const writers = (): Writer[] =>
    [...watches.values()]
      .map((watch) => watch.writer())
      .filter((writer) => writer !== null)
      .toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond);

  return {
    take(tick) {
      const { runs, sample, now } = tick;
      const hasForgotten = takeTasks(tick);
      if (isFirst) endSwitchedOff(now);
      isFirst = false;
      const isToldOfTask = () => runs.some((run) => watches.get(run.identity.id)?.isExhaustingNode(run) === true);
      node.take({ reading: sample, now, writers, isToldOfTask });
      units.take(now);
      const changed = judgments.changed();
      if (changed.length > 0 || hasForgotten) firing.save(judgments.firing());
      changed.forEach(tell);
    },
  };
}

function isOfTask(condition: ConditionType, subject: string): boolean {
  return (
    condition === 'TaskStalled' ||
    condition === 'TaskOverrun' ||
    (condition === 'MemoryExhaustionPredicted' && subject !== '')
  );
}

function isJudged(condition: ConditionType, settings: WarningSettings): boolean {
  switch (condition) {
    case 'MemoryExhaustionPredicted':
      return settings.memoryExhaustion !== null;
    case 'DiskFullPredicted':
      return settings.diskFull !== null;
    case 'TaskStalled':
      return settings.stalled !== null;
    case 'TaskOverrun':
      return settings.overrun !== null;
    default:
      return true;
  }
}
