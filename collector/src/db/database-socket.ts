import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { DatabaseError } from './errors.ts';

/** The protocol's goodbye (PostgreSQL manual, section "Message Formats": Terminate). */
const terminateMessage = Buffer.from([0x58, 0, 0, 0, 4]);

/**
 * A connected socket, as postgres.js is given it.
 *
 * It differs from a plain one in what happens at its end. It dies once, for a reason, and says so by `error` — again for every
 * later write — and never by `close`: postgres.js reconnects on `close` with state of the dead connection and can then throw
 * outside of any promise, or wait for ever. Here a connection is used until it dies and then thrown away together with its client.
 *
 * It also dies of silence: when something was asked and nothing came for `silenceLimitMs` (a stopped server process, a cable).
 */
export class DatabaseSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #mourners = new Set<(cause: DatabaseError) => void>();
  #deathCause: DatabaseError | null = null;
  #silence: NodeJS.Timeout | undefined;
  /** 0 waits for ever. */
  silenceLimitMs: number;

  constructor(socket: Socket, silenceLimitMs: number) {
    super();
    this.#socket = socket;
    this.silenceLimitMs = silenceLimitMs;
    socket.on('data', (chunk: Buffer) => {
      this.#heard();
      this.emit('data', chunk);
    });
    socket.on('drain', () => this.emit('drain'));
    socket.on('error', (error) => {
      this.#die(new DatabaseError('unreachable', `the database connection broke: ${error.message}`, { cause: error }));
    });
    socket.resume();
    socket.on('close', () => this.#die(new DatabaseError('unreachable', 'the database closed the connection')));
  }

  get isDead(): boolean {
    return this.#deathCause !== null;
  }

  /** What the work comes to, or a rejection as soon as the socket is dead: postgres.js may leave a promise open for ever then. */
  async whileAlive<T>(work: Promise<T>): Promise<T> {
    let mourn: (cause: DatabaseError) => void = () => {};
    const death = new Promise<never>((_, reject) => {
      mourn = reject;
      if (this.#deathCause !== null) reject(this.#deathCause);
      this.#mourners.add(mourn);
    });
    try {
      return await Promise.race([work, death]);
    } finally {
      this.#mourners.delete(mourn);
    }
  }

  get readyState(): string {
    return this.isDead ? 'closed' : 'open';
  }

  setKeepAlive(on: boolean, delayMs: number): void {
    this.#socket.setKeepAlive(on, delayMs);
  }

  write(chunk: Buffer, callback?: () => void): boolean {
    const cause = this.#deathCause;
    if (cause !== null) {
      setImmediate(() => this.#tell(cause));
      return true;
    }
    if (this.silenceLimitMs > 0) {
      this.#silence ??= setTimeout(() => {
        this.destroy(new DatabaseError('timeout', `the database said nothing for ${this.silenceLimitMs} ms`));
      }, this.silenceLimitMs);
    }
    return this.#socket.write(chunk, callback);
  }

  end(): void {
    this.destroy(new DatabaseError('unreachable', 'the connection was ended'));
  }

  destroy(cause = new DatabaseError('unreachable', 'the connection was given up')): void {
    this.#die(cause);
    this.#socket.destroy();
  }

  /** Says goodbye and resolves when the other side has closed, or after the time. */
  async close(timeoutMs: number): Promise<void> {
    if (this.isDead) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end(terminateMessage);
    });
    this.destroy();
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #die(cause: DatabaseError): void {
    if (this.#deathCause !== null) return;
    this.#deathCause = cause;
    this.#heard();
    this.#tell(cause);
    for (const mourn of this.#mourners) mourn(cause);
  }

  #tell(cause: DatabaseError): void {
    if (this.listenerCount('error') > 0) this.emit('error', cause);
  }
}
