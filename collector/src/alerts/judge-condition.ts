import type { Component, ConditionStatus, ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { isOfTask, kindOf } from '../conditions/catalogue.ts';
import { restartableOf } from '../conditions/restart-loop.ts';
import type { Queries } from '../db/database.ts';
import {
  type AlertRow,
  findIncident,
  openIncident,
  raiseSeverity,
  reopenIncident,
  resolveIfOver,
} from '../incidents/store.ts';
import { newId } from '../outbox/new-id.ts';
import { type Decision, decide, decideBeside, decideResolved, type Suppression } from '../routing/decide.ts';
import { sayAfterSilence } from './after-silence.ts';
import { countsOf } from './allowance.ts';
import { flapsOf, isCalm, reasonWithFlaps } from './damping.ts';
import { deleteEndedEscalations } from './escalation-store.ts';
import { routedCondition } from './facts.ts';
import { tellIncidentsOver } from './mirrors.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';
import { findFiring, findPast, findTasks, insertAlert, listTold, updateAlert, upsertConditionState } from './store.ts';
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
  /** The task it is told with, when the caller has it; the subject's otherwise. */
  readonly task?: TaskRow;
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

/**
 * Remembers the report, and draws its conclusion: an alert fires, is told again, changes, resolves, or nothing. What is said
 * of a task that has ended meanwhile is no news: its warnings end with it (judge-firing.ts).
 */
export async function judgeCondition(judging: Judging, given: ConditionCase): Promise<void> {
  const { tx, now } = judging;
  const { nodeId, node, report, isOver = false } = given;
  const { condition, component, subject, status, severity, reason, value, threshold, since } = report;
  const task = given.task ?? (await findSubject(tx, report));
  if (isOfTask(report) && hasEnded(task)) return;
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
  const found = await findFiring(tx, fingerprint);
  // What cannot be read is not calm.
  const isBack = found !== null && found.calmSince !== null && status !== 'false';
  if (isBack) await updateAlert(tx, found.id, { calmSince: null });
  const firing = isBack ? { ...found, calmSince: null } : found;
  const change = transition({
    previous: firing && remembered(firing),
    report,
    now: now.getTime(),
    renotifyIntervalMs: 0,
  });
  switch (change.kind) {
    case 'fired': {
      const alert = await fireAlert(judging, { nodeId, node, report, fingerprint, task });
      const suppression: Suppression | null = isOver ? 'already_over' : node?.draining === true ? 'draining' : null;
      await tellHolding(judging, { alert, node, task, suppression, again: false });
      return;
    }
    case 'resolved':
      if (firing && (await hasCalmed(judging, firing)))
        await resolveAlert(judging, { alert: firing, node, task, reason });
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
          task,
          suppression: node?.draining === true ? 'draining' : null,
          // What was only listed so far is told for the first time.
          again: firing.severity !== 'info',
          isWorse: true,
        });
      return;
    }
    case 'nothing':
      return;
    default:
      change satisfies never;
  }
}

/** Whether an alert that no longer holds is over; one that comes and goes is not before it has been calm for long enough. */
export async function hasCalmed({ tx, now, touched }: Judging, alert: AlertRow): Promise<boolean> {
  // A loop of restarts waits for calm by itself.
  if (alert.condition === 'RestartLoop' || isCalm(alert, now.getTime())) return true;
  if (alert.calmSince !== null) return false;
  await updateAlert(tx, alert.id, { calmSince: now });
  touched.push({ kind: 'incident', id: alert.incidentId });
  return false;
}

export function remembered({ severity, reason, firedAt, renotifiedAt }: AlertRow): FiringAlert {
  return { severity, reason, firedAt: firedAt.getTime(), toldAt: (renotifiedAt ?? firedAt).getTime() };
}

async function findSubject(tx: Queries, report: ReportedCondition): Promise<TaskRow | null> {
  return isOfTask(report) ? ((await findTasks(tx, [report.subject])).get(report.subject) ?? null) : null;
}

/** Whether a task is over as far as anyone knows; a lost one may run still. Null: long gone. */
export function hasEnded(task: TaskRow | null): boolean {
  return task === null || (task.status !== 'running' && task.status !== 'lost');
}

/** Where the alerts of a task belong together: with those of its unit or container, which may have run before. */
export function causeOfTask(task: TaskRow): string {
  return restartableOf(task) ?? `task/${task.id}`;
}

function causeOf(
  { condition, component, subject }: ReportedCondition,
  { nodeId, task }: { nodeId: string; task: TaskRow | null },
): string {
  const ofCondition = `condition/${nodeId}/${component}/${condition}`;
  switch (kindOf(condition).cause) {
    case 'node':
      return `node/${nodeId}`;
    case 'condition':
      return ofCondition;
    case 'unit':
      return task === null ? `unit/${nodeId}/${subject}` : causeOfTask(task);
    case 'task':
      return task === null ? ofCondition : causeOfTask(task);
  }
}

