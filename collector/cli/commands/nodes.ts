import { type Command, Option } from 'commander';
import type { Client } from '../client.ts';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure } from '../failure.ts';
import type { GapRecord, NodeRecord } from '../records.ts';
import { type Cell, renderFacts, renderTable } from '../table.ts';
import { neutralise } from '../terminal.ts';
import { agoText, bytesText, durationText, numberText, percentText, statusPaint, unknownText } from '../words.ts';

interface DrainFlags {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** `nodes`, `nodes show|drain|undrain|remove N`. */
export function addNodeCommands(program: Command, context: Context): void {
  const nodes = program
    .command('nodes')
    .description('the machines that agents watch')
    .addOption(
      new Option('--sort <by>', 'health: the worst first; cpu, memory, load, disk: the fullest first')
        .choices(['name', 'health', 'cpu', 'memory', 'load', 'disk', 'last_heard'])
        .default('name'),
    )
    .addOption(new Option('--order <way>', 'which way, instead of the one natural to it').choices(['asc', 'desc']))
    .option(...jsonFlag)
    .addHelpText(
      'after',
      '\nExamples:\n  runnerwatch nodes\n  runnerwatch nodes --sort memory\n  runnerwatch nodes show gpu-7\n  runnerwatch nodes drain gpu-7      # its conditions go on, its alerts notify nobody\n',
    )
    .action((flags: ListFlags) => listNodes(context, flags));
  nodes
    .command('show')
    .argument('<node>', 'name or id')
    .description('one node: readings, conditions, what its agent sees and what it does not')
    .option(...jsonFlag)
    .action(async (node: string, _flags: JsonFlag, command: Command) =>
      showNode(context, node, command.optsWithGlobals()),
    );
  for (const [verb, says] of [
    ['drain', 'keep watching it, notify nobody about it'],
    ['undrain', 'notify again'],
  ] as const) {
    const command = nodes.command(verb).argument('<node>', 'name or id').description(says);
    if (verb === 'drain') command.option('--by <who>', 'who drains it').option('--reason <text>', 'why');
    command.option(...jsonFlag).action((node: string, { by, reason }: DrainFlags) => {
      const { json = false } = command.optsWithGlobals<JsonFlag>();
      return setDraining(context, node, { verb, said: { by, reason }, json });
    });
  }
  nodes
    .command('remove')
    .argument('<node>', 'name or id')
    .description('forget a node and its history; a running agent would enter it again')
    .action((node: string) => removeNode(context, node));
}

interface ListFlags extends JsonFlag {
  readonly sort: string;
  readonly order?: 'asc' | 'desc';
}

/** The node of that name or id; throws when there is none, or more than one of the name. */
export async function findNode(client: Client, wanted: string): Promise<NodeRecord> {
  const nodes = await client.list<NodeRecord>('/nodes');
  const found = nodes.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length > 1)
    throw new CliFailure(
      'failed',
      `${found.length} nodes are called ${wanted}; name one by its id: ${found.map(({ id }) => id).join(', ')}`,
    );
  if (found[0] !== undefined) return found[0];
  throw new CliFailure('failed', `there is no node ${wanted}; \`runnerwatch nodes\` lists those there are`);
}

async function listNodes(context: Context, { json, sort, order }: ListFlags): Promise<void> {
  const items = await context.client().list<NodeRecord>('/nodes', { sort, order });
  if (json) return printJson(context, { items });
  if (items.length === 0)
    return context.print(
      'No node is known yet. Start an agent: runnerwatch agent (or runnerwatch up for this machine).\n',
    );
  const rows = items.map((node) => nodeRow(node, context.now()));
  context.print(
    renderTable(
      [
        { title: 'node', shrinks: true },
        { title: 'status' },
        { title: 'cpu', align: 'right' },
        { title: 'memory', align: 'right' },
        { title: 'disk', align: 'right', optional: true },
        { title: 'load', align: 'right', optional: true },
        { title: 'heard', optional: true },
        { title: 'conditions', shrinks: true },
      ],
      rows,
      context.terminal,
    ),
  );
}

function nodeRow(node: NodeRecord, now: number): Cell[] {
  const firing = firingConditions(node);
  return [
    { text: node.name, paint: 'bold' },
    { text: node.status, paint: statusPaint(node.status) },
    { text: percentText(node.sample?.cpu_percent) },
    { text: percentText(memoryUsedPercent(node)) },
    { text: percentText(diskUsedPercent(node)) },
    { text: numberText(node.sample?.load1) },
    { text: agoText(node.last_heard_at, now) },
    firing.length === 0
      ? { text: unknownText, paint: 'dim' }
      : { text: firing.map(({ condition }) => condition ?? '?').join(', '), paint: 'red' },
  ];
}

async function showNode(context: Context, wanted: string, { json }: JsonFlag): Promise<void> {
  const client = context.client();
  const { id } = await findNode(client, wanted);
  const node = await client.get<NodeRecord>(`/nodes/${encodeURIComponent(id)}`);
  const { items: gaps } = await client.get<{ items: GapRecord[] }>(`/nodes/${encodeURIComponent(id)}/gaps`, {
    limit: 5,
  });
  if (json) return printJson(context, { ...node, gaps });
  const { style, print, terminal } = context;
  const now = context.now();
  print(`${style('bold', neutralise(node.name))}  ${style(statusPaint(node.status), node.status)}\n`);
  print(renderFacts(nodeFacts(node, now), terminal));
  printConditions(context, node);
  printSources(context, node);
  printGaps(context, gaps);
}

