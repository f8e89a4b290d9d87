import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { FinishedLog } from '../logs/finish.ts';
import { factsOf, type Surroundings, useOf } from './facts-of-run.ts';
import type { Run } from './run.ts';
import type { RunFacts } from './verdict/run-facts.ts';
import { type Judgment, judgeEnd } from './verdict/verdict.ts';

export interface EndingContext extends Omit<Surroundings, 'shuttingDown'> {
  readonly isShuttingDown: boolean;
  /** It ran before the node was started anew, and nothing knows how it ended. */
  readonly wasLost: boolean;
  /** What in its log says why it failed. */
  readonly found: Pick<FinishedLog, 'excerpt' | 'headline'>;
}

export type TaskEnded = EventBody & { kind: 'task_ended' };

/** The event that tells a run's end: what was heard of it, judged, with what it used and its last lines. */
export function endingOf(run: Run, { isShuttingDown, wasLost, found, ...around }: EndingContext): TaskEnded {
  const shuttingDown = isShuttingDown || (run.unitEnded ?? run.journalEnded)?.systemStopping === true;
  const facts = factsOf(run, { ...around, shuttingDown });
  const judgment = wasLost ? lostAtReboot(facts) : judgeEnd(facts);
  const { durationMs, cpuMs } = useOf(run, facts);
  return {
    kind: 'task_ended',
    task: { ...run.identity, started_at: run.startedAt === null ? run.identity.started_at : toInstant(run.startedAt) },
    ending: {
      status: judgment.status,
      exit_code: judgment.exitCode,
      signal: judgment.signal,
      ended_at: toInstant(facts.endedAt),
      ended_at_approximate: facts.approximate,
      duration_ms: durationMs,
      cpu_ms: cpuMs,
      memory_peak_bytes: facts.memory.peakBytes,
      memory_limit_bytes: facts.memory.limitBytes,
      // An exit code says less than what the program said of it.
      error_message: (judgment.verdict.cause === 'exit_code' ? found.headline : null) ?? judgment.errorMessage,
      verdict: judgment.verdict,
    },
    log_tail: around.logTail === null ? null : [...around.logTail],
    ...(judgment.status !== 'completed' && found.excerpt !== null && { error_excerpt: [...found.excerpt] }),
  };
}

function lostAtReboot(facts: RunFacts): Judgment {
  const summary = 'Lost: the node was started anew while it ran.';
  return {
    status: 'lost',
    exitCode: null,
    signal: null,
    errorMessage: summary,
    verdict: {
      cause: 'node_lost',
      confidence: 'likely',
      summary,
      evidence: [
        {
          source: 'kernel',
          at: toInstant(facts.endedAt),
          fact: 'the boot id changed between two starts of the agent',
        },
      ],
      advice: [],
    },
  };
}
