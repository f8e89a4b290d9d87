import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { DeliveryOutcome } from '../notifiers/notifier.ts';

const baseMs = 1000;
const capMs = 5 * 60_000;

export interface Attempted {
  /** Attempts before this one. */
  readonly attempts: number;
  readonly isTest: boolean;
}

/** What becomes of a notification after an attempt. */
export type Settlement =
  | { readonly state: 'delivered' }
  | { readonly state: 'pending'; readonly nextAttemptAt: number; readonly error: string }
  | { readonly state: 'dead'; readonly error: string };

/**
 * Delivered, again at a time, or given up. The wait doubles from 1 s to 5 min, the second half of it drawn by chance;
 * a receiver's own word on when to come back goes first. A test is tried once: someone waits for its answer. What grows too old is
 * told in a digest (collapse-store.ts).
 */
export function settle(
  outcome: DeliveryOutcome,
  attempted: Attempted,
  { now, random = Math.random }: { now: number; random?: () => number },
): Settlement {
  if (outcome.outcome === 'delivered') return { state: 'delivered' };
  if (outcome.outcome === 'refused' || attempted.isTest) return { state: 'dead', error: outcome.error };
  return {
    state: 'pending',
    nextAttemptAt: now + (outcome.afterMs ?? waitMs(attempted.attempts, random)),
    error: outcome.error,
  };
}

function waitMs(attempts: number, random: () => number): number {
  const fullMs = Math.min(capMs, baseMs * 2 ** Math.min(attempts, 30));
  return fullMs / 2 + backoffMs(0, { baseMs: fullMs / 2, capMs, random });
}
