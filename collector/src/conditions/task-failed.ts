import type { Severity } from '@runnerwatch/shared/model/condition.ts';
import { type Cause, failureStatuses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Judgment } from './condition.ts';

/** How a task ended, as far as TaskFailed asks. */
export interface EndedTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly cause: Cause | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The verdict's sentence. */
  readonly summary: string | null;
  readonly endedAt: number;
}

/** TaskFailed: the task ended, and not well. Its subject is the task. */
export function judgeTaskFailed(task: EndedTask): Judgment {
  const failed = failureStatuses.includes(task.status);
  return {
    condition: 'TaskFailed',
    component: 'agent',
    subject: task.id,
    status: failed ? 'true' : 'false',
    severity: severityOf(task),
    reason: task.summary ?? describeEnd(task),
    value: task.exitCode,
    threshold: null,
    since: task.endedAt,
  };
}

/** What a person must look at is critical; what a person did is information; in between is a warning. */
function severityOf({ status, cause }: EndedTask): Severity {
  if (cause === 'stopped_by_user') return 'info';
  if (status === 'failed' || status === 'killed_oom' || status === 'timed_out' || status === 'lost') return 'critical';
  return failureStatuses.includes(status) ? 'warning' : 'info';
}

const phrases: Readonly<Record<TaskStatus, string>> = {
  running: 'is running',
  completed: 'completed',
  failed: 'failed',
  killed: 'was killed',
  killed_oom: 'was killed for want of memory',
  timed_out: 'ran out of time',
  lost: 'was lost with its node',
  unknown: 'ended, nobody could see how',
};

/** `train-7 failed (exit code 3)`: an incident's title. */
export function describeEnd(task: Pick<EndedTask, 'name' | 'status' | 'exitCode' | 'signal'>): string {
  const detail = task.signal ?? (task.exitCode === null || task.exitCode === 0 ? null : `exit code ${task.exitCode}`);
  return `${task.name} ${phrases[task.status]}${detail === null ? '' : ` (${detail})`}`;
}
