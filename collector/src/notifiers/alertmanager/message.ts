import { type Severity, severity as severitySchema } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { plainText, storyOf } from '../story.ts';
import { fit, oneLine } from '../text.ts';
import { isOver } from '../wording.ts';

/** Alertmanager API v2, `postableAlert`. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

export const ownLabels = ['alertname', 'severity', 'source', 'component', 'node', 'subject'] as const;

/**
 * Alertmanager takes an alert without `endsAt` for resolved after its `resolve_timeout` (5 min by default), because Prometheus
 * repeats itself and we do not. So what holds ends in a year, until we say that it is over.
 */
const holdsForMs = 365 * 86_400_000;
const testForMs = 5 * 60_000;
/** It has no limit of its own; what it tells then does. */
const descriptionLengthMax = 8000;

export interface AlertOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly taskFailureMs: number;
  /** Epoch milliseconds: an alert told late must not be over when it arrives. */
  readonly now: number;
}

/**
 * What Alertmanager is told; nothing for a task that begins, and for one that ended well only that its failure is over.
 *
 * It knows an alert by its labels, so these are the same from the first word to the last: what, where, and about what inside it.
 * Severity is among them, because it routes by that, and it alone may change: with every word the alert of each other severity
 * is said to be over, which is nothing to Alertmanager where it never was.
 */
export function alertsOf(notification: Notification, { labels, taskFailureMs, now }: AlertOptions): PostableAlert[] {
  const identity = identityOf(notification);
  if (identity === null) return [];
  const at = Date.parse(notification.at);
  const since = Math.min(
    at,
    Date.parse(notification.condition?.since ?? notification.task?.ended_at ?? notification.at),
  );
  const told = Math.max(at, now);
  const endsAt = isOver(notification) ? at : told + durationOf(notification, taskFailureMs);
  const held: Severity = notification.incident?.severity ?? 'info';
  const { url } = notification.incident ?? { url: null };
  return severitySchema.options.map((severity) => ({
    labels: { ...labels, ...identity, severity },
    annotations: annotationsOf(notification),
    startsAt: toInstant(since),
    endsAt: toInstant(severity === held ? endsAt : at),
    ...(url === null ? {} : { generatorURL: url }),
  }));
}

function identityOf({ type, condition, task, node }: Notification): Record<string, string> | null {
  const source = 'runnerwatch';
  if (type === 'test') return { alertname: 'RunnerwatchTest', source };
  if (type === 'digest' || type === 'task.started' || type.startsWith('incident.')) return null;
  const alertname = condition?.type ?? (task === undefined ? null : 'TaskFailed');
  if (alertname === null) return null;
  const place = node?.name ?? task?.node;
  const subject = condition?.subject ?? task?.id ?? '';
  return {
    alertname,
    source,
    component: condition?.component ?? 'agent',
    ...(place === undefined ? {} : { node: oneLine(place) }),
    ...(subject === '' ? {} : { subject: oneLine(subject) }),
  };
}

function durationOf({ type }: Notification, taskFailureMs: number): number {
  if (type === 'test') return testForMs;
  return type.startsWith('task.') ? taskFailureMs : holdsForMs;
}

/** Empty ones would be dropped. */
function annotationsOf(notification: Notification): Record<string, string> {
  const story = storyOf(notification);
  const { task, incident } = notification;
  const all = {
    summary: story.title,
    description: fit(plainText(story, { hasTitle: false }), { max: descriptionLengthMax }),
    advice: story.advice.join('\n'),
    cause: task?.verdict?.cause ?? '',
    job: task?.job ?? '',
    project: task?.project ?? '',
    owner: task?.owner ?? '',
    incident: incident?.id ?? '',
    notification: notification.id,
  };
  return Object.fromEntries(
    Object.entries(all)
      .map(([name, text]): [string, string] => [name, text.toWellFormed().trim()])
      .filter(([, text]) => text !== ''),
  );
}
