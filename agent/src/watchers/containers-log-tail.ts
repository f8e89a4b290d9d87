import type { IncomingMessage } from 'node:http';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { type LineSink, LineTail } from '../logs/line-tail.ts';
import type { EngineClient } from './containers-client.ts';

export interface LogTailOptions {
  readonly client: EngineClient;
  readonly clock: Clock;
  readonly prefix: string;
  readonly containerId: string;
  /** A terminal's output comes as it is, any other in frames that tell stdout from stderr. */
  readonly hasTerminal: boolean;
  readonly lines: number;
}

/** The most of a container's output that is kept, and of one line. */
const TAIL_BYTES = 64 * 1024;
const LINE_BYTES = 8192;
/** A container that floods its log is read no faster than this, so that it does not take the agent's time from the others (F037). */
const BYTES_PER_WINDOW = 256 * 1024;
const WINDOW_MS = 250;

/**
 * The last lines of one container's output: followed while it lives, for one that will be gone, logs and all, the
 * moment it has ended; or read once after the end.
 */
export class LogTail {
  readonly #options: LogTailOptions;
  readonly #output: ContainerOutput;
  readonly #done: Promise<void>;
  #markDone: () => void = () => {};
  #stream: IncomingMessage | null = null;
  #windowBytes = 0;
  #windowSinceMs = 0;
  #resume: NodeJS.Timeout | null = null;
  #isFinishing = false;
  #isClosed = false;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#output = new ContainerOutput(options);
    this.#done = new Promise((resolve) => {
      this.#markDone = resolve;
    });
  }

  /** Begins to read; `follow` goes on until the container ends. Rejects with EngineError, for example where the log driver cannot be read. */
  async open({ follow }: { follow: boolean }): Promise<void> {
    try {
      const stream = await this.#options.client.openStream(logsPath(this.#options, follow));
      this.#stream = stream;
      stream.on('data', (chunk: Buffer) => this.#take(stream, chunk));
      stream.on('error', () => this.#markDone());
      stream.once('close', () => this.#markDone());
      if (this.#isClosed) stream.destroy();
    } catch (error) {
      this.#markDone();
      throw error;
    }
  }

  /** The last lines once the engine has closed the log, or what came within `waitMs`; null when it could not be read. */
  async finish(waitMs: number): Promise<string[] | null> {
    this.#isFinishing = true;
    this.#stream?.resume();
    const waiting = new AbortController();
    await Promise.race([this.#done, this.#options.clock.sleep(waitMs, waiting.signal)]);
    waiting.abort();
    this.close();
    return this.#stream === null ? null : this.#output.finish();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#resume !== null) clearTimeout(this.#resume);
    this.#stream?.destroy();
    this.#markDone();
  }

  #take(stream: IncomingMessage, chunk: Buffer): void {
    this.#output.append(chunk);
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#windowSinceMs >= WINDOW_MS) {
      this.#windowSinceMs = nowMs;
      this.#windowBytes = 0;
    }
    this.#windowBytes += chunk.length;
    if (this.#windowBytes < BYTES_PER_WINDOW || this.#isFinishing) return;
    stream.pause();
    this.#resume = setTimeout(() => stream.resume(), WINDOW_MS);
  }
}

function logsPath({ prefix, containerId, lines }: LogTailOptions, follow: boolean): string {
  const query = `stdout=1&stderr=1&tail=${lines}${follow ? '&follow=1' : ''}`;
  return `${prefix}/containers/${encodeURIComponent(containerId)}/logs?${query}`;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * The last lines of an output; what came over stderr is marked `stderr: `. Without a terminal each piece is led by eight
 * bytes: the stream (1 stdout, 2 stderr), three zeros and the length, big-endian (Engine API, "Attach to a container",
 * stream format).
 */
export class ContainerOutput {
  readonly #hasTerminal: boolean;
  readonly #tail: LineTail;
  readonly #stdout: LineSink;
  readonly #stderr: LineSink;
  #sink: LineSink;
  #header: Buffer = Buffer.alloc(0);
  #payloadLeft = 0;

  constructor({ hasTerminal, lines }: Pick<LogTailOptions, 'hasTerminal' | 'lines'>) {
    this.#hasTerminal = hasTerminal;
    this.#tail = new LineTail({ maxLines: lines, maxLineBytes: LINE_BYTES, maxBytes: TAIL_BYTES });
    this.#stdout = this.#tail.sink('');
    this.#stderr = this.#tail.sink('stderr: ');
    this.#sink = this.#stdout;
  }

  append(chunk: Buffer): void {
    if (this.#hasTerminal) return this.#stdout.push(chunk);
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const payload = chunk.subarray(at, at + this.#payloadLeft);
        this.#sink.push(payload);
        this.#payloadLeft -= payload.length;
        at += payload.length;
        continue;
      }
      const missing = HEADER_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + missing)]);
      at += missing;
      if (this.#header.length < HEADER_BYTES) break;
      this.#sink = this.#header[0] === STDERR ? this.#stderr : this.#stdout;
      this.#payloadLeft = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
  }

  /** Oldest first; a last line without an end is one too. */
  finish(): string[] {
    this.#stdout.end();
    this.#stderr.end();
    return this.#tail.lines();
  }
}
