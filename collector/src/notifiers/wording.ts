import type { ConditionFacts, Notification, TaskFacts } from '@runnerwatch/shared/model/notification.ts';
import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { asSentence, bytesText, oneLine, spanText, timeText } from './text.ts';
import { causeText, conditionText, endingText } from './words.ts';

/*
 * What a notification says to people, the same on every channel. Texts are plain: no markup, no control characters, no marks
 * that turn the direction of writing; whoever sends them escapes them for its target and cuts them to its limits.
 */

export type Tone = 'bad' | 'warning' | 'good' | 'info';

/** What it means for who reads it: a colour, an icon, a priority. */
export function toneOf(notification: Notification): Tone {
  const { type, incident } = notification;
  switch (type) {
    case 'test':
    case 'task.started':
    case 'incident.acknowledged':
      return 'info';
    case 'digest':
      return incident?.severity === 'critical' ? 'bad' : 'warning';
    case 'condition.resolved':
    case 'node.recovered':
    case 'incident.resolved':
      return 'good';
    case 'node.unreachable':
      return 'bad';
    case 'condition.fired':
    case 'condition.renotified':
      return isOver(notification) ? 'good' : tones[incident?.severity ?? 'warning'];
    case 'task.ended':
    case 'task.amended':
      return isOver(notification) ? 'good' : tones[incident?.severity ?? 'critical'];
  }
}

/** Of its incident: what a person stopped is no emergency. */
const tones = { critical: 'bad', warning: 'warning', info: 'info' } as const;

/** One line without a period, and no space around it: what happened to what and where, and why; of an escalation first that it is one. */
export function titleOf(notification: Notification): string {
  const title = titleOfWord(notification).trim();
  return notification.escalation === undefined ? title : `Not acknowledged for ${waitedText(notification)}: ${title}`;
}

function titleOfWord(notification: Notification): string {
  const { type, task, condition, at, repeat, group, incident, combined, digest, acknowledged } = notification;
  const place = placeOf(notification);
  const matter = condition === undefined ? 'Trouble' : conditionText(condition.type);
  const about = task === undefined ? oneLine(condition?.subject ?? '') : nameOf(task);
  const subject = about === '' ? matter : `${matter}: ${about}`;
  const by = oneLine(acknowledged?.by ?? '');
  const lasted = condition === undefined ? '' : spanText(Date.parse(at) - Date.parse(condition.since));
  switch (type) {
    case 'test':
      return 'This is a test of Runnerwatch';
    case 'task.started':
      return `${taskOn(notification)} started`;
    case 'task.ended':
      return `${taskOn(notification)} ${outcomeOf(task)}`;
    case 'task.amended':
      return `Corrected: ${taskOn(notification)} ${outcomeOf(task)}`;
    case 'condition.fired':
      return `${subject} on ${place}`;
    case 'condition.renotified':
      return `Still after ${lasted}: ${subject} on ${place}${repeat > 0 ? ` (reminder ${repeat})` : ''}`;
    case 'condition.resolved':
      return combined === undefined
        ? `Resolved after ${lasted}: ${subject} on ${place}`
        : `Was firing for ${lasted}, is over: ${subject} on ${place}`;
    case 'node.unreachable':
      return notification.node === null
        ? (titleOfIncident(incident) ?? 'Nodes are unreachable')
        : `${place} is unreachable${lostText(group?.length ?? 0)}`;
    case 'node.recovered':
      if (notification.node === null) return `Resolved: ${titleOfIncident(incident) ?? 'nodes are back'}`;
      return combined === undefined
        ? `${place} is back${lasted === '' ? '' : ` after ${lasted}`}`
        : `${place} was unreachable for ${lasted}${lostText(group?.length ?? 0)}, and is back`;
    case 'incident.acknowledged':
      return `Acknowledged${by === '' ? '' : ` by ${by}`}: ${titleOfIncident(incident) ?? subject}`;
    case 'incident.resolved':
      return `Resolved: ${titleOfIncident(incident) ?? subject}`;
    case 'digest':
      return digest === undefined
        ? (titleOfIncident(incident) ?? `${groupSizeOf(notification)} tasks failed`)
        : `${digest.notifications} notifications could not be delivered in time`;
  }
}

/** The verdict, or what was read, as a sentence; of an escalation first who was told before. */
export function sentenceOf(notification: Notification): string {
  const sentence = sentenceOfWord(notification);
  const { escalation } = notification;
  if (escalation === undefined) return sentence;
  const told = escalation.told.map(({ receiver, at }) => `${oneLine(receiver)} was told at ${timeText(at)}`);
  const heard = told.length === 0 ? '' : `; ${told.join(', ')}`;
  return `Escalation: nobody has acknowledged it for ${waitedText(notification)}${heard}. ${sentence}`.trimEnd();
}

