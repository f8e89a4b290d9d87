import { type NodeReading, unreadSample } from '@runnerwatch/shared/conditions/reading.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Contribution, Sampler, TickTime } from './sampler.ts';

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly samplers: readonly Sampler[];
  /** Called once a tick, never while an earlier call runs; throwing does not stop the ticks. */
  readonly onSample: (reading: NodeReading, now: TickTime) => void;
  readonly log: Logger;
}

export interface Scheduler {
  /** The first reading is taken at once. */
  start(): void;
  /** No reading follows once it has resolved. Idempotent. */
  stop(): Promise<void>;
}

/**
 * One reading every interval, on the beat: a late tick does not delay the ones after it, and ticks slept through
 * (suspend, a stopped process) are skipped, not made up for. The beat is that of the monotonic clock, the same for all of
 * one interval, so that one waking serves them; the second reading comes half an interval to one and a half after the first.
 * Each sampler is asked once a tick; one that still waits for its last answer is left out, so that its values are unread
 * and all others go out in time.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, intervalMs, samplers, onSample, log } = options;
  const lanes = samplers.map((sampler) => createLane(sampler, log));
  const stopping = new AbortController();
  let loop: Promise<void> | null = null;

  async function run(): Promise<void> {
    let dueMs = Math.round(clock.monotonicMs() / intervalMs) * intervalMs;
    while (!stopping.signal.aborted) {
      tick();
      dueMs += intervalMs;
      const lateMs = clock.monotonicMs() - dueMs;
      if (lateMs > 0) dueMs += Math.ceil(lateMs / intervalMs) * intervalMs;
      await clock.sleep(dueMs - clock.monotonicMs(), stopping.signal);
    }
  }

  function tick(): void {
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const reading = assemble(
      now,
      lanes.map((lane) => lane.read(now)),
    );
    try {
      onSample(reading, now);
    } catch (error) {
      log.error({ err: error }, 'a reading could not be handed on; the next one follows');
    }
  }

  return {
    start() {
      loop ??= run();
    },
    async stop() {
      stopping.abort();
      await loop;
      for (const sampler of samplers) sampler.close?.();
    },
  };
}

interface Lane {
  read(now: TickTime): Contribution;
}

/** One sampler, so fenced that its failure or slowness is its own: told when it begins, when it changes and when it ends. */
function createLane(sampler: Sampler, log: Logger): Lane {
  const trouble = createTrouble(sampler.name, log);
  let isOpen = false;
  let late: Contribution = {};

  /** An answer that comes after its tick belongs to the next one. */
  function follow(answer: Promise<Contribution>): void {
    isOpen = true;
    answer
      .then((contribution) => {
        late = contribution;
        trouble.ended();
      })
      .catch((error: unknown) => trouble.met(error))
      .finally(() => {
        isOpen = false;
      });
  }

  return {
    read(now) {
      const taken = late;
      late = {};
      if (isOpen) return taken;
      try {
        const answer = sampler.sample(now);
        if (answer instanceof Promise) {
          follow(answer);
          return taken;
        }
        trouble.ended();
        return answer;
      } catch (error) {
        trouble.met(error);
        return {};
      }
    },
  };
}

function createTrouble(name: string, log: Logger): { met(error: unknown): void; ended(): void } {
  let said: string | null = null;
  return {
    met(error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== said) log.warn({ sampler: name, err: error }, 'a sampler failed; its values are unread');
      said = message;
    },
    ended() {
      if (said !== null) log.info({ sampler: name }, 'a sampler reads again');
      said = null;
    },
  };
}

function assemble(now: TickTime, contributions: readonly Contribution[]): NodeReading {
  const sample = unreadSample(toInstant(now.wallMs));
  let unreadDisks: NodeReading['unreadDisks'] = [];
  let ruleProcesses: NodeReading['ruleProcesses'] = null;
  for (const contribution of contributions) {
    Object.assign(sample, contribution.sample);
    unreadDisks = contribution.unreadDisks ?? unreadDisks;
    ruleProcesses = contribution.ruleProcesses ?? ruleProcesses;
  }
  return { sample, unreadDisks, ruleProcesses };
}
