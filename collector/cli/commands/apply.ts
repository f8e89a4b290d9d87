import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { parseDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Command } from 'commander';
import * as z from 'zod/mini';
import type { Client } from '../client.ts';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { matchersText } from '../matching.ts';
import type { SilenceRecord, StepRecord, SubscriptionRecord, WindowRecord } from '../records.ts';
import { neutralise, type Paint } from '../terminal.ts';
import { countText } from '../words.ts';

const written = z.union([z.string(), z.array(z.string())], { error: 'expected a pattern, or a list of patterns' });
const matchers = z._default(z.record(z.string(), written), {});
const hours = z.strictObject({
  time_zone: field.text,
  from: field.text,
  to: field.text,
  days: z.optional(z.array(field.text)),
});

/** What the collector checks itself is left to it; here stands what the comparison needs. */
const fileSchema = z.strictObject({
  subscriptions: z._default(
    z.array(
      z.strictObject({
        name: field.text,
        matchers,
        events: z._default(z.array(field.text), ['fail', 'timeout', 'condition', 'unreachable']),
        receiver: z.optional(field.text),
        target: z.optional(z.strictObject({ type: field.text, address: field.text })),
        max_alerts_per_job: z.optional(field.count),
        renotify_interval: z._default(field.text, '0'),
        group_window: z.optional(field.text),
        digest: z.optional(field.text),
        quiet_hours: z.optional(hours),
        escalate: z.optional(z.array(z.strictObject({ after: field.text, receiver: field.text }))),
        expires_at: z.optional(field.text),
      }),
    ),
    [],
  ),
  silences: z._default(
    z.array(
      z.strictObject({
        matchers,
        author: field.text,
        reason: field.text,
        starts_at: z.optional(field.text),
        ends_at: z.optional(field.text),
        recurrence: z.optional(hours),
      }),
    ),
    [],
  ),
});
type Wanted = z.output<typeof fileSchema>;

interface ApplyFlags extends JsonFlag {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

/** `apply -f FILE [--dry-run] [--prune]`: subscriptions and silences as a file says. */
export function addApplyCommand(program: Command, context: Context): void {
  program
    .command('apply')
    .description('make subscriptions and silences as a file says; what is as it says stays untouched')
    .requiredOption('-f, --file <path>', 'a YAML file')
    .option('--dry-run', 'only show the difference')
    .option('--prune', 'also end what people made here and the file does not name')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
The file:
  subscriptions:
    - name: ml-failures          # goes by its name from one time to the next
      matchers: { project: ml-* }
      events: [fail, timeout]
      receiver: ops              # or target: { type: webhook, address: https://… }
      max_alerts_per_job: 3
      quiet_hours: { time_zone: Europe/Berlin, from: "22:00", to: "07:00" }
      escalate: [{ after: 15m, receiver: oncall }]
  silences:
    - matchers: { label.rack: r1 }
      author: ada
      reason: patches
      recurrence: { time_zone: Europe/Berlin, days: [sun], from: "02:00", to: "04:00" }

Example:
  runnerwatch apply -f alerts.yaml --dry-run
`,
    )
    .action((flags: ApplyFlags) => apply(context, flags));
}

/** One step from what is to what the file says. */
interface Step {
  readonly action: 'create' | 'change' | 'replace' | 'delete';
  readonly kind: 'subscription' | 'silence';
  readonly name: string;
  readonly changes: readonly string[];
  readonly run: (client: Client) => Promise<unknown>;
}

async function apply(context: Context, { file, dryRun, prune, json }: ApplyFlags): Promise<void> {
  const wanted = readFile(file);
  const client = context.client();
  const { items: subscriptions } = await client.get<{ items: SubscriptionRecord[] }>('/subscriptions');
  const { items: silences } = await client.get<{ items: SilenceRecord[] }>('/silences');
  const steps = [
    ...subscriptionSteps(wanted, subscriptions, prune === true),
    ...silenceSteps(wanted, silences, { prune: prune === true, now: context.now() }),
  ];
  if (dryRun !== true) for (const step of steps) await step.run(client);
  if (json)
    return printJson(context, {
      dry_run: dryRun === true,
      steps: steps.map(({ action, kind, name, changes }) => ({ action, kind, name, changes })),
    });
  if (steps.length === 0) return context.print('Everything is as the file says.\n');
  for (const step of steps) context.print(stepText(step, context));
  context.print(dryRun === true ? 'Nothing was changed.\n' : `${countText(steps.length, 'change')} made.\n`);
}

/** @throws CliFailure with file, line and key */
function readFile(file: string): Wanted {
  try {
    return loadConfig(fileSchema, { file: { path: resolve(file), required: true }, environment: {} });
  } catch (error) {
    if (error instanceof StartFailure) throw new CliFailure('usage', error.message, { cause: error });
    throw error;
  }
}

function subscriptionSteps({ subscriptions }: Wanted, present: readonly SubscriptionRecord[], prune: boolean): Step[] {
  const own = present.filter(({ origin }) => origin === 'api');
  const names = subscriptions.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CliFailure('usage', `there are two subscriptions named ${twice} in the file`);
  const steps = subscriptions.flatMap((one): Step[] => {
    const found = own.filter(({ name }) => name === one.name);
    if (found.length > 1)
      throw new CliFailure(
        'failed',
        `${found.length} subscriptions are named ${one.name}; end all but one with \`runnerwatch unsubscribe ID\``,
      );
    const step = stepTo(one, found[0]);
    return step === null ? [] : [step];
  });
  const others = prune ? own.filter(({ name = '' }) => !names.includes(name)) : [];
  return [
    ...steps,
    ...others.map(({ id, name = id }) => ({
      action: 'delete' as const,
      kind: 'subscription' as const,
      name,
      changes: [],
      run: (client: Client) => client.delete(`/subscriptions/${encodeURIComponent(id)}`),
    })),
  ];
}

