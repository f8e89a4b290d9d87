import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskSource, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import type { TaskRow } from './row.ts';
import { type SchedulerRecord, schedulerRecord } from './scheduler-word.ts';

/** A task as everyone outside sees it: API, webhook, screen. */
export interface TaskRecord {
  readonly id: string;
  readonly task_id: string;
  readonly name: string;
  readonly job: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  /** The node's name. */
  readonly node: string;
  readonly node_id: string;
  readonly source: TaskSource;
  readonly unit: string | null;
  readonly container_id: string | null;
  readonly command: string | null;
  readonly status: TaskStatus;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly ended_at_approximate: boolean;
  readonly duration_ms: number | null;
  readonly cpu_ms: number | null;
  readonly memory_peak_bytes: number | null;
  readonly memory_limit_bytes: number | null;
  readonly error_message: string | null;
  readonly verdict: Verdict | null;
  /** What its scheduler says, where one is read. */
  readonly scheduler: SchedulerRecord | null;
  /** How often a better-proven end replaced the one before. */
  readonly amendments: number;
}

export function taskRecord(row: Omit<TaskRow, 'logTail' | 'errorExcerpt'>, nodeName: string): TaskRecord {
  return {
    id: row.id,
    task_id: row.taskId,
    name: row.name,
    job: row.job,
    project: row.project,
    owner: row.owner,
    node: nodeName,
    node_id: row.nodeId,
    source: row.source,
    unit: row.unit,
    container_id: row.containerId,
    command: row.command,
    status: row.status,
    exit_code: row.exitCode,
    signal: row.signal,
    started_at: instantOrNull(row.startedAt),
    ended_at: instantOrNull(row.endedAt),
    ended_at_approximate: row.endedAtApproximate,
    duration_ms: row.durationMs,
    cpu_ms: row.cpuMs,
    memory_peak_bytes: row.memoryPeakBytes,
    memory_limit_bytes: row.memoryLimitBytes,
    error_message: row.errorMessage,
    verdict: row.verdict,
    scheduler: row.scheduler === null ? null : schedulerRecord(row.scheduler, row),
    amendments: row.amendments,
  };
}

function instantOrNull(date: Date | null): string | null {
  return date === null ? null : toInstant(date.getTime());
}
