import { type Attributes, findMismatch } from './matcher.ts';
import type { SubscribableEvent, Subscription } from './subscription.ts';

/** A fact to be routed: the words it goes by, and what it says of itself. */
export interface RoutedFact {
  readonly events: readonly SubscribableEvent[];
  readonly attributes: Attributes;
}

/** Why one subscription hears a fact or not: `matched`, or the first thing that differs. */
export type RouteReason =
  | 'matched'
  | 'event_not_subscribed'
  /** A condition that is mere information is told to those who name conditions or severities, or hear all. */
  | 'information'
  | `${string}_differs`;

/** Asks one subscription about one fact. */
export function route(subscription: Subscription, fact: RoutedFact): RouteReason {
  if (isOfOtherJob(subscription, fact)) return 'job_differs';
  if (!hears(subscription, fact.events)) return 'event_not_subscribed';
  const mismatch = findMismatch(subscription.matchers, fact.attributes);
  if (mismatch !== null) return `${mismatch.key}_differs`;
  return isOnlyListed(subscription, fact) ? 'information' : 'matched';
}

function isOfOtherJob({ job }: Subscription, { attributes }: RoutedFact): boolean {
  if (job === undefined) return false;
  return attributes.job !== job.name || (attributes.project ?? null) !== job.project;
}

function isOnlyListed({ events, matchers }: Subscription, fact: RoutedFact): boolean {
  if (!fact.events.includes('condition') || fact.attributes.severity !== 'info' || events.includes('all')) return false;
  const isAskedFor = fact.events.some((word) => word !== 'condition' && events.includes(word));
  return !isAskedFor && !matchers.some(({ key }) => key === 'condition' || key === 'severity');
}

function hears({ events }: Subscription, words: readonly SubscribableEvent[]): boolean {
  return words.some((word) => events.includes(word) || (word !== 'begin' && events.includes('all')));
}
