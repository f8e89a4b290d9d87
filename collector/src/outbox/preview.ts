import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Queries } from '../db/database.ts';
import type { Notifier, Preview } from '../notifiers/notifier.ts';
import { findBody } from './store.ts';

export interface PreviewDeps {
  readonly queries: Queries;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly clock: Clock;
}

/**
 * What one receiver would be told of a notification of the past, its own or another's: that of the id, or else the last one
 * that is no test; of a test when there is none. Null: there is no such receiver or notification.
 */
export async function previewNotification(
  { queries, notifiers, clock }: PreviewDeps,
  { receiver, notificationId }: { readonly receiver: string; readonly notificationId?: string | undefined },
): Promise<(Preview & { readonly notificationId: string }) | null> {
  const notifier = notifiers.get(receiver);
  const stored = await findBody(queries, notificationId);
  if (notifier === undefined || (stored === null && notificationId !== undefined)) return null;
  const told = stored ?? { version: 1, id: 'preview', ...testBody(clock.wallMs()) };
  const preview = (await notifier.preview?.(told)) ?? { subject: null, text: JSON.stringify(told, null, 2) };
  return { ...preview, notificationId: told.id };
}

/** A test as it is promised. */
export function testBody(nowMs: number): Omit<Notification, 'version' | 'id'> {
  return { type: 'test', at: toInstant(nowMs), incident: null, node: null, transition: 'test', repeat: 0 };
}
