import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SpoolProblem } from '@runnerwatch/agent/spool/problem.ts';
import { openSpool } from '@runnerwatch/agent/spool/spool.ts';
import { taskIdOf } from './events.ts';

export interface WriterRun {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Ids that `append` was called with, and those it promised. */
  readonly begun: Set<string>;
  readonly kept: Map<string, number>;
  /** Resolves when the process has ended and everything it said was read. */
  readonly ended: Promise<void>;
}

interface WriterOptions {
  readonly folder: string;
  readonly prefix: string;
  readonly count: number;
  readonly width?: number;
  /** Options of strace; the writer runs under it when there are any. */
  readonly strace?: readonly string[];
  readonly onLine?: (line: string, child: ChildProcess) => void;
}

/** Starts `spool-writer.ts` and listens to what it promises. */
export function startWriter({ folder, prefix, count, width = 8, strace = [], onLine }: WriterOptions): WriterRun {
  const script = fileURLToPath(new URL('spool-writer.ts', import.meta.url));
  const command = [process.execPath, '--import', 'tsx', script, folder, prefix, String(count), String(width)];
  const [program = '', ...rest] =
    strace.length === 0 ? command : ['strace', '-f', '-o', '/dev/null', ...strace, ...command];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  const lines: string[] = [];
  const begun = new Set<string>();
  const kept = new Map<string, number>();
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => {
    lines.push(line);
    const [word, id = '', seq] = line.split(' ');
    if (word === 'begin') begun.add(id);
    if (word === 'kept') kept.set(id, Number(seq));
    onLine?.(line, child);
  });
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(() => undefined);
  return { child, lines, begun, kept, ended };
}

/** Every end in the spool, as a restarted agent would send it. */
export async function readAll(
  folder: string,
): Promise<{ ids: (string | undefined)[]; seqs: number[]; problems: SpoolProblem[] }> {
  const problems: SpoolProblem[] = [];
  const spool = await openSpool({
    folder,
    report: (problem) => problems.push(problem),
    now: Date.now,
    reserveBytes: 0,
    tickMs: 0,
  });
  try {
    const events = await spool.read('ends', 0, 1e9);
    return { ids: events.map((event) => taskIdOf(event.text)), seqs: events.map((event) => event.seq), problems };
  } finally {
    await spool.close();
  }
}