function waitedText({ at, escalation }: Notification): string {
  return spanText(Date.parse(at) - Date.parse(escalation?.since ?? at));
}

function sentenceOfWord(notification: Notification): string {
  const { type, task, condition, digest, combined, at, acknowledged } = notification;
  if (digest !== undefined) return digestText(digest);
  if (type === 'test') return 'Nothing happened. Somebody asked whether notifications arrive here, and this one did.';
  if (type === 'incident.acknowledged') return asSentence(oneLine(acknowledged?.note ?? ''));
  if (type === 'digest')
    return `${groupSizeOf(notification)} ${notification.incident === null ? 'failed' : 'more failed alike'} since the last message.`;
  if (type.startsWith('task.') && task !== undefined) {
    if (task.verdict === null) return type === 'task.started' ? '' : 'How it ended is not known.';
    const doubt = { proven: '', likely: ' This is likely, not proven.', unknown: '' }[task.verdict.confidence];
    return `${asSentence(oneLine(task.verdict.summary))}${doubt}`;
  }
  if (condition === undefined) return '';
  const reason = asSentence(oneLine(condition.reason));
  const isOver = combined !== undefined && !condition.active;
  return isOver ? `Firing from ${timeText(condition.since)} to ${timeText(at)}. ${reason}` : reason;
}

function digestText({ since, until, by_type: byType }: NonNullable<Notification['digest']>): string {
  const counts = Object.entries(byType).map(([type, count]) => `${count} ${type}`);
  return `From ${timeText(since)} to ${timeText(until)} nothing could be delivered here: ${counts.join(', ')}. What still holds is told on its own; \`runnerwatch deliveries --state collapsed\` lists the rest.`;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** What a person needs beside the title and the sentence, most telling first. What is not known is left out, and what the title has said. */
export function factsOf(notification: Notification): Fact[] {
  const { task, condition, type, incident } = notification;
  const ofTask = task === undefined ? [] : factsOfTask(task, notification);
  const ofCondition =
    condition === undefined || type.startsWith('task.') ? [] : factsOfCondition(condition, notification);
  return [['points at', incident?.finding ?? null] as const, ...ofTask, ...ofCondition].flatMap(([label, value]) =>
    value === null || value === '' ? [] : [{ label, value: oneLine(value) }],
  );
}

/** What a verdict rests on, one line each. */
export function evidenceOf({ task }: Notification): string[] {
  return (task?.verdict?.evidence ?? []).map(({ source, at, fact }) => oneLine(`${source}, ${timeText(at)}: ${fact}`));
}

/** What to do about it, one sentence each. */
export function adviceOf({ task }: Notification): string[] {
  return (task?.verdict?.advice ?? []).map((text) => asSentence(oneLine(text)));
}

const linesMax = 20;

/** What the task said itself: what says why it failed, else the end of its log. Oldest first. */
export function linesOf({ type, task }: Notification): string[] {
  if (task === undefined || !type.startsWith('task.')) return [];
  const excerpt = task.error_excerpt ?? [];
  const lines = (excerpt.length > 0 ? excerpt : (task.log_tail ?? [])).map((line) => oneLine(line).trimEnd());
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1).slice(-linesMax);
}

/** The tasks told together with this, one line each, and how many are not among them. */
export function groupOf(notification: Notification, linesMaxOfGroup: number): { lines: string[]; more: number } {
  const { group = [] } = notification;
  const lines = group
    .slice(0, linesMaxOfGroup)
    .map(({ task }) => `${nameOf(task)} ${outcomeOf(task)}${task.owner === null ? '' : ` (${oneLine(task.owner)})`}`);
  return { lines, more: groupSizeOf(notification) - lines.length };
}

/** The class of a message, for who sorts mail by it: the founding wishes R11 and R23 name the first two. */
export function classOf({ type, task }: Notification): string {
  if (type.startsWith('node.')) return 'Node Status Alert';
  if (type === 'test') return 'Test';
  if (type.startsWith('condition.') || type.startsWith('incident.')) return 'Alert: Conditions';
  return task !== undefined && failureStatuses.includes(task.status) ? 'Alert: Task Failures' : 'Tasks';
}

/** It tells that what it is about is over, or was none. */
export function isOver({ type, condition, task }: Notification): boolean {
  if (type.startsWith('task.')) return task === undefined || !failureStatuses.includes(task.status);
  return condition?.active === false;
}

