import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Judgment } from './condition.ts';

/* What a person expects of a job, against what its runs do. Instants are epoch milliseconds, by the collector's clock. */

export interface StartFacts {
  /** `project/name`. */
  readonly subject: string;
  readonly everyMs: number;
  readonly graceMs: number;
  /** When it was said what is expected. */
  readonly setAt: number;
  readonly lastStartAt: number | null;
  /** The last word of any node that the job has run on; null: it is not known where it runs. */
  readonly heardAt: number | null;
  /** Since when this collector could have heard of a start. */
  readonly listeningSince: number;
  readonly isFiring: boolean;
}

/** Time for agents to tell what they kept while the collector was away. */
const settleMs = 60_000;

/**
 * JobMissed: no run has started when it should have. Unknown while nobody could have told of one: the nodes where the job runs
 * are silent, or the collector has only just come back.
 */
export function judgeJobMissed(facts: StartFacts, now: number): Judgment {
  const { subject, everyMs, graceMs, lastStartAt, heardAt, listeningSince } = facts;
  const dueAt = Math.max(lastStartAt ?? 0, facts.setAt) + everyMs;
  const lateAt = dueAt + graceMs;
  const last = lastStartAt === null ? 'it has never run' : `its last run began at ${instantText(lastStartAt)}`;
  const missed = `no run since ${instantText(dueAt)}, when one was due; ${last}`;
  const judgment = {
    condition: 'JobMissed',
    component: 'collector',
    subject,
    severity: 'critical',
    value: null,
    threshold: null,
    since: lateAt,
  } as const;
  if (now < lateAt) return { ...judgment, status: 'false', reason: 'it has begun', since: now };
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
