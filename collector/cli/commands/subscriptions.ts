import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import type { SubscriptionRecord } from '../records.ts';
import { type Cell, renderTable } from '../table.ts';
import { unknownText } from '../words.ts';

interface Listing {
  readonly enabled?: boolean;
  readonly items: readonly SubscriptionRecord[];
}

/** `subscriptions`: who hears what. */
export function addSubscriptionCommands(program: Command, context: Context): void {
  program
    .command('subscriptions')
    .description('who hears what')
    .option(...jsonFlag)
    .action(async ({ json }: JsonFlag) => {
      const listing = await context.client().get<Listing>('/subscriptions');
      if (json) return printJson(context, listing);
      if (listing.enabled === false)
        context.print('Notifications are off (notifications.enabled: false): nobody hears anything.\n');
      if (listing.items.length === 0)
        return context.print('Nobody has subscribed. Add one under notifications.subscriptions in collector.yaml.\n');
      context.print(
        renderTable(
          [
            { title: 'name' },
            { title: 'receiver' },
            { title: 'events', shrinks: true },
            { title: 'only for', shrinks: true },
            { title: 'again every' },
          ],
          listing.items.map(row),
          context.terminal,
        ),
      );
    });
}

function row({ id, name, receiver, events, matchers, renotify_interval: interval }: SubscriptionRecord): Cell[] {
  const only = Object.entries(matchers ?? {}).map(([key, patterns]) => `${key}=${patterns.join('|')}`);
  return [
    { text: name ?? id, paint: 'bold' },
    { text: receiver ?? unknownText },
    { text: (events ?? []).join(', ') },
    { text: only.join(' ') || 'everything' },
    { text: interval === undefined || interval === '0' ? 'never' : interval },
  ];
}
