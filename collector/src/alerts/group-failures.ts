import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { together } from '../db/together.ts';
import { findingOf } from '../incidents/finding.ts';
import { findIncident, type IncidentRow, setFinding } from '../incidents/store.ts';
import { type Answer, type Decision, decisionOf, withhold } from '../routing/decide.ts';
import type { Subscription } from '../routing/subscription.ts';
import { count, countsOf } from './allowance.ts';
import { groupedTask, routedEnd } from './facts.ts';
import {
  anyKind,
  countKinds,
  deleteCalmGroups,
  findGroups,
  type GroupRow,
  listDueGroups,
  listWaiting,
  saveGroups,
  settleGroup,
} from './group-store.ts';
import { gather, nextWindow, place, type ToldGroup } from './grouping.ts';
import { type FiringCase, type Judging, leave, type NodeRow, type TaskRow } from './round.ts';
import { countFailuresAround } from './task-store.ts';
import { tell } from './tell.ts';

/*
 * Many failures of one kind, told together.
 *
 *   told     the first, at once; so is the next one after a calm
 *   grouped  those that follow within a subscription's window: each is an alert and a transition like any other, and waits
 *   digest   one message with all that waited, as they are by then; of a single one its own
 *   gather a subscription with `digest` hears nothing at once: whatever fails waits for one message
 *   storm    a hundred and first kind within a minute waits, too, with all that come after it
 *
 * What one kind is: one incident's key (incidents/signature.ts), also when the incident was resolved in between. A task without a
 * job is no batch, whatever its name: it is of a kind of its own.
 */

const membersMax = 100;
const kindsWithinMs = 60_000;

/** The same decisions, but where a subscription was told of this kind of failure just now it hears of this one later, with others. */
export async function groupFailure(
  judging: Judging,
  { groupKey, isOfJob, decisions }: { groupKey: string; isOfJob: boolean; decisions: readonly Decision[] },
): Promise<Decision[]> {
  const { tx, policy, now } = judging;
  const known = new Map(policy.subscriptions.map((subscription) => [subscription.name, subscription]));
  const waitsOf = (name: string) => {
    const { groupWindowMs = 0, digestMs = 0 } = known.get(name) ?? {};
    return { windowMs: digestMs || groupWindowMs, isGathering: digestMs > 0 };
  };
  const isGrouping = ({ notified, subscription }: Decision) => notified && waitsOf(subscription).windowMs > 0;
  const subscriptions = decisions.filter(isGrouping).map(({ subscription }) => subscription);
  if (subscriptions.length === 0) return [...decisions];
  const since = new Date(now.getTime() - kindsWithinMs);
  const [rows, kinds] = await together(
    findGroups(tx, { subscriptions, groupKey }),
    countKinds(tx, { subscriptions, since }),
  );
  const saved: GroupRow[] = [];
  const answers = decisions.map((decision) => {
    if (!isGrouping(decision)) return decision;
    const { subscription } = decision;
    const groupOf = (key: string) =>
      rows.find((row) => row.subscription === subscription && row.groupKey === key) ?? null;
    const { isGathering, windowMs } = waitsOf(subscription);
    const any = asTold(groupOf(anyKind));
    const change = isGathering
      ? gather(any, { now: now.getTime(), windowMs })
      : place({
          own: asTold(groupOf(groupKey)),
          any,
          kinds: kinds.get(subscription) ?? 0,
          isOfJob,
          windowMs,
          now: now.getTime(),
        });
    const key = change.where === 'own' ? groupKey : anyKind;
    saved.push({ ...change.group, toldAt: new Date(change.group.toldAt), subscription, groupKey: key });
    if (change.isTold) return decision;
    const detail = `told with others at ${toInstant(change.group.toldAt + change.group.windowMs)}`;
    return { ...decision, notified: false, reason: 'grouped' as const, detail, groupKey: key };
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

function asTold(row: GroupRow | null): ToldGroup | null {
  return row && { toldAt: row.toldAt.getTime(), windowMs: row.windowMs, waiting: row.waiting };
}

/** Tells what has waited for long enough: everything that waits for a subscription, in one message. */
export async function tellGroups(judging: Judging): Promise<void> {
  const due = await listDueGroups(judging.tx, judging.now);
  for (const name of new Set(due.map(({ subscription }) => subscription)))
    await tellSubscription(
      judging,
      due.filter(({ subscription }) => subscription === name),
    );
}

export async function forgetCalmGroups({ tx, now }: Judging): Promise<void> {
  await deleteCalmGroups(tx, now);
}

async function tellSubscription(judging: Judging, groups: readonly GroupRow[]): Promise<void> {
  const { tx, now, policy } = judging;
  const members: FiringCase[] = [];
  for (const group of groups) members.push(...(await listWaiting(tx, group, membersMax - members.length)));
  const subscription = policy.subscriptions.find(({ name }) => name === groups[0]?.subscription);
  const answer = await answerTo(judging, { subscription, members });
  // It is told when they are over.
  if (answer.reason === 'quiet_hours' || answer.reason === 'silenced') return;
  const isTold = answer.reason === 'matched';
  if (isTold && subscription !== undefined)
    await tellDigest(judging, { groups, members, decisions: [decisionOf(subscription, answer)] });
  for (const group of groups)
    await settleGroup(
      tx,
      group,
      isTold ? { notified: true, reason: 'told_with_group' } : { notified: false, ...answer },
    );
  await saveGroups(
    tx,
    groups.map((group) => ({ ...group, toldAt: now, windowMs: nextWindow(group.windowMs), waiting: 0 })),
  );
}

async function tellDigest(
  judging: Judging,
  {
    groups,
    members,
    decisions,
  }: { groups: readonly GroupRow[]; members: readonly FiringCase[]; decisions: Decision[] },
): Promise<void> {
  const { alert, node = null, task = null } = members[0] ?? {};
  if (alert === undefined || task === null) return;
  const size = groups.reduce((sum, { waiting }) => sum + waiting, 0);
  if (size === 1) {
    const incident = await findIncident(judging.tx, alert.incidentId);
    const active = failureStatuses.includes(task.status);
    const own = { kind: 'fired', type: 'task.ended', reason: task.status, active, isHeld: false } as const;
    tell(judging, [
      {
        ...own,
        decisions,
        alert,
        incident: incident && (await withFinding(judging, { incident, task, node })),
        task,
        node,
      },
    ]);
    count(judging, task, decisions);
    return;
  }
  const isOfOne = new Set(members.map((member) => member.alert.incidentId)).size === 1;
  const incident = isOfOne ? await findIncident(judging.tx, alert.incidentId) : null;
  const group = members.flatMap((member) =>
    member.task === null ? [] : [{ task: groupedTask(member.task, member.node?.name ?? member.task.nodeId) }],
  );
  tell(judging, [
    {
      kind: 'fired',
      type: 'digest',
      reason: `${size} more failures`,
      decisions,
      alert,
      incident: incident && (await withFinding(judging, { incident, task, node })),
      node: members.every((member) => member.node?.id === node?.id) ? node : null,
      groupFor: () => group,
      groupSize: size,
      isHeld: false,
    },
  ]);
  count(judging, task, decisions);
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
  const sent = await countsOf(judging, task);
  const answers = members.map(({ alert, node, task: failed }): Answer => {
    const facts = failed === null ? [] : [routedEnd(failed, { node, severity: alert.severity })];
    return withhold(subscription, { policy, facts, now: now.getTime(), sent }) ?? { reason: 'matched' };
  });
  return answers.find(({ reason }) => reason === 'matched') ?? answers[0] ?? { reason: 'matched' };
}
