import type { Cause, Confidence, TaskStatus } from '@runnerwatch/shared/model/task.ts';

/** An answer to one of the questions of verdict.ts. */
export interface Finding {
  readonly status: TaskStatus;
  readonly cause: Cause;
  readonly confidence: Confidence;
  /** One sentence for people. */
  readonly summary: string;
}
