import { type AlertRow, alertsOf, findIncident } from '../incidents/store.ts';
import { decide } from '../routing/decide.ts';
import { findSilence } from '../routing/silence.ts';
import { sayAfterSilence } from './after-silence.ts';
import { routedCondition, routedEnd } from './facts.ts';
import { fireAlert, hasCalmed, type ReportedCondition, resolveAlert, tellHolding } from './judge-condition.ts';
import type { Judging, NodeRow } from './round.ts';
import { findFiring, findNodes, updateAlert } from './store.ts';
import { listRunningOn } from './task-store.ts';
import { tell } from './tell.ts';

/*
 * Many nodes silent at once. Then the nodes are seldom the cause: one incident asks for the collector, its database and the
 * network first, and stands for theirs. Each node's own alert is in it, told to nobody; it is over when all are back, or all
 * but a few, which are told for themselves from then on.
 */

/** What is known of the nodes' signs of life. */
export interface Fleet {
  /** How many ought to be heard. */
  readonly watched: number;
  /** Those not heard for more than half of the timeout, the overdue among them. */
  readonly late: readonly string[];
}

export const fleetFingerprint = 'condition/fleet/agent/ComponentUnreachable';
export const fleetKey = 'fleet';

const nodesMin = 3;
const stragglersMax = 3;
const namesMax = 20;
const membersMs = 60_000;

export function areTooMany(silent: number, watched: number): boolean {
  return silent >= nodesMin && silent > watched / 2;
}

/** Tells that these nodes are silent, before each of them is judged in its own transaction. */
export async function judgeFleetSilent(
  judging: Judging,
  { nodeIds, watched }: { nodeIds: readonly string[]; watched: number },
): Promise<void> {
  const { tx, now } = judging;
  const firing = await findFiring(tx, fleetFingerprint);
  if (firing !== null) return updateAlert(tx, firing.id, { calmSince: null });
  const nodes = [...(await findNodes(tx, nodeIds)).values()];
  const report: ReportedCondition = {
    condition: 'ComponentUnreachable',
    component: 'agent',
    subject: '',
    status: 'true',
    severity: 'critical',
    reason: `nothing is heard of ${listText(nodes.map(({ name }) => name))}; when most nodes fall silent at once, look at the collector, its database and the network first`,
    value: nodes.length,
    threshold: null,
    since: now,
  };
  const title = `${nodes.length} of ${watched} nodes fell silent at once: collector, database or network?`;
  const cause = { groupKey: fleetKey, title };
  const alert = await fireAlert(judging, { nodeId: null, node: null, report, fingerprint: fleetFingerprint, cause });
  await tellFleet(judging, { alert, nodes });
}

async function tellFleet(judging: Judging, { alert, nodes }: { alert: AlertRow; nodes: NodeRow[] }): Promise<void> {
  const { tx, now, policy } = judging;
  const watched = nodes.filter(({ draining }) => !draining);
  const byId = new Map(watched.map((node) => [node.id, node]));
  const running = await listRunningOn(tx, [...byId.keys()]);
  const all = [
    ...running.map((task) =>
      routedEnd(task, { node: byId.get(task.nodeId) ?? null, severity: 'critical', status: 'lost' }),
    ),
    ...watched.map((node) => routedCondition('ComponentUnreachable', { node, severity: 'critical' })),
  ];
  const audible = all.filter(
    ({ attributes }) => findSilence(policy.silences, { attributes, now: now.getTime() }) === null,
  );
  const facts = audible.length > 0 ? audible : all;
  const suppression = watched.length === 0 ? 'draining' : null;
  const decisions = decide({ policy, facts, suppression, now: now.getTime() });
  const afterSilence = await sayAfterSilence(judging, { facts, decisions });
  tell(judging, [
    {
      kind: suppression === null ? 'unreachable' : 'suppressed',
      type: 'node.unreachable',
      reason: alert.reason,
      decisions,
      alert,
      incident: await findIncident(tx, alert.incidentId),
      node: null,
      ...(afterSilence === undefined ? {} : { afterSilence }),
    },
  ]);
}

/** Looks whether the nodes are back. */
export async function judgeFleetReturn(judging: Judging, alert: AlertRow): Promise<void> {
  const { tx, now } = judging;
  const members = (await alertsOf(tx, [alert.incidentId])).filter(({ id }) => id !== alert.id);
  const silent = members.filter(({ status }) => status === 'firing');
  const nodes = await findNodes(
    tx,
    silent.flatMap(({ nodeId }) => (nodeId === null ? [] : [nodeId])),
  );
  const all = new Set(members.map(({ nodeId }) => nodeId)).size;
  const isOver = silent.length === 0 || (silent.length <= stragglersMax && silent.length <= all / 2);
  // Each is judged in its own transaction, right behind.
  if (members.length === 0 && now.getTime() - alert.firedAt.getTime() < membersMs) return;
  if (!isOver) return alert.calmSince === null ? undefined : updateAlert(tx, alert.id, { calmSince: null });
  if (!(await hasCalmed(judging, alert))) return;
  const names = [...nodes.values()].map(({ name }) => name);
  const reason =
    names.length === 0
      ? 'all of them are heard again'
      : `${all - silent.length} of ${all} nodes are heard again; still silent: ${listText(names)}`;
  await resolveAlert(judging, { alert, node: null, reason });
  for (const one of silent) {
    const node = nodes.get(one.nodeId ?? '') ?? null;
    const suppression = node?.draining === true ? 'draining' : null;
    await tellHolding(judging, { alert: one, node, suppression, again: false });
  }
}

function listText(names: readonly string[]): string {
  const more = names.length - namesMax;
  return `${names.toSorted().slice(0, namesMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
