import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { sinceInstant } from '../instant.ts';
import {
  alertCount,
  collectMatch,
  collectSteps,
  collectWords,
  type Matchers,
  matchersText,
  matchFlag,
  pickOne,
  type ReceiverFlags,
  receiverOf,
  stepsText,
  type WindowFlags,
  windowOf,
  windowText,
} from '../matching.ts';
import type { StepRecord, SubscriptionRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderTable } from '../table.ts';
import { neutralise } from '../terminal.ts';
import { agoText, countText, unknownText } from '../words.ts';

interface Listing {
  readonly enabled?: boolean;
  readonly items: readonly SubscriptionRecord[];
}

const eventFlag = [
  '--event <event>',
  'fail, timeout, success, end, begin, time_limit_80, condition, unreachable, all; may be given again (default: fail, timeout, condition, unreachable)',
] as const;

/** `subscriptions`, `subscriptions test`, `subscribe …`, `unsubscribe ID`: who hears what. */
export function addSubscriptionCommands(program: Command, context: Context): void {
  const subscriptions = program
    .command('subscriptions')
    .description('who hears what')
    .option(...jsonFlag)
    .action(({ json }: JsonFlag) => listSubscriptions(context, { json: json === true }));
  subscriptions
    .command('test')
    .description('what would have matched in the stored past; nothing is sent')
    .option(...matchFlag, collectMatch)
    .option(...eventFlag, collectWords)
    .option('--since <when>', 'a duration before now, or an instant', '24h')
    .option(...jsonFlag)
    .addHelpText('after', '\nExample:\n  runnerwatch subscriptions test --match project=ml-* --event fail --since 7d\n')
    .action(async (_flags: TestFlags, command: Command) => backtest(context, command.optsWithGlobals<TestFlags>()));
  addSubscribe(program, context);
  program
    .command('unsubscribe')
    .argument('<id>', 'id, its beginning, or name')
    .description('end a subscription')
    .option(...jsonFlag)
    .action(async (wanted: string, { json }: JsonFlag) => {
      const client = context.client();
      const { items } = await client.get<Listing>('/subscriptions');
      const found = pickOne(items, wanted, { noun: 'subscription', listing: 'subscriptions' });
      await client.delete(`/subscriptions/${encodeURIComponent(found.id)}`);
      if (json) return printJson(context, { id: found.id, deleted: true });
      context.print(`unsubscribed: ${neutralise(found.name ?? found.id)}\n`);
    });
}

interface SubscribeFlags extends JsonFlag, ReceiverFlags, WindowFlags {
  readonly name?: string;
  readonly match?: Matchers;
  readonly event?: readonly string[];
  readonly for?: string;
  readonly maxAlertsPerJob?: number;
  readonly renotify?: string;
  readonly groupWindow?: string;
  readonly digest?: string;
  readonly quiet?: string;
  readonly escalate?: readonly StepRecord[];
  readonly by?: string;
}

