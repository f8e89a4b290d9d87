import type { Component, ConditionStatus, ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';
import { kindOf } from '../conditions/catalogue.ts';
import { type AlertRow, findIncident, openIncident, raiseSeverity, resolveIfOver } from '../incidents/store.ts';
import { newId } from '../outbox/new-id.ts';
import { decide, decideResolved, type Suppression } from '../routing/decide.ts';
import { routedCondition } from './facts.ts';
import type { Judging, NodeRow } from './round.ts';
import { findFiring, insertAlert, listTold, updateAlert, upsertConditionState } from './store.ts';
import { type Telling, tell } from './tell.ts';
import { type FiringAlert, transition } from './transition.ts';

/** One judgment of a condition on one subject of one node, whoever made it. */
export interface ReportedCondition {
  readonly condition: ConditionType;
  readonly component: Component;
  readonly subject: string;
  readonly status: ConditionStatus;
  readonly severity: Severity;
  readonly reason: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly since: Date;
}

export interface ConditionCase {
  readonly nodeId: string;
  readonly node: NodeRow | null;
  readonly report: ReportedCondition;
  /** The same condition was already reported over when this report was first looked at. */
  readonly isOver?: boolean;
}

export function fingerprintOf({
  nodeId,
  component,
  condition,
  subject,
}: {
  nodeId: string;
  component: string;
  condition: string;
  subject: string;
}): string {
  return `condition/${nodeId}/${component}/${condition}/${subject}`;
}

/** Remembers the report, and draws its conclusion: an alert fires, is told again, changes, resolves, or nothing. */
export async function judgeCondition(
  judging: Judging,
  { nodeId, node, report, isOver = false }: ConditionCase,
): Promise<void> {
  const { tx, now } = judging;
  const { condition, component, subject, status, severity, reason, value, threshold, since } = report;
  await upsertConditionState(tx, {
    nodeId,
    component,
    condition,
    subject,
    status,
    severity,
    reason,
    value,
    threshold,
    since,
    changedAt: now,
  });
  judging.touched.push({ kind: 'node', id: nodeId });
  const fingerprint = fingerprintOf({ nodeId, component, condition, subject });
  const firing = await findFiring(tx, fingerprint);
  const change = transition({
    previous: firing && remembered(firing),
    report,
    now: now.getTime(),
    renotifyIntervalMs: 0,
  });
  switch (change.kind) {
    case 'fired': {
      const alert = await fireAlert(judging, { nodeId, node, report, fingerprint });
      const suppression: Suppression | null = isOver ? 'already_over' : node?.draining === true ? 'draining' : null;
      await tellHolding(judging, { alert, node, suppression, again: false });
      return;
    }
    case 'resolved':
      if (firing) await resolveAlert(judging, { alert: firing, node, reason });
      return;
    case 'renotified':
    case 'updated': {
      if (firing === null) return;
      await updateAlert(tx, firing.id, { reason, severity });
      await raiseSeverity(tx, firing.incidentId, severity);
      judging.touched.push({ kind: 'incident', id: firing.incidentId });
      const alert = { ...firing, reason, severity };
      if (change.kind === 'renotified')
        await tellHolding(judging, {
          alert,
          node,
          suppression: node?.draining === true ? 'draining' : null,
          again: true,
        });
      return;
    }
    case 'nothing':
      return;
    default:
      change satisfies never;
  }
}

export function remembered({ severity, reason, firedAt, renotifiedAt }: AlertRow): FiringAlert {
  return { severity, reason, firedAt: firedAt.getTime(), toldAt: (renotifiedAt ?? firedAt).getTime() };
}

/** A new alert in the open incident of its cause. */
export async function fireAlert(
  { tx, now }: Judging,
  {
    nodeId,
    node,
    report,
    fingerprint,
  }: { nodeId: string; node: NodeRow | null; report: ReportedCondition; fingerprint: string },
): Promise<AlertRow> {
  const { condition, component, subject, severity, reason } = report;
  const kind = kindOf(condition);
  const groupKey = kind.cause === 'node' ? `node/${nodeId}` : `condition/${nodeId}/${component}/${condition}`;
  const title = kind.title({ node: node?.name ?? nodeId, component, subject });
  const incident = await openIncident(tx, { id: newId(now.getTime()), groupKey, title, severity, now });
  return insertAlert(tx, {
    id: newId(now.getTime()),
    incidentId: incident.id,
    fingerprint,
    condition,
    component,
    nodeId,
    subject,
    severity,
    reason,
    firedAt: now,
  });
}

/** Tells that an alert holds: at first, or again because it has become worse or may be told only now. */
export async function tellHolding(
  judging: Judging,
  {
    alert,
    node,
    suppression,
    again,
  }: { alert: AlertRow; node: NodeRow | null; suppression: Suppression | null; again: boolean },
): Promise<void> {
  const { tx, policy, now } = judging;
  const decisions = decide({
    policy,
    facts: [routedCondition(alert.condition, { node, severity: alert.severity })],
    suppression,
  });
  const isUnreachable = alert.condition === 'ComponentUnreachable';
  const repeat = again ? alert.renotifications + 1 : alert.renotifications;
  if (again) await updateAlert(tx, alert.id, { renotifiedAt: now, renotifications: repeat });
  await tell(judging, [
    {
      kind: suppression !== null ? 'suppressed' : again ? 'renotified' : isUnreachable ? 'unreachable' : 'fired',
      type: again ? 'condition.renotified' : isUnreachable ? 'node.unreachable' : 'condition.fired',
      reason: alert.reason,
      decisions,
      alert,
      incident: await findIncident(tx, alert.incidentId),
      node,
      repeat,
    },
  ]);
}

/** Ends an alert, its incident when it was the last, and tells those who had heard that it held. */
export async function resolveAlert(
  judging: Judging,
  {
    alert,
    node,
    reason,
    groupFor,
  }: { alert: AlertRow; node: NodeRow | null; reason: string; groupFor?: NonNullable<Telling['groupFor']> },
): Promise<void> {
  const { tx, now, policy } = judging;
  await updateAlert(tx, alert.id, { status: 'resolved', resolvedAt: now, reason });
  const [resolved] = await resolveIfOver(tx, [alert.incidentId], now);
  const told = await listTold(tx, [alert.id]);
  await tell(judging, [
    {
      kind: 'resolved',
      type: alert.condition === 'ComponentUnreachable' ? 'node.recovered' : 'condition.resolved',
      reason,
      decisions: decideResolved(policy, told),
      alert: { ...alert, reason },
      incident: resolved ?? (await findIncident(tx, alert.incidentId)),
      active: false,
      node,
      repeat: alert.renotifications,
      ...(groupFor === undefined ? {} : { groupFor }),
    },
  ]);
}
