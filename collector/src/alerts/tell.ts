import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification, NotificationType, TransitionKind } from '@runnerwatch/shared/model/notification.ts';
import type { AlertRow, IncidentRow } from '../incidents/store.ts';
import { newId } from '../outbox/new-id.ts';
import { type NotificationPromise, promiseNotifications } from '../outbox/outbox.ts';
import { type Decision, worthRecording } from '../routing/decide.ts';
import { count } from './allowance.ts';
import { startEscalations } from './escalation-store.ts';
import { conditionFacts, groupedTask, incidentFacts, nodeFacts, taskFacts } from './facts.ts';
import { type HeldRow, insertHeld } from './held-store.ts';
import { type FiringCase, type Judging, leave, type NodeRow, type TaskRow } from './round.ts';
import { insertTransitions } from './store.ts';

/** Something that happened, with everything a notification about it shows. */
export interface Telling {
  readonly kind: TransitionKind;
  readonly type: NotificationType;
  /** For an alert: why, for people. For a task: its status. */
  readonly reason: string;
  readonly decisions: Decision[];
  readonly alert?: AlertRow | null;
  readonly incident?: IncidentRow | null;
  /** Whether the alert's condition holds. */
  readonly active?: boolean;
  readonly task?: TaskRow | null;
  readonly node: NodeRow | null;
  readonly repeat?: number;
  /** For one receiver's eyes: what is told together with this. */
  readonly groupFor?: (decision: Decision) => Notification['group'];
  /** How many there are of those, when not all are shown. */
  readonly groupSize?: number;
  /** It is the first to be told after a silence. */
  readonly afterSilence?: Notification['after_silence'];
  /** Why it is told only now. */
  readonly heldBackFor?: (decision: Decision) => Notification['held_back'];
  /** It is told to one more because nobody acknowledged it. */
  readonly escalation?: Notification['escalation'];
  /** False: what keeps it from someone now is no reason to tell them later. */
  readonly isHeld?: boolean;
}

/** Records transitions with everyone's decision, and promises what was decided. In the caller's transaction, or not at all. */
export function tell(judging: Judging, tellings: readonly Telling[]): void {
  const { tx, now, policy } = judging;
  const identified = tellings.map((telling) => ({ id: newId(now.getTime()), telling }));
  const transitions = identified.map(({ id, telling }) => ({
    id,
    alertId: telling.alert?.id ?? null,
    // The history of a task is what was said of itself, not of conditions on it.
    taskId: telling.type.startsWith('task.') ? (telling.task?.id ?? null) : null,
    nodeId: telling.node?.id ?? telling.task?.nodeId ?? null,
    kind: shownKind(telling),
    at: now,
    reason: telling.reason,
    taskCause: telling.type.startsWith('task.') ? (telling.task?.cause ?? null) : null,
    decisions: worthRecording(policy, telling.decisions, telling.task ?? null),
  }));
  const promises = identified.flatMap(({ id, telling }) =>
    telling.decisions
      .filter(({ notified, reason }) => notified && reason !== 'told_with_node')
      .map((decision): NotificationPromise => {
        const { subscription, receiver } = decision;
        const body = bodyOf(judging, { telling, decision });
        return { transitionId: id, subscription, receiver, subject: subjectOf(telling), body };
      }),
  );
  leave(judging, insertTransitions(tx, transitions));
  leave(judging, promiseNotifications(tx, promises, now));
  leave(
    judging,
    insertHeld(
      tx,
      tellings.flatMap((telling) => heldOf(telling, now)),
    ),
  );
  leave(judging, startEscalations(tx, waitingOf(judging, tellings)));
  for (const { task, decisions, kind } of tellings)
    if (task && kind !== 'resolved' && kind !== 'escalated') count(judging, task, decisions);
  for (const { receiver } of promises) judging.receivers.add(receiver);
  for (const { telling } of identified) {
    if (telling.incident) judging.touched.push({ kind: 'incident', id: telling.incident.id });
    if (telling.task) judging.touched.push({ kind: 'task', id: telling.task.id });
    if (telling.node) judging.touched.push({ kind: 'node', id: telling.node.id });
  }
}

/** A task's end and the alert about it are one subject, and so are all alerts about one thing, one after the other. */
function subjectOf({ type, task, alert }: Telling): string | null {
  return type.startsWith('task.') && task ? `task/${task.id}` : (alert?.fingerprint ?? null);
}

