import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `up` is from the client to the target, `down` the way back. */
export type Direction = 'up' | 'down';

const dripsPerSecond = 20;

interface Cut {
  readonly direction: Direction;
  /** Counted over the connection, or the text at whose first sight it is cut. */
  readonly at: number | string;
  /** Whether the bytes that reached the limit, or held the text, still go through. */
  readonly passes: boolean;
}

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly seen: Record<Direction, number>;
  readonly tail: Record<Direction, string>;
}

/**
 * A TCP proxy that misbehaves on order: it delays, swallows (a black hole: writes succeed, nothing arrives), holds connections half
 * open, resets them, or cuts them after so many bytes or at a given text.
 */
export class TcpProxy {
  readonly #server: Server;
  /** From which address the target sees it come; any of 127.0.0.0/8. */
  from: string | undefined;
  readonly #pairs = new Set<Pair>();
  readonly #sockets = new Set<Socket>();
  #targetPort: number;
  /** Added to every chunk, each way. */
  latencyMs = 0;
  /** What the way up carries, at most. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** While true nothing is passed on, either way, and new connections are taken and ignored. */
  isBlackHole = false;
  /** While true new connections are reset. */
  isRefusing = false;
  #cut: Cut | undefined;
  /** Connections taken since the start. */
  connections = 0;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (client) => this.#take(client));
  }

  static async start(targetPort: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server, targetPort);
    server.listen(0, host);
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Leads new connections elsewhere. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Cuts the next connection that reaches the limit, once. */
  cutOnce(cut: Cut): void {
    this.#cut = cut;
  }

  /** Ends every connection with RST. */
  resetAll(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** Drops the far side of every connection and leaves the near side open and silent. */
  halfOpenAll(): void {
    for (const pair of this.#pairs) {
      pair.client.removeAllListeners('data');
      pair.client.on('data', () => {});
      this.#pairs.delete(pair);
      pair.target.removeAllListeners('close');
      pair.target.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #take(client: Socket): void {
    this.connections++;
    this.#own(client);
    if (this.isRefusing) return void client.resetAndDestroy();
    if (this.isBlackHole) return void client.on('data', () => {});
    const target = connect({ port: this.#targetPort, host: '127.0.0.1', localAddress: this.from, allowHalfOpen: true });
    this.#own(target);
    const pair: Pair = { client, target, seen: { up: 0, down: 0 }, tail: { up: '', down: '' } };
    this.#pairs.add(pair);
    for (const [from, to, direction] of [
      [client, target, 'up'],
      [target, client, 'down'],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        if (direction === 'down' || this.bytesPerSecond === Number.POSITIVE_INFINITY)
          return this.#pass(pair, direction, chunk);
        from.pause();
        this.#drip(pair, chunk);
      });
      from.on('end', () => this.#later(() => to.end()));
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  }

  /** Reads on only when the chunk is through, so that the sender feels it. */
  #drip(pair: Pair, chunk: Buffer): void {
    const size = Math.max(1, Math.floor(this.bytesPerSecond / dripsPerSecond));
    this.#pass(pair, 'up', chunk.subarray(0, size));
    const rest = chunk.subarray(size);
    setTimeout(() => (rest.length > 0 ? this.#drip(pair, rest) : pair.client.resume()), 1000 / dripsPerSecond);
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    // A broken side closes by itself; the pair's close handler ends the other one.
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #pass(pair: Pair, direction: Direction, chunk: Buffer): void {
    if (this.isBlackHole) return;
    const to = direction === 'up' ? pair.target : pair.client;
    const isCut = this.#mustCut(pair, direction, chunk);
    const passes = !isCut || this.#cut?.passes === true;
    if (isCut) this.#cut = undefined;
    this.#later(() => {
      if (passes && to.writable) to.write(chunk);
    });
    if (!isCut) return;
    this.#later(() => {
      // What was passed must leave before the reset, which discards what is still queued.
      setImmediate(() => {
        pair.client.resetAndDestroy();
        pair.target.resetAndDestroy();
      });
    });
  }

  #mustCut(pair: Pair, direction: Direction, chunk: Buffer): boolean {
    pair.seen[direction] += chunk.length;
    const cut = this.#cut;
    if (cut?.direction !== direction) return false;
    if (typeof cut.at === 'number') return pair.seen[direction] >= cut.at;
    const text = pair.tail[direction] + chunk.toString('latin1');
    pair.tail[direction] = text.slice(-cut.at.length);
    return text.includes(cut.at);
  }

  #later(action: () => void): void {
    if (this.latencyMs === 0) action();
    else setTimeout(action, this.latencyMs);
  }
}
