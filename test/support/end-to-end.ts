import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { TaskIdentity, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import type { Database } from '../../collector/src/db/database.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { copyTemplate, silentLog } from './database.ts';
import { eventually } from './eventually.ts';
import type { HttpSink } from './http-sink.ts';
import { Installation, type Program } from './product.ts';

/* What the end-to-end tests have in common: an installation with a database made before, a machine that troubles nobody, a receiver. */

const dist = resolve(import.meta.dirname, '../../dist');

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** What the machine that runs the tests happens to suffer from is no news. */
export const calm = {
  conditions: {
    memory_pressure_threshold: 100,
    high_load_multiplier: 100_000,
    disk_pressure_threshold: 100,
    inode_pressure_threshold: 100,
  },
  heartbeat_interval: '500ms',
} as const;

/** A collector's notifications: everything to the sink, signed. */
export function telling(sink: HttpSink, more: { renotify_interval?: string; events?: string[] } = {}) {
  const { renotify_interval = '0', events = ['all'] } = more;
  return {
    notifications: {
      renotify_interval,
      notifiers: { ops: { type: 'webhook', url: sink.url, secret } },
      subscriptions: [{ receiver: 'ops', events }],
    },
  };
}

/** A folder whose embedded database is there already, for tests that are not about the first start. */
export async function prepared(): Promise<Installation> {
  const installation = new Installation();
  await copyTemplate(join(installation.dataDir, 'collector'));
  return installation;
}

export function told(sink: HttpSink): Notification[] {
  return sink.bodies as unknown as Notification[];
}

/** Of a type, one for each id. */
export function toldOf(sink: HttpSink, type: Notification['type']): Notification[] {
  const byId = new Map(told(sink).map((one) => [one.id, one]));
  return [...byId.values()].filter((one) => one.type === type);
}

/** `runnerwatch run -- COMMAND`, without the detour over the one binary; the child ends with the command's code. */
export function runCommand(installation: Installation, command: readonly string[], options: readonly string[] = []) {
  return spawn(process.execPath, [join(dist, 'run.cjs'), ...options, '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, RUNNERWATCH_DATA_DIR: installation.dataDir },
  });
}

/** A shell's line as a tracked task. @returns its exit code when it is over. */
export async function runShell(installation: Installation, line: string, options: readonly string[] = []) {
  return closed(runCommand(installation, ['sh', '-c', line], options));
}

export function closed(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  child.stderr?.resume();
  return new Promise((resolveClose) => child.once('close', resolveClose));
}

/** A program of ours that is expected to end by itself. */
export async function refusal(
  name: 'collector.mjs' | 'agent.cjs' | 'up.mjs',
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, [join(dist, name), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const heard = { stderr: '', stdout: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    heard.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    heard.stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolveClose) => child.once('close', resolveClose));
  return { code, ...heard };
}

export interface TaskItem extends TaskIdentity {
  readonly node_id: string;
  readonly status: TaskStatus;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly amendments: number;
  readonly verdict: Verdict | null;
}

/** Every task, over all pages. */
export async function allTasks(installation: Installation): Promise<TaskItem[]> {
  const items: TaskItem[] = [];
  let cursor: string | null = null;
  do {
    const at: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: TaskItem[]; next_cursor: string | null } = await installation.get(`/tasks?limit=200${at}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

export interface NodeItem {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly last_heard_at: string;
  readonly clock_skew_ms: number | null;
  readonly goodbye_reason: string | null;
  readonly conditions: { condition: string; component: string; status: string; reason: string }[];
}

export async function nodes(installation: Installation): Promise<NodeItem[]> {
  return (await installation.get<{ items: NodeItem[] }>('/nodes')).items;
}

export function nodeBecomes(installation: Installation, status: string): Promise<NodeItem> {
  return eventually(
    async () => {
      const [node] = await nodes(installation);
      if (node?.status !== status) throw new Error(`it is ${node?.status}`);
      return node;
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
}

/** Looks into the embedded database of a collector that does not run. */
export async function inDatabase<T>(
  installation: Installation,
  read: (sql: Database['sql']) => Promise<T>,
): Promise<T> {
  const database = await openDatabase({ dataDir: join(installation.dataDir, 'collector'), log: silentLog });
  try {
    return await read(database.sql);
  } finally {
    await database.close();
  }
}

/** Resolves when it has died by itself. */
export async function died(program: Program): Promise<void> {
  await eventually(() => !program.isRunning, { timeoutMs: 60_000 });
}

/** Waits without hurry: time itself is what the test needs. */
export async function pass(durationMs: number): Promise<void> {
  const until = performance.now() + durationMs;
  await eventually(() => performance.now() >= until, { timeoutMs: durationMs + 30_000, everyMs: 50 });
}

export const patient = { timeoutMs: 40_000, everyMs: 50 };

/** Until the assertions hold. */
export async function holds(assertions: () => unknown, options: { timeoutMs?: number } = {}): Promise<void> {
  await eventually(
    async () => {
      await assertions();
      return true;
    },
    { ...patient, ...options },
  );
}
