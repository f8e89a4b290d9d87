import { type Command, Option } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { limitNumber, sinceInstant } from '../instant.ts';
import type { FailureGroupRecord } from '../records.ts';
import { type Cell, renderTable } from '../table.ts';
import { agoText, percentText, unknownText } from '../words.ts';

interface FailureFlags extends JsonFlag {
  readonly by: string;
  readonly since: string;
  readonly until?: string;
  readonly limit: number;
}

/** `analytics failures --by job|node|cause|project|hour|day`. */
export function addAnalyticsCommands(program: Command, context: Context): void {
  const analytics = program.command('analytics').description('what stored ends come to, over a time');
  analytics
    .command('failures')
    .description('where failures come from, the most failures first')
    .addOption(
      new Option('--by <what>', 'one line for each of these')
        .choices(['job', 'node', 'cause', 'project', 'hour', 'day'])
        .default('job'),
    )
    .option('--since <duration>', 'ended since then: 15m, 2h, 7d, or an instant', '7d')
    .option('--until <duration>', 'ended before then; now when left out')
    .addOption(new Option('--limit <count>', 'at most so many').default(20).argParser(limitNumber))
    .option(...jsonFlag)
    .addHelpText(
      'after',
      '\nExamples:\n  runnerwatch analytics failures                        # the worst jobs of the last 7 days\n  runnerwatch analytics failures --by node --since 24h\n  runnerwatch analytics failures --by hour --since 24h\n',
    )
    .action((flags: FailureFlags) => listFailures(context, flags));
}

async function listFailures(context: Context, { json, by, since, until, limit }: FailureFlags): Promise<void> {
  const query = {
    by,
    since: sinceInstant(since, context.now()),
    until: until === undefined ? undefined : sinceInstant(until, context.now(), '--until'),
  };
  const items = await context.client().list<FailureGroupRecord>('/analytics/failures', query, limit);
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print(`Nothing failed since ${query.since}.\n`);
  const most = Math.max(...items.map(({ failures }) => failures));
  context.print(
    renderTable(
      [
        { title: by, shrinks: true },
        { title: 'failures', align: 'right' },
        { title: '', optional: true },
        { title: 'of', align: 'right' },
        { title: 'rate', align: 'right' },
        { title: 'last', optional: true },
        { title: 'causes', shrinks: true, optional: true },
      ],
      items.map((item) => failureRow(item, { by, most, now: context.now() })),
      context.terminal,
    ),
  );
}

function failureRow(
  { key, ends, failures, failure_rate: rate, causes, last_failed_at: last }: FailureGroupRecord,
  { by, most, now }: { by: string; most: number; now: number },
): Cell[] {
  return [
    { text: key === null || key === undefined ? `(no ${by})` : keyText(key, by), paint: 'bold' },
    { text: String(failures) },
    { text: bar(failures / most), paint: 'red' },
    { text: ends === null || ends === undefined ? unknownText : String(ends) },
    { text: percentText(rate === null || rate === undefined ? null : rate * 100) },
    { text: agoText(last, now) },
    { text: by === 'cause' ? '' : causesText(causes ?? {}) },
  ];
}

/** `2026-11-22 04:00` (UTC) of an hour, `2026-11-22` of a day. */
function keyText(key: string, by: string): string {
  if (by === 'day') return key.slice(0, 10);
  return by === 'hour' ? key.slice(0, 16).replace('T', ' ') : key;
}

/** `exit_code 12, oom_limit 3`: the most frequent three. */
function causesText(causes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(causes).toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  const shown = sorted.slice(0, 3).map(([cause, count]) => `${cause} ${count}`);
  return sorted.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ');
}

const barColumns = 10;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Ten columns at `share` 1, to an eighth of a column; never nothing. */
function bar(share: number): string {
  const parts = Math.max(1, Math.round(share * barColumns * 8));
  return '█'.repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? '');
}
