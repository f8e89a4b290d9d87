import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Decision } from '../routing/decide.ts';
import type { RoutedFact } from '../routing/route.ts';
import { findSilenceBefore } from '../routing/silence.ts';
import { announceSilence } from '../routing/store.ts';
import type { Judging } from './round.ts';

/** What the first message after a silence says of it; undefined for every other, and for what nobody is told. */
export async function sayAfterSilence(
  { tx, now, policy }: Judging,
  { facts, decisions }: { facts: readonly RoutedFact[]; decisions: readonly Decision[] },
): Promise<Notification['after_silence']> {
  if (policy.silences.length === 0 || !decisions.some(({ notified }) => notified)) return undefined;
  const attributes = facts.at(-1)?.attributes ?? {};
  const before = findSilenceBefore(policy.silences, { attributes, now: now.getTime() });
  if (before === null) return undefined;
  const { silence, endedAt } = before;
  const isFirst = await announceSilence(tx, { id: silence.id, endedAt, now });
  return isFirst ? { by: silence.author, until: toInstant(endedAt), note: silence.reason } : undefined;
}
