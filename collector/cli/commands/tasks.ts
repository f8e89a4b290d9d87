import { failureStatuses, taskStatus } from '@runnerwatch/shared/model/task.ts';
import { type Command, Option } from 'commander';
import { ApiRefusal, type Client } from '../client.ts';
import { type Context, type JsonFlag, jsonFlag, printJson } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { limitNumber, sinceInstant } from '../instant.ts';
import type { RecordingRecord, TaskRecord } from '../records.ts';
import { shortIds } from '../short-ids.ts';
import { type Cell, renderTable } from '../table.ts';
import { agoText, durationText, statusPaint, unknownText } from '../words.ts';
import { renderTask } from './task-text.ts';

interface TaskFlags extends JsonFlag {
  readonly status?: string;
  readonly node?: string;
  readonly job?: string;
  readonly project?: string;
  readonly owner?: string;
  readonly cause?: string;
  readonly since?: string;
  readonly limit: number;
}

/** `tasks` with its filters, `tasks show ID`. */
export function addTaskCommands(program: Command, context: Context): void {
  const tasks = program
    .command('tasks')
    .description('task ends, newest first, and what runs')
    .option('--status <status>', 'only of this status; several with commas: failed,killed_oom', statusList)
    .option('--node <node>', 'only of this node')
    .option('--job <job>', 'only of this job')
    .option('--project <project>', 'only of this project')
    .option('--owner <owner>', 'only of this owner')
    .option('--cause <cause>', 'only of this cause, such as oom_limit')
    .option('--since <duration>', 'only ended since then: 15m, 2h, 7d, or an instant')
    .addOption(new Option('--limit <count>', 'at most so many').default(50).argParser(limitNumber))
    .option(...jsonFlag)
    .addHelpText(
      'after',
      "\nExamples:\n  runnerwatch tasks --status failed --since 1h\n  runnerwatch tasks show 3fa9c1        # the beginning of an id is enough\n  runnerwatch tasks --json | jq -r '.items[].verdict.summary'\n",
    )
    .action((flags: TaskFlags) => listTasks(context, flags));
  tasks
    .command('show')
    .argument('<id>', "id, its beginning, or the scheduler's task id")
    .description('why a task ended: verdict, evidence, advice, its last minutes, last log lines')
    .option(...jsonFlag)
    .action(async (id: string, _flags: JsonFlag, command: Command) => {
      const task = await findTask(context.client(), id);
      if (command.optsWithGlobals<JsonFlag>().json) return printJson(context, task);
      context.print(renderTask(task, await readRecording(context.client(), task), context));
    });
}

/** The task of that id, of an id that begins so, or the newest of that scheduler's id. */
export async function findTask(client: Client, wanted: string): Promise<TaskRecord> {
  const exact = await readTask(client, wanted);
  if (exact !== null) return exact;
  const recent = await client.list<TaskRecord>('/tasks', {}, 1000);
  const byTaskId = recent.find(({ task_id: taskId }) => taskId === wanted);
  const found = byTaskId === undefined ? recent.filter(({ id }) => id.startsWith(wanted)) : [byTaskId];
  if (found.length > 1)
    throw new CliFailure('failed', `${found.length} tasks have an id that begins with ${wanted}; give more of it`);
  const task = found[0] === undefined ? null : await readTask(client, found[0].id);
  if (task !== null) return task;
  throw new CliFailure('failed', `there is no task ${wanted}; \`runnerwatch tasks\` lists the newest`);
}

/** Null where none is kept, and from a collector that knows of none. */
async function readRecording(client: Client, { id, status }: TaskRecord): Promise<RecordingRecord | null> {
  if (!failureStatuses.some((failure) => failure === status)) return null;
  return readOrNull<RecordingRecord>(client, `/tasks/${encodeURIComponent(id)}/recording`);
}

function readTask(client: Client, id: string): Promise<TaskRecord | null> {
  return readOrNull<TaskRecord>(client, `/tasks/${encodeURIComponent(id)}`);
}

async function readOrNull<T>(client: Client, path: string): Promise<T | null> {
  try {
    return await client.get<T>(path);
  } catch (error) {
    if (error instanceof ApiRefusal && error.code === 'not_found') return null;
    throw error;
  }
}

async function listTasks(context: Context, { json, since, limit, ...filters }: TaskFlags): Promise<void> {
  const query = { ...filters, ...(since === undefined ? {} : { since: sinceInstant(since, context.now()) }) };
  const items = await context.client().list<TaskRecord>('/tasks', query, limit);
  if (json) return printJson(context, { items });
  if (items.length === 0) return context.print(nothingText(Object.keys(query).length > 0));
  const idText = context.terminal.columns === null ? String : shortIds(items.map(({ id }) => id));
  const rows = items.map((task) => taskRow(task, idText(task.id), context.now()));
  context.print(
    renderTable(
      [
        { title: 'id' },
        { title: 'status' },
        { title: 'name', shrinks: true },
        { title: 'node', shrinks: true, optional: true },
        { title: 'took', align: 'right', optional: true },
        { title: 'ended' },
        { title: 'why', shrinks: true },
      ],
      rows,
      context.terminal,
    ),
  );
}

function statusList(text: string): string {
  const wrong = text.split(',').find((word) => !taskStatus.options.some((status) => status === word));
  if (wrong !== undefined)
    throw new CliFailure('usage', `--status ${wrong}: expected one of ${taskStatus.options.join(', ')}`);
  return text;
}

function nothingText(isFiltered: boolean): string {
  return isFiltered ? 'No task matches.\n' : "No task yet. Try one: npx runnerwatch run -- sh -c 'exit 3'\n";
}

function taskRow(task: TaskRecord, idText: string, now: number): Cell[] {
  return [
    { text: idText, paint: 'dim' },
    { text: task.status, paint: statusPaint(task.status) },
    { text: task.name ?? unknownText, paint: 'bold' },
    { text: task.node ?? unknownText },
    { text: durationText(task.duration_ms ?? runningFor(task, now)) },
    { text: task.status === 'running' ? 'running' : agoText(task.ended_at, now) },
    { text: whyText(task) },
  ];
}

/** `Failed with exit 1: ValueError: bad seed`: the verdict, and what the program itself said when that is more. */
function whyText({ verdict, error_message: said }: TaskRecord): string {
  const summary = verdict?.summary ?? '';
  return !said || summary.includes(said) ? summary : `${summary.replace(/\.$/, '')}: ${said}`;
}

function runningFor({ status, started_at: startedAt }: TaskRecord, now: number): number | null {
  return status === 'running' && startedAt ? now - Date.parse(startedAt) : null;
}
