import * as z from 'zod';
import type { ExplainedTask, ExplainedTransition, Outcome } from '../../alerts/explain.ts';
import { type Members, shownAlerts } from '../../incidents/members.ts';
import { type AlertRow, type IncidentRow, titleOfIncident } from '../../incidents/store.ts';
import { suppressions } from '../../routing/decide.ts';
import { delivery, instantText, toDelivery } from './delivery.ts';

const severity = z.enum(['info', 'warning', 'critical']);

export const alert = z.object({
  id: z.string(),
  condition: z.string(),
  component: z.string(),
  /** The node's name; its id when it was removed. */
  node: z.string().nullable(),
  node_id: z.string().nullable(),
  task_id: z.string().nullable(),
  subject: z.string(),
  status: z.enum(['firing', 'resolved']),
  severity,
  reason: z.string(),
  fired_at: z.string(),
  resolved_at: z.string().nullable(),
  renotified_at: z.string().nullable(),
  renotifications: z.int(),
  flapping: z.boolean().describe('It came back within an hour after it was over: the longer must it stay calm now.'),
  calm_since: z.string().nullable().describe('It no longer holds, and has to prove that it stays so.'),
});

/** One cause, with its alerts. */
export const incident = z.object({
  id: z.string(),
  status: z.enum(['open', 'resolved']),
  title: z.string(),
  severity,
  flapping: z.boolean().describe('Something in it comes and goes.'),
  finding: z.string().nullable().describe('What its failures point at: the node or the job.'),
  failures: z.int().describe('Tasks that failed in it.'),
  opened_at: z.string(),
  resolved_at: z.string().nullable(),
  acknowledged_at: z.string().nullable(),
  acknowledged_by: z.string().nullable(),
  acknowledge_note: z.string().nullable(),
  acknowledged_until: z.string().nullable().describe('When reminders go on; null: never.'),
  alerts: z
    .array(alert)
    .describe(
      `Those that fire first, then as they came; at most ${shownAlerts} of them (\`/incidents/{id}/alerts\` has all).`,
    ),
  alerts_total: z.int(),
  alerts_firing: z.int(),
  conditions: z.array(z.string()).describe('Of the alerts that fire, or of all when none does.'),
  nodes: z.array(z.string()).describe('Names of the nodes that they are about.'),
});

const decision = z.object({
  subscription: z.string(),
  receiver: z.string(),
  notified: z.boolean(),
  reason: z.string(),
  detail: z.string().nullable().describe('More about the reason: which silence, until when, how many.'),
  silence_id: z.string().nullable(),
});

/** What happened, who was asked, and what was promised and delivered because of it. */
export const explainedTransition = z.object({
  id: z.string(),
  alert_id: z.string().nullable(),
  task_id: z.string().nullable(),
  kind: z.string(),
  at: z.string(),
  reason: z.string(),
  /** What kept it from everyone (`draining`, `already_over`, `restart_loop`, `flapping`, `told_with_fleet`, `silenced`); null when nothing kept it back. */
  suppression: z.string().nullable(),
  decisions: z.array(decision),
  deliveries: z.array(delivery),
});

export const incidentDetail = incident.extend({
  conclusion: z.string().describe('Who was told, in one sentence.'),
  notifications_pending: z.int().describe('Promised, and still on their way.'),
  timeline_total: z.int().describe('How much happened: `/incidents/{id}/timeline` has it.'),
});

export const incidentExplanation = z.object({
  incident,
  transitions: z.array(explainedTransition).describe('The newest, oldest first; `/incidents/{id}/timeline` has all.'),
  transitions_total: z.int(),
  conclusion: z.string(),
});

export const taskExplanation = z.object({
  task: z.object({
    id: z.string(),
    task_id: z.string(),
    name: z.string(),
    node: z.string(),
    status: z.string(),
    cause: z.string().nullable(),
    summary: z.string().nullable(),
    ended_at: z.string().nullable(),
  }),
  alerts: z.array(alert),
  transitions: z.array(explainedTransition),
  conclusion: z.string(),
});

