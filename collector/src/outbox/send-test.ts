import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Database } from '../db/database.ts';
import { transitions } from '../db/tables/schema.ts';
import type { DeliveryOutcome } from '../notifiers/notifier.ts';
import type { Deliverer } from './deliverer.ts';
import { newId } from './new-id.ts';
import { promiseNotifications } from './outbox.ts';
import { testBody } from './preview.ts';

const waitMs = 12_000;

export interface TestResult {
  readonly notificationId: string;
  /** Null: not known within 12 s; the notification waits in the outbox. */
  readonly outcome: DeliveryOutcome | null;
  readonly durationMs: number;
}

/** Sends a test to one receiver by the way every notification goes, and waits for the answer. It is tried once. */
export async function sendTest(
  { db, deliverer, clock }: { db: Database; deliverer: Deliverer; clock: Clock },
  receiver: string,
): Promise<TestResult> {
  const startedAt = clock.monotonicMs();
  const now = new Date(clock.wallMs());
  const transitionId = newId(now.getTime());
  const subscription = 'test';
  const { notificationId, answered } = await db.drizzle.transaction(async (tx) => {
    const decisions = [{ subscription, receiver, notified: true, reason: 'matched' }];
    await tx
      .insert(transitions)
      .values({ id: transitionId, kind: 'test', at: now, reason: 'a person asked for a test', decisions });
    const body = testBody(now.getTime());
    const [id = ''] = await promiseNotifications(
      tx,
      [{ transitionId, subscription, receiver, body, isTest: true }],
      now,
    );
    return { notificationId: id, answered: deliverer.nextOutcome(id, waitMs) };
  });
  deliverer.nudge();
  return { notificationId, outcome: await answered, durationMs: Math.round(clock.monotonicMs() - startedAt) };
}
