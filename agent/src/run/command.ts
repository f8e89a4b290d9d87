import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { LineTail } from '../logs/line-tail.ts';
import { openChannels, Pump } from './output.ts';

/** How the command ended. */
export interface CommandEnd {
  /** As wait(2) gives it; the core flag is not told by Node. Null when it could not be started. */
  readonly waitStatus: number | null;
  readonly startError: { readonly code: string; readonly text: string } | null;
}

export interface RunningCommand {
  readonly pid: number | undefined;
  readonly ended: Promise<CommandEnd>;
  /** Resolves after {@link ended} when everything it said is passed on. */
  readonly outputDone: Promise<void>;
  /** Whether any of its output passes through us. */
  readonly isCaptured: boolean;
}

/** Starts the command with our standard streams; its output goes through `tail` on the way, unless it is a terminal. */
export function startCommand(command: readonly string[], tail: LineTail): RunningCommand {
  const channels = openChannels();
  const stdio: ('inherit' | 'pipe' | number)[] = ['inherit', 'inherit', 'inherit'];
  for (const channel of channels) for (const fd of channel.fds) stdio[fd] = channel.stdio;
  const [file = '', ...argumentList] = command;
  const child = spawn(file, argumentList, { stdio });
  for (const channel of channels) channel.started();
  const pumps = channels.flatMap((channel) => {
    const mark = channel.fds[0] === 2 ? 'stderr: ' : '';
    return (channel.source === null ? ownPipes(child, channel.fds) : [channel.source]).map(
      (source) => new Pump(source, channel.fds[0] ?? 1, tail.sink(mark)),
    );
  });
  const ended = waitFor(child, file);
  const outputDone = ended.then(async () => {
    for (const pump of pumps) pump.commandEnded();
    await Promise.all(pumps.map((pump) => pump.done));
  });
  return { pid: child.pid, ended, outputDone, isCaptured: channels.length > 0 };
}

function ownPipes(child: ChildProcess, fds: readonly (1 | 2)[]): Readable[] {
  return fds.map((fd) => (fd === 1 ? child.stdout : child.stderr)).filter((stream) => stream !== null);
}

function waitFor(child: ChildProcess, file: string): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const code = error.code ?? 'unknown';
      resolve({ waitStatus: null, startError: { code, text: `${file}: ${startErrors[code] ?? code}` } });
    });
    child.on('exit', (code, signal) => {
      const waitStatus = signal === null ? (code ?? 0) << 8 : constants.signals[signal];
      resolve({ waitStatus, startError: null });
    });
  });
}

const startErrors: Readonly<Record<string, string>> = {
  ENOENT: 'not found',
  EACCES: 'cannot be executed: permission denied',
  ENOTDIR: 'not found: part of the path is no directory',
  ENOEXEC: 'cannot be executed: not a program',
  E2BIG: 'cannot be executed: its arguments are too long',
  ENOMEM: 'cannot be started: no memory',
  EAGAIN: 'cannot be started: too many processes',
};
