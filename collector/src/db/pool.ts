import postgres, { type Options, type Sql } from 'postgres';
import type { DatabaseSocket } from './database-socket.ts';
import { DatabaseError, toDatabaseError } from './errors.ts';
import { setValueTypes } from './value-types.ts';

export interface PoolOptions {
  readonly size: number;
  /** A new connected socket; rejects with what stood in the way. */
  readonly connect: () => Promise<DatabaseSocket>;
  /** User, database, password and session settings of every connection. */
  readonly session: Pick<Options<Record<string, never>>, 'user' | 'password' | 'database' | 'connection'>;
  /** How long a query waits for a free connection. */
  readonly acquireTimeoutMs: number;
}

interface Slot {
  connection: { readonly client: Sql; readonly socket: DatabaseSocket } | undefined;
}

/**
 * A few connections, each used by one piece of work at a time and thrown away when it dies.
 * Everything that goes wrong inside is a rejection of the work that met it: nothing is thrown elsewhere.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #slots: readonly Slot[];
  readonly #free: Slot[];
  readonly #waiting: { readonly take: (slot: Slot) => void; readonly refuse: (error: Error) => void }[] = [];
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, () => ({ connection: undefined }));
    this.#free = [...this.#slots];
  }

  /**
   * Runs the work on one connection. `patient`: however long the database takes (migrations, maintenance).
   * @throws DatabaseError
   */
  async use<T>(work: (client: Sql) => Promise<T>, { patient = false } = {}): Promise<T> {
    const slot = await this.#acquire();
    try {
      slot.connection ??= await this.#open();
      const { client, socket } = slot.connection;
      const limitMs = socket.silenceLimitMs;
      if (patient) socket.silenceLimitMs = 0;
      try {
        return await socket.whileAlive(work(client));
      } finally {
        socket.silenceLimitMs = limitMs;
      }
    } catch (error) {
      throw rejectionOf(error);
    } finally {
      this.#release(slot);
    }
  }

  /** Waits for running work up to the time, then ends every connection. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(closedError());
    const deadline = performance.now() + timeoutMs;
    while (this.#free.length < this.#slots.length && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await Promise.all(this.#slots.map(async ({ connection }) => connection?.socket.close(1000)));
  }

  #acquire(): Promise<Slot> {
    if (this.#isClosed) return Promise.reject(closedError());
    const slot = this.#free.pop();
    if (slot !== undefined) return Promise.resolve(slot);
    return new Promise((resolve, reject) => {
      const waiter = {
        take: (free: Slot) => {
          clearTimeout(timer);
          resolve(free);
        },
        refuse: (error: Error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(
          new DatabaseError('timeout', `no database connection was free for ${this.#options.acquireTimeoutMs} ms`),
        );
      }, this.#options.acquireTimeoutMs);
      this.#waiting.push(waiter);
    });
  }

  #release(slot: Slot): void {
    if (slot.connection?.socket.isDead) slot.connection = undefined;
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#free.push(slot);
    else waiter.take(slot);
  }

  async #open(): Promise<{ client: Sql; socket: DatabaseSocket }> {
    const socket = await this.#options.connect();
    const options = {
      ...this.#options.session,
      host: 'given-socket',
      socket: () => socket,
      ssl: false,
      max: 1,
      // Sockets have their own limits; postgres.js must neither reconnect nor retire by itself.
      connect_timeout: 0,
      idle_timeout: 0,
      fetch_types: false,
      onnotice: () => {},
      max_lifetime: null,
    };
    const client: Sql = postgres(options);
    setValueTypes(client);
    return { client, socket };
  }
}

function closedError(): DatabaseError {
  return new DatabaseError('unreachable', 'the database is being closed');
}

/** What our own code threw inside a transaction stays what it is; what the database said becomes a {@link DatabaseError}. */
function rejectionOf(error: unknown): unknown {
  const known = toDatabaseError(error);
  return known.problem === 'failed' && known.sqlState === null ? error : known;
}
