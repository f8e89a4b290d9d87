import type { EscalationStep, Steps } from './subscription.ts';

/** How far something has gone up. */
export interface Waiting {
  /** Since when somebody might have acknowledged it, in epoch milliseconds. */
  readonly since: number;
  /** Steps taken since then. */
  readonly taken: number;
}

export interface Escalation {
  /** Waiting from now on, the steps that are due taken. */
  readonly waiting: Waiting;
  readonly due: readonly EscalationStep[];
  /** When the next step is due; null: there is none. */
  readonly nextAt: number | null;
}

/**
 * Which steps are due for what nobody has acknowledged. All times count from `since`, which is the end of the last
 * acknowledgement or silence (`resumedAt`) if there was one in between: then the first step is to be taken again.
 */
export function escalate({
  waiting,
  steps,
  resumedAt,
  now,
}: {
  waiting: Waiting;
  steps: Steps;
  resumedAt: number | null;
  now: number;
}): Escalation {
  const { since, taken } = resumedAt !== null && resumedAt > waiting.since ? { since: resumedAt, taken: 0 } : waiting;
  const left = steps.slice(taken);
  const due = left.filter(({ afterMs }) => now - since >= afterMs);
  const next = left[due.length];
  return {
    waiting: { since, taken: taken + due.length },
    due,
    nextAt: next === undefined ? null : since + next.afterMs,
  };
}