/** The first word about an alert that fires, as it would be said now; `lost` are the tasks lost with a node. */
export function firstWord({ alert, node, task }: FiringCase, lost: readonly TaskRow[]) {
  const isOfTask = alert.condition === 'TaskFailed';
  const members = lost.map((member) => ({ task: groupedTask(member, node?.name ?? member.nodeId) }));
  return {
    type: isOfTask ? 'task.ended' : alert.condition === 'ComponentUnreachable' ? 'node.unreachable' : 'condition.fired',
    // The history of a task is the status that was told.
    reason: isOfTask ? (task?.status ?? alert.reason) : alert.reason,
    alert,
    task,
    node,
    repeat: alert.renotifications,
    ...(members.length === 0 ? {} : { groupFor: () => members }),
  } as const;
}

/** Of open incidents, those that subscriptions tell of that have more receivers to tell while nobody acknowledges. */
function waitingOf({ policy, now }: Judging, tellings: readonly Telling[]): Parameters<typeof startEscalations>[1] {
  const firstSteps = new Map(
    policy.subscriptions.flatMap(({ name, escalate }) => (escalate ? [[name, escalate[0].afterMs]] : [])),
  );
  if (firstSteps.size === 0) return [];
  return tellings.flatMap(({ incident, active = true, decisions }) =>
    decisions.flatMap(({ subscription, reason }) => {
      const afterMs = firstSteps.get(subscription);
      const isTold = reason === 'matched' || reason === 'receiver_already_told';
      if (afterMs === undefined || !isTold || !active || incident?.status !== 'open') return [];
      return { incidentId: incident.id, subscription, since: now, nextAt: new Date(now.getTime() + afterMs) };
    }),
  );
}

/** What a person has silenced for everyone who would have heard it is suppressed. */
function shownKind({ kind, decisions }: Telling): TransitionKind {
  const isSilenced =
    decisions.some(({ reason }) => reason === 'silenced') && !decisions.some(({ notified }) => notified);
  return isSilenced && kind !== 'started' ? 'suppressed' : kind;
}

/** Of an alert, what comes later to those whose receiver hears nothing now. */
function heldOf({ alert, decisions, isHeld = true }: Telling, now: Date): HeldRow[] {
  if (!alert || !isHeld) return [];
  const told = new Set(decisions.filter(({ notified }) => notified).map(({ receiver }) => receiver));
  return decisions.flatMap(({ subscription, receiver, reason, silence, groupKey }) =>
    (reason === 'quiet_hours' || reason === 'silenced' || reason === 'grouped') && !told.has(receiver)
      ? [
          {
            alertId: alert.id,
            subscription,
            reason,
            silenceId: silence ?? null,
            groupKey: groupKey ?? null,
            heldAt: now,
          },
        ]
      : [],
  );
}

function bodyOf(
  { now, publicUrl }: Judging,
  { telling, decision }: { telling: Telling; decision: Decision },
): NotificationPromise['body'] {
  const { type, kind, incident, alert, active = true, task, node, repeat = 0, groupFor } = telling;
  const group = groupFor?.(decision);
  const heldBack = telling.heldBackFor?.(decision);
  return {
    type,
    at: toInstant(now.getTime()),
    incident: incident ? incidentFacts(incident, publicUrl) : null,
    ...(alert ? { condition: conditionFacts(alert, active) } : {}),
    ...(task ? { task: taskFacts(task, node?.name ?? task.nodeId) } : {}),
    node: node === null ? null : nodeFacts(node),
    transition: kind,
    repeat,
    ...(group === undefined ? {} : { group }),
    ...(telling.groupSize === undefined ? {} : { group_size: telling.groupSize }),
    ...(heldBack === undefined ? {} : { held_back: heldBack }),
    ...(telling.escalation === undefined ? {} : { escalation: telling.escalation }),
    ...(type === 'incident.acknowledged' && incident ? { acknowledged: acknowledgedBy(incident) } : {}),
    ...(telling.afterSilence === undefined ? {} : { after_silence: telling.afterSilence }),
  };
}

function acknowledgedBy(incident: IncidentRow): NonNullable<Notification['acknowledged']> {
  const { acknowledgedBy: by, acknowledgeNote: note, acknowledgedUntil: until } = incident;
  return { by: by ?? '', note: note ?? '', until: until && toInstant(until.getTime()) };
}
