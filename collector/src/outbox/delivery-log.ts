import type { Logger } from 'pino';
import type { DeliveryOutcome } from '../notifiers/notifier.ts';
import type { Queue } from './queue.ts';
import type { Settlement } from './schedule.ts';
import type { Claimed } from './store.ts';

export interface Attempted {
  readonly claimed: Claimed;
  readonly outcome: DeliveryOutcome;
  readonly settlement: Settlement;
}

/** Logs what an attempt changes: a receiver's trouble when it begins, changes and ends; each one that is given up. */
export function logAttempt(log: Logger, queue: Queue, { claimed, outcome, settlement }: Attempted): void {
  const facts = {
    receiver: queue.receiver,
    notification_id: claimed.id,
    type: claimed.body.type,
    attempt: claimed.attempts + 1,
  };
  if (outcome.outcome === 'delivered') {
    if (outcome.note !== undefined)
      log.warn({ ...facts, note: outcome.note }, 'a notification was delivered with a remark');
    if (queue.lastError !== null) log.info(facts, 'the receiver takes notifications again');
    if (queue.isTarget) log.info(facts, 'notification delivered');
    return;
  }
  const failure = { ...facts, error: outcome.error, http_status: outcome.httpStatus ?? null };
  if (settlement.state === 'dead')
    log.error(failure, 'a notification was given up; POST /api/v1/deliveries/<id>/retry sends it again');
  else if (queue.lastError !== outcome.error)
    log.warn(failure, 'a notification could not be delivered; it is tried again');
  else if (queue.isTarget) log.info(failure, 'notification not delivered yet');
}
