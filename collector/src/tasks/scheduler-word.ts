import type { SchedulerWord, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { TaskRow } from './row.ts';

/** A scheduler's word as everyone outside sees it. */
export interface SchedulerRecord extends SchedulerWord {
  /** The node proved that the task ended in another way than its scheduler says. */
  readonly corrected: boolean;
  /** In one sentence, how; null when they agree. */
  readonly note: string | null;
}

export function schedulerRecord(word: SchedulerWord, task: Ended): SchedulerRecord {
  const note = correctionOf(word, task);
  return { ...word, corrected: note !== null, note };
}

type Ended = Pick<TaskRow, 'source' | 'status' | 'exitCode' | 'signal' | 'verdict'>;

/** What the final words of HakuRiver and KohakuRiver come to in ours. */
const meanings: Readonly<Record<string, readonly TaskStatus[]>> = {
  completed: ['completed'],
  failed: ['failed'],
  killed: ['killed'],
  killed_oom: ['killed_oom'],
  lost: ['lost'],
  stopped: ['killed'],
};

/** Null while one of the two has not said how it ended, or nobody saw it on the node. */
function correctionOf(word: SchedulerWord, { source, status, exitCode, signal, verdict }: Ended): string | null {
  const meant = meanings[word.status];
  const isOfNode = source !== 'hakuriver' && source !== 'kohakuriver' && status !== 'lost' && status !== 'running';
  if (meant === undefined || !isOfNode || verdict === null || verdict.confidence === 'unknown') return null;
  if (meant.includes(status)) return null;
  const said = `${word.status}${word.exit_code === null ? '' : ` (exit code ${word.exit_code})`}`;
  const detail = signal ?? (exitCode === null ? null : `exit code ${exitCode}`);
  const found = verdict.confidence === 'proven' ? 'the node proved' : 'what the node saw says';
  return `${word.name} said ${said}; ${found} ${status}${detail === null ? '' : ` (${detail})`}`;
}
