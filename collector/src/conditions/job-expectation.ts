import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Judgment } from './condition.ts';

/* What a person expects of a job, against what its runs do. Instants are epoch milliseconds, by the collector's clock. */

export interface StartFacts {
  /** `project/name`. */
  readonly subject: string;
  /** When a run that has not begun yet was, or will be, due; null: none is. */
  readonly dueAt: number | null;
  readonly graceMs: number;
  readonly lastStartAt: number | null;
  /** The last word of any node that the job has run on; null: it is not known where it runs. */
  readonly heardAt: number | null;
  /** Since when this collector could have heard of a start. */
  readonly listeningSince: number;
  readonly isFiring: boolean;
}

/** Since when something is expected of a job, and its last run. */
export interface LastStart {
  readonly setAt: number;
  readonly lastStartAt: number | null;
}

/** A run is due so long after the last one, or after that was said. */
export function dueByInterval(everyMs: number, { setAt, lastStartAt }: LastStart): number {
  return Math.max(lastStartAt ?? 0, setAt) + everyMs;
}

/** A node's clock may be ahead of ours, and a run of the time before is none of this one. */
const earlyMs = 60_000;

/**
 * The last time of a schedule at which no run began; null when one did, or when it came before anything was expected.
 * `times`: the last two of the schedule that are over with their grace, newest first.
 */
export function dueBySchedule(times: readonly number[], { setAt, lastStartAt }: LastStart): number | null {
  const [dueAt, before] = times;
  if (dueAt === undefined || dueAt < setAt) return null;
  const early = Math.min(earlyMs, (dueAt - (before ?? 0)) / 2);
  return lastStartAt !== null && lastStartAt >= dueAt - early ? null : dueAt;
}

/** Time for agents to tell what they kept while the collector was away. */
const settleMs = 60_000;

/**
 * JobMissed: no run has started when it should have. Unknown while nobody could have told of one: the nodes where the job runs
 * are silent, or the collector has only just come back.
 */
export function judgeJobMissed(facts: StartFacts, now: number): Judgment {
  const { subject, dueAt, graceMs, lastStartAt, heardAt, listeningSince } = facts;
  const lateAt = (dueAt ?? now) + graceMs;
  const last = lastStartAt === null ? 'it has never run' : `its last run began at ${instantText(lastStartAt)}`;
  const missed = `no run since ${instantText(dueAt ?? now)}, when one was due; ${last}`;
  const judgment = {
    condition: 'JobMissed',
    component: 'collector',
    subject,
    severity: 'critical',
    value: null,
    threshold: null,
    since: lateAt,
  } as const;
  if (dueAt === null || now < lateAt) return { ...judgment, status: 'false', reason: 'it has begun', since: now };
  if (facts.isFiring) return { ...judgment, status: 'true', reason: missed };
  if (heardAt !== null && heardAt < lateAt)
    return { ...judgment, status: 'unknown', reason: 'the nodes that it runs on are silent' };
  if (now < listeningSince + Math.max(graceMs, settleMs))
    return { ...judgment, status: 'unknown', reason: 'the collector has only just started' };
  return { ...judgment, status: 'true', reason: missed };
}

/** JobOverlap: more runs at once than there may be. */
export function judgeJobOverlap(
  { subject, running, max }: { subject: string; running: number; max: number },
  now: number,
): Judgment {
  return {
    condition: 'JobOverlap',
    component: 'collector',
    subject,
    status: running > max ? 'true' : 'false',
    severity: 'warning',
    reason: `${running} of its runs at once, expected at most ${max}`,
    value: running,
    threshold: max,
    since: now,
  };
}

/** TaskOverrun by expectation; null while it may run on. */
export function judgeTooLong(
  { id, name, ranMs, maxMs }: { id: string; name: string; ranMs: number; maxMs: number },
  now: number,
): Judgment | null {
  if (ranMs <= maxMs) return null;
  return {
    condition: 'TaskOverrun',
    component: 'collector',
    subject: id,
    status: 'true',
    severity: 'warning',
    reason: `task ${name}: runs for ${spanText(ranMs)}, expected at most ${spanText(maxMs)}`,
    value: ranMs,
    threshold: maxMs,
    since: now,
  };
}

/** TaskTooShort by expectation, of a run that ended well. */
export function judgeShorterThan(
  { id, name, durationMs, minMs }: { id: string; name: string; durationMs: number; minMs: number },
  now: number,
): Judgment {
  return {
    condition: 'TaskTooShort',
    component: 'collector',
    subject: id,
    status: 'true',
    severity: 'warning',
    reason: `task ${name}: ended well after ${spanText(durationMs)}, expected at least ${spanText(minMs)}`,
    value: durationMs,
    threshold: minMs,
    since: now,
  };
}

/** Nothing is expected of it any more. */
export function judgeUnexpected(
  { condition, subject }: Pick<Judgment, 'condition' | 'subject'>,
  now: number,
): Judgment {
  return {
    condition,
    component: 'collector',
    subject,
    status: 'false',
    severity: 'warning',
    reason: 'it is expected no more',
    value: null,
    threshold: null,
    since: now,
  };
}

function instantText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
