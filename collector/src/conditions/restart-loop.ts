import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import { type Cause, failureStatuses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Judgment } from './condition.ts';

/** One failed end of a service or a container. Instants are epoch milliseconds. */
export interface FailedEnd {
  readonly taskId: string;
  /** By the node's clock. */
  readonly at: number;
  /** When it was judged, by ours. */
  readonly seenAt: number;
  /** `api.service failed (exit code 3)`. */
  readonly text: string;
}

export interface LoopSettings {
  /** So many failed ends, */
  readonly count: number;
  /** within this time, are a loop; without one for as long it is over. */
  readonly withinMs: number;
}

/** What can be started again under its own name: a service, or a container. Null: each run is a thing of its own. */
export function restartableOf({
  nodeId,
  unit,
  containerId,
}: {
  nodeId: string;
  unit: string | null;
  containerId: string | null;
}): string | null {
  if (unit?.endsWith('.service')) return `unit/${nodeId}/${unit}`;
  return containerId === null ? null : `container/${nodeId}/${containerId}`;
}

/** Whether this end is a failure that a restart would repeat: what somebody stopped is not. */
export function isFailedEnd({ status, cause }: { status: TaskStatus; cause: Cause | null }): boolean {
  const isStopped = cause === 'stopped_by_user' || cause === 'stopped_by_system' || cause === 'node_lost';
  return failureStatuses.includes(status) && !isStopped;
}

/** RestartLoop: the same service or container failed again and again. Null while nothing about it has changed. */
export function judgeRestartLoop(
  {
    subject,
    ends,
    isFiring,
    isRunning,
  }: {
    subject: string;
    /** Oldest first. */
    ends: readonly FailedEnd[];
    isFiring: boolean;
    /** Whether it runs now; null when not looked at. */
    isRunning: boolean | null;
  },
  { settings: { count, withinMs }, now }: { settings: LoopSettings; now: number },
): Judgment | null {
  const last = ends.at(-1);
  const recent = last === undefined ? [] : ends.filter(({ at }) => last.at - at < withinMs);
  const judgment = {
    condition: 'RestartLoop',
    component: 'agent',
    subject,
    severity: 'critical',
    value: recent.length,
    threshold: count - 1,
  } as const;
  const isQuiet = last === undefined || now - last.seenAt >= withinMs;
  if (isFiring && isQuiet) {
    const state = isRunning === null ? '' : isRunning ? '; it runs' : '; it does not run';
    const lastText = last === undefined ? '' : `; last: ${last.text}`;
    return {
      ...judgment,
      status: 'false',
      reason: `no failure for ${spanText(withinMs)}${state}${lastText}`,
      since: now,
    };
  }
  if (last === undefined || isQuiet || (!isFiring && recent.length < count)) return null;
  const reason = `flapping: failed ${recent.length} times within ${spanText(withinMs)}; last: ${last.text}`;
  return { ...judgment, status: 'true', reason, since: recent[0]?.at ?? last.at };
}
