import { type Contact, judgeReturned, judgeUnreachable } from '../conditions/component-unreachable.ts';
import type { Judgment } from '../conditions/condition.ts';
import { lostVerdict, mayStillRun } from '../conditions/node-lost.ts';
import { type AlertRow, findIncident } from '../incidents/store.ts';
import { lockNode, markOffline } from '../nodes/store.ts';
import { newId } from '../outbox/new-id.ts';
import { type Decision, decide, decisionOf, judge, type Suppression, worthRecording } from '../routing/decide.ts';
import { markLost } from '../tasks/store.ts';
import { sayAfterSilence } from './after-silence.ts';
import { reasonWithFlaps } from './damping.ts';
import { groupedTask, routedCondition, routedEnd } from './facts.ts';
import { fingerprintOf, fireAlert, hasCalmed, resolveAlert } from './judge-condition.ts';
import { fleetKey } from './judge-fleet.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';
import { findFiring, insertTransitions, updateAlert, upsertConditionState } from './store.ts';
import { listLostWith, unloseTasks } from './task-store.ts';
import { tell } from './tell.ts';

/*
 * A node's silence and its return.
 *
 *   silent    the node is offline, ComponentUnreachable fires, its running tasks are lost: one incident, and at most one message
 *             to a receiver. Who hears of the node gets all of its lost tasks with it; who hears only of some tasks gets those.
 *   returned  the alert resolves, and those who were told are told so, with how their tasks fare by then. In the same boot the
 *             lost tasks run, as far as anyone knows; the agent will say how they end. After a reboot they stay lost until it does.
 */

/**
 * One transaction: the node's silence with everything that follows. Does nothing for a node that was heard or said goodbye meanwhile.
 * The node is locked before its tasks, as whoever stores its facts does.
 */
export async function judgeSilent(
  judging: Judging,
  nodeId: string,
  { isStillOverdue, isOneOfMany = false }: { isStillOverdue: () => boolean; isOneOfMany?: boolean },
): Promise<void> {
  const { tx, now } = judging;
  const before = await lockNode(tx, nodeId);
  if (before === null || before.status !== 'online' || !isStillOverdue()) return;
  const judgment = judgeUnreachable(contactOf(before, true), now.getTime());
  if (judgment?.status !== 'true') return;
  const node: NodeRow = { ...before, status: 'offline' };
  await markOffline(tx, [nodeId]);
  const report = await remember(judging, { nodeId, judgment });
  const fingerprint = fingerprintOf({ nodeId, ...judgment });
  const firing = await findFiring(tx, fingerprint);
  if (firing !== null && firing.calmSince === null) return;
  const lost = await markLost(tx, nodeId, {
    at: now,
    verdict: lostVerdict({ lastHeardAt: node.lastHeardAt, bootId: node.bootId, now }),
  });
  if (firing !== null) return silentAgain(judging, { alert: firing, node, lost });
  const cause = { groupKey: fleetKey, title: `${node.name} is unreachable` };
  const alert = await fireAlert(judging, { nodeId, node, report, fingerprint, ...(isOneOfMany ? { cause } : {}) });
  const suppression = node.draining ? 'draining' : isOneOfMany ? 'told_with_fleet' : null;
  await tellSilent(judging, { alert, node, lost, suppression });
}

const lossAgainMs = 15 * 60_000;

/** A node that comes and goes was told; that it took tasks with it once more is told now and then. */
async function silentAgain(
  judging: Judging,
  { alert, node, lost }: { alert: AlertRow; node: NodeRow; lost: readonly TaskRow[] },
): Promise<void> {
  const { tx, now } = judging;
  const isTold = lost.length > 0 && now.getTime() - (alert.renotifiedAt ?? alert.firedAt).getTime() >= lossAgainMs;
  await updateAlert(tx, alert.id, { calmSince: null, ...(isTold ? { renotifiedAt: now } : {}) });
  const suppression = node.draining ? 'draining' : isTold ? null : 'flapping';
  await tellSilent(judging, { alert: { ...alert, calmSince: null }, node, lost, suppression });
}

async function tellSilent(
  judging: Judging,
  {
    alert,
    node,
    lost,
    suppression,
  }: { alert: AlertRow; node: NodeRow; lost: readonly TaskRow[]; suppression: Suppression | null },
): Promise<void> {
  const { tx, now, policy } = judging;
  const facts = [routedCondition('ComponentUnreachable', { node, severity: 'critical' })];
  const ofNode = decide({
    policy,
    facts,
    suppression,
    now: now.getTime(),
  });
  const { decisions, groups } = addTaskHearers(judging, { ofNode, node, lost, suppression });
  const afterSilence = await sayAfterSilence(judging, { facts, decisions });
  tell(judging, [
    {
      kind: suppression === null ? 'unreachable' : 'suppressed',
      type: 'node.unreachable',
      reason: reasonWithFlaps(alert),
      decisions,
      alert,
      incident: await findIncident(tx, alert.incidentId),
      node,
      ...(afterSilence === undefined ? {} : { afterSilence }),
      groupFor: ({ receiver }) => membersOf(groups.get(receiver) ?? [], node),
    },
  ]);
  await insertTransitions(
    tx,
    lost.map((task) => ({
      id: newId(now.getTime()),
      alertId: alert.id,
      taskId: task.id,
      nodeId: node.id,
      kind: suppression === null ? ('ended' as const) : ('suppressed' as const),
      at: now,
      reason: task.status,
      decisions: worthRecording(
        policy,
        decisions.map((decision) => decisionOnTask(decision, { task, groups, ofNode })),
        task,
      ),
    })),
  );
  for (const { id } of lost) judging.touched.push({ kind: 'task', id });
}

