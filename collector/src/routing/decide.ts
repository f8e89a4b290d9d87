import { type RoutedFact, type RouteReason, route } from './route.ts';
import { describeSilence, findSilence } from './silence.ts';
import type { Policy, Subscription } from './subscription.ts';
import { describeWindow } from './window.ts';

/** One subscription's answer about one transition, with its reason. */
export interface Decision {
  readonly subscription: string;
  readonly receiver: string;
  readonly notified: boolean;
  readonly reason: DecisionReason;
  /** More about it, in words: which silence, until when, how many. */
  readonly detail?: string;
  /** The silence that kept it back. */
  readonly silence?: string;
  /** The failures it is told with. */
  readonly groupKey?: string;
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
  /** One message said that most nodes fell silent at once. */
  | 'told_with_fleet'
  /** Its node comes and goes, which was told. */
  | 'flapping'
  /** Told again only after an interval that has not passed. */
  | 'not_due'
  /** The receiver has left the configuration. */
  | 'receiver_gone'
  /** This task was told inside its node's notification. */
  | 'told_with_node'
  /** Others of its kind were told just now; it waits for the message that tells what followed them. */
  | 'grouped'
  /** This failure was told with others of its kind, in one message. */
  | 'told_with_group'
  /** The subscription has ended. */
  | 'expired'
  /** A person has silenced it; told afterwards, if it still holds. */
  | 'silenced'
  /** The subscription's quiet hours; told afterwards, if it still holds. */
  | 'quiet_hours'
  /** `max_alerts_per_job` of the subscription. */
  | 'max_alerts_reached'
  /** Nobody has acknowledged it for so long that one more receiver is told. */
  | 'escalated'
  /** Its receiver keeps an incident or alert of its own, and has to hear of every end. */
  | 'mirrored'
  /** It is this receiver that takes no notifications. */
  | 'receiver_failing';

/** What keeps a transition from everyone: a person's order, that it is no news any more, or that something else stands for it. */
export const suppressions = ['draining', 'already_over', 'restart_loop', 'flapping', 'told_with_fleet'] as const;
export type Suppression = (typeof suppressions)[number];

export interface Question {
  readonly policy: Policy;
  /** Alternatives: who hears one of them hears the transition (what was told, and what is true now, which is the last). */
  readonly facts: readonly RoutedFact[];
  /** Epoch milliseconds. */
  readonly now: number;
  readonly suppression?: Suppression | null;
  /** What subscriptions with a limit have told of this job so far. */
  readonly sent?: ReadonlyMap<string, number>;
}

/** Asks every subscription, in their order; a receiver hears one transition once. */
export function decide(question: Question): Decision[] {
  const told = new Set<string>();
  return question.policy.subscriptions.map((subscription) => {
    const answer = judge(subscription, question);
    const isAgain = answer.reason === 'matched' && told.has(subscription.receiver);
    if (answer.reason === 'matched') told.add(subscription.receiver);
    return decisionOf(subscription, isAgain ? { reason: 'receiver_already_told' } : answer);
  });
}

/** That a receiver takes nothing is told by every other one of the configuration, whatever they subscribed to. */
export function decideBeside(
  failing: string,
  { policy, facts, now }: Omit<Question, 'suppression' | 'sent'>,
): Decision[] {
  const configured = [...policy.receivers].filter((receiver) => !receiver.includes(':'));
  const silenced = findSilence(policy.silences, { attributes: facts.at(-1)?.attributes ?? {}, now });
  return configured.map((receiver) => {
    const subscription: Subscription = { name: 'delivery', receiver, matchers: [], events: [], renotifyIntervalMs: 0 };
    if (receiver === failing) return decisionOf(subscription, { reason: 'receiver_failing' });
    if (!policy.enabled) return decisionOf(subscription, { reason: 'notifications_disabled' });
    if (silenced === null) return decisionOf(subscription, { reason: 'matched' });
    const { silence, until } = silenced;
    return decisionOf(subscription, {
      reason: 'silenced',
      detail: describeSilence(silence, until),
      silence: silence.id,
    });
  });
}

export function decisionOf({ name, receiver }: Subscription, answer: Answer): Decision {
  return { subscription: name, receiver, notified: answer.reason === 'matched', ...answer };
}

export type Answer = Pick<Decision, 'reason' | 'detail' | 'silence'>;

/** One subscription's answer, whatever others of its receiver say. */
export function judge(subscription: Subscription, question: Question): Answer {
  const { policy, facts, suppression = null } = question;
  const answers = facts.map((fact) => route(subscription, fact));
  const answer = answers.find((reason) => reason === 'matched') ?? answers.at(-1) ?? 'event_not_subscribed';
  if (answer !== 'matched') return { reason: answer };
  if (!policy.enabled) return { reason: 'notifications_disabled' };
  if (suppression !== null) return { reason: suppression };
  if (!policy.receivers.has(subscription.receiver)) return { reason: 'receiver_gone' };
  return withhold(subscription, question) ?? { reason: 'matched' };
}

/** What keeps a matching transition from a subscription now. */
export function withhold(
  { name, maxAlertsPerJob, expiresAt, quietHours }: Subscription,
  { policy, facts, now, sent }: Omit<Question, 'suppression'>,
): Answer | null {
  if (expiresAt !== undefined && expiresAt <= now)
    return { reason: 'expired', detail: `since ${new Date(expiresAt).toISOString()}` };
  const silenced = findSilence(policy.silences, { attributes: facts.at(-1)?.attributes ?? {}, now });
  if (silenced !== null) {
    const { silence, until } = silenced;
    return { reason: 'silenced', detail: describeSilence(silence, until), silence: silence.id };
  }
  const count = sent?.get(name) ?? 0;
  if (maxAlertsPerJob !== undefined && count >= maxAlertsPerJob)
    return { reason: 'max_alerts_reached', detail: `${count} of ${maxAlertsPerJob}` };
  const quiet = quietHours?.around(now);
  if (quietHours === undefined || !quiet) return null;
  return {
    reason: 'quiet_hours',
    detail: `${describeWindow(quietHours.rule)}, until ${new Date(quiet.endAt).toISOString()}`,
  };
}

/** Without the alerts of other jobs: there may be thousands, and they have nothing to do with it. */
export function worthRecording(
  { subscriptions }: Policy,
  decisions: readonly Decision[],
  task: { readonly job: string | null; readonly project: string | null } | null,
): Decision[] {
  const jobs = new Map(subscriptions.flatMap(({ name, job }) => (job === undefined ? [] : [[name, job]])));
  if (jobs.size === 0) return [...decisions];
  return decisions.filter(({ subscription, reason }) => {
    const job = jobs.get(subscription);
    const isOwn = job === undefined || (task?.job === job.name && task.project === job.project);
    return isOwn || (reason !== 'job_differs' && reason !== 'never_told');
  });
}

/** A subscription and receiver that were promised something about an alert. */
export interface Told {
  readonly subscription: string;
  readonly receiver: string;
}

/**
 * Who hears that an alert is over: exactly those who heard that it began, each once, whatever the policy says by now,
 * so that nobody gets an end without its beginning or waits for one for ever.
 */
export function decideResolved(policy: Policy, told: readonly Told[]): Decision[] {
  const heard = new Set<string>();
  const kept = told.map(({ subscription, receiver }): Decision => {
    const isAgain = heard.has(receiver);
    heard.add(receiver);
    const reason = !policy.enabled
      ? 'notifications_disabled'
      : !policy.receivers.has(receiver)
        ? 'receiver_gone'
        : isAgain
          ? 'receiver_already_told'
          : 'matched';
    return { subscription, receiver, notified: reason === 'matched', reason };
  });
  const others = policy.subscriptions
    .filter(({ name, receiver }) => !told.some((one) => one.subscription === name && one.receiver === receiver))
    .map(({ name, receiver }): Decision => ({ subscription: name, receiver, notified: false, reason: 'never_told' }));
  return [...kept, ...others];
}
