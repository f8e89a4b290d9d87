import { type AlertRow, type IncidentRow, resolveIfOver } from '../incidents/store.ts';
import { type Decision, decideResolved } from '../routing/decide.ts';
import type { Judging, NodeRow } from './round.ts';
import { findNodes, listTold, listToldOfIncidents, resolveAlerts, type ToldOfIncident } from './store.ts';
import { type Telling, tell } from './tell.ts';

/*
 * Receivers that keep an object of their own: a pager's incident, an alert of an Alertmanager. It stays open until they hear that
 * it is over, so they hear that also where nobody tells people: a failure that was acknowledged, followed by a good run, or is a
 * day old; a warning whose task ended; an incident whose last alert they never heard of.
 *
 *   of an alert      with each alert that they were told of
 *   of an incident   once, when its last alert is over; and that somebody is on it
 *
 * Who was told only because nobody acknowledged an incident hears of its end, too, where people do, whichever alert ends last.
 */

/** These alerts are over, and with the last ones their incidents. Mirrors hear it, people do not. */
export async function closeSilently(
  judging: Judging,
  { alerts, reason }: { alerts: readonly AlertRow[]; reason: string },
): Promise<void> {
  if (alerts.length === 0) return;
  const { tx, now, policy, mirrors } = judging;
  const ids = alerts.map(({ id }) => id);
  await resolveAlerts(tx, ids, now);
  const resolved = await resolveIfOver(tx, [...new Set(alerts.map(({ incidentId }) => incidentId))], now);
  const told = areAny(judging, 'alert') ? await listTold(tx, ids) : [];
  const heardBy = (id: string) =>
    told.filter(({ alertId, receiver }) => alertId === id && mirrors.get(receiver) === 'alert');
  const nodes = told.length === 0 ? none : await nodesOf(judging, alerts);
  const ofAlerts = alerts.map(
    (alert): Telling => ({
      kind: 'resolved',
      type: 'condition.resolved',
      reason,
      decisions: decideResolved({ ...policy, subscriptions: [] }, heardBy(alert.id)).map(asMirrored),
      alert,
      incident: resolved.find(({ id }) => id === alert.incidentId) ?? null,
      active: false,
      node: nodes.get(alert.nodeId ?? '') ?? null,
    }),
  );
  const ofIncidents = await wordsOfEnd(judging, { incidents: resolved, reason });
  // One word is enough for the record.
  const isSaid = ({ alert, decisions }: Telling) =>
    decisions.length === 0 && ofIncidents.some((one) => one.alert?.id === alert?.id);
  tell(judging, [...ofAlerts.filter((one) => !isSaid(one)), ...ofIncidents]);
}

interface IncidentsOver {
  readonly incidents: readonly IncidentRow[];
  readonly reason: string;
  /** Who hears it anyway. */
  readonly heard?: readonly Decision[];
  readonly arePeopleTold?: boolean;
}

/** Tells those who mirror incidents that these are over. */
export async function tellIncidentsOver(judging: Judging, over: IncidentsOver): Promise<void> {
  tell(judging, await wordsOfEnd(judging, over));
}

function wordsOfEnd(
  judging: Judging,
  { incidents, reason, heard = [], arePeopleTold = false }: IncidentsOver,
): Promise<Telling[]> {
  const hear = new Set(heard.filter(({ notified }) => notified).map(({ receiver }) => receiver));
  const { mirrors, policy } = judging;
  const isMirror = ({ receiver }: ToldOfIncident) => mirrors.get(receiver) === 'incident';
  const isAsked = arePeopleTold && policy.subscriptions.some(({ escalate }) => escalate !== undefined);
  return wordsOf(judging, {
    incidents,
    reason,
    isOver: true,
    isAsked: isAsked || areAny(judging, 'incident'),
    isToHear: (one) => !hear.has(one.receiver) && (isMirror(one) || (isAsked && one.isEscalation)),
  });
}

/** Tells those who mirror an open incident that somebody is on it. */
export async function tellAcknowledged(
  judging: Judging,
  { incident, reason }: { incident: IncidentRow; reason: string },
): Promise<void> {
  const words = await wordsOf(judging, {
    incidents: [incident],
    reason,
    isOver: false,
    isAsked: areAny(judging, 'incident'),
    isToHear: ({ receiver }) => judging.mirrors.get(receiver) === 'incident',
  });
  tell(judging, words);
}

interface WordOfIncidents {
  readonly incidents: readonly IncidentRow[];
  readonly reason: string;
  readonly isOver: boolean;
  /** Whether anybody may have to hear it. */
  readonly isAsked: boolean;
  readonly isToHear: (told: ToldOfIncident) => boolean;
}

/** Each word hangs on the alert of which its receiver was told last, behind that. */
async function wordsOf(
  judging: Judging,
  { incidents, reason, isOver, isAsked, isToHear }: WordOfIncidents,
): Promise<Telling[]> {
  if (incidents.length === 0 || !isAsked) return [];
  const told = await listToldOfIncidents(
    judging.tx,
    incidents.map(({ id }) => id),
  );
  const last = lastOfEach(told.filter(isToHear));
  const alerts = new Map(last.map(({ alert }) => [alert.id, alert]));
  const nodes = await nodesOf(judging, [...alerts.values()]);
  return [...alerts.values()].map((alert) => ({
    kind: isOver ? 'resolved' : 'acknowledged',
    type: isOver ? 'incident.resolved' : 'incident.acknowledged',
    reason,
    decisions: decideResolved(
      { ...judging.policy, subscriptions: [] },
      last.filter((one) => one.alert.id === alert.id),
    ).map(asMirrored),
    alert: isOver ? { ...alert, reason } : alert,
    incident: incidents.find(({ id }) => id === alert.incidentId) ?? null,
    active: !isOver,
    node: nodes.get(alert.nodeId ?? '') ?? null,
  }));
}

/** Of each incident and receiver the last word. */
function lastOfEach(told: readonly ToldOfIncident[]): ToldOfIncident[] {
  const inOrder = told.toSorted(
    (a, b) => a.lastAt.getTime() - b.lastAt.getTime() || (a.alert.id < b.alert.id ? -1 : 1),
  );
  return [...new Map(inOrder.map((one) => [`${one.alert.incidentId} ${one.receiver}`, one])).values()];
}

function asMirrored(decision: Decision): Decision {
  return decision.notified ? { ...decision, reason: 'mirrored' } : decision;
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
