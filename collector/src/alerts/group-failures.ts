import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { findingOf } from '../incidents/finding.ts';
import { findIncident, type IncidentRow, setFinding } from '../incidents/store.ts';
import { type Answer, type Decision, decisionOf, withhold } from '../routing/decide.ts';
import type { Subscription } from '../routing/subscription.ts';
import { count, countsOf } from './allowance.ts';
import { groupedTask, routedEnd } from './facts.ts';
import {
  deleteCalmGroups,
  findGroups,
  type GroupRow,
  listDueGroups,
  listWaiting,
  saveGroups,
  settleGroup,
} from './group-store.ts';
import { admit, nextWindow } from './grouping.ts';
import { type FiringCase, type Judging, leave, type NodeRow, type TaskRow } from './round.ts';
import { countFailuresAround } from './task-store.ts';
import { tell } from './tell.ts';

/*
 * Many failures of one kind, told together.
 *
 *   told     the first, at once; so is the next one after a calm
 *   grouped  those that follow within a subscription's window: each is an alert and a transition like any other, and waits
 *   digest   one message with all that waited, as they are by then
 *
 * What one kind is: one incident's key (incidents/signature.ts), also when the incident was resolved in between.
 */

const membersMax = 100;

/** The same decisions, but where a subscription was told of this kind of failure just now it hears of this one later, with others. */
export async function groupFailure(
  judging: Judging,
  { groupKey, decisions }: { groupKey: string; decisions: readonly Decision[] },
): Promise<Decision[]> {
  const { tx, policy, now } = judging;
  const windows = new Map(policy.subscriptions.map(({ name, groupWindowMs = 0 }) => [name, groupWindowMs]));
  const isGrouping = ({ notified, subscription }: Decision) => notified && (windows.get(subscription) ?? 0) > 0;
  const subscriptions = decisions.filter(isGrouping).map(({ subscription }) => subscription);
  if (subscriptions.length === 0) return [...decisions];
  const known = new Map((await findGroups(tx, { subscriptions, groupKey })).map((row) => [row.subscription, row]));
  const saved: GroupRow[] = [];
  const answers = decisions.map((decision) => {
    if (!isGrouping(decision)) return decision;
    const { subscription } = decision;
    const group = known.get(subscription);
    const told = group && { ...group, toldAt: group.toldAt.getTime() };
    const admitted = admit(told ?? null, { now: now.getTime(), windowMs: windows.get(subscription) ?? 0 });
    if (admitted !== null || group === undefined) {
      saved.push({ subscription, groupKey, waiting: 0, windowMs: admitted?.windowMs ?? 0, toldAt: now });
      return decision;
    }
    saved.push({ ...group, waiting: group.waiting + 1 });
    const dueAt = toInstant(group.toldAt.getTime() + group.windowMs);
    return {
      ...decision,
      notified: false,
      reason: 'grouped' as const,
      detail: `told with others like it at ${dueAt}`,
      groupKey,
    };
  });
  leave(judging, saveGroups(tx, saved));
  return answers;
}

const aroundMs = 3_600_000;

/** The incident of a failure that is told now, with what it and the others of the last hour point at. */
export async function withFinding(
  { tx, now }: Judging,
  { incident, task, node }: { incident: IncidentRow; task: TaskRow; node: NodeRow | null },
): Promise<IncidentRow> {
  const counts = await countFailuresAround(tx, task, new Date(now.getTime() - aroundMs));
  const finding = findingOf({ job: task.job ?? task.name, node: node?.name ?? task.nodeId, ...counts });
  if (finding === incident.finding) return incident;
  await setFinding(tx, incident.id, finding);
  return { ...incident, finding };
}

/** Tells what has waited for long enough. */
export async function tellGroups(judging: Judging): Promise<void> {
  const { tx, now } = judging;
  for (const group of await listDueGroups(tx, now)) await tellGroup(judging, group);
}

export async function forgetCalmGroups({ tx, now }: Judging): Promise<void> {
  await deleteCalmGroups(tx, now);
}

async function tellGroup(judging: Judging, group: GroupRow): Promise<void> {
  const { tx, now, policy } = judging;
  const members = await listWaiting(tx, group, membersMax);
  const [first] = members;
  const subscription = policy.subscriptions.find(({ name }) => name === group.subscription);
  const answer = await answerTo(judging, { subscription, members });
  // It is told when they are over.
  if (answer.reason === 'quiet_hours' || answer.reason === 'silenced') return;
  if (first?.task && subscription !== undefined && answer.reason === 'matched') {
    const { alert, node, task } = first;
    const known = await findIncident(tx, alert.incidentId);
    const decisions = [decisionOf(subscription, answer)];
    const facts = members.flatMap((member) =>
      member.task === null ? [] : [{ task: groupedTask(member.task, member.node?.name ?? member.task.nodeId) }],
    );
    tell(judging, [
      {
        kind: 'fired',
        type: 'digest',
        reason: `${group.waiting} more failures of this kind`,
        decisions,
        alert,
        incident: known && (await withFinding(judging, { incident: known, task, node })),
        node: members.every((member) => member.node?.id === node?.id) ? node : null,
        groupFor: () => facts,
        groupSize: group.waiting,
        isHeld: false,
      },
    ]);
    count(judging, task, decisions);
  }
  const isTold = answer.reason === 'matched';
  await settleGroup(tx, group, isTold ? { notified: true, reason: 'told_with_group' } : { notified: false, ...answer });
  await saveGroups(tx, [{ ...group, toldAt: now, windowMs: nextWindow(group.windowMs), waiting: 0 }]);
}

/** What the subscription says to the message by now. */
async function answerTo(
  judging: Judging,
  { subscription, members }: { subscription: Subscription | undefined; members: readonly FiringCase[] },
): Promise<Answer> {
  const { policy, now } = judging;
  const task = members[0]?.task ?? null;
  if (subscription === undefined) return { reason: 'expired' };
  if (!policy.enabled) return { reason: 'notifications_disabled' };
  if (!policy.receivers.has(subscription.receiver)) return { reason: 'receiver_gone' };
  const facts = members.flatMap(({ alert, node, task: failed }) =>
    failed === null ? [] : [routedEnd(failed, { node, severity: alert.severity })],
  );
  const sent = await countsOf(judging, task);
  return (
    withhold(subscription, { policy, facts: facts.slice(0, 1), now: now.getTime(), sent }) ?? { reason: 'matched' }
  );
}
