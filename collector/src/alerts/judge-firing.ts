import { type CloneSight, judgeClone } from '../conditions/agent-cloned.ts';
import { isOfTask } from '../conditions/catalogue.ts';
import { judgeClockSkew } from '../conditions/clock-skew.ts';
import type { Judgment } from '../conditions/condition.ts';
import { judgeFastFailuresOver } from '../conditions/node-fails-fast.ts';
import { judgeSpoolQuiet } from '../conditions/spool-overflow.ts';
import { findIncident, listAcknowledged } from '../incidents/store.ts';
import { lockNode } from '../nodes/store.ts';
import { type Decision, decisionOf, withhold } from '../routing/decide.ts';
import { countsOf } from './allowance.ts';
import { isCalm } from './damping.ts';
import { routedCondition } from './facts.ts';
import { hasSucceeded } from './fast-failure-store.ts';
import { tellGroups } from './group-failures.ts';
import { hasEnded, judgeCondition, remembered, resolveAlert, tellHolding } from './judge-condition.ts';
import { judgeEscalations } from './judge-escalations.ts';
import { fleetFingerprint, judgeFleetReturn } from './judge-fleet.ts';
import { heldByDrain, tellHeld } from './judge-held.ts';
import { judgeReturn } from './judge-node.ts';
import type { FiringCase, Judging } from './round.ts';
import {
  findConditionState,
  findHistories,
  listFiring,
  listLatestTransitions,
  listSkewed,
  listTold,
  updateAlert,
} from './store.ts';
import { tell } from './tell.ts';
import { transition } from './transition.ts';

/* What time alone changes about alerts: looked at every tick, from the database, so that a restart changes nothing. */

const skewLookMs = 30_000;

/** What the door has seen, and since when it looks (epoch ms). */
export interface Seen {
  readonly overdue: ReadonlySet<string>;
  readonly clones: ReadonlyMap<string, CloneSight>;
  readonly since: number;
}

/** Everything that fires and may change without a new fact. A node that is overdue has not returned, whatever its row says. */
export async function judgeFiring(judging: Judging, seen: Seen): Promise<void> {
  const { tx, now } = judging;
  const firing = await listFiring(tx);
  const isOfFleet = ({ alert }: FiringCase) => alert.fingerprint === fleetFingerprint;
  // What stands for many nodes is judged behind them.
  for (const { alert, node, task } of firing.toSorted((a, b) => Number(isOfFleet(a)) - Number(isOfFleet(b))))
    await judgeOne(judging, { alert, node, task, seen });
  const skewed = await listSkewed(tx, skewLookMs);
  for (const node of skewed) {
    const isFiring = firing.some(({ alert }) => alert.condition === 'ClockSkew' && alert.nodeId === node.id);
    if (!isFiring)
      await judgeCondition(judging, {
        nodeId: node.id,
        node,
        report: asReport(judgeClockSkew({ skewMs: node.clockSkewMs, isFiring }, now.getTime())),
      });
  }
  await judgeClones(judging, { firing, seen });
  const left = seen.clones.size === 0 && skewed.length === 0 && firing.length === 0 ? [] : await listFiring(tx);
  const still = left.filter(({ alert }) => alert.calmSince === null);
  await tellUnsuppressed(judging, still);
  await tellHeld(judging);
  await tellGroups(judging);
  await renotify(judging, still);
  await judgeEscalations(judging);
}

async function judgeOne(judging: Judging, { alert, node, task, seen }: FiringCase & { seen: Seen }): Promise<void> {
  const now = judging.now.getTime();
  if (alert.fingerprint === fleetFingerprint) return judgeFleetReturn(judging, alert);
  if (alert.condition === 'ComponentUnreachable') {
    const isOverdue = seen.overdue.has(alert.nodeId ?? '');
    if (node === null || (node.status !== 'offline' && !isOverdue)) await judgeReturn(judging, alert);
    return;
  }
  if (alert.calmSince !== null && isCalm(alert, now)) {
    const state = await findConditionState(judging.tx, alert);
    return resolveAlert(judging, { alert, node, task, reason: state?.reason ?? alert.reason });
  }
  // What a collector says of itself belongs to no node; it says itself when it is over.
  if (node === null && alert.component !== 'agent') return;
  if (node === null) return resolveAlert(judging, { alert, node, reason: 'the node was removed' });
  if (isOfTask(alert)) return endWithTask(judging, { alert, node, task });
  if (alert.condition === 'ClockSkew') {
    const judgment = judgeClockSkew({ skewMs: node.clockSkewMs, isFiring: true }, now);
    if (judgment.status === 'false')
      await judgeCondition(judging, { nodeId: node.id, node, report: asReport(judgment) });
  }
  if (alert.condition === 'AgentCloned') {
    const judgment = judgeClone({ sight: seen.clones.get(node.id) ?? null, listeningSince: seen.since }, now);
    if (judgment?.status === 'false')
      await judgeCondition(judging, { nodeId: node.id, node, report: asReport(judgment) });
  }
  if (alert.condition === 'NodeFailsFast' && (await hasSucceeded(judging.tx, node.id))) {
    const judgment = judgeFastFailuresOver(judging.fastFail, now);
    await judgeCondition(judging, { nodeId: node.id, node, report: asReport(judgment) });
  }
  if (alert.condition === 'SpoolOverflow') {
    const state = await findConditionState(judging.tx, alert);
    const judgment = judgeSpoolQuiet({ lastGapAt: (state?.changedAt ?? alert.firedAt).getTime() }, now);
    if (judgment !== null) await judgeCondition(judging, { nodeId: node.id, node, report: asReport(judgment) });
  }
}

