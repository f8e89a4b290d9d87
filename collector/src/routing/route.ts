import { type Attributes, findMismatch } from './matcher.ts';
import type { SubscribableEvent, Subscription } from './subscription.ts';

/** A fact to be routed: the words it goes by, and what it says of itself. */
export interface RoutedFact {
  readonly events: readonly SubscribableEvent[];
  readonly attributes: Attributes;
}

/** Why one subscription hears a fact or not: `matched`, or the first thing that differs. */
export type RouteReason = 'matched' | 'event_not_subscribed' | `${string}_differs`;

/** Asks one subscription about one fact. */
export function route(subscription: Subscription, fact: RoutedFact): RouteReason {
  if (!hears(subscription, fact.events)) return 'event_not_subscribed';
  const mismatch = findMismatch(subscription.matchers, fact.attributes);
  return mismatch === null ? 'matched' : `${mismatch.key}_differs`;
}

function hears({ events }: Subscription, words: readonly SubscribableEvent[]): boolean {
  return words.some((word) => events.includes(word) || (word !== 'begin' && events.includes('all')));
}
