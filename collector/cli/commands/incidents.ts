import type { Command } from 'commander';
import { ApiRefusal, type Client } from '../client.ts';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { limitNumber } from '../instant.ts';
import type { AlertRecord, IncidentRecord, TransitionRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderFacts, renderTable } from '../table.ts';
import { neutralise } from '../terminal.ts';
import { agoText, durationText, statusPaint, unknownText } from '../words.ts';

interface IncidentFlags extends JsonFlag {
  readonly all?: boolean;
  readonly limit: number;
}

interface AckFlags extends JsonFlag {
  readonly note: string;
  readonly by?: string;
  readonly for?: string;
}

/** Of what happened the newest is shown. */
const toldMax = 200;

/** `incidents [--open|--all]`, `incidents show ID`, `incidents ack ID --note TEXT`. */
export function addIncidentCommands(program: Command, context: Context): void {
  const incidents = program
    .command('incidents')
    .description('what is wrong now, and what was')
    .option('--open', 'only open ones (the default)')
    .option('--all', 'resolved ones too')
    .option('--limit <count>', 'at most so many', limitNumber, 50)
    .option(...jsonFlag)
    .addHelpText(
      'after',
      '\nExamples:\n  runnerwatch incidents\n  runnerwatch incidents ack 01JD3Q --note "disk ordered"\n  runnerwatch explain incident 01JD3Q  # who was told, who was not, and why\n',
    )
    .action((flags: IncidentFlags) => listIncidents(context, flags));
  incidents
    .command('show')
    .argument('<id>', 'id, or its beginning')
    .description('one incident with its alerts')
    .option(...jsonFlag)
    .action(async (id: string, _flags: JsonFlag, command: Command) =>
      showIncident(context, id, command.optsWithGlobals()),
    );
  incidents
    .command('ack')
    .argument('<id>', 'id, or its beginning')
    .description('say that someone is on it')
    .requiredOption('--note <text>', 'what is being done')
    .option('--by <who>', 'who is on it')
    .option('--for <duration>', 'after this long reminders go on, if it still holds')
    .option(...jsonFlag)
    .action((id: string, _flags: AckFlags, command: Command) => acknowledge(context, id, command.optsWithGlobals()));
}

/** The incident of that id, or of an id that begins so. */
export async function findIncident(client: Client, wanted: string): Promise<IncidentRecord> {
  const exact = await readIncident(client, wanted);
  if (exact !== null) return exact;
  const recent = await client.list<IncidentRecord>('/incidents', {}, 1000);
  const found = recent.filter(({ id }) => id.startsWith(wanted));
  if (found.length > 1)
    throw new CliFailure('failed', `${found.length} incidents have an id that begins with ${wanted}; give more of it`);
  const incident = found[0] === undefined ? null : await readIncident(client, found[0].id);
  if (incident !== null) return incident;
  throw new CliFailure('failed', `there is no incident ${wanted}; \`runnerwatch incidents --all\` lists the newest`);
}

