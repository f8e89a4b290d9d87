import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { fit, oneLine } from '../text.ts';
import type { ProgramEnd } from './judge.ts';

export interface ProgramOptions {
  readonly command: readonly string[];
  /** On its standard input. */
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  /** kill(2); a negative pid is a process group. */
  readonly kill: (pid: number, signal: string) => unknown;
  readonly clock: Clock;
}

/** Between the request to end and the order. */
const graceMs = 1000;
/** Of its standard error that is kept. */
const complaintLengthMax = 300;

/**
 * Runs a program in a process group of its own. Its own end is the measure, not that of what it leaves running with its
 * standard error. At its time limit, and at a stop, the whole group is asked to end (SIGTERM), a second later made to (SIGKILL).
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const { command, input, environment, timeoutMs, signal, clock } = options;
  if (signal.aborted) return { kind: 'stopped' };
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: '/', detached: true, env: environment, stdio: ['pipe', 'ignore', 'pipe'] });
  // One that does not read its input is free to.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const over = new AbortController();
  const ended = endOf(child, readComplaint(child)).finally(() => over.abort());
  await clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal]));
  const isCut = !over.signal.aborted;
  if (isCut) await endGroup(child.pid, over.signal, options);
  const end = await ended;
  child.stdin.destroy();
  child.stderr.destroy();
  if (!isCut) return end;
  return signal.aborted ? { kind: 'stopped' } : { kind: 'too-slow', timeoutMs };
}

async function endGroup(
  pid: number | undefined,
  over: AbortSignal,
  { kill, clock }: Pick<ProgramOptions, 'kill' | 'clock'>,
): Promise<void> {
  if (pid === undefined) return;
  const tell = (signal: string) => {
    try {
      kill(-pid, signal);
    } catch {
      // Nobody is left in it.
    }
  };
  tell('SIGTERM');
  await clock.sleep(graceMs, over);
  tell('SIGKILL');
}

/** The first line of its standard error; the rest is read away. */
function readComplaint({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < complaintLengthMax) text = (text + chunk).slice(0, complaintLengthMax + 1);
  });
  return () => fit(oneLine(text.trim().split('\n')[0] ?? '').trim(), { max: complaintLengthMax });
}

function endOf(child: ChildProcess, complaint: () => string): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'not-started', code: error.code ?? error.name }),
    );
    child.once('exit', (code, signal) => {
      // What it wrote last may come after the word of its end.
      setImmediate(() =>
        resolve(
          code === null
            ? { kind: 'signalled', signal: signal ?? 'a signal' }
            : { kind: 'exited', code, complaint: complaint() },
        ),
      );
    });
  });
}
