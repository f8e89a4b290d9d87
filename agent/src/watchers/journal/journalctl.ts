import { type ChildProcess, spawn } from 'node:child_process';
import { entryFields } from './entry.ts';

export interface JournalctlOptions {
  /** The program and what comes before our arguments. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly onLine: (line: string) => void;
  /** Ends the child. */
  readonly signal: AbortSignal;
}

export interface JournalctlEnd {
  readonly exitCode: number | null;
  /** The last of what it said on stderr. */
  readonly complaint: string;
}

/** Lines longer than this are passed over. */
const longestLine = 1024 * 1024;

/** Runs journalctl until it ends by itself or is told to; rejects only when it cannot be started. */
export function runJournalctl({ command, args, onLine, signal }: JournalctlOptions): Promise<JournalctlEnd> {
  const [program = 'journalctl', ...before] = command;
  const all = [...before, '--output=json', '--no-pager', `--output-fields=${entryFields.join(',')}`, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    const kill = () => child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    const settle = () => signal.removeEventListener('abort', kill);
    readLines(child, onLine);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-500);
    });
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (exitCode) => {
      settle();
      resolve({ exitCode, complaint: complaint.trim() });
    });
  });
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  let isSkipping = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!isSkipping && line !== '') onLine(line);
      isSkipping = false;
    }
    if (rest.length > longestLine) {
      rest = '';
      isSkipping = true;
    }
  });
}
