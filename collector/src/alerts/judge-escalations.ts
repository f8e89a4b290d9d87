import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { IncidentRow } from '../incidents/store.ts';
import { type Decision, withhold } from '../routing/decide.ts';
import { escalate } from '../routing/escalate.ts';
import { findSilenceBefore } from '../routing/silence.ts';
import type { EscalationStep, Subscription } from '../routing/subscription.ts';
import {
  deleteEscalation,
  type EscalationRow,
  findCauseTold,
  listDueEscalations,
  saveEscalation,
} from './escalation-store.ts';
import { factsOf } from './facts.ts';
import type { FiringCase, Judging } from './round.ts';
import { listToldOfIncidents } from './store.ts';
import { listLostWith } from './task-store.ts';
import { firstWord, tell } from './tell.ts';

/*
 * Who else is told of what nobody acknowledges.
 *
 *   waits      from the first word of a subscription with steps about an incident (tell.ts)
 *   goes up    one more receiver hears the cause, as the first did, and that it is an escalation; once for each step
 *   anew       after the end of an acknowledgement, or of a silence that kept it quiet: from the first step
 *   over       with the incident, or the subscription
 */

/** What a silence, quiet hours or a drain keep back is looked at again after this. */
const lookAgainMs = 60_000;

export async function judgeEscalations(judging: Judging): Promise<void> {
  const { policy, tx, now } = judging;
  if (!policy.enabled || policy.subscriptions.every(({ escalate: steps }) => steps === undefined)) return;
  const told = new Set<string>();
  for (const { escalation, incident } of await listDueEscalations(tx, now))
    await judgeOne(judging, { escalation, incident, told });
}

interface EscalationCase {
  readonly escalation: EscalationRow;
  readonly incident: IncidentRow;
  /** Who has heard of which incident in this round. */
  readonly told: Set<string>;
}

async function judgeOne(judging: Judging, { escalation, incident, told }: EscalationCase): Promise<void> {
  const { policy, tx } = judging;
  const now = judging.now.getTime();
  const subscription = policy.subscriptions.find(({ name }) => name === escalation.subscription);
  if (subscription?.escalate === undefined || (subscription.expiresAt ?? Number.POSITIVE_INFINITY) <= now)
    return deleteEscalation(tx, escalation);
  const cause = await findCauseTold(tx, escalation);
  const facts = cause === null ? [] : factsOf(cause, []);
  const silence = findSilenceBefore(policy.silences, { attributes: facts.at(-1)?.attributes ?? {}, now });
  const { waiting, due, nextAt } = escalate({
    waiting: { since: escalation.since.getTime(), taken: escalation.steps },
    steps: subscription.escalate,
    resumedAt: Math.max(silence?.endedAt ?? 0, incident.acknowledgedUntil?.getTime() ?? 0),
    now,
  });
  const isKeptBack = due.length > 0 && (cause === null || withhold(subscription, { policy, facts, now }) !== null);
  const lookAt = isKeptBack ? now + lookAgainMs : nextAt;
  const since = new Date(waiting.since);
  await saveEscalation(tx, {
    ...escalation,
    since,
    steps: isKeptBack ? waiting.taken - due.length : waiting.taken,
    nextAt: lookAt === null ? null : new Date(lookAt),
  });
  if (cause !== null && due.length > 0 && !isKeptBack)
    await tellSteps(judging, { cause, incident, subscription, since, due, told });
}

async function tellSteps(
  judging: Judging,
  {
    cause,
    incident,
    subscription,
    since,
    due,
    told,
  }: Omit<EscalationCase, 'escalation'> & {
    cause: FiringCase;
    subscription: Subscription;
    since: Date;
    due: readonly EscalationStep[];
  },
): Promise<void> {
  const { policy, tx } = judging;
  const decisions = due.map(({ receiver }): Decision => {
    const key = `${incident.id} ${receiver}`;
    const reason = told.has(key)
      ? 'receiver_already_told'
      : policy.receivers.has(receiver)
        ? 'escalated'
        : 'receiver_gone';
    told.add(key);
    const detail = `not acknowledged since ${toInstant(since.getTime())}`;
    return { subscription: subscription.name, receiver, notified: reason === 'escalated', reason, detail };
  });
  const lost = cause.alert.condition === 'ComponentUnreachable' ? await listLostWith(tx, cause.alert.id) : [];
  const before = await toldBefore(judging, { incident, subscription });
  tell(judging, [
    {
      ...firstWord(cause, lost),
      kind: 'escalated',
      decisions,
      incident,
      escalation: { since: toInstant(since.getTime()), told: before },
      isHeld: false,
    },
  ]);
}

const namesMax = 10;

/** Who has heard of it by this subscription, or in its place, and when first; of an address of somebody's own only its kind. */
async function toldBefore(
  { tx }: Judging,
  { incident, subscription: { name, receiver } }: { incident: IncidentRow; subscription: Subscription },
): Promise<NonNullable<Notification['escalation']>['told']> {
  const told = await listToldOfIncidents(tx, [incident.id]);
  const own = told.filter((one) => one.subscription === name || one.receiver === receiver);
  const first = own.toSorted((a, b) => b.firstAt.getTime() - a.firstAt.getTime());
  const byReceiver = new Map(first.map((one) => [one.receiver, one.firstAt]));
  return [...byReceiver]
    .map(([one, at]) => ({ receiver: one.split(':')[0] ?? one, at: toInstant(at.getTime()) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .slice(0, namesMax);
}
