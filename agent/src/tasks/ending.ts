import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { factsOf, type Run, useOf } from './run.ts';
import type { RunFacts } from './run-facts.ts';
import { type Judgment, judgeEnd } from './verdict.ts';

export interface EndingContext {
  readonly now: number;
  readonly isShuttingDown: boolean;
  /** It ran before the node was started anew, and nothing knows how it ended. */
  readonly wasLost: boolean;
  readonly logTail: readonly string[] | null;
}

/** The event that tells a run's end: what was heard of it, judged, with what it used and its last lines. */
export function endingOf(run: Run, { now, isShuttingDown, wasLost, logTail }: EndingContext): EventBody {
  const isSystemStopping = isShuttingDown || (run.unitEnded ?? run.journalEnded)?.systemStopping === true;
  const facts = factsOf(run, { shuttingDown: isSystemStopping, now });
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
      error_message: judgment.errorMessage,
      verdict: judgment.verdict,
    },
    log_tail: logTail === null ? null : [...logTail],
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
