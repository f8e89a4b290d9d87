import { type AlertRow, type IncidentRow, resolveIfOver } from '../incidents/store.ts';
import type { Decision } from '../routing/decide.ts';
import type { Judging, NodeRow } from './round.ts';
import { findNodes, listTold, listToldOfIncidents, resolveAlerts, type ToldOfIncident } from './store.ts';
import { tell } from './tell.ts';

/*
 * Receivers that keep an object of their own: a pager's incident, an alert of an Alertmanager. It stays open until they hear that
 * it is over, so they hear that also where nobody tells people: a failure that was acknowledged, followed by a good run, or is a
 * day old; a warning whose task ended; an incident whose last alert they never heard of.
 *
 *   of an alert      with each alert that they were told of
 *   of an incident   once, when its last alert is over; and that somebody is on it
 */

/** These alerts are over, and with the last ones their incidents. Mirrors hear it, people do not. */
export async function closeSilently(
  judging: Judging,
  { alerts, reason }: { alerts: readonly AlertRow[]; reason: string },
): Promise<void> {
  if (alerts.length === 0) return;
  const { tx, now } = judging;
  const ids = alerts.map(({ id }) => id);
  await resolveAlerts(tx, ids, now);
  const resolved = await resolveIfOver(tx, [...new Set(alerts.map(({ incidentId }) => incidentId))], now);
  const told = areAny(judging, 'alert')
    ? (await listTold(tx, ids)).filter(({ receiver }) => judging.mirrors.get(receiver) === 'alert')
    : [];
  const nodes = told.length === 0 ? none : await nodesOf(judging, alerts);
  tell(
    judging,
    alerts.map((alert) => ({
      kind: 'resolved',
      type: 'condition.resolved',
      reason,
      decisions: told.filter(({ alertId }) => alertId === alert.id).map((one) => asDecision(judging, one)),
      alert,
      incident: resolved.find(({ id }) => id === alert.incidentId) ?? null,
      active: false,
      node: nodes.get(alert.nodeId ?? '') ?? null,
    })),
  );
  await tellIncidentsOver(judging, { incidents: resolved, reason });
}

/** Tells those who mirror incidents that these are over; `heard` are they who hear it anyway. */
export async function tellIncidentsOver(
  judging: Judging,
  { incidents, reason, heard = [] }: { incidents: readonly IncidentRow[]; reason: string; heard?: readonly Decision[] },
): Promise<void> {
  const hear = new Set(heard.filter(({ notified }) => notified).map(({ receiver }) => receiver));
  await tellOfIncidents(judging, { incidents, reason, isOver: true, isLeftOut: (receiver) => hear.has(receiver) });
}

/** Tells those who mirror an open incident that somebody is on it. */
export async function tellAcknowledged(
  judging: Judging,
  { incident, reason }: { incident: IncidentRow; reason: string },
): Promise<void> {
  await tellOfIncidents(judging, { incidents: [incident], reason, isOver: false, isLeftOut: () => false });
}

interface WordOfIncidents {
  readonly incidents: readonly IncidentRow[];
  readonly reason: string;
  readonly isOver: boolean;
  readonly isLeftOut: (receiver: string) => boolean;
}

/** Each word hangs on the alert of which its receiver was told last, behind that. */
async function tellOfIncidents(
  judging: Judging,
  { incidents, reason, isOver, isLeftOut }: WordOfIncidents,
): Promise<void> {
  if (incidents.length === 0 || !areAny(judging, 'incident')) return;
  const told = await listToldOfIncidents(
    judging.tx,
    incidents.map(({ id }) => id),
  );
  const mirrors = told.filter(({ receiver }) => judging.mirrors.get(receiver) === 'incident' && !isLeftOut(receiver));
  const last = lastOfEach(mirrors);
  const alerts = new Map(last.map(({ alert }) => [alert.id, alert]));
  const nodes = await nodesOf(judging, [...alerts.values()]);
  tell(
    judging,
    [...alerts.values()].map((alert) => ({
      kind: isOver ? 'resolved' : 'acknowledged',
      type: isOver ? 'incident.resolved' : 'incident.acknowledged',
      reason,
      decisions: last.filter((one) => one.alert.id === alert.id).map((one) => asDecision(judging, one)),
      alert: isOver ? { ...alert, reason } : alert,
      incident: incidents.find(({ id }) => id === alert.incidentId) ?? null,
      active: !isOver,
      node: nodes.get(alert.nodeId ?? '') ?? null,
    })),
  );
}

/** Of each incident and receiver the last word. */
function lastOfEach(told: readonly ToldOfIncident[]): ToldOfIncident[] {
  const inOrder = told.toSorted(
    (a, b) => a.lastAt.getTime() - b.lastAt.getTime() || (a.alert.id < b.alert.id ? -1 : 1),
  );
  return [...new Map(inOrder.map((one) => [`${one.alert.incidentId} ${one.receiver}`, one])).values()];
}

function asDecision(
  { policy }: Judging,
  { subscription, receiver }: Pick<Decision, 'subscription' | 'receiver'>,
): Decision {
  const isThere = policy.enabled && policy.receivers.has(receiver);
  const reason = isThere ? 'mirrored' : policy.enabled ? 'receiver_gone' : 'notifications_disabled';
  return { subscription, receiver, notified: isThere, reason };
}

const none: ReadonlyMap<string, NodeRow> = new Map();

function nodesOf({ tx }: Judging, alerts: readonly AlertRow[]): Promise<ReadonlyMap<string, NodeRow>> {
  return findNodes(
    tx,
    alerts.flatMap(({ nodeId }) => nodeId ?? []),
  );
}

function areAny({ mirrors }: Judging, kind: 'incident' | 'alert'): boolean {
  return [...mirrors.values()].includes(kind);
}
