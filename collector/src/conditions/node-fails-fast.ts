import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Cause, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Judgment } from './condition.ts';
import { isFailedEnd } from './restart-loop.ts';

/** An end of a run that belongs to a job. Instants are epoch milliseconds, by the node's clock. */
export interface JobEnd {
  readonly project: string | null;
  readonly job: string;
  readonly status: TaskStatus;
  readonly cause: Cause | null;
  readonly durationMs: number | null;
  readonly endedAt: number;
}

export interface FastFailSettings {
  /** So many different jobs; 0: off. */
  readonly count: number;
  readonly withinMs: number;
}

/** A job that does not last so long has not done its work. */
export const fastMs = 60_000;
const jobsNamed = 10;

/** Whether a run failed before it can have done anything: also one that could not be started. */
export function isFastFailure(end: Pick<JobEnd, 'status' | 'cause' | 'durationMs'>): boolean {
  if (!isFailedEnd(end)) return false;
  return end.durationMs === null ? end.cause === 'start_failed' : end.durationMs < fastMs;
}

/**
 * NodeFailsFast: one job after the other fails here at once, as on a node that is sick and eats the queue. Null while the last
 * ends do not say so; it is over with the next run that ends well.
 */
export function judgeFastFailures(
  /** Newest first. */
  ends: readonly JobEnd[],
  { count, withinMs }: FastFailSettings,
): Judgment | null {
  const last = ends[0];
  if (last === undefined || count === 0) return null;
  const firstOther = ends.findIndex((end) => !isFastFailure(end) || last.endedAt - end.endedAt >= withinMs);
  const streak = firstOther < 0 ? ends : ends.slice(0, firstOther);
  const jobs = [...new Set(streak.map(nameOf))];
  const first = streak.at(-1);
  if (first === undefined || jobs.length < count) return null;
  const rest = jobs.length - jobsNamed;
  const named = `${jobs.slice(0, jobsNamed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const often = streak.length === jobs.length ? '' : `, ${streak.length} runs`;
  return {
    condition: 'NodeFailsFast',
    component: 'agent',
    subject: '',
    status: 'true',
    severity: 'critical',
    reason: `${jobs.length} different jobs failed in a row within ${spanText(withinMs)}${often}, each in less than ${spanText(fastMs)}: ${named}`,
    value: jobs.length,
    threshold: count - 1,
    since: first.endedAt,
  };
}

/** A job has ended well there since. */
export function judgeFastFailuresOver({ count }: FastFailSettings, now: number): Judgment {
  return {
    condition: 'NodeFailsFast',
    component: 'agent',
    subject: '',
    status: 'false',
    severity: 'critical',
    reason: 'a job ended well there',
    value: 0,
    threshold: count - 1,
    since: now,
  };
}

function nameOf({ project, job }: JobEnd): string {
  return project === null ? job : `${project}/${job}`;
}
