import { type Command, Option } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { limitNumber } from '../instant.ts';
import type { DeliveryRecord } from '../records.ts';
import { type Cell, renderTable } from '../table.ts';
import { agoText, statusPaint, unknownText } from '../words.ts';

interface DeliveryFlags extends JsonFlag {
  readonly state?: string;
  readonly limit: number;
}

/** `deliveries`, `deliveries retry ID`. */
export function addDeliveryCommands(program: Command, context: Context): void {
  const deliveries = program
    .command('deliveries')
    .description('notifications and how their delivery went')
    .addOption(
      new Option('--state <state>', 'only of this state').choices(['pending', 'delivered', 'dead', 'collapsed']),
    )
    .addOption(new Option('--limit <count>', 'at most so many').default(50).argParser(limitNumber))
    .option(...jsonFlag)
    .action((flags: DeliveryFlags) => listDeliveries(context, flags));
  deliveries
    .command('retry')
    .argument('<id>', 'id of a notification that was given up')
    .description('send a notification again that was given up')
    .action(async (id: string) => {
      await context.client().post(`/deliveries/${encodeURIComponent(id)}/retry`);
      context.print('it is sent again now; `runnerwatch deliveries` shows how it goes on\n');
    });
}

async function listDeliveries(context: Context, { state, limit, json }: DeliveryFlags): Promise<void> {
  const items = await context.client().list<DeliveryRecord>('/deliveries', { state }, limit);
  if (json) return printJson(context, { items });
  if (items.length === 0)
    return context.print(state === undefined ? 'Nobody was told anything yet.\n' : `No notification is ${state}.\n`);
  const rows = items.map((item) => deliveryRow(item, context.now()));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'state' },
        { title: 'what' },
        { title: 'to' },
        { title: 'promised' },
        { title: 'tries', align: 'right' },
        { title: 'last error', shrinks: true },
      ],
      rows,
      context.terminal,
    ),
  );
}

function deliveryRow(item: DeliveryRecord, now: number): Cell[] {
  return [
    { text: item.id, paint: 'dim' },
    { text: item.state ?? unknownText, paint: statusPaint(item.state ?? '') },
    { text: `${item.type ?? unknownText}${item.transition === 'escalated' ? ' (escalated)' : ''}` },
    { text: item.receiver ?? unknownText },
    { text: agoText(item.created_at, now) },
    { text: String(item.attempts?.length ?? unknownText) },
    { text: item.last_error ?? '' },
  ];
}
