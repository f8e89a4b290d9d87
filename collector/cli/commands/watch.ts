import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { alertCount, collectWords, pickOne, type ReceiverFlags, receiverOf } from '../matching.ts';
import type { WatchRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderTable } from '../table.ts';
import { numberText, unknownText } from '../words.ts';

interface StartFlags extends JsonFlag, ReceiverFlags {
  readonly project?: readonly string[];
  readonly for: string;
  readonly onlyFailed?: boolean;
  readonly maxAlertsPerJob: number;
  readonly by?: string;
}

/** `watch start|stop|status`: a subscription that ends by itself. */
export function addWatchCommands(program: Command, context: Context): void {
  const watch = program.command('watch').description('be told of projects for a while; it stops by itself');
  watch
    .command('start')
    .description('begin to watch')
    .option('--project <pattern>', 'only these projects; may be given again (default: everything)', collectWords)
    .option('--for <duration>', 'stop after this long; 0: only when told to', '30m')
    .option('--only-failed', 'failures alone, no warnings about what still runs')
    .option('--max-alerts-per-job <n>', 'so often it tells of one job; 0: no limit', alertCount, 1)
    .option('--to <notifier>', 'a notifier of collector.yaml (default: the first)')
    .option('--webhook <url>', 'or an address of your own')
    .option('--email <address>', 'or a mailbox of your own')
    .option('--by <who>', 'who watches')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
Examples:
  runnerwatch watch start                                  everything, for 30 minutes
  runnerwatch watch start --project ml-team --for 8h --only-failed
  runnerwatch watch start --for 0 --max-alerts-per-job 3   until \`runnerwatch watch stop\`
`,
    )
    .action((flags: StartFlags) => start(context, flags));
  watch
    .command('stop')
    .argument('<id>', 'id, or its beginning')
    .description('stop a watch')
    .option(...jsonFlag)
    .action(async (wanted: string, { json }: JsonFlag) => {
      const client = context.client();
      const { items } = await client.get<{ items: WatchRecord[] }>('/watches');
      const { id } = pickOne(items, wanted, { noun: 'watch', listing: 'watch status' });
      await client.delete(`/watches/${encodeURIComponent(id)}`);
      if (json) return printJson(context, { id, stopped: true });
      context.print('stopped\n');
    });
  watch
    .command('status')
    .description('watches of the last month: what they look at, what they sent, whether they go on')
    .option(...jsonFlag)
    .action(({ json }: JsonFlag) => status(context, { json: json === true }));
}

async function start(context: Context, flags: StartFlags): Promise<void> {
  const made = await context.client().post<WatchRecord>('/watches', {
    ...receiverOf(flags),
    ...(flags.project === undefined ? {} : { projects: flags.project }),
    for: flags.for,
    only_failed: flags.onlyFailed === true,
    max_alerts_per_job: flags.maxAlertsPerJob || null,
    ...(flags.by === undefined ? {} : { started_by: flags.by }),
  });
  if (flags.json) return printJson(context, made);
  const end = made.ends_at ? `until ${made.ends_at}` : 'until it is stopped';
  context.print(`watching ${(made.projects ?? []).join(', ')} ${end}; stop it: runnerwatch watch stop ${made.id}\n`);
}

async function status(context: Context, { json }: { json: boolean }): Promise<void> {
  const { items } = await context.client().get<{ items: WatchRecord[] }>('/watches');
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print('Nobody watches. Begin with `runnerwatch watch start`.\n');
  const idText = context.terminal.columns === null ? String : shortIds(items.map(({ id }) => id));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'is' },
        { title: 'projects', shrinks: true },
        { title: 'what' },
        { title: 'a job', align: 'right' },
        { title: 'tells', shrinks: true },
        { title: 'until' },
        { title: 'sent', align: 'right' },
      ],
      items.map((item) => row(item, idText(item.id))),
      context.terminal,
    ),
  );
}

function row(item: WatchRecord, idText: string): Cell[] {
  return [
    { text: idText, paint: 'dim' },
    { text: item.active === true ? 'active' : 'over', paint: item.active === true ? 'green' : 'dim' },
    { text: (item.projects ?? []).join(', ') || unknownText },
    { text: item.only_failed === true ? 'failures' : 'failures, warnings' },
    { text: item.max_alerts_per_job ? `${item.max_alerts_per_job}` : 'any' },
    { text: item.receiver ?? unknownText },
    { text: item.ends_at ?? 'stopped' },
    { text: numberText(item.alerts_sent) },
  ];
}
