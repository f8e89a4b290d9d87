import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { pickOne } from '../matching.ts';
import type { EnrollmentRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderTable } from '../table.ts';
import { countText, numberText, unknownText } from '../words.ts';

interface CreateFlags extends JsonFlag {
  readonly uses: string;
  readonly expires: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly note?: string;
}

/** `enroll create|list|revoke`: tokens that admit agents. */
export function addEnrollCommands(program: Command, context: Context): void {
  const enroll = program.command('enroll').description('tokens that admit the agents of new nodes');
  enroll
    .command('create')
    .description('make a token; it is shown this once')
    .option('--uses <n>', 'how many nodes it admits', '1')
    .option('--expires <duration>', 'for how long it can be used', '24h')
    .option('--label <key=value>', 'a label for every node it admits; may be given again', collectLabel)
    .option('--note <text>', 'what it is for')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
On the new node, put the token into a file that root alone can read, name it as token_file in agent.yaml, and start the agent:
it comes in with the token once, and from then on with a key of its own.

Examples:
  runnerwatch enroll create
  runnerwatch enroll create --uses 40 --expires 2h --label rack=r1 --note "new racks"
`,
    )
    .action((flags: CreateFlags) => create(context, flags));
  enroll
    .command('list')
    .description('the tokens made so far')
    .option(...jsonFlag)
    .action((flags: JsonFlag) => list(context, flags));
  enroll
    .command('revoke')
    .argument('<id>', 'id, or its beginning')
    .description('let a token admit nobody any more; the agents that it admitted stay')
    .option(...jsonFlag)
    .action(async (wanted: string, { json }: JsonFlag) => {
      const client = context.client();
      const { items } = await client.get<{ items: EnrollmentRecord[] }>('/enrollments');
      const { id } = pickOne(items, wanted, { noun: 'token', listing: 'enroll list' });
      await client.delete(`/enrollments/${encodeURIComponent(id)}`);
      if (json) return printJson(context, { id, revoked: true });
      context.print('revoked: it admits nobody any more; the agents that it admitted stay\n');
    });
}

async function create(context: Context, flags: CreateFlags): Promise<void> {
  const uses = Number(flags.uses);
  if (!Number.isInteger(uses) || uses < 1)
    throw new CliFailure('usage', `--uses ${flags.uses}: expected a whole number above 0`);
  const answer = await context.client().post<EnrollmentRecord & { token: string }>('/enrollments', {
    uses,
    expires_in: flags.expires,
    ...(flags.label === undefined ? {} : { labels: flags.label }),
    ...(flags.note === undefined ? {} : { note: flags.note }),
  });
  if (flags.json) return printJson(context, answer);
  context.print(
    `${answer.token}\nadmits ${countText(uses, 'node')} until ${answer.expires_at ?? unknownText}; it is not shown again\n`,
  );
}

async function list(context: Context, { json }: JsonFlag): Promise<void> {
  const { items } = await context.client().get<{ items: EnrollmentRecord[] }>('/enrollments');
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print('No token was made yet: runnerwatch enroll create\n');
  const idText = context.terminal.columns === null ? String : shortIds(items.map(({ id }) => id));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'is' },
        { title: 'used' },
        { title: 'until' },
        { title: 'labels' },
        { title: 'for', shrinks: true },
      ],
      items.map((item): Cell[] => [
        { text: idText(item.id), paint: 'dim' },
        { text: item.state?.replace('_', ' ') ?? unknownText, paint: item.state === 'active' ? 'green' : 'dim' },
        { text: `${numberText(item.uses)} of ${numberText(item.uses_max)}` },
        { text: item.expires_at ?? unknownText },
        {
          text: Object.entries(item.labels ?? {})
            .map((label) => label.join('='))
            .join(' '),
        },
        { text: item.note ?? '' },
      ]),
      context.terminal,
    ),
  );
}

function collectLabel(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new CliFailure('usage', `--label ${text}: expected a key and a value, such as rack=r1`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
