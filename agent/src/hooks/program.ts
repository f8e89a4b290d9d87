import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { HookOutcome } from './outcome.ts';

export interface ProgramOptions {
  /** The program and its arguments; no shell looks at them. */
  readonly command: readonly string[];
  /** On its standard input. */
  readonly input: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  /** kill(2); a negative pid is a process group. */
  readonly kill: (pid: number, signal: string) => unknown;
  readonly clock: Clock;
}

/** Between the request to end and the order. */
const graceMs = 1000;
const complaintCharactersMax = 300;

/**
 * Runs a program in a process group of its own, with its own end as the only measure: what it leaves running keeps nothing
 * of ours. At its time limit the whole group is asked to end (SIGTERM), then made to (SIGKILL). Its output is read away; the
 * beginning of its complaint is kept.
 */
export async function runProgram(options: ProgramOptions): Promise<HookOutcome> {
  const { command, input, environment, timeoutMs, signal, clock } = options;
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { ...environment },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const complaint = readComplaint(child);
  // One that does not read its input is free to.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const over = new AbortController();
  const ended = outcomeOf(child, complaint).finally(() => over.abort());
  const cut = AbortSignal.any([signal, over.signal]);
  const limit = clock.sleep(timeoutMs, cut).then(async (): Promise<HookOutcome> => {
    if (over.signal.aborted) return ended;
    await endGroup(child, over.signal, options);
    await ended;
    return { kind: 'failed', reason: signal.aborted ? 'the agent stopped' : `it took longer than ${timeoutMs} ms` };
  });
  return limit.finally(() => {
    child.stdin?.destroy();
    child.stderr?.destroy();
  });
}

async function endGroup(child: ChildProcess, over: AbortSignal, { kill, clock }: ProgramOptions): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(kill, pid, 'SIGTERM');
  await clock.sleep(graceMs, over);
  signalGroup(kill, pid, 'SIGKILL');
}

function signalGroup(kill: ProgramOptions['kill'], pid: number, signal: string): void {
  try {
    kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

function readComplaint(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < complaintCharactersMax) text = (text + chunk).slice(0, complaintCharactersMax);
  });
  return () => text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}

function outcomeOf(child: ChildProcess, complaint: () => string): Promise<HookOutcome> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'failed', reason: `it could not be started (${error.code ?? error.message})` }),
    );
    child.once('exit', (code, signal) => {
      if (code === 0) return resolve({ kind: 'done' });
      const how = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
      // What it wrote last may come after the word of its end.
      setImmediate(() => resolve({ kind: 'failed', reason: complaint() === '' ? how : `${how}: ${complaint()}` }));
    });
  });
}
