import { createRedact } from '@runnerwatch/shared/redact/redact.ts';
import * as z from 'zod/mini';
import { quoteLongIntegers } from './json-items.ts';
import type { SchedulerTask } from './scheduler.ts';

const id = z.union([z.string(), z.int()]);
const text = z.optional(z.nullable(z.string()));

/**
 * What is read of a task (`GET /tasks` of both). Every other key is dropped here, and never passed on or logged: `env_vars`
 * may hold secrets.
 */
const told = z.object({
  task_id: id,
  batch_id: z.optional(z.nullable(id)),
  task_type: text,
  name: text,
  owner_username: text,
  command: text,
  arguments: z.optional(z.unknown()),
  assigned_node: text,
  status: z.string(),
  exit_code: z.optional(z.nullable(z.number())),
  error_message: text,
  started_at: text,
});

/** No agent has read these words before. */
const redact = createRedact({ isEnabled: true, patterns: [] });

/** The task in the text of one item of a list; null for what is none. */
export function parseTask(json: string): SchedulerTask | null {
  const parsed = told.safeParse(parseOrNull(json));
  if (!parsed.success) return null;
  const { data } = parsed;
  return {
    taskId: clean(String(data.task_id), 64) ?? '',
    batchId: clean(data.batch_id === null || data.batch_id === undefined ? null : String(data.batch_id), 64),
    name: clean(data.name, 200),
    owner: clean(data.owner_username, 200),
    // Of a VPS it is the public key of its user.
    command: data.task_type === 'vps' ? null : clean(commandLine(data.command, data.arguments), 4000),
    nodeName: clean(data.assigned_node, 200),
    status: clean(data.status.toLowerCase(), 40) ?? '',
    exitCode: exitCodeOf(data.exit_code),
    message: clean(data.error_message, 2000),
    hasStarted: typeof data.started_at === 'string' && data.started_at !== '',
  };
}

function commandLine(command: string | null | undefined, args: unknown): string | null {
  if (command === null || command === undefined) return null;
  const texts = Array.isArray(args) ? args.filter((one: unknown) => typeof one === 'string') : [];
  return [command, ...texts].join(' ');
}

/** -1 and -9 are the schedulers' own "no exit code", not codes. */
function exitCodeOf(code: number | null | undefined): number | null {
  return code !== null && code !== undefined && Number.isInteger(code) && code >= 0 && code <= 255 ? code : null;
}

/** Null for nothing; without what a table or a terminal cannot bear. */
function clean(value: string | null | undefined, charactersMax: number): string | null {
  if (value === null || value === undefined) return null;
  const sound = redact(value.replaceAll(/[^\P{Cc}\n\t]|\p{Surrogate}/gu, '').trim());
  if (sound === '') return null;
  return sound.length <= charactersMax ? sound : `${sound.slice(0, charactersMax).replace(/\p{Surrogate}$/u, '')}…`;
}

/** The parser's own message would repeat the text. */
function parseOrNull(json: string): unknown {
  try {
    return JSON.parse(quoteLongIntegers(json)) as unknown;
  } catch {
    return null;
  }
}
