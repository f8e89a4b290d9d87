import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { renderFacts } from '../table.ts';
import { agoText, countText, durationText, numberText, unknownText } from '../words.ts';

interface StatusRecord {
  readonly version?: string;
  readonly uptime_ms?: number;
  readonly agents?: { readonly connected?: number | null };
  readonly nodes_by_status?: Readonly<Record<string, number>> | null;
  readonly incidents_open?: number | null;
  readonly database?: { readonly kind?: string; readonly healthy?: boolean; readonly reason?: string | null };
  readonly queues?: {
    readonly events_unjudged?: number | null;
    readonly notifications_pending?: number | null;
    readonly notifications_dead?: number | null;
  };
  readonly notification_latency?: {
    readonly count?: number;
    readonly p50_ms?: number | null;
    readonly p90_ms?: number | null;
    readonly p99_ms?: number | null;
    readonly promise_ms?: number;
    readonly later_count?: number;
  };
  readonly receivers?: readonly ReceiverRecord[];
  readonly schedulers?: readonly SchedulerRecord[];
  readonly deputies?: readonly { readonly node?: string; readonly connected?: boolean }[];
}

interface ReceiverRecord {
  readonly receiver?: string;
  readonly state?: string;
  readonly failing_since?: string | null;
  readonly next_attempt_at?: string | null;
  readonly last_error?: string | null;
  readonly has_given_up?: boolean;
}

interface SchedulerRecord {
  readonly name?: string;
  readonly state?: string;
  readonly reason?: string | null;
  readonly running?: number | null;
}

/** `status`: how the collector itself is doing. */
export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .description('how the collector itself is doing: agents, database, queues, notification latency')
    .option(...jsonFlag)
    .action(async ({ json }: JsonFlag) => {
      const client = context.client();
      const status = await client.get<StatusRecord>('/status');
      if (json) return printJson(context, status);
      context.print(
        `${context.style('bold', 'Runnerwatch collector')}  ${client.url}\n${renderFacts(statusFacts(status, context.now()), context.terminal)}`,
      );
    });
}

function statusFacts(status: StatusRecord, now: number): [string, string | null][] {
  const { database, queues, notification_latency: latency } = status;
  const nodes = Object.entries(status.nodes_by_status ?? {}).map(([name, count]) => `${count} ${name}`);
  const isHealthy = database?.healthy === true;
  return [
    ['version', status.version ?? null],
    ['up', durationText(status.uptime_ms)],
    [
      'agents',
      status.agents?.connected === null || status.agents?.connected === undefined
        ? unknownText
        : `${status.agents.connected} connected`,
    ],
    ['nodes', nodes.join(', ') || 'none yet'],
    ['incidents', `${numberText(status.incidents_open)} open`],
    [
      'database',
      `${database?.kind ?? unknownText}, ${isHealthy ? 'healthy' : `not healthy${database?.reason ? `: ${database.reason}` : ''}`}`,
    ],
    ['to judge', queueText(queues?.events_unjudged, 'event')],
    ['to deliver', queueText(queues?.notifications_pending, 'notification')],
    ['given up', queueText(queues?.notifications_dead, 'notification')],
    [
      'notified in',
      latency?.count
        ? `${durationText(latency.p50_ms)} p50, ${durationText(latency.p90_ms)} p90, ${durationText(latency.p99_ms)} p99${lateText(latency)}`
        : 'nothing delivered yet',
    ],
    ...(status.receivers ?? []).flatMap((one): [string, string][] => {
      const text = troubleText(one, now);
      return text === null ? [] : [['receiver', `${one.receiver ?? '?'}: ${text}`]];
    }),
    ...(status.schedulers ?? []).map(({ name, state, reason, running }): [string, string] => [
      'scheduler',
      `${name ?? '?'}: ${reason ?? (state === 'reading' ? `read, ${countText(running ?? 0, 'task')} running` : 'not read yet')}`,
    ]),
    ...deputyFacts(status.deputies ?? []),
  ];
}

/** Who speaks when this collector is silent; nothing where agents have nobody to tell. */
function deputyFacts(deputies: NonNullable<StatusRecord['deputies']>): [string, string][] {
  const names = deputies.map(({ node, connected }) => `${node ?? unknownText}${connected === false ? ' (away)' : ''}`);
  return names.length === 0 ? [] : [['deputies', names.join(', ')]];
}

/** Against the promise that everybody is told within five seconds. */
function lateText({
  count,
  later_count: late,
  promise_ms: promise,
}: NonNullable<StatusRecord['notification_latency']>): string {
  if (late === undefined || promise === undefined) return '';
  return `; ${late === 0 ? 'none' : `${late} of ${count}`} later than ${durationText(promise)}`;
}

/** Null when there is nothing to say of it. */
function troubleText(one: ReceiverRecord, now: number): string | null {
  const { state, failing_since: since, next_attempt_at: next, last_error: error, has_given_up: hasGivenUp } = one;
  if (state === 'working' && hasGivenUp !== true) return null;
  const parts = [
    hasGivenUp === true ? 'notifications were given up' : '',
    since ? `takes nothing since ${agoText(since, now)}` : '',
    next ? `left alone until ${next}` : '',
    error ?? '',
  ];
  return parts.filter((part) => part !== '').join('; ') || (state ?? unknownText);
}

function queueText(count: number | null | undefined, noun: string): string {
  return count === null || count === undefined ? unknownText : countText(count, noun);
}
