import { type RoutedFact, type RouteReason, route } from './route.ts';
import type { Policy, Subscription } from './subscription.ts';

/** One subscription's answer about one transition, with its reason. */
export interface Decision {
  readonly subscription: string;
  readonly receiver: string;
  readonly notified: boolean;
  readonly reason: DecisionReason;
}

export type DecisionReason =
  | RouteReason
  /** `notifications.enabled` is false. */
  | 'notifications_disabled'
  /** Its node is being drained by a person. */
  | 'draining'
  /** It had ended before it was known; told neither then nor now. */
  | 'already_over'
  /** Another subscription of the same receiver has promised the same. */
  | 'receiver_already_told'
  /** The end of something whose beginning this subscription was never told. */
  | 'never_told'
  /** The end of a warning about a task that has ended itself: that was told. */
  | 'task_ended'
  /** One of many failures of the same service or container: the loop is told in their place. */
  | 'restart_loop'
  /** Told again only after an interval that has not passed. */
  | 'not_due'
  /** The receiver has left the configuration. */
  | 'receiver_gone'
  /** This task was told inside its node's notification. */
  | 'told_with_node';

/** What keeps a transition from everyone: a person's order, that it is no news any more, or that something else stands for it. */
export type Suppression = 'draining' | 'already_over' | 'restart_loop';

export interface Question {
  readonly policy: Policy;
  /** Alternatives: who hears one of them hears the transition (what was told, and what is true now). */
  readonly facts: readonly RoutedFact[];
  readonly suppression?: Suppression | null;
}

/** Asks every subscription, in their order; a receiver hears one transition once. */
export function decide({ policy, facts, suppression = null }: Question): Decision[] {
  const told = new Set<string>();
  return policy.subscriptions.map((subscription) => {
    const reason = judge(subscription, { policy, facts, suppression, told });
    if (reason === 'matched') told.add(subscription.receiver);
    return { subscription: subscription.name, receiver: subscription.receiver, notified: reason === 'matched', reason };
  });
}

function judge(
  subscription: Subscription,
  { policy, facts, suppression, told }: Required<Question> & { told: ReadonlySet<string> },
): DecisionReason {
  const answers = facts.map((fact) => route(subscription, fact));
  const answer = answers.find((reason) => reason === 'matched') ?? answers.at(-1) ?? 'event_not_subscribed';
  if (answer !== 'matched') return answer;
  if (!policy.enabled) return 'notifications_disabled';
  if (suppression !== null) return suppression;
  if (!policy.receivers.has(subscription.receiver)) return 'receiver_gone';
  return told.has(subscription.receiver) ? 'receiver_already_told' : 'matched';
}

/** A subscription and receiver that were promised something about an alert. */
export interface Told {
  readonly subscription: string;
  readonly receiver: string;
}

/**
 * Who hears that an alert is over: exactly those who heard that it began, whatever the policy says by now,
 * so that nobody gets an end without its beginning or waits for one for ever.
 */
export function decideResolved(policy: Policy, told: readonly Told[]): Decision[] {
  const kept = told.map(({ subscription, receiver }): Decision => {
    const reason = !policy.enabled
      ? 'notifications_disabled'
      : policy.receivers.has(receiver)
        ? 'matched'
        : 'receiver_gone';
    return { subscription, receiver, notified: reason === 'matched', reason };
  });
  const others = policy.subscriptions
    .filter(({ name, receiver }) => !told.some((one) => one.subscription === name && one.receiver === receiver))
    .map(({ name, receiver }): Decision => ({ subscription: name, receiver, notified: false, reason: 'never_told' }));
  return [...kept, ...others];
}
