import type { Cause, Confidence, TaskEnding, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { SchedulerTask } from './scheduler.ts';

/** Which scheduler says it. */
export interface Speaker {
  readonly name: string;
  readonly type: 'hakuriver' | 'kohakuriver';
}

/**
 * A scheduler's final word as an end: likely at best, because a scheduler sees exit codes from afar, guesses, and can be told
 * anything by anyone on its network. Its instants are of no known zone, so the end is when we heard of it, as a bound.
 */
export function endingOf(task: SchedulerTask, speaker: Speaker, now: Date): TaskEnding {
  const { status, cause, summary, confidence = 'likely', advice = [] } = judge(task, speaker.name);
  const at = now.toISOString();
  return {
    status,
    exit_code: task.exitCode,
    signal: null,
    ended_at: at,
    ended_at_approximate: true,
    duration_ms: null,
    cpu_ms: null,
    memory_peak_bytes: null,
    memory_limit_bytes: null,
    error_message: task.message,
    verdict: {
      cause,
      confidence,
      summary,
      evidence: [{ source: speaker.type, at, fact: factOf(task, speaker.name) }],
      advice: [...advice],
    },
  };
}

interface Judgment {
  readonly status: TaskStatus;
  readonly cause: Cause;
  readonly summary: string;
  readonly confidence?: Confidence;
  readonly advice?: readonly string[];
}

function judge(task: SchedulerTask, name: string): Judgment {
  const { exitCode, hasStarted, message } = task;
  const because = message === null ? '' : `: ${message}`;
  switch (task.status) {
    case 'completed':
      return { status: 'completed', cause: 'success', summary: `${name} says it completed` };
    case 'killed_oom':
      return judgeOom(exitCode, name);
    case 'killed':
      return message?.startsWith('Killed by runner') === true
        ? { status: 'killed', cause: 'stopped_by_system', summary: `${name} says its runner killed it${because}` }
        : { status: 'killed', cause: 'stopped_by_user', summary: `${name} says it was killed by request` };
    case 'lost':
      return { status: 'lost', cause: 'node_lost', summary: `${name} has lost it${because}` };
    case 'failed':
      if (exitCode !== null && exitCode !== 0)
        return { status: 'failed', cause: 'exit_code', summary: `${name} says it failed with exit code ${exitCode}` };
      return hasStarted
        ? { ...unseen, status: 'failed', summary: `${name} says it failed${because}` }
        : { status: 'failed', cause: 'start_failed', summary: `${name} could not start it${because}` };
    default:
      return { ...unseen, summary: `${name} says ${task.status}${because}; how it ended is not known` };
  }
}

const unseen = { status: 'unknown', cause: 'unknown', confidence: 'unknown' } as const;

/** KohakuRiver calls every exit code 137 that: but 137 is SIGKILL, whoever sent it. */
function judgeOom(exitCode: number | null, name: string): Judgment {
  if (exitCode !== 137)
    return { status: 'killed_oom', cause: 'oom_limit', summary: `${name} says it was killed for want of memory` };
  return {
    status: 'killed',
    cause: 'signal',
    summary: `${name} says killed_oom, which is its guess from exit code 137 (SIGKILL); nobody saw whether memory ran out`,
    advice: ['install an agent on its node: it sees whether the OOM killer did it, and at which limit'],
  };
}

function factOf({ status, exitCode, message }: SchedulerTask, name: string): string {
  const code = exitCode === null ? '' : `, exit code ${exitCode}`;
  return `${name} says ${status}${code}${message === null ? '' : `: ${message}`}`;
}
