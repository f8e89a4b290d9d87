import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { spawnOwned } from './owned-process.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly timeoutMs?: number;
  readonly stdin?: Readable | string;
}

export class CommandTimedOut extends Error {
  override readonly name = 'CommandTimedOut';
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Any exit code is a result; only a command that cannot start or does not end is an exception. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawnOwned(command, args, ['pipe', 'pipe', 'pipe']);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  feed(child, options.stdin ?? '');

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
    // What the command itself started may live on and hold these open.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, timeoutMs);
  try {
    const code = await exitCode(child);
    const result = { code, stdout: stdout(), stderr: stderr() };
    if (timedOut)
      throw new CommandTimedOut(
        `no end after ${timeoutMs} ms: ${args.at(-1) ?? command}\n${result.stdout}\n${result.stderr}`,
      );
    return result;
  } finally {
    clearTimeout(timer);
  }
}

export async function mustSucceed(result: Promise<CommandResult>, what: string): Promise<CommandResult> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`${what} failed with ${code}: ${stderr || stdout}`);
  return { code, stdout, stderr };
}

function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

function feed(child: ChildProcess, input: Readable | string): void {
  if (child.stdin === null) return;
  // A command may end before it has read everything: its exit code tells, not the broken pipe.
  child.stdin.on('error', () => undefined);
  if (typeof input === 'string') child.stdin.end(input);
  else pipeline(input, child.stdin).catch(() => undefined);
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