/** With this its incident is over: it was the last of its alerts. */
export function endsIncident(notification: Notification): boolean {
  return isOver(notification) && notification.incident?.status === 'resolved';
}

/** It is news of an incident that is over, and no end of anything: late, or told in spite of it. */
export function comesAfterIncident(notification: Notification): boolean {
  return !isOver(notification) && notification.incident?.status === 'resolved';
}

/** One alert of its incident is over, and the incident goes on. */
export function leavesIncidentOpen(notification: Notification): boolean {
  return isOver(notification) && notification.incident?.status === 'open';
}

const linkLengthMax = 500;

/** Where to read on: only what a browser follows without running it, without what is markup somewhere. Null also for what is too long for a message. */
export function linkOf({ incident }: Notification): string | null {
  const url = incident?.url ?? null;
  if (url === null || !URL.canParse(url)) return null;
  const { protocol, origin, pathname, search, hash } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  const link = `${origin}${`${pathname}${search}${hash}`.replaceAll(/[()[\]|<>@*`]/g, encoded)}`;
  return link.length > linkLengthMax ? null : link;
}

function encoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function titleOfIncident(incident: Notification['incident']): string | null {
  const title = oneLine(incident?.title ?? '').trim();
  return title === '' ? null : title;
}

function groupSizeOf({ group = [], group_size: size = group.length }: Notification): number {
  return size;
}

function taskOn(notification: Notification): string {
  const { task } = notification;
  return `${task === undefined ? 'A task' : nameOf(task)} on ${placeOf(notification)}`;
}

function placeOf({ task, node, condition }: Notification): string {
  return oneLine(
    task?.node ?? node?.name ?? (condition === undefined ? 'an unknown node' : `the ${condition.component}`),
  );
}

function nameOf({ name, task_id: id }: Pick<TaskFacts, 'name' | 'task_id'>): string {
  return oneLine(name).trim() || oneLine(id);
}

/** `was killed: out of memory (limit 4 GiB)`. */
function outcomeOf(
  task: Pick<TaskFacts, 'status' | 'verdict' | 'exit_code' | 'signal' | 'memory_limit_bytes'> | undefined,
): string {
  if (task === undefined) return 'ended';
  const why = causeText(task);
  return `${endingText(task.status)}${why === null ? '' : `: ${why}`}`;
}

function lostText(count: number): string {
  return count === 0 ? '' : `, and ${count === 1 ? 'a task' : `${count} tasks`} with it`;
}

/** An end told this long after it is told with its lateness. */
const lateMs = 5 * 60_000;

function factsOfCondition(
  { component, since }: ConditionFacts,
  { type, task, node }: Notification,
): (readonly [string, string | null])[] {
  const isPlace = task === undefined && node === null;
  const isLastingSaid = type !== 'condition.fired' && type !== 'node.unreachable';
  return [
    ['component', component === 'agent' || isPlace ? null : component],
    ['since', isLastingSaid ? null : timeText(since)],
  ];
}

function factsOfTask(task: TaskFacts, { at }: Notification): (readonly [string, string | null])[] {
  const { scheduler, memory_peak_bytes: peak, memory_limit_bytes: limit, ended_at: endedAt } = task;
  const lateness = endedAt === null ? 0 : Date.parse(at) - Date.parse(endedAt);
  const late = lateness < lateMs ? '' : ` (told ${spanText(lateness)} later)`;
  const cause = task.verdict?.cause;
  return [
    ['error', task.error_message],
    ['job', [task.project, task.job].filter((part) => part !== null && part !== '').join('/')],
    ['owner', task.owner],
    ['command', task.command],
    [
      'exit code',
      task.exit_code === null || cause === 'exit_code' || cause === 'success' ? null : String(task.exit_code),
    ],
    ['signal', cause === 'signal' ? null : task.signal],
    ['peak memory', peak === null ? null : `${bytesText(peak)}${limit === null ? '' : ` of ${bytesText(limit)}`}`],
    ['ran for', task.duration_ms === null ? null : spanText(task.duration_ms)],
    ['started', task.started_at === null ? null : timeText(task.started_at)],
    ['ended', endedAt === null ? null : `${task.ended_at_approximate ? 'about ' : ''}${timeText(endedAt)}${late}`],
    ['scheduler', scheduler ? `${scheduler.name} says ${scheduler.status}` : null],
    ['corrected', scheduler?.note ?? null],
    ['task id', task.task_id === task.name ? null : task.task_id],
  ];
}