function stepTo(wanted: Wanted['subscriptions'][number], present: SubscriptionRecord | undefined): Step | null {
  const { name, target, receiver, ...rest } = wanted;
  const aim = target === undefined ? (receiver === undefined ? {} : { receiver }) : { target };
  const create = (client: Client) => client.post('/subscriptions', { name, ...rest, ...aim });
  const step = { kind: 'subscription' as const, name };
  if (present === undefined)
    return { ...step, action: 'create', changes: [matchersText(asLists(rest.matchers))], run: create };
  const path = `/subscriptions/${encodeURIComponent(present.id)}`;
  const isRetargeted = (target === undefined ? null : digestOf(target.address)) !== (present.target_digest ?? null);
  const changes = differences(wanted, present);
  if (isRetargeted)
    return {
      ...step,
      action: 'replace',
      changes: ['target', ...changes],
      run: async (client) => {
        await create(client);
        await client.delete(path);
      },
    };
  if (changes.length === 0) return null;
  const change = {
    ...rest,
    max_alerts_per_job: rest.max_alerts_per_job ?? null,
    group_window: rest.group_window ?? null,
    digest: rest.digest ?? null,
    quiet_hours: rest.quiet_hours ?? null,
    escalate: rest.escalate ?? null,
    expires_at: rest.expires_at ?? null,
    ...(receiver === undefined ? {} : { receiver }),
  };
  return { ...step, action: 'change', changes, run: (client) => client.patch(path, change) };
}