async function judgeClones(
  judging: Judging,
  { firing, seen }: { firing: readonly FiringCase[]; seen: Seen },
): Promise<void> {
  const now = judging.now.getTime();
  for (const [nodeId, sight] of seen.clones) {
    const judgment = judgeClone({ sight, listeningSince: seen.since }, now);
    const isSaid = firing.some(
      ({ alert }) => alert.condition === 'AgentCloned' && alert.nodeId === nodeId && alert.reason === judgment?.reason,
    );
    if (judgment?.status !== 'true' || isSaid) continue;
    const node = await lockNode(judging.tx, nodeId);
    if (node !== null) await judgeCondition(judging, { nodeId, node, report: asReport(judgment) });
  }
}

/** How long an end may wait for its own judgment. */
const endJudgedMs = 10 * 60_000;

/** A warning is over with its task, once the task's end is told: in the same incident, if it is a failure. */
async function endWithTask(judging: Judging, { alert, node, task }: FiringCase): Promise<void> {
  const { tx, now } = judging;
  if (!hasEnded(task)) return;
  if (task === null) return resolveAlert(judging, { alert, node, task, reason: 'the task is forgotten' });
  const history = (await findHistories(tx, [task.id])).get(task.id);
  const isTold = history?.at(-1)?.status === task.status || now.getTime() - task.receivedAt.getTime() > endJudgedMs;
  if (isTold) await resolveAlert(judging, { alert, node, task, reason: `the task ended: ${task.status}` });
}

export function asReport(judgment: Judgment) {
  return { ...judgment, since: new Date(judgment.since) };
}

/** What was kept back while its node was drained is told once the drain is over, if it still holds. */
async function tellUnsuppressed(judging: Judging, firing: readonly FiringCase[]): Promise<void> {
  const free = firing.filter(({ node }) => node?.draining === false);
  const latest = await listLatestTransitions(
    judging.tx,
    free.map(({ alert }) => alert.id),
  );
  for (const { alert, node, task } of free) {
    const last = latest.get(alert.id);
    const wasDraining = last?.kind === 'suppressed' && last.decisions.some(({ reason }) => reason === 'draining');
    if (!wasDraining) continue;
    const heldBack = await heldByDrain(judging.tx, {
      nodeId: alert.nodeId ?? '',
      firedAt: alert.firedAt,
      now: judging.now,
    });
    await tellHolding(judging, { alert, node, task, suppression: null, again: false, heldBack });
  }
}

/** Says again what still holds, to each subscription after its own interval. */
async function renotify(judging: Judging, firing: readonly FiringCase[]): Promise<void> {
  const { policy, tx, now } = judging;
  if (!policy.enabled || policy.subscriptions.every(({ renotifyIntervalMs }) => renotifyIntervalMs === 0)) return;
  const awake = firing.filter(({ node }) => node?.draining !== true);
  const acknowledged = await listAcknowledged(
    tx,
    awake.map(({ alert }) => alert.incidentId),
    now,
  );
  const candidates = awake.filter(({ alert }) => !acknowledged.has(alert.incidentId));
  const told = await listTold(
    tx,
    candidates.map(({ alert }) => alert.id),
  );
  for (const { alert, node, task } of candidates) {
    const decisions = await decideAgain(judging, {
      alert,
      node,
      task,
      told: told.filter(({ alertId }) => alertId === alert.id),
    });
    if (decisions.some(({ notified }) => notified)) await tellAgain(judging, { alert, node, task, decisions });
  }
}

async function decideAgain(
  judging: Judging,
  { alert, node, task, told }: FiringCase & { told: Awaited<ReturnType<typeof listTold>> },
): Promise<Decision[]> {
  const { policy, now } = judging;
  const facts = [routedCondition(alert.condition, { node, severity: alert.severity, task })];
  const sent = told.length === 0 ? new Map<string, number>() : await countsOf(judging, task);
  return policy.subscriptions.map((subscription) => {
    const { name, receiver, renotifyIntervalMs } = subscription;
    const last = told.find((one) => one.subscription === name && one.receiver === receiver);
    if (last === undefined) return decisionOf(subscription, { reason: 'never_told' });
    const report = { status: 'true', severity: alert.severity, reason: alert.reason } as const;
    const change = transition({
      previous: { ...remembered(alert), toldAt: last.lastAt.getTime() },
      report,
      now: now.getTime(),
      renotifyIntervalMs,
    });
    const isDue = change.kind === 'renotified' && policy.receivers.has(receiver);
    if (!isDue) return decisionOf(subscription, { reason: 'not_due' });
    const answer = withhold(subscription, { policy, facts, now: now.getTime(), sent });
    return decisionOf(subscription, answer ?? { reason: 'matched' });
  });
}

async function tellAgain(
  judging: Judging,
  { alert, node, task, decisions }: FiringCase & { decisions: Decision[] },
): Promise<void> {
  const { tx, now } = judging;
  const repeat = alert.renotifications + 1;
  await updateAlert(tx, alert.id, { renotifiedAt: now, renotifications: repeat });
  tell(judging, [
    {
      kind: 'renotified',
      type: 'condition.renotified',
      reason: alert.reason,
      decisions,
      alert,
      incident: await findIncident(tx, alert.incidentId),
      task,
      node,
      repeat,
      isHeld: false,
    },
  ]);
}
