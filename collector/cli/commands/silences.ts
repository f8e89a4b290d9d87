import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import {
  collectMatch,
  collectWords,
  type Matchers,
  matchersText,
  matchFlag,
  pickOne,
  type WindowFlags,
  windowOf,
  windowText,
} from '../matching.ts';
import type { SilenceRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderTable } from '../table.ts';
import { countText, unknownText } from '../words.ts';

interface AddFlags extends JsonFlag, WindowFlags {
  readonly match: Matchers;
  readonly by?: string;
  readonly reason: string;
  readonly for?: string;
  readonly from?: string;
  readonly until?: string;
  readonly every?: string;
  readonly dryRun?: boolean;
}

/** `silence add|list|expire`: orders that matching alerts notify nobody for a time. */
export function addSilenceCommands(program: Command, context: Context): void {
  const silence = program
    .command('silence')
    .description('keep matching alerts from everyone for a time; what still holds afterwards is told then');
  addAdd(silence, context);
  silence
    .command('list')
    .description('silences that are or will be')
    .option('--all', 'those that are over too')
    .option('--node <node>', 'only those that concern this node')
    .option(...jsonFlag)
    .action((flags: ListFlags) => listSilences(context, flags));
  silence
    .command('expire')
    .argument('<id>', 'id, or its beginning')
    .description('end a silence now; that of a drain ends the drain')
    .option(...jsonFlag)
    .action(async (wanted: string, { json }: JsonFlag) => {
      const client = context.client();
      const { items } = await client.get<{ items: SilenceRecord[] }>('/silences');
      const { id } = pickOne(items, wanted, { noun: 'silence', listing: 'silence list' });
      await client.delete(`/silences/${encodeURIComponent(id)}`);
      if (json) return printJson(context, { id, expired: true });
      context.print('expired: what it kept back and still holds is told now\n');
    });
}

function addAdd(silence: Command, context: Context): void {
  silence
    .command('add')
    .description('silence')
    .requiredOption(...matchFlag, collectMatch)
    .option('--by <who>', 'who silences; with a token of your own it is you')
    .requiredOption('--reason <text>', 'why; the first message afterwards says so')
    .option('--for <duration>', 'for how long')
    .option('--until <instant>', 'or until when, such as 2026-11-22T07:00:00Z')
    .option('--from <instant>', 'begins only then')
    .option('--every <hours>', 'a maintenance window that comes again, such as 02:00-04:00')
    .option('--days <days>', 'on which it begins, such as sat,sun (default: every day)', collectWords)
    .option('--time-zone <zone>', 'of --every (default: this machine)')
    .option('--dry-run', 'only show what it would hide now')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
Examples:
  runnerwatch silence add --match node=gpu-7 --for 2h --by ada --reason "new disks"
  runnerwatch silence add --match label.rack=r1 --every 02:00-04:00 --days sun --time-zone Europe/Berlin --by ada --reason patches
  runnerwatch silence add --match job=nightly --for 1h --by ada --reason x --dry-run
`,
    )
    .action((flags: AddFlags) => add(context, flags));
}

async function add(context: Context, flags: AddFlags): Promise<void> {
  const body = {
    matchers: flags.match,
    ...(flags.by === undefined ? {} : { author: flags.by }),
    reason: flags.reason,
    ...(flags.for === undefined ? {} : { for: flags.for }),
    ...(flags.until === undefined ? {} : { ends_at: flags.until }),
    ...(flags.from === undefined ? {} : { starts_at: flags.from }),
    ...(flags.every === undefined ? {} : { recurrence: windowOf(flags.every, flags) }),
  };
  const path = flags.dryRun === true ? '/silences?dry_run' : '/silences';
  const answer = await context
    .client()
    .post<SilenceRecord & { hides: { count?: number; items?: readonly HiddenRecord[] } }>(path, body);
  if (flags.json) return printJson(context, answer);
  const { hides } = answer;
  const count = countText(hides.count ?? 0, 'firing alert');
  context.print(
    flags.dryRun === true
      ? `It would hide ${count} now. Nothing was stored.\n`
      : `silenced ${endText(answer)}; it hides ${count} now. End it: runnerwatch silence expire ${answer.id}\n`,
  );
  const rows = (hides.items ?? []).map(({ condition, node, task_id: task, reason }): Cell[] => [
    { text: `  ${condition ?? unknownText}` },
    { text: [task, node].filter(Boolean).join(' on ') || unknownText },
    { text: reason ?? '' },
  ]);
  if (rows.length > 0)
    context.print(
      renderTable([{ title: '  hides' }, { title: 'on' }, { title: 'because', shrinks: true }], rows, context.terminal),
    );
}

interface HiddenRecord {
  readonly condition?: string;
  readonly node?: string | null;
  readonly task_id?: string | null;
  readonly reason?: string;
}

function endText({ ends_at: endsAt, recurrence }: SilenceRecord): string {
  return [recurrence ? windowText(recurrence) : '', endsAt ? `until ${endsAt}` : 'until it is ended']
    .filter(Boolean)
    .join(' ');
}

interface ListFlags extends JsonFlag {
  readonly all?: boolean;
  readonly node?: string;
}

async function listSilences(context: Context, { all, node, json }: ListFlags): Promise<void> {
  const query = { node, all: all === true ? 'true' : undefined };
  const { items } = await context.client().get<{ items: SilenceRecord[] }>('/silences', query);
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print('Nothing is silenced.\n');
  const idText = context.terminal.columns === null ? String : shortIds(items.map(({ id }) => id));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'is' },
        { title: 'what', shrinks: true },
        { title: 'when' },
        { title: 'by' },
        { title: 'because', shrinks: true },
      ],
      items.map((item): Cell[] => [
        { text: idText(item.id), paint: 'dim' },
        { text: item.state ?? unknownText, paint: item.state === 'active' ? 'yellow' : 'dim' },
        { text: matchersText(item.matchers) },
        { text: endText(item) },
        { text: item.author ?? unknownText },
        { text: `${item.origin === 'drain' ? '(drain) ' : ''}${item.reason ?? ''}` },
      ]),
      context.terminal,
    ),
  );
}