async function readIncident(client: Client, id: string): Promise<IncidentRecord | null> {
  try {
    return await client.get<IncidentRecord>(`/incidents/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof ApiRefusal && error.code === 'not_found') return null;
    throw error;
  }
}

async function listIncidents(context: Context, { all, limit, json }: IncidentFlags): Promise<void> {
  const items = await context
    .client()
    .list<IncidentRecord>('/incidents', all === true ? {} : { status: 'open' }, limit);
  if (json) return printJson(context, { items });
  if (items.length === 0)
    return context.print(all === true ? 'No incident yet.\n' : 'Nothing is wrong now. (--all shows what was.)\n');
  const idText = context.terminal.columns === null ? String : shortIds(items.map(({ id }) => id));
  const rows = items.map((incident) => incidentRow(incident, idText(incident.id), context.now()));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'status' },
        { title: 'severity' },
        { title: 'incident', shrinks: true },
        { title: 'opened' },
        { title: 'lasted', align: 'right' },
      ],
      rows,
      context.terminal,
    ),
  );
}

function incidentRow(incident: IncidentRecord, idText: string, now: number): Cell[] {
  const until = incident.acknowledged_until;
  const isAcknowledged = incident.acknowledged_at && !(until && Date.parse(until) <= now);
  const status = incident.status === 'open' && isAcknowledged ? 'open, acked' : incident.status;
  return [
    { text: idText, paint: 'dim' },
    { text: status, paint: statusPaint(incident.status) },
    { text: incident.severity ?? unknownText, paint: statusPaint(incident.severity ?? '') },
    { text: incident.title },
    { text: agoText(incident.opened_at, now) },
    { text: durationText(lastedMs(incident, now)) },
  ];
}

function lastedMs({ opened_at: openedAt, resolved_at: resolvedAt }: IncidentRecord, now: number): number | null {
  return openedAt ? (resolvedAt ? Date.parse(resolvedAt) : now) - Date.parse(openedAt) : null;
}

async function showIncident(context: Context, wanted: string, { json }: JsonFlag): Promise<void> {
  const incident = await findIncident(context.client(), wanted);
  const newest = await context
    .client()
    .list<TransitionRecord>(`/incidents/${encodeURIComponent(incident.id)}/timeline`, {}, toldMax);
  const timeline = newest.toReversed();
  if (json) return printJson(context, { ...incident, timeline });
  const { style, print, terminal } = context;
  const now = context.now();
  print(`${style('bold', neutralise(incident.title))}  ${style(statusPaint(incident.status), incident.status)}\n`);
  print(
    renderFacts(
      [
        ['id', incident.id],
        ['severity', incident.severity ?? null],
        ['opened', incident.opened_at ? `${incident.opened_at} (${agoText(incident.opened_at, now)})` : null],
        ['resolved', incident.resolved_at ? `${incident.resolved_at} (${agoText(incident.resolved_at, now)})` : null],
        ['lasted', durationText(lastedMs(incident, now))],
        ['failures', incident.failures ? String(incident.failures) : null],
        ['points at', incident.finding ?? null],
        [
          'comes and goes',
          incident.flapping === true ? 'yes: it is over when it has stayed calm for long enough' : null,
        ],
        [
          'acknowledged',
          incident.acknowledged_at
            ? `${agoText(incident.acknowledged_at, now)}${incident.acknowledged_by ? ` by ${incident.acknowledged_by}` : ''}: ${incident.acknowledge_note ?? ''}${incident.acknowledged_until ? ` (until ${incident.acknowledged_until})` : ''}`
            : null,
        ],
      ],
      terminal,
    ),
  );
  const alerts = incident.alerts ?? [];
  if (alerts.length > 0)
    print(
      `\n${style('bold', 'Alerts')}\n${renderTable(
        [
          { title: '  condition' },
          { title: 'on' },
          { title: 'is' },
          { title: 'since' },
          { title: 'because', shrinks: true },
        ],
        alerts.map((alert) => alertRow(alert, now)),
        terminal,
      )}`,
    );
  const hidden = (incident.alerts_total ?? alerts.length) - alerts.length;
  if (hidden > 0) print(`  ${style('dim', `and ${hidden} more`)}\n`);
  const told = toldRows(timeline, now);
  if (told.length > 0)
    print(
      `\n${style('bold', 'Told')}\n${renderTable(
        [{ title: '  when' }, { title: 'whom' }, { title: 'what' }, { title: 'why', shrinks: true }],
        told,
        terminal,
      )}`,
    );
  print(`\n${style('dim', `Who was not told, and why: runnerwatch explain incident ${incident.id}`)}\n`);
}

function alertRow(alert: AlertRecord, now: number): Cell[] {
  return [
    { text: `  ${alert.condition ?? unknownText}` },
    { text: [alert.node, alert.component, alert.subject].filter(Boolean).join(' ') || unknownText },
    { text: alert.status ?? unknownText, paint: statusPaint(alert.status ?? '') },
    { text: agoText(alert.fired_at, now) },
    { text: alert.reason ?? '' },
  ];
}

/** `what` says the rest. */
function isPlain(reason: string): boolean {
  return reason === 'matched' || reason === 'escalated';
}

/** The message that they were told with has its own line. */
const toldWithOthers: readonly string[] = ['told_with_group', 'told_with_node'];

/** Who was told, one line for each, in order. */
function toldRows(timeline: readonly TransitionRecord[], now: number): Cell[][] {
  return timeline.flatMap(({ at, kind, decisions = [] }) =>
    decisions
      .filter(({ notified, reason }) => notified && !toldWithOthers.includes(reason))
      .map(({ receiver, subscription, reason, detail }) => [
        { text: `  ${agoText(at, now)}` },
        { text: receiver },
        { text: kind ?? unknownText },
        {
          text: [isPlain(reason) ? `subscription ${subscription}` : reason, detail ?? ''].filter(Boolean).join(': '),
        },
      ]),
  );
}

async function acknowledge(
  context: Context,
  wanted: string,
  { note, by, for: duration, json }: AckFlags,
): Promise<void> {
  const client = context.client();
  const { id, title } = await findIncident(client, wanted);
  const incident = await client.post<IncidentRecord>(`/incidents/${encodeURIComponent(id)}/ack`, {
    note,
    ...(by === undefined ? {} : { by }),
    ...(duration === undefined ? {} : { for: duration }),
  });
  if (json) return printJson(context, incident);
  context.print(`acknowledged: ${neutralise(title)}\n`);
}