export function toAlert(row: AlertRow, names: ReadonlyMap<string, string>): z.infer<typeof alert> {
  return {
    id: row.id,
    condition: row.condition,
    component: row.component,
    node: row.nodeId === null ? null : (names.get(row.nodeId) ?? row.nodeId),
    node_id: row.nodeId,
    task_id: row.taskId,
    subject: row.subject,
    status: row.status,
    severity: row.severity,
    reason: row.reason,
    fired_at: instantText(row.firedAt),
    resolved_at: orNull(row.resolvedAt),
    renotified_at: orNull(row.renotifiedAt),
    renotifications: row.renotifications,
    flapping: row.flaps > 0,
    calm_since: orNull(row.calmSince),
  };
}

export function toIncident(
  row: IncidentRow,
  { members, names }: { members: Members | undefined; names: ReadonlyMap<string, string> },
): z.infer<typeof incident> {
  return {
    id: row.id,
    status: row.status,
    flapping: members?.flapping ?? false,
    title: titleOfIncident(row),
    severity: row.severity,
    finding: row.finding,
    failures: row.failures,
    opened_at: instantText(row.openedAt),
    resolved_at: orNull(row.resolvedAt),
    acknowledged_at: orNull(row.acknowledgedAt),
    acknowledged_by: row.acknowledgedBy || null,
    acknowledge_note: row.acknowledgeNote || null,
    acknowledged_until: orNull(row.acknowledgedUntil),
    alerts: (members?.alerts ?? []).map((one) => toAlert(one, names)),
    alerts_total: members?.total ?? 0,
    alerts_firing: members?.firing ?? 0,
    conditions: [...(members?.conditions ?? [])],
    nodes: (members?.nodeIds ?? []).map((id) => names.get(id) ?? id).toSorted(),
  };
}

export function toTransition({ transition, notifications }: ExplainedTransition): z.infer<typeof explainedTransition> {
  const { id, alertId, taskId, kind, at, reason, decisions } = transition;
  const suppression = [...suppressions, 'silenced'].find((why) => decisions.some((one) => one.reason === why)) ?? null;
  return {
    id,
    alert_id: alertId,
    task_id: taskId,
    kind,
    at: instantText(at),
    reason,
    suppression,
    decisions: decisions.map(({ subscription, receiver, notified, reason: why, detail, silence: silenceId }) => ({
      subscription,
      receiver,
      notified,
      reason: why,
      detail: detail ?? null,
      silence_id: silenceId ?? null,
    })),
    deliveries: notifications.map(toDelivery),
  };
}

export function toTaskExplanation({ task, node, alerts, transitions }: ExplainedTask): z.infer<typeof taskExplanation> {
  const name = node?.name ?? task.nodeId;
  return {
    task: {
      id: task.id,
      task_id: task.taskId,
      name: task.name,
      node: name,
      status: task.status,
      cause: task.cause,
      summary: task.verdict?.summary ?? null,
      ended_at: orNull(task.endedAt),
    },
    alerts: alerts.map((one) => toAlert(one, new Map([[task.nodeId, name]]))),
    transitions: transitions.map(toTransition),
    conclusion:
      transitions.length === 0
        ? task.status === 'running'
          ? 'it is running: there was nothing to tell yet'
          : 'its end has not been judged yet'
        : conclude(outcomeOf(transitions)),
  };
}

/** Who was told, in one sentence. */
export function conclude({ promised, delivered, pending, dead, isToldWithOthers, reasons }: Outcome): string {
  if (promised === 0 && isToldWithOthers) return 'it is told with others, in one message';
  if (promised === 0)
    return `nobody was told: ${reasons.length === 0 ? 'there is no subscription' : reasons.join(', ')}`;
  const parts = [`${delivered} delivered`];
  if (pending > 0) parts.push(`${pending} on their way`);
  if (dead > 0) parts.push(`${dead} given up`);
  return `${promised === 1 ? '1 notification was' : `${promised} notifications were`} promised: ${parts.join(', ')}`;
}

function outcomeOf(transitions: readonly ExplainedTransition[]): Outcome {
  const all = transitions.flatMap(({ notifications }) => notifications);
  const count = (state: string) => all.filter((one) => one.state === state).length;
  const decisions = transitions.flatMap(({ transition }) => transition.decisions);
  return {
    promised: all.length,
    delivered: count('delivered'),
    pending: count('pending'),
    dead: count('dead'),
    isToldWithOthers: decisions.some(({ notified }) => notified),
    reasons: [...new Set(decisions.map(({ reason }) => reason))],
  };
}

function orNull(date: Date | null): string | null {
  return date === null ? null : instantText(date);
}
