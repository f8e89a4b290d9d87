import { type Command, Option } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { limitNumber, sinceInstant } from '../instant.ts';
import type { AuditRecord } from '../records.ts';
import { type Cell, renderTable } from '../table.ts';
import { unknownText } from '../words.ts';

interface AuditFlags extends JsonFlag {
  readonly person?: string;
  readonly since?: string;
  readonly limit: number;
}

/** `audit`: who changed what, and who was not let. */
export function addAuditCommand(program: Command, context: Context): void {
  program
    .command('audit')
    .description('who changed what, and who was not let, newest first')
    .option('--person <name>', 'only of this person; `local` is this machine without a token, `api.token` its own')
    .option('--since <when>', 'only since then: 15m, 7d or an instant')
    .addOption(new Option('--limit <count>', 'at most so many').default(50).argParser(limitNumber))
    .option(...jsonFlag)
    .action((flags: AuditFlags) => listAudit(context, flags));
}

async function listAudit(context: Context, { person, since, limit, json }: AuditFlags): Promise<void> {
  const from = since === undefined ? undefined : sinceInstant(since, context.now());
  const items = await context.client().list<AuditRecord>('/audit', { person, since: from }, limit);
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print('Nobody changed anything.\n');
  context.print(
    renderTable(
      [
        { title: 'at' },
        { title: 'who' },
        { title: 'from' },
        { title: 'what' },
        { title: 'about', shrinks: true },
        { title: 'outcome' },
      ],
      items.map((one): Cell[] => [
        { text: one.at ?? unknownText, paint: 'dim' },
        { text: one.person == null ? unknownText : `${one.person} (${one.role ?? unknownText})` },
        { text: one.address ?? unknownText },
        { text: `${one.method ?? ''} ${one.route ?? ''}` },
        { text: one.subject ?? '' },
        {
          text: (one.outcome ?? unknownText).replace('_', ' '),
          ...(one.outcome === 'done' ? {} : { paint: 'yellow' }),
        },
      ]),
      context.terminal,
    ),
  );
}