/** `key: before → after` for each that differs. */
function differences(wanted: Wanted['subscriptions'][number], present: SubscriptionRecord): string[] {
  const orMs = (duration: string | null | undefined) => (duration ? asMs(duration) : null);
  const instant = (text: string | null | undefined) => (text ? new Date(text).toISOString() : null);
  const steps = (list: readonly StepRecord[] = []) =>
    list
      .map(({ after, receiver }) => ({ after: asMs(after), receiver }))
      .toSorted((a, b) => Number(a.after) - Number(b.after));
  const pairs: [string, unknown, unknown][] = [
    ['matchers', present.matchers ?? {}, asLists(wanted.matchers)],
    ['events', present.events ?? [], wanted.events],
    ['receiver', present.receiver, wanted.receiver ?? present.receiver],
    ['max_alerts_per_job', present.max_alerts_per_job ?? null, wanted.max_alerts_per_job ?? null],
    ['renotify_interval', asMs(present.renotify_interval ?? '0'), asMs(wanted.renotify_interval)],
    ['group_window', orMs(present.group_window), orMs(wanted.group_window)],
    ['digest', orMs(present.digest), orMs(wanted.digest)],
    ['quiet_hours', present.quiet_hours ?? null, wanted.quiet_hours ?? null],
    ['escalate', steps(present.escalate), steps(wanted.escalate)],
    ['expires_at', instant(present.expires_at), instant(wanted.expires_at)],
  ];
  return pairs.flatMap(([key, before, after]) =>
    canonical(before) === canonical(after) ? [] : [`${key}: ${canonical(before)} → ${canonical(after)}`],
  );
}

/** Durations that are written differently may be the same; what is none is left to the collector to refuse. */
function asMs(duration: string): number | string {
  return parseDuration(duration) ?? duration;
}

interface SilenceWords {
  readonly reason?: string | undefined;
  readonly recurrence?: WindowRecord | null | undefined;
  readonly ends_at?: string | null | undefined;
}

/** A silence has no name: it is the same when it says the same, whoever's token wrote it. */
function silenceSteps(
  { silences }: Wanted,
  present: readonly SilenceRecord[],
  { prune, now }: { prune: boolean; now: number },
): Step[] {
  const open = present.filter(({ origin }) => origin !== 'drain');
  const keyOf = (one: SilenceWords, fits: object) =>
    canonical([fits, one.reason, one.recurrence ?? null, one.ends_at ? new Date(one.ends_at).toISOString() : null]);
  const wanted = new Map(silences.map((one) => [keyOf(one, asLists(one.matchers)), one]));
  const known = new Map(open.map((one) => [keyOf(one, one.matchers ?? {}), one]));
  const missing = [...wanted].filter(
    ([key, { ends_at: endsAt }]) => !known.has(key) && (endsAt === undefined || Date.parse(endsAt) > now),
  );
  const others = prune ? [...known].filter(([key]) => !wanted.has(key)) : [];
  return [
    ...missing.map(
      ([, one]): Step => ({
        action: 'create',
        kind: 'silence',
        name: `${matchersText(asLists(one.matchers))} by ${one.author}: ${one.reason}`,
        changes: [],
        run: (client) => client.post('/silences', one),
      }),
    ),
    ...others.map(
      ([, one]): Step => ({
        action: 'delete',
        kind: 'silence',
        name: `${matchersText(one.matchers)} by ${one.author ?? ''}: ${one.reason ?? ''}`,
        changes: [],
        run: (client) => client.delete(`/silences/${encodeURIComponent(one.id)}`),
      }),
    ),
  ];
}

const signs: Readonly<Record<Step['action'], { sign: string; paint: Paint }>> = {
  create: { sign: '+', paint: 'green' },
  change: { sign: '~', paint: 'yellow' },
  replace: { sign: '±', paint: 'yellow' },
  delete: { sign: '-', paint: 'red' },
};

function stepText({ action, kind, name, changes }: Step, { style }: Context): string {
  const { sign, paint } = signs[action];
  const lines = changes.map((change) => `    ${neutralise(change)}\n`).join('');
  return `${style(paint, `${sign} ${kind}`)} ${neutralise(name)}\n${lines}`;
}

function asLists(given: Readonly<Record<string, string | string[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, typeof value === 'string' ? [value] : value]),
  );
}

/** As the collector makes it (`target_digest`). */
function digestOf(address: string): string {
  return createHash('sha256').update(address).digest('hex').slice(0, 16);
}

/** JSON whose keys are in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a.localeCompare(b)))
      : inner,
  );
}