function nodeFacts(node: NodeRecord, now: number): [string, string | null][] {
  const { sample, inventory } = node;
  return [
    ['id', node.id],
    ['heard', agoText(node.last_heard_at, now)],
    [
      'cpu',
      sample
        ? `${percentText(sample.cpu_percent)} of ${numberText(sample.cpu_count ?? inventory?.cpu_count)} cores`
        : null,
    ],
    ['load', sample ? [sample.load1, sample.load5, sample.load15].map(numberText).join('  ') : null],
    [
      'memory',
      sample
        ? `${percentText(memoryUsedPercent(node))} of ${bytesText(sample.memory_total_bytes)}, ${bytesText(sample.memory_available_bytes)} available`
        : null,
    ],
    ...(sample?.disks ?? []).map(({ mount, used_percent, available_bytes }): [string, string] => [
      `disk ${neutralise(mount)}`,
      `${percentText(used_percent)} used, ${bytesText(available_bytes)} free`,
    ]),
    ['up', sample?.uptime_s === null || sample?.uptime_s === undefined ? null : durationText(sample.uptime_s * 1000)],
    ['system', [inventory?.os, inventory?.kernel, inventory?.architecture].filter(Boolean).join(', ')],
    ['agent', node.agent_version ?? null],
    [
      'labels',
      Object.entries(node.labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ],
    ['goodbye', node.goodbye_reason ?? null],
    [
      'clock',
      node.clock_skew_ms === null || node.clock_skew_ms === undefined || Math.abs(node.clock_skew_ms) < 1000
        ? null
        : `${durationText(Math.abs(node.clock_skew_ms))} ${node.clock_skew_ms > 0 ? 'ahead of' : 'behind'} the collector`,
    ],
  ];
}

function printConditions({ print, style, terminal }: Context, node: NodeRecord): void {
  const conditions = (node.conditions ?? []).filter(({ status }) => status !== 'false');
  if (conditions.length === 0) return;
  print(`\n${style('bold', 'Conditions')}\n`);
  const rows = conditions.map(({ condition, subject, status, reason }): Cell[] => [
    { text: `  ${condition ?? '?'}${subject ? ` ${subject}` : ''}` },
    { text: status === 'true' ? 'firing' : (status ?? 'unknown'), paint: status === 'true' ? 'red' : 'yellow' },
    { text: reason ?? '' },
  ]);
  print(renderTable([{ title: '  condition' }, { title: 'is' }, { title: 'because', shrinks: true }], rows, terminal));
}

function printSources({ print, style, terminal }: Context, node: NodeRecord): void {
  const sources = node.sources ?? [];
  if (sources.length === 0) return;
  print(`\n${style('bold', 'What its agent sees')}\n`);
  const rows = sources.map(({ name, state, reason }): Cell[] => [
    { text: `  ${name}` },
    { text: state, paint: state === 'seeing' ? 'green' : state === 'off' ? 'dim' : 'yellow' },
    { text: reason ?? '' },
  ]);
  print(renderTable([{ title: '  source' }, { title: 'state' }, { title: 'why', shrinks: true }], rows, terminal));
}

function printGaps({ print, style, terminal, now }: Context, gaps: readonly GapRecord[]): void {
  if (gaps.length === 0) return;
  print(`\n${style('bold', 'What it missed')}\n`);
  const rows = gaps.map(({ at, source, cause, lost, at_most: atMost }): Cell[] => [
    { text: `  ${source}` },
    { text: agoText(at, now()) },
    { text: lost !== null ? String(lost) : atMost !== null ? `at most ${atMost}` : unknownText },
    { text: cause },
  ]);
  print(
    renderTable(
      [
        { title: '  source' },
        { title: 'when' },
        { title: 'lost', align: 'right' },
        { title: 'because', shrinks: true },
      ],
      rows,
      terminal,
    ),
  );
}

async function setDraining(
  context: Context,
  wanted: string,
  { verb, said, json }: { verb: 'drain' | 'undrain'; said: DrainFlags; json: boolean },
): Promise<void> {
  const client = context.client();
  const { id, name } = await findNode(client, wanted);
  const isSaid = said.by !== undefined || said.reason !== undefined;
  const node = await client.post<NodeRecord>(`/nodes/${encodeURIComponent(id)}/${verb}`, isSaid ? said : undefined);
  if (json) return printJson(context, node);
  context.print(
    verb === 'drain'
      ? `${neutralise(name)} is draining: it is watched, and notifies nobody\n`
      : `${neutralise(name)} notifies again\n`,
  );
}

async function removeNode(context: Context, wanted: string): Promise<void> {
  const client = context.client();
  const { id, name } = await findNode(client, wanted);
  await client.delete(`/nodes/${encodeURIComponent(id)}`);
  context.print(`${neutralise(name)} is removed\n`);
}

export function firingConditions(node: NodeRecord): NonNullable<NodeRecord['conditions']>[number][] {
  return (node.conditions ?? []).filter(({ status }) => status === 'true');
}

function memoryUsedPercent({ sample }: NodeRecord): number | null {
  const total = sample?.memory_total_bytes;
  const available = sample?.memory_available_bytes;
  return total && available !== null && available !== undefined ? 100 * (1 - available / total) : null;
}

function diskUsedPercent({ sample }: NodeRecord): number | null {
  const disks = sample?.disks ?? [];
  return disks.length === 0 ? null : Math.max(...disks.map(({ used_percent }) => used_percent));
}
