import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';

export interface DescriptorWatchOptions {
  /** File descriptors that connections are not to take: the embedded database's. */
  readonly reserved: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/** For the rest: the log, receivers, pages being read. */
const ownMax = 128;
const connectionsLeast = 16;

/**
 * Keeps file descriptors for the work: beyond what is left of them, new connections are closed at once and agents come again.
 * Says when that begins and when it is over, and also when there are none left all the same.
 */
export class DescriptorWatch implements AsyncDisposable {
  readonly #options: DescriptorWatchOptions;
  #loop: AsyncDisposable | undefined;
  #hasRefused = false;
  #isOut = false;

  constructor(options: DescriptorWatchOptions) {
    this.#options = options;
  }

  /** New connections are refused. */
  get isOut(): boolean {
    return this.#isOut;
  }

  /** From the first connection on, when it resolves before the server listens. */
  async start(server: Server): Promise<void> {
    const { clock, everyMs = 5000 } = this.#options;
    server.on('drop', () => {
      this.#hasRefused = true;
      this.#become(true);
    });
    await this.#look(server);
    this.#loop = repeat(() => this.#look(server), { clock, everyMs, isFirstLater: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
  }

  /** Reading the limit takes a descriptor itself. */
  async #look(server: Server): Promise<void> {
    const hasRefused = this.#hasRefused;
    this.#hasRefused = false;
    try {
      const limit = openFilesLimit(await readFile('/proc/self/limits', 'utf8'));
      if (limit !== null) server.maxConnections = Math.max(connectionsLeast, limit - this.#options.reserved - ownMax);
      this.#become(hasRefused || (await connectionsOf(server)) >= server.maxConnections);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      this.#become(hasRefused || code === 'EMFILE' || code === 'ENFILE');
    }
  }

  #become(isOut: boolean): void {
    const { log } = this.#options;
    if (isOut && !this.#isOut)
      log.error('out of file descriptors: new connections are refused; raise LimitNOFILE= of the unit, or ulimit -n');
    if (!isOut && this.#isOut) log.info('there are file descriptors again');
    this.#isOut = isOut;
  }
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** The soft limit of proc_pid_limits(5); null: unlimited. */
function openFilesLimit(limits: string): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}
