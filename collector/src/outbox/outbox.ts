import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Queries } from '../db/database.ts';
import { notifications } from '../db/tables/schema.ts';
import { newId } from './new-id.ts';

/** One receiver that is to hear one transition. `body` is the public body without its id. */
export interface NotificationPromise {
  readonly transitionId: string;
  readonly subscription: string;
  readonly receiver: string;
  readonly body: Omit<Notification, 'version' | 'id'>;
  readonly isTest?: boolean;
}

/** One statement's worth of rows, far below the 65,535 parameters of the protocol. */
const rowsPerInsert = 200;

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
  const rows = promises.map(({ transitionId, subscription, receiver, body, isTest = false }) => {
    const id = newId(now.getTime());
    const whole: Notification = { version: 1, id, ...body };
    return {
      id,
      transitionId,
      subscription,
      receiver,
      type: body.type,
      body: whole,
      state: 'pending' as const,
      createdAt: now,
      nextAttemptAt: now,
      isTest,
    };
  });
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    await tx.insert(notifications).values(rows.slice(from, from + rowsPerInsert));
  }
  return rows.map(({ id }) => id);
}
