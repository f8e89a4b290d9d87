import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import type { Command } from 'commander';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure, cliExitCodes } from '../failure.ts';
import { sinceInstant } from '../instant.ts';
import type { NodeRecord, TaskRecord } from '../records.ts';
import { neutralise } from '../terminal.ts';
import { firingConditions } from './nodes.ts';

const rule = '------------------------';

/** `check tasks`, `check nodes`: for cron and CI, spoken through the exit code. */
export function addCheckCommands(program: Command, context: Context): void {
  const check = program
    .command('check')
    .description('for cron and CI: is anything wrong?')
    .addHelpText(
      'after',
      '\nExit code: 0 nothing wrong, 1 something found (the report is on stdout), 2 cannot see (the reason is on stderr).\n\nExample, in a crontab:\n  */15 * * * * said=$(runnerwatch check tasks --since 15m 2>&1) || echo "$said" | mail -s "task failures" ops@example.org\n',
    );
  check
    .command('tasks')
    .description('tasks that did not end well')
    .option('--since <duration>', 'ended since then: 15m, 2h, 7d, or an instant', '24h')
    .option(...jsonFlag)
    .action((flags: JsonFlag & { since: string }) => seeing(() => checkTasks(context, flags)));
  check
    .command('nodes')
    .description('nodes that are away, and conditions that fire')
    .option(...jsonFlag)
    .action((flags: JsonFlag) => seeing(() => checkNodes(context, flags)));
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

async function checkTasks(context: Context, { since, json }: JsonFlag & { since: string }): Promise<void> {
  const from = sinceInstant(since, context.now());
  const failed = await context.client().list<TaskRecord>('/tasks', { since: from, status: failureStatuses.join(',') });
  report(context, {
    items: failed,
    json: json === true,
    title: 'Runnerwatch Task Failures Detected:',
    block: taskBlock,
  });
}

async function checkNodes(context: Context, { json }: JsonFlag): Promise<void> {
  const nodes = await context.client().list<NodeRecord>('/nodes');
  const troubled = nodes.filter((node) => node.status === 'offline' || firingConditions(node).length > 0);
  report(context, {
    items: troubled,
    json: json === true,
    title: 'Runnerwatch Node Problems Detected:',
    block: nodeBlock,
  });
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
