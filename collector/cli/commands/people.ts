import { type Command, Option } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { pickOne } from '../matching.ts';
import type { PersonRecord } from '../records.ts';
import { type Cell, renderTable } from '../table.ts';
import { agoText, unknownText } from '../words.ts';

interface AddFlags extends JsonFlag {
  readonly role: string;
  readonly expires?: string;
}

interface SetFlags extends JsonFlag {
  readonly role: string;
}

const roleOption = () => {
  const option = new Option(
    '--role <role>',
    'viewer reads; operator also acknowledges, silences, subscribes; admin all',
  );
  return option.choices(['viewer', 'operator', 'admin']).makeOptionMandatory();
};

/** `people add|list|set|remove`: who has a token, and what it may do. */
export function addPeopleCommands(program: Command, context: Context): void {
  const people = program.command('people').description('who may ask this collector, each by a token of their own');
  people
    .command('add')
    .argument('<name>', 'what the others see behind what this person does')
    .description('make a token; it is shown this once')
    .addOption(roleOption())
    .option('--expires <duration>', 'for how long it is good, such as 90d (default: until it is removed)')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      `
Give the token to that person: into the dashboard's question for it, RUNNERWATCH_API_TOKEN, or cli.yaml.

Examples:
  runnerwatch people add ada --role operator
  runnerwatch people add ci --role viewer --expires 90d
`,
    )
    .action((name: string, flags: AddFlags) => add(context, name, flags));
  people
    .command('list')
    .description('those who have a token: role, last use, end')
    .option(...jsonFlag)
    .action((flags: JsonFlag) => list(context, flags));
  people
    .command('set')
    .argument('<name>', 'name, or id')
    .description('give someone another role, from the next request on')
    .addOption(roleOption())
    .option(...jsonFlag)
    .action(async (wanted: string, { role, json }: SetFlags) => {
      const { id } = await find(context, wanted);
      const person = await context.client().patch<PersonRecord>(`/people/${encodeURIComponent(id)}`, { role });
      if (json) return printJson(context, person);
      context.print(`${person.name} is ${person.role ?? role} now\n`);
    });
  people
    .command('remove')
    .argument('<name>', 'name, or id')
    .description('take a token away; what is open with it ends')
    .option(...jsonFlag)
    .action(async (wanted: string, { json }: JsonFlag) => {
      const { id, name } = await find(context, wanted);
      await context.client().delete(`/people/${encodeURIComponent(id)}`);
      if (json) return printJson(context, { id, removed: true });
      context.print(`removed: the token of ${name} opens nothing any more\n`);
    });
}

async function find(context: Context, wanted: string): Promise<PersonRecord> {
  const { items } = await context.client().get<{ items: PersonRecord[] }>('/people');
  return pickOne(items, wanted, { noun: 'person', listing: 'people list' });
}

async function add(context: Context, name: string, { role, expires, json }: AddFlags): Promise<void> {
  const made = await context.client().post<PersonRecord & { token: string }>('/people', {
    name,
    role,
    ...(expires === undefined ? {} : { expires_in: expires }),
  });
  if (json) return printJson(context, made);
  const until = made.expires_at ? `until ${made.expires_at}` : 'until it is removed';
  context.print(`${made.token}\nopens this collector to ${made.name} as ${role} ${until}; it is not shown again\n`);
}

async function list(context: Context, { json }: JsonFlag): Promise<void> {
  const { items } = await context.client().get<{ items: PersonRecord[] }>('/people');
  if (json) return printJson(context, { items });
  if (items.length === 0)
    return context.print('Nobody has a token of their own yet: runnerwatch people add NAME --role viewer\n');
  const now = context.now();
  context.print(
    renderTable(
      [{ title: 'name' }, { title: 'role' }, { title: 'created' }, { title: 'last used' }, { title: 'until' }],
      items.map((one): Cell[] => [
        { text: one.name },
        { text: one.role ?? unknownText },
        { text: agoText(one.created_at, now) },
        { text: one.last_used_at ? agoText(one.last_used_at, now) : 'never' },
        one.state === 'expired'
          ? { text: `${one.expires_at ?? unknownText} (expired)`, paint: 'dim' }
          : { text: one.expires_at ?? 'removed' },
      ]),
      context.terminal,
    ),
  );
}