/** Adds those who do not hear of the node but of some of its lost tasks; a receiver gets one message, with every task that is its own. */
function addTaskHearers(
  { policy, now }: Judging,
  {
    ofNode,
    node,
    lost,
    suppression,
  }: { ofNode: Decision[]; node: NodeRow; lost: readonly TaskRow[]; suppression: Suppression | null },
): { decisions: Decision[]; groups: Map<string, readonly TaskRow[]> } {
  const groups = new Map<string, readonly TaskRow[]>();
  for (const { receiver, notified } of ofNode) if (notified) groups.set(receiver, lost);
  const mayTell = policy.enabled && suppression === null;
  const decisions = ofNode.map((decision, index) => {
    const subscription = policy.subscriptions[index];
    if (subscription === undefined || decision.notified || !mayTell || !policy.receivers.has(decision.receiver))
      return decision;
    const answers = lost.map((task) => {
      const facts = [routedEnd(task, { node, severity: 'critical' })];
      return { task, ...judge(subscription, { policy, facts, now: now.getTime() }) };
    });
    const own = answers.filter(({ reason }) => reason === 'matched').map(({ task }) => task);
    const already = groups.get(decision.receiver);
    if (already === lost) return decision;
    const withheld =
      own.length > 0
        ? undefined
        : answers.find(({ reason }) => ['expired', 'silenced', 'quiet_hours'].includes(reason));
    if (withheld !== undefined) {
      const { task: _task, ...answer } = withheld;
      return decisionOf(subscription, answer);
    }
    if (own.length === 0) return decision;
    groups.set(decision.receiver, [...(already ?? []), ...own.filter((task) => already?.includes(task) !== true)]);
    return already === undefined
      ? { ...decision, notified: true, reason: 'matched' as const }
      : { ...decision, reason: 'receiver_already_told' as const };
  });
  return { decisions, groups };
}

function decisionOnTask(
  decision: Decision,
  {
    task,
    groups,
    ofNode,
  }: { task: TaskRow; groups: ReadonlyMap<string, readonly TaskRow[]>; ofNode: readonly Decision[] },
): Decision {
  if (decision.notified && groups.get(decision.receiver)?.includes(task) === true)
    return { ...decision, reason: 'told_with_node' };
  if (!decision.notified) return decision;
  const original = ofNode.find(({ subscription }) => subscription === decision.subscription);
  return { ...decision, notified: false, reason: original?.reason ?? 'event_not_subscribed' };
}

/** One transaction: a node that was unreachable was heard again. */
export async function judgeReturn(judging: Judging, alert: AlertRow): Promise<void> {
  const { tx } = judging;
  const node = alert.nodeId === null ? null : await lockNode(tx, alert.nodeId);
  if (node === null) return resolveAlert(judging, { alert, node: null, reason: 'the node was removed' });
  const judgment = judgeReturned(contactOf(node, false));
  const firing = await findFiring(tx, alert.fingerprint);
  if (judgment === null || firing === null) return;
  if (firing.calmSince === null) await remember(judging, { nodeId: node.id, judgment });
  const fate = await judgeLost(judging, { alert: firing, node });
  if (!(await hasCalmed(judging, firing))) return;
  await resolveAlert(judging, {
    alert: firing,
    node,
    reason: judgment.reason,
    groupFor: () => membersOf(fate, node),
  });
}

/** The tasks lost with an alert as they are now; those that may still run do so again. */
async function judgeLost(
  { tx, now, touched }: Judging,
  { alert, node }: { alert: AlertRow; node: NodeRow },
): Promise<TaskRow[]> {
  const lost = await listLostWith(tx, alert.id);
  const alive = lost.filter((task) => task.status === 'lost' && mayStillRun(task.verdict, node.bootId));
  const running = new Map(
    (
      await unloseTasks(
        tx,
        alive.map(({ id }) => id),
      )
    ).map((task) => [task.id, task]),
  );
  await insertTransitions(
    tx,
    [...running.values()].map((task) => ({
      id: newId(now.getTime()),
      alertId: alert.id,
      taskId: task.id,
      nodeId: node.id,
      kind: 'amended' as const,
      at: now,
      reason: task.status,
      decisions: [],
    })),
  );
  for (const id of running.keys()) touched.push({ kind: 'task', id });
  return lost.map((task) => running.get(task.id) ?? task);
}

function contactOf({ status, lastHeardAt }: NodeRow, isOverdue: boolean): Contact {
  return { status, isOverdue, lastHeardAt: lastHeardAt.getTime() };
}

async function remember({ tx, now, touched }: Judging, { nodeId, judgment }: { nodeId: string; judgment: Judgment }) {
  const { condition, component, subject, status, severity, reason, value, threshold } = judgment;
  const report = {
    condition,
    component,
    subject,
    status,
    severity,
    reason,
    value,
    threshold,
    since: new Date(judgment.since),
  };
  await upsertConditionState(tx, { nodeId, ...report, changedAt: now });
  touched.push({ kind: 'node', id: nodeId });
  return report;
}

function membersOf(tasks: readonly TaskRow[], node: NodeRow) {
  return tasks.length === 0 ? undefined : tasks.map((task) => ({ task: groupedTask(task, node.name) }));
}