export interface FiringReport {
  /** Null: of no node in particular. */
  readonly nodeId: string | null;
  readonly node: NodeRow | null;
  readonly report: ReportedCondition;
  readonly fingerprint: string;
  readonly task?: TaskRow | null;
  /** The incident it belongs to, when that is not the one of its own cause. */
  readonly cause?: { readonly groupKey: string; readonly title: string };
}

/** A new alert in the open incident of its cause. */
export async function fireAlert(
  { tx, now }: Judging,
  { nodeId, node, report, fingerprint, task = null, cause }: FiringReport,
): Promise<AlertRow> {
  const { condition, component, subject, severity, reason } = report;
  const named = isOfTask(report) ? (task?.name ?? subject) : subject;
  const groupKey = cause?.groupKey ?? causeOf(report, { nodeId: nodeId ?? '', task });
  const title =
    cause?.title ?? kindOf(condition).title({ node: node?.name ?? nodeId ?? '', component, subject: named, severity });
  const past = await findPast(tx, fingerprint);
  const flaps = flapsOf(past, now.getTime());
  if (past !== null && flaps > 0) {
    // It goes up anew.
    await deleteEndedEscalations(tx);
    await reopenIncident(tx, past.incidentId);
  }
  const incident = await openIncident(tx, { id: newId(now.getTime()), groupKey, title, severity, now });
  return insertAlert(tx, {
    flaps,
    id: newId(now.getTime()),
    incidentId: incident.id,
    fingerprint,
    condition,
    component,
    nodeId,
    taskId: task?.id ?? null,
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
    task = null,
    suppression,
    again,
    isWorse = false,
    heldBack,
  }: {
    alert: AlertRow;
    node: NodeRow | null;
    task?: TaskRow | null;
    suppression: Suppression | null;
    again: boolean;
    /** It was told, or listed, as less severe before. */
    isWorse?: boolean;
    heldBack?: Notification['held_back'];
  },
): Promise<void> {
  const { tx, policy, now } = judging;
  const facts = [
    routedCondition(alert.condition, {
      node,
      severity: alert.severity,
      task,
      isLimit: alert.condition === 'TaskOverrun' && alert.component === 'agent' && !again && !isWorse,
    }),
  ];
  const question = { policy, facts, now: now.getTime() };
  const decisions =
    alert.condition === 'DeliveryFailed'
      ? decideBeside(alert.subject, question)
      : decide({ ...question, suppression, sent: await countsOf(judging, task) });
  const afterSilence = await sayAfterSilence(judging, { facts, decisions });
  const isUnreachable = alert.condition === 'ComponentUnreachable';
  const repeat = again ? alert.renotifications + 1 : alert.renotifications;
  if (again) await updateAlert(tx, alert.id, { renotifiedAt: now, renotifications: repeat });
  tell(judging, [
    {
      kind: suppression !== null ? 'suppressed' : again ? 'renotified' : isUnreachable ? 'unreachable' : 'fired',
      type: again ? 'condition.renotified' : isUnreachable ? 'node.unreachable' : 'condition.fired',
      reason: reasonWithFlaps(alert),
      decisions,
      alert,
      incident: await findIncident(tx, alert.incidentId),
      task,
      node,
      repeat,
      // The one says what the other would.
      ...(heldBack !== undefined
        ? { heldBackFor: () => heldBack }
        : afterSilence === undefined
          ? {}
          : { afterSilence }),
    },
  ]);
}

/** Ends an alert, its incident when it was the last, and tells those who had heard that it held. */
export async function resolveAlert(
  judging: Judging,
  {
    alert,
    node,
    task = null,
    reason,
    groupFor,
  }: {
    alert: AlertRow;
    node: NodeRow | null;
    task?: TaskRow | null;
    reason: string;
    groupFor?: NonNullable<Telling['groupFor']>;
  },
): Promise<void> {
  const { tx, now, policy, mirrors } = judging;
  await updateAlert(tx, alert.id, { status: 'resolved', resolvedAt: now, reason });
  const [resolved] = await resolveIfOver(tx, [alert.incidentId], now);
  const told = await listTold(tx, [alert.id]);
  const isToldWithTask = isOfTask(alert) && hasEnded(task);
  const decisions = decideResolved(policy, told).map((decision) =>
    isToldWithTask && !mirrors.has(decision.receiver) ? asTold(decision) : decision,
  );
  tell(judging, [
    {
      kind: 'resolved',
      type: alert.condition === 'ComponentUnreachable' ? 'node.recovered' : 'condition.resolved',
      reason,
      decisions,
      alert: { ...alert, reason },
      incident: resolved ?? (await findIncident(tx, alert.incidentId)),
      active: false,
      task,
      node,
      repeat: alert.renotifications,
      ...(groupFor === undefined ? {} : { groupFor }),
    },
  ]);
  if (resolved !== undefined)
    await tellIncidentsOver(judging, {
      incidents: [resolved],
      reason,
      heard: decisions,
      arePeopleTold: !isToldWithTask,
    });
}

/** A task's end was told, and everybody knows that nothing threatens it any more. */
function asTold(decision: Decision): Decision {
  return decision.notified ? { ...decision, notified: false, reason: 'task_ended' } : decision;
}
