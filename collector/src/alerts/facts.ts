import type { ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { ConditionFacts, IncidentFacts, NodeFacts, TaskFacts } from '@runnerwatch/shared/model/notification.ts';
import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { type AlertRow, type IncidentRow, titleOfIncident } from '../incidents/store.ts';
import { shownStatus } from '../nodes/record.ts';
import type { RoutedFact } from '../routing/route.ts';
import { eventsOfEnd } from '../routing/subscription.ts';
import { taskRecord } from '../tasks/record.ts';
import { reasonWithFlaps } from './damping.ts';
import type { FiringCase, NodeRow, TaskRow } from './round.ts';

/* From rows to what is told and what is routed. Pure. */

const logTailBytesMax = 64 * 1024;

export function nodeFacts(node: NodeRow): NodeFacts {
  return { id: node.id, name: node.name, status: shownStatus(node), labels: node.labels };
}

export function incidentFacts(incident: IncidentRow, publicUrl: string | null): IncidentFacts {
  const { id, status, severity } = incident;
  return {
    id,
    status,
    ...(incident.finding === null ? {} : { finding: incident.finding }),
    title: titleOfIncident(incident),
    severity,
    url: publicUrl === null ? null : `${publicUrl.replace(/\/+$/, '')}/#/incidents/${id}`,
  };
}

export function conditionFacts(
  alert: Pick<AlertRow, 'condition' | 'component' | 'subject' | 'reason' | 'firedAt' | 'flaps'>,
  active: boolean,
): ConditionFacts {
  return {
    type: alert.condition,
    active,
    reason: active ? reasonWithFlaps(alert) : alert.reason,
    since: toInstant(alert.firedAt.getTime()),
    component: alert.component,
    subject: alert.subject,
  };
}

export function taskFacts(task: TaskRow, nodeName: string): TaskFacts {
  return {
    ...taskRecord(task, nodeName),
    log_tail: task.logTail === null ? null : lastLines(task.logTail, logTailBytesMax),
    error_excerpt: task.errorExcerpt,
  };
}

/** Without its log. */
export function groupedTask(task: TaskRow, nodeName: string): Omit<TaskFacts, 'log_tail' | 'error_excerpt'> {
  return taskRecord(task, nodeName);
}

/** The last lines that fit; a single longer one keeps its end. */
export function lastLines(lines: readonly string[], bytesMax: number): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.toReversed()) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > bytesMax) break;
    kept.unshift(line);
  }
  const last = lines.at(-1);
  return kept.length === 0 && last !== undefined ? [last.slice(-Math.floor(bytesMax / 4))] : kept;
}

/** A task's end as routing sees it; `status` may be one that it no longer has. */
export function routedEnd(
  task: TaskRow,
  { node, severity, status = task.status }: { node: NodeRow | null; severity: Severity; status?: TaskStatus },
): RoutedFact {
  return {
    events: eventsOfEnd(status),
    attributes: {
      ...attributesOfTask(task, node),
      status,
      cause: status === 'lost' ? 'node_lost' : task.cause,
      condition: status === 'completed' ? null : 'TaskFailed',
      severity,
    },
  };
}

export function routedStart(task: TaskRow, node: NodeRow | null): RoutedFact {
  return { events: ['begin'], attributes: { ...attributesOfTask(task, node), status: 'running' } };
}

function attributesOfTask(task: TaskRow, node: NodeRow | null) {
  const { name, job, project, owner, source } = task;
  return { ...attributesOfNode(node), node_id: task.nodeId, name, job, project, owner, source };
}

/** As an alert was routed when it began, with the tasks lost with it. */
export function factsOf({ alert, node, task }: FiringCase, lost: readonly TaskRow[]): RoutedFact[] {
  const { condition, severity, component } = alert;
  if (condition === 'TaskFailed') return task === null ? [] : [routedEnd(task, { node, severity })];
  const isLimit = condition === 'TaskOverrun' && component === 'agent';
  const ends = lost.map((member) => routedEnd(member, { node, severity }));
  return [...ends, routedCondition(condition, { node, severity, task, isLimit })];
}

/** A condition as routing sees it; one of a task has the task's attributes too. */
export function routedCondition(
  condition: ConditionType,
  { node, severity, task = null, isLimit = false }: ConditionCircumstances,
): RoutedFact {
  const ofTask = task === null ? {} : { ...attributesOfTask(task, node), status: task.status, cause: task.cause };
  return {
    events: wordsOf(condition, isLimit),
    attributes: { ...attributesOfNode(node), ...ofTask, condition, severity },
  };
}

interface ConditionCircumstances {
  readonly node: NodeRow | null;
  readonly severity: Severity;
  readonly task?: TaskRow | null;
  /** It is told for the first time that a task nears its own time limit. */
  readonly isLimit?: boolean;
}

function wordsOf(condition: ConditionType, isLimit: boolean): RoutedFact['events'] {
  switch (condition) {
    case 'ComponentUnreachable':
      return ['unreachable'];
    case 'RestartLoop':
      return ['condition', 'fail'];
    default:
      return isLimit ? ['condition', 'time_limit_80'] : ['condition'];
  }
}

function attributesOfNode(node: NodeRow | null) {
  return node === null ? {} : { node: node.name, node_id: node.id, labels: node.labels };
}
