import type { Cause, SchedulerWord, TaskSource, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';

/** A task as stored. */
export interface TaskRow {
  readonly id: string;
  readonly taskId: string;
  readonly nodeId: string;
  readonly name: string;
  readonly job: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly source: TaskSource;
  readonly unit: string | null;
  readonly containerId: string | null;
  readonly command: string | null;
  readonly status: TaskStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly endedAtApproximate: boolean;
  readonly durationMs: number | null;
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly errorMessage: string | null;
  readonly verdict: Verdict | null;
  readonly cause: Cause | null;
  readonly scheduler: SchedulerWord | null;
  readonly logTail: string[] | null;
  readonly errorExcerpt: string[] | null;
  readonly amendments: number;
  readonly receivedAt: Date;
}
