import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure, cliExitCodes } from '../failure.ts';
import { sinceInstant } from '../instant.ts';
import type { NodeRecord, TaskRecord } from '../records.ts';
import { type Change, changesBetween, readSeen, type Seen, writeSeen } from '../seen.ts';
import { neutralise } from '../terminal.ts';
import { firingConditions } from './nodes.ts';

const rule = '------------------------';

const stateFlag = ['--state <file>', 'tell only what is new since the last look, which this file remembers'] as const;

interface CheckFlags extends JsonFlag {
  readonly state?: string;
}

/** `check tasks`, `check nodes`: for cron and CI, spoken through the exit code. */
export function addCheckCommands(program: Command, context: Context): void {
  const check = program
    .command('check')
    .description('for cron and CI: is anything wrong?')
    .addHelpText(
      'after',
      '\nExit code: 0 nothing wrong, 1 something found (the report is on stdout), 2 cannot see (the reason is on stderr).\n\nExample, in a crontab:\n  */15 * * * * said=$(runnerwatch check tasks --since 15m 2>&1) || echo "$said" | mail -s "task failures" ops@example.org\n  */5 * * * *  said=$(runnerwatch check nodes --state ~/.nodes.json 2>&1) || echo "$said" | mail -s "node status" ops@example.org\n',
    );
  check
    .command('tasks')
    .description('tasks that did not end well')
    .option('--since <duration>', 'ended since then: 15m, 2h, 7d, or an instant', '24h')
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((flags: CheckFlags & { since: string }) => seeing(() => checkTasks(context, flags)));
  check
    .command('nodes')
    .description('nodes that are away, and conditions that fire')
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((flags: CheckFlags) => seeing(() => checkNodes(context, flags)));
}

/** A check that was refused has seen nothing: 2, so that 1 always means found. */
async function seeing(check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof CliFailure && error.exitCode === cliExitCodes.failed)
      throw new CliFailure('cannotSee', error.message, { cause: error });
    throw error;
  }
}

async function checkTasks(context: Context, { since, json, state }: CheckFlags & { since: string }): Promise<void> {
  const from = sinceInstant(since, context.now());
  const failed = await context.client().list<TaskRecord>('/tasks', { since: from, status: failureStatuses.join(',') });
  const before = state === undefined ? null : readSeen(state);
  report(context, {
    items: failed.filter(({ id, status }) => before?.[id]?.state !== status),
    json: json === true,
    title: 'Runnerwatch Task Failures Detected:',
    block: taskBlock,
  });
  if (state !== undefined)
    writeSeen(
      state,
      Object.fromEntries(failed.map(({ id, name, status }) => [id, { name: name ?? id, state: status }])),
    );
}

async function checkNodes(context: Context, { json = false, state }: CheckFlags): Promise<void> {
  const nodes = await context.client().list<NodeRecord>('/nodes');
  const before = state === undefined ? null : readSeen(state);
  const now: Seen = Object.fromEntries(nodes.map((node) => [node.id, { name: node.name, state: stateOf(node) }]));
  if (before === null) {
    report(context, {
      items: nodes.filter((node) => node.status === 'offline' || firingConditions(node).length > 0),
      json,
      title: 'Runnerwatch Node Problems Detected:',
      block: nodeBlock,
    });
  } else {
    report(context, {
      items: changesBetween(before, now),
      json,
      title: 'Runnerwatch Node Status Change Detected:',
      block: changeLine,
    });
  }
  if (state !== undefined) writeSeen(state, now);
}

/** `online`, or `online, DiskPressure` with what fires there. */
function stateOf(node: NodeRecord): string {
  return [node.status, ...firingConditions(node).map(({ condition }) => condition ?? 'a condition')].join(', ');
}

function changeLine({ name, before, now }: Change): string[] {
  return [`- Node ${name}: ${before} -> ${now}`];
}

interface Report<T> {
  readonly items: readonly T[];
  readonly json: boolean;
  readonly title: string;
  readonly block: (item: T) => string[];
}

function report<T>(context: Context, { items, json, title, block }: Report<T>): void {
  if (json) printJson(context, { found: items.length, items });
  else if (items.length > 0) context.print(`${[title, ...items.flatMap(block)].map(neutralise).join('\n')}\n`);
  if (items.length > 0) context.exitWith(cliExitCodes.found);
}

function taskBlock(task: TaskRecord): string[] {
  return [
    `--- Task ID: ${task.task_id ?? task.id} ---`,
    `Status: ${task.status}`,
    `Command: ${task.command ?? 'N/A'}`,
    `Assigned Node: ${task.node ?? 'N/A'}`,
    `Error: ${task.error_message ?? 'N/A'}`,
    ...(task.verdict ? [`Why: ${task.verdict.summary}`] : []),
    rule,
  ];
}

function nodeBlock(node: NodeRecord): string[] {
  return [
    `--- Node: ${node.name} ---`,
    `Status: ${node.status}`,
    `Last Heard: ${node.last_heard_at ?? 'N/A'}`,
    ...firingConditions(node).map(({ condition, reason }) => `${condition ?? 'Condition'}: ${reason ?? 'N/A'}`),
    rule,
  ];
}