function addSubscribe(program: Command, context: Context): void {
  program
    .command('subscribe')
    .description('be told of what matches')
    .option('--name <name>', 'what to call it')
    .option(...matchFlag, collectMatch)
    .option(...eventFlag, collectWords)
    .option('--to <notifier>', 'a notifier of collector.yaml (default: the first)')
    .option('--webhook <url>', 'or an address of your own')
    .option('--email <address>', 'or a mailbox of your own')
    .option('--for <duration>', 'it ends after this long')
    .option('--max-alerts-per-job <n>', 'so often it tells of one job, until a run of that ends well', alertCount)
    .option('--renotify <interval>', 'say again that a condition still holds')
    .option('--group-window <duration>', 'failures of one kind within are told together; 0: each for itself')
    .option('--digest <duration>', 'instead: failures of whatever kind in one message, so long after the first')
    .option('--quiet <hours>', 'what matches within, such as 22:00-07:00, is told afterwards, if it is still true')
    .option('--time-zone <zone>', 'of --quiet (default: this machine)')
    .option('--days <days>', 'on which --quiet begins, such as mon,tue', collectWords)
    .option(
      '--escalate <time=notifier>',
      'also tell that notifier when nobody has acknowledged it for so long; may be given again',
      collectSteps,
    )
    .option('--by <who>', 'who asks for it')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
Examples:
  runnerwatch subscribe --match owner=ada --event fail --to slack
  runnerwatch subscribe --match project=ml-* --webhook https://hooks.example.org/ml --max-alerts-per-job 3
  runnerwatch subscribe --event fail --email ada@example.org --digest 4h
  runnerwatch subscribe --to ops --quiet 22:00-07:00 --time-zone Europe/Berlin
  runnerwatch subscribe --match project=prod-* --to ops --escalate 15m=oncall --escalate 1h=lead
  runnerwatch subscriptions test --match owner=ada --event fail --since 7d    # try it on the past first
`,
    )
    .action(async (flags: SubscribeFlags) => {
      const made = await context.client().post<SubscriptionRecord>('/subscriptions', bodyOf(flags));
      if (flags.json) return printJson(context, made);
      context.print(
        `subscribed: ${neutralise(made.name ?? made.id)}. Try it: runnerwatch notify test ${made.receiver}; end it: runnerwatch unsubscribe ${made.id}\n`,
      );
    });
}

function bodyOf(flags: SubscribeFlags) {
  const { name, match, event, maxAlertsPerJob, renotify, groupWindow, digest, quiet, escalate, by } = flags;
  return {
    ...receiverOf(flags),
    ...(name === undefined ? {} : { name }),
    ...(match === undefined ? {} : { matchers: match }),
    ...(event === undefined ? {} : { events: event }),
    ...(flags.for === undefined ? {} : { for: flags.for }),
    ...(maxAlertsPerJob === undefined ? {} : { max_alerts_per_job: maxAlertsPerJob || null }),
    ...(renotify === undefined ? {} : { renotify_interval: renotify }),
    ...(groupWindow === undefined ? {} : { group_window: groupWindow }),
    ...(digest === undefined ? {} : { digest }),
    ...(quiet === undefined ? {} : { quiet_hours: windowOf(quiet, flags) }),
    ...(escalate === undefined ? {} : { escalate }),
    ...(by === undefined ? {} : { created_by: by }),
  };
}

async function listSubscriptions(context: Context, { json }: { json: boolean }): Promise<void> {
  const listing = await context.client().get<Listing>('/subscriptions');
  if (json) return printJson(context, listing);
  if (listing.enabled === false)
    context.print('Notifications are off (notifications.enabled: false): nobody hears anything.\n');
  if (listing.items.length === 0)
    return context.print(
      'Nobody has subscribed. Add one with `runnerwatch subscribe`, or under notifications.subscriptions in collector.yaml.\n',
    );
  const idText = context.terminal.columns === null ? String : shortIds(listing.items.map(({ id }) => id));
  context.print(
    renderTable(
      [
        { title: 'name' },
        { title: 'id', optional: true },
        { title: 'receiver', shrinks: true },
        { title: 'events', shrinks: true },
        { title: 'only for', shrinks: true },
        { title: 'again every', optional: true },
        { title: 'limits', shrinks: true, optional: true },
      ],
      listing.items.map((item) => row(item, idText(item.id))),
      context.terminal,
    ),
  );
}

function row(item: SubscriptionRecord, idText: string): Cell[] {
  const { id, name, origin, receiver, target, events, matchers, renotify_interval: interval } = item;
  const ended = item.active === false ? ' (ended)' : '';
  return [
    {
      text: `${name === undefined || name === id ? (origin ?? id) : name}${ended}`,
      paint: ended === '' ? 'bold' : 'dim',
    },
    { text: idText, paint: 'dim' },
    { text: target ?? receiver ?? unknownText },
    { text: (events ?? []).join(', ') },
    { text: matchersText(matchers) },
    { text: interval === undefined || interval === '0' ? 'never' : interval },
    { text: limitsText(item) },
  ];
}

function limitsText({
  max_alerts_per_job: max,
  quiet_hours: quiet,
  escalate,
  expires_at: expiresAt,
}: SubscriptionRecord): string {
  const others = stepsText(escalate);
  return [
    max ? `${max} a job` : '',
    quiet ? `quiet ${windowText(quiet)}` : '',
    others === '' ? '' : `then ${others}`,
    expiresAt ? `until ${expiresAt}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

interface TestFlags extends JsonFlag {
  readonly match?: Matchers;
  readonly event?: readonly string[];
  readonly since: string;
}

interface BacktestRecord {
  readonly looked_at?: number;
  readonly matched?: number;
  readonly complete?: boolean;
  readonly reasons?: Readonly<Record<string, number>>;
  readonly items?: readonly {
    readonly at?: string;
    readonly kind?: string;
    readonly reason?: string;
    readonly condition?: string | null;
    readonly node?: string | null;
    readonly task?: string | null;
  }[];
}

async function backtest(context: Context, { match, event, since, json }: TestFlags): Promise<void> {
  const answer = await context.client().post<BacktestRecord>('/subscriptions/test', {
    since: sinceInstant(since, context.now()),
    ...(match === undefined ? {} : { matchers: match }),
    ...(event === undefined ? {} : { events: event }),
  });
  if (json) return printJson(context, answer);
  const { looked_at: lookedAt = 0, matched = 0, reasons = {}, items = [], complete } = answer;
  const others = Object.entries(reasons)
    .filter(([reason]) => reason !== 'matched')
    .map(([reason, count]) => `${count} ${reason}`);
  context.print(
    `${matched} of ${countText(lookedAt, 'past event')} would have matched${others.length === 0 ? '' : ` (not: ${others.join(', ')})`}.\n`,
  );
  if (complete === false) context.print('There was more than could be looked at; ask for a shorter time.\n');
  if (items.length === 0) return;
  context.print(
    renderTable(
      [{ title: 'when' }, { title: 'what' }, { title: 'on' }, { title: 'because', shrinks: true }],
      items.map(({ at, condition, kind, node, task, reason }) => [
        { text: agoText(at, context.now()) },
        { text: condition ?? kind ?? unknownText },
        { text: [task, node].filter(Boolean).join(' on ') || unknownText },
        { text: reason ?? '' },
      ]),
      context.terminal,
    ),
  );
}
