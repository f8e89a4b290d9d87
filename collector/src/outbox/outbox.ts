import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Queries } from '../db/database.ts';
import { inParts } from '../db/in-parts.ts';
import { notifications } from '../db/tables/schema.ts';
import { newId } from './new-id.ts';

/** One receiver that is to hear one transition. `body` is the public body without its id. */
export interface NotificationPromise {
  readonly transitionId: string;
  readonly subscription: string;
  readonly receiver: string;
  /** What it speaks of; those about one subject go to a receiver in their order. */
  readonly subject?: string | null;
  readonly body: Omit<Notification, 'version' | 'id'>;
  readonly isTest?: boolean;
}

/**
 * Whoever keeps the promises of one transaction. `claim` is for the inside of it, behind the insert of promises to this
 * receiver: what can be sent at once is claimed by the same commit that promises it. After that, one of the other two.
 */
export interface Keeper {
  claim(tx: Queries, receiver: string): Promise<void>;
  committed(): void;
  rolledBack(): void;
}

/**
 * Promises notifications inside the transaction that gives cause to them: either both are there afterwards or neither.
 * The id made here is the notification's for ever, and its `webhook-id` in every attempt.
 *
 * @returns the ids, in the order of the promises
 */
export async function promiseNotifications(
  tx: Queries,
  promises: readonly NotificationPromise[],
  now: Date,
): Promise<string[]> {
  const rows = promises.map(({ transitionId, subscription, receiver, subject = null, body, isTest = false }) => {
    const id = newId(now.getTime());
    const whole: Notification = { version: 1, id, ...body };
    return {
      id,
      transitionId,
      subscription,
      receiver,
      subject,
      type: body.type,
      body: whole,
      state: 'pending' as const,
      createdAt: now,
      nextAttemptAt: now,
      isTest,
    };
  });
  await inParts(rows, 200, (part) => tx.insert(notifications).values(part));
  return rows.map(({ id }) => id);
}
