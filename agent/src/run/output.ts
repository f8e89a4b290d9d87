import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import type { LineSink } from '../logs/line-tail.ts';

/*
 * The command's standard output and error on their way through. A terminal is handed on as it is. Anything else passes
 * through a named pipe made for it: what Node offers as a pipe is a socket, and a command cannot open its own
 * /dev/stderr when that is a socket. When both streams go to the same place they share one pipe, which keeps their order.
 */
export interface Channel {
  /** The command's descriptors this is for. */
  readonly fds: readonly (1 | 2)[];
  /** For the command; closed by {@link Channel.started}. */
  readonly stdio: number | 'pipe';
  readonly source: Readable | null;
  started(): void;
}

/** One channel per stream that is no terminal; none when both are. */
export function openChannels(): Channel[] {
  const plain = ([1, 2] as const).filter((fd) => !isatty(fd));
  if (plain.length === 2 && isSamePlace(1, 2)) return openAll([[1, 2]]);
  return openAll(plain.map((fd) => [fd]));
}

function openAll(groups: readonly (readonly (1 | 2)[])[]): Channel[] {
  if (groups.length === 0) return [];
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(tmpdir(), 'runnerwatch-'));
    const paths = groups.map((_, index) => join(directory ?? '', `output-${index}`));
    const made = spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' });
    if (made.status !== 0) throw made.error ?? new Error('mkfifo failed');
    return groups.map((fds, index) => openPipe(fds, paths[index] ?? ''));
  } catch {
    // No room for a named pipe: Node's own serve all but the commands that open /dev/stdout or /dev/stderr by name.
    return groups.map((fds) => ({ fds, stdio: 'pipe', source: null, started: () => undefined }));
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function openPipe(fds: readonly (1 | 2)[], path: string): Channel {
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(path, constants.O_WRONLY);
  const source = new Socket({ fd: reading, readable: true, writable: false });
  source.pause();
  return { fds, stdio: writing, source, started: () => closeSync(writing) };
}

function isSamePlace(a: number, b: number): boolean {
  try {
    const [one, other] = [fstatSync(a), fstatSync(b)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    // Closed standard streams (`>&-`) are nowhere.
    return false;
  }
}

const QUIET_MS = 20;
const PATIENCE_MS = 2000;

/** Moves bytes from the command to our own descriptor, untouched, no faster than they are taken. */
export class Pump {
  readonly done: Promise<void>;
  readonly #source: Readable;
  readonly #fd: number;
  readonly #tail: LineSink;
  #resolve: () => void = () => undefined;
  #isDone = false;
  #isWriting = false;
  #chunks = 0;

  constructor(source: Readable, fd: number, tail: LineSink) {
    this.#source = source;
    this.#fd = fd;
    this.#tail = tail;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    source.on('data', (chunk: Buffer) => this.#pass(chunk));
    source.on('end', () => this.#finish());
    source.on('error', () => this.#finish());
    source.resume();
  }

  /**
   * The command has ended. What it left in the pipe is passed on; what its children may still say is not waited for, as
   * a shell would not either.
   */
  commandEnded(deadlineAt = performance.now() + PATIENCE_MS): void {
    const before = this.#chunks;
    setTimeout(() => {
      // After the next look at the pipe, so that a late timer does not cut off what already lies there.
      setImmediate(() => {
        if (this.#isDone) return;
        const isQuiet = this.#chunks === before && !this.#isWriting;
        if (isQuiet || (performance.now() > deadlineAt && !this.#isWriting)) this.#finish();
        else this.commandEnded(deadlineAt);
      });
    }, QUIET_MS);
  }

  #pass(chunk: Buffer): void {
    this.#chunks++;
    this.#tail.push(chunk);
    this.#source.pause();
    this.#isWriting = true;
    writeAll(this.#fd, chunk, (isOpen) => {
      this.#isWriting = false;
      if (isOpen) this.#source.resume();
      else this.#finish();
    });
  }

  /** Also when nobody reads us any more: then the command learns it by its own next write, as without us. */
  #finish(): void {
    if (this.#isDone || this.#isWriting) return;
    this.#isDone = true;
    this.#tail.end();
    this.#source.destroy();
    this.#resolve();
  }
}

const BUSY_RETRY_MS = 5;

/** On a thread of the pool, so that a reader who is slow stops neither signals nor the time limit. */
function writeAll(fd: number, chunk: Buffer, done: (isOpen: boolean) => void): void {
  write(fd, chunk, 0, chunk.length, null, (error, writtenBytes) => {
    // EAGAIN: somebody made the descriptor we share with them non-blocking.
    if (error?.code === 'EAGAIN') setTimeout(() => writeAll(fd, chunk, done), BUSY_RETRY_MS);
    else if (error) done(false);
    else if (writtenBytes < chunk.length) writeAll(fd, chunk.subarray(writtenBytes), done);
    else done(true);
  });
}
