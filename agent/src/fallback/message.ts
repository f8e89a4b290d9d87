import type { Instant } from '@runnerwatch/shared/model/instant.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Cause, Told } from './state.ts';

/** The node as its messages name it. */
export interface FallbackNode {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the collector does not have yet. */
export interface Unsent {
  readonly records: number;
  readonly taskFailures: number;
  /** False: there are more failures, not counted. */
  readonly isCounted: boolean;
}

export interface MessageParts {
  readonly told: Told;
  readonly node: FallbackNode;
  readonly collectorUrls: readonly string[];
  readonly unsent: Unsent;
  readonly atMs: number;
}

/** The same from every deputy and in every attempt, so that a receiver that drops repeats hears of one outage once. */
export function messageId(key: string, transition: 'fired' | 'resolved'): string {
  return `fallback-${key}-${transition}`;
}

/** The collector is silent. `text` is what chats show that take incoming webhooks in the form of Slack. */
export function silentMessage(parts: MessageParts): string {
  const { told, node, unsent, atMs } = parts;
  const failures = `${unsent.isCounted ? '' : 'at least '}${unsent.taskFailures} task ${unsent.taskFailures === 1 ? 'failure' : 'failures'}`;
  const waiting = unsent.taskFailures === 0 ? '' : ` ${failures} of this node could not be told.`;
  const since = `Since ${timeOf(told.since)}, for ${spanOf(told.since, atMs)}. `;
  return document(parts, {
    type: 'collector.unreachable',
    text: `${whatIs(told.cause, node.name, addresses(parts))}. ${since}Until that is mended nobody is told of failures and of nodes in trouble.${waiting}`,
  });
}

/** It is back. */
export function backMessage(parts: MessageParts): string {
  const { told, node, atMs } = parts;
  const then = `since ${timeOf(told.since)}, for ${spanOf(told.since, atMs)}`;
  const text =
    told.cause.kind === 'hindered'
      ? `All clear: the Runnerwatch collector (${addresses(parts)}) works again, says node ${plain(node.name)}. It had not ${then}.`
      : `All clear: the Runnerwatch collector (${addresses(parts)}) is back, says node ${plain(node.name)}. It had been out of reach ${then}.`;
  return document(parts, { type: 'collector.recovered', text });
}

function whatIs({ kind, reason }: Cause, name: string, where: string): string {
  if (kind === 'hindered')
    return `The Runnerwatch collector (${where}) is there but does not work: ${plain(reason ?? '')}, says node ${plain(name)}`;
  const why = reason === null ? '' : `: ${plain(reason)}`;
  return `Node ${plain(name)} does not reach its Runnerwatch collector (${where}), which may be dead${why}`;
}

function document(
  parts: MessageParts,
  { type, text }: { type: 'collector.unreachable' | 'collector.recovered'; text: string },
): string {
  const { told, node, unsent, atMs } = parts;
  return JSON.stringify({
    version: 1,
    id: messageId(told.key, type === 'collector.unreachable' ? 'fired' : 'resolved'),
    type,
    at: toInstant(atMs),
    since: told.since,
    cause: told.cause.kind,
    reason: told.cause.reason,
    collector_urls: parts.collectorUrls.map(publicUrl),
    node,
    rank: told.rank,
    unsent: {
      records: unsent.records,
      task_failures: unsent.taskFailures,
      are_counted: unsent.isCounted,
    },
    text,
  });
}

function addresses({ collectorUrls }: MessageParts): string {
  return collectorUrls.map(publicUrl).join(', ');
}

/** Without what may be a secret in it. */
function publicUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname}`;
}

/** One line that is no markup to a chat: Slack's `<!channel>`, Mattermost's `@all`. */
function plain(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b');
}

function timeOf(instant: Instant): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;
}

function spanOf(since: Instant, atMs: number): string {
  const seconds = Math.max(0, atMs - Date.parse(since)) / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}
