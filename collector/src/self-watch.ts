import { processConditions } from '@runnerwatch/shared/conditions/catalogue.ts';
import { unreadSample } from '@runnerwatch/shared/conditions/reading.ts';
import { type ConditionMemory, judgeRound } from '@runnerwatch/shared/conditions/round.ts';
import { defaultSettings, type ProcessLimits } from '@runnerwatch/shared/conditions/settings.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';

export interface SelfWatchOptions {
  readonly limits: ProcessLimits;
  /** The part of `process` that tells of itself; microseconds, bytes. */
  readonly own: { cpuUsage(): { user: number; system: number }; readonly memoryUsage: { rss(): number } };
  readonly report: (reports: readonly ConditionReport[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/** The collector judges itself as it judges nodes: its own memory and CPU, over the last interval, against `self.*`. */
export function startSelfWatch({
  limits,
  own,
  report,
  clock,
  log,
  everyMs = 10_000,
}: SelfWatchOptions): AsyncDisposable {
  let memory: ConditionMemory = new Map();
  let previous = { cpuUsec: cpuUsecOf(own), atMs: clock.monotonicMs() };

  const look = async () => {
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const cpuUsec = cpuUsecOf(own);
    const elapsedMs = now.monotonicMs - previous.atMs;
    const cpuPercent = elapsedMs > 0 ? (cpuUsec - previous.cpuUsec) / 10 / elapsedMs : null;
    previous = { cpuUsec, atMs: now.monotonicMs };
    const sample = {
      ...unreadSample(toInstant(now.wallMs)),
      self: { rss_bytes: own.memoryUsage.rss(), cpu_percent: cpuPercent },
    };
    const round = judgeRound({
      component: 'collector',
      conditions: processConditions,
      reading: { sample, unreadDisks: [], ruleProcesses: [] },
      settings: { ...defaultSettings, self: limits },
      memory,
      now,
    });
    await report(round.changed);
    memory = round.memory;
  };
  const round = () =>
    look().catch((error: unknown) =>
      log.warn({ err: error }, 'could not write down what the collector says of itself; it is said again'),
    );
  return repeat(round, { clock, everyMs, isFirstLater: true });
}

function cpuUsecOf(own: SelfWatchOptions['own']): number {
  const { user, system } = own.cpuUsage();
  return user + system;
}
