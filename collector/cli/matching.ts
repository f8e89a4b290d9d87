import { CliFailure } from './failure.ts';
import type { StepRecord, WindowRecord } from './records.ts';

/* What subscriptions, watches and silences have in common on the command line. */

export type Matchers = Readonly<Record<string, readonly string[]>>;

export const matchFlag = [
  '--match <key=pattern>',
  'only what fits: node, job, project, owner, name, source, status, cause, condition, severity, label.<name>; * and ? fit anything; may be given again',
] as const;

/** Collects `--match`: the same key again is one pattern more. */
export function collectMatch(text: string, before: Matchers = {}): Matchers {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1)
    throw new CliFailure('usage', `--match ${text}: expected a key and a pattern, such as node=gpu-* or label.rack=r1`);
  const key = text.slice(0, at);
  return { ...before, [key]: [...(before[key] ?? []), text.slice(at + 1)] };
}

/** Collects an option that may be given again, or with commas. */
export function collectWords(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((word) => word !== '')];
}

export interface WindowFlags {
  readonly timeZone?: string;
  readonly days?: readonly string[];
}

/** `22:00-07:00` with its zone and days. Without a zone it is that of this machine. */
export function windowOf(hours: string, { timeZone, days }: WindowFlags): WindowRecord {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(hours) ?? [];
  if (from === undefined || to === undefined)
    throw new CliFailure('usage', `${hours}: expected hours such as 22:00-07:00`);
  return {
    time_zone: timeZone ?? ownTimeZone(),
    from,
    to,
    ...(days === undefined ? {} : { days }),
  };
}

/** Of this machine, as IANA names it. */
export function ownTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function matchersText(matchers: Matchers | undefined): string {
  return (
    Object.entries(matchers ?? {})
      .map(([key, patterns]) => `${key}=${patterns.join('|')}`)
      .join(' ') || 'everything'
  );
}

export function windowText({ time_zone: zone, from, to, days }: WindowRecord): string {
  return `${days === undefined ? '' : `${days.join(',')} `}${from}-${to} ${zone}`;
}

/** Collects `--escalate`: `15m=oncall`, one step for each. */
export function collectSteps(text: string, before: readonly StepRecord[] = []): readonly StepRecord[] {
  const [, after, receiver] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (after === undefined || receiver === undefined)
    throw new CliFailure('usage', `--escalate ${text}: expected a time and a notifier, such as 15m=oncall`);
  return [...before, { after, receiver }];
}

export function stepsText(steps: readonly StepRecord[] | undefined): string {
  return (steps ?? []).map(({ after, receiver }) => `${receiver} after ${after}`).join(', ');
}

export interface ReceiverFlags {
  readonly to?: string;
  readonly webhook?: string;
  readonly email?: string;
}

/** Whom to tell, as the API wants it. */
export function receiverOf({ to, webhook, email }: ReceiverFlags) {
  if ([to, webhook, email].filter((one) => one !== undefined).length > 1)
    throw new CliFailure('usage', 'expected one of --to, --webhook and --email');
  if (webhook !== undefined) return { target: { type: 'webhook', address: webhook } };
  if (email !== undefined) return { target: { type: 'email', address: email } };
  return to === undefined ? {} : { receiver: to };
}

/** The one whose id, beginning of it, or name was given. */
export function pickOne<T extends { readonly id: string; readonly name?: string }>(
  items: readonly T[],
  wanted: string,
  { noun, listing }: { noun: string; listing: string },
): T {
  const exact = items.filter(({ id, name }) => id === wanted || name === wanted);
  const found = exact.length > 0 ? exact : items.filter(({ id }) => id.startsWith(wanted));
  if (found.length > 1)
    throw new CliFailure(
      'failed',
      `${found.length} ${noun}s go by ${wanted}; give the id: ${found.map(({ id }) => id).join(', ')}`,
    );
  if (found[0] !== undefined) return found[0];
  throw new CliFailure('failed', `there is no ${noun} ${wanted}; \`runnerwatch ${listing}\` lists them`);
}

/** `--max-alerts-per-job N` */
export function alertCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new CliFailure('usage', `--max-alerts-per-job ${text}: expected a whole number; 0 is no limit`);
}
