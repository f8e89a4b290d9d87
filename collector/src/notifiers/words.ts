import type { ConditionType } from '@runnerwatch/shared/model/condition.ts';
import type { TaskFacts } from '@runnerwatch/shared/model/notification.ts';
import type { Cause, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { bytesText, oneLine } from './text.ts';

/* Public words (statuses, causes, conditions) in plain English. */

/** `MemoryPressure` is `Memory pressure`. */
export function conditionText(type: ConditionType): string {
  const words = type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').split(' ');
  return words.map((word, index) => acronyms[word] ?? (index === 0 ? word : word.toLowerCase())).join(' ');
}

const acronyms: Readonly<Record<string, string>> = { CPU: 'CPU', Gpu: 'GPU', Oom: 'out-of-memory' };

export function endingText(status: TaskStatus): string {
  return endings[status];
}

const endings: Readonly<Record<TaskStatus, string>> = {
  running: 'is running',
  completed: 'ended well',
  failed: 'failed',
  killed: 'was killed',
  killed_oom: 'was killed',
  timed_out: 'ran out of time',
  lost: 'is lost',
  unknown: 'ended',
};

/** Why, in a few words; null where the status says it all. */
export function causeText({
  status,
  verdict,
  exit_code: exitCode,
  signal,
  memory_limit_bytes: limit,
}: Pick<TaskFacts, 'status' | 'verdict' | 'exit_code' | 'signal' | 'memory_limit_bytes'>): string | null {
  if (status === 'running' || status === 'lost' || (status === 'completed' && verdict?.cause !== 'oom_child'))
    return null;
  const cause = verdict?.cause ?? 'unknown';
  switch (cause) {
    case 'exit_code':
      return exitCode === null ? null : `exit code ${exitCode}`;
    case 'signal':
      return signal === null ? null : oneLine(signal);
    case 'oom_limit':
      return `out of memory${limit === null ? '' : ` (limit ${bytesText(limit)})`}`;
    case 'timeout':
      return null;
    default:
      return causes[cause];
  }
}

const causes: Readonly<Record<Exclude<Cause, 'exit_code' | 'signal' | 'oom_limit' | 'timeout'>, string | null>> = {
  success: null,
  oom_host: 'its node ran out of memory',
  oom_child: 'a process of it ran out of memory',
  stopped_by_user: 'somebody stopped it',
  stopped_by_system: 'the system stopped it',
  start_failed: 'it could not be started',
  node_lost: null,
  gpu_fault: 'GPU fault',
  disk_full: 'disk full',
  unknown: 'nobody saw why',
};
