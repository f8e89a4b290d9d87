import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it arrived, whole. */
export interface SunkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: number;
}

/** What the sink does with a request it has read. */
export type Answer =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Never says anything. */
  | { readonly kind: 'hang-before-headers' }
  /** Says 200 and then nothing. */
  | { readonly kind: 'hang-after-headers'; readonly status?: number }
  /** One byte of the status line at a time. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  | { readonly kind: 'endless-body'; readonly status?: number }
  | { readonly kind: 'garbage' }
  /** The connection is reset unread. */
  | { readonly kind: 'reset' }
  /** The request is taken and the connection cut without an answer. */
  | { readonly kind: 'accept-then-cut' };

export const ok: Answer = { kind: 'status', status: 204 };

/** A real HTTP server on a port of its own that writes down what it gets and answers as told. */
export class HttpSink implements AsyncDisposable {
  readonly requests: SunkRequest[] = [];
  /** Asked for every request; the default says 204. */
  answer: (request: SunkRequest, index: number) => Answer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #taken = 0;

  private constructor(answer: (request: SunkRequest, index: number) => Answer) {
    this.answer = answer;
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  static async open({
    answer = () => ok,
    port = 0,
  }: {
    answer?: (request: SunkRequest, index: number) => Answer;
    port?: number;
  } = {}): Promise<HttpSink> {
    const sink = new HttpSink(answer);
    await new Promise<void>((resolve, reject) => {
      sink.#server.once('error', reject);
      sink.#server.listen(port, '127.0.0.1', () => resolve());
    });
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** `webhook-id`s in the order of arrival, with repeats. */
  get ids(): string[] {
    return this.requests.map(({ headers }) => headers['webhook-id'] ?? '');
  }

  get bodies(): Record<string, unknown>[] {
    return this.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const sunk = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers,
      body: Buffer.concat(chunks).toString(),
      at: Date.now(),
    };
    const answer = this.answer(sunk, this.#taken);
    this.#taken += 1;
    if (answer.kind !== 'reset') this.requests.push(sunk);
    this.#reply(answer, response);
  }

  #reply(answer: Answer, response: ServerResponse): void {
    const socket = response.socket;
    switch (answer.kind) {
      case 'status':
        response.writeHead(answer.status, {
          ...answer.headers,
          ...(answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter }),
        });
        response.end(answer.body);
        return;
      case 'hang-before-headers':
        return;
      case 'hang-after-headers':
        response.writeHead(answer.status ?? 200);
        response.flushHeaders();
        return;
      case 'drip':
        this.#repeat(answer.everyMs, (index) => socket?.write('HTTP/1.1 200 OK\r\n\r\n'[index % 19] ?? 'x'));
        return;
      case 'endless-body':
        response.writeHead(answer.status ?? 200);
        this.#repeat(5, () => response.write('x'.repeat(8192)));
        return;
      case 'garbage':
        socket?.end('220 mail.example ESMTP\r\n');
        return;
      case 'reset':
        socket?.resetAndDestroy();
        return;
      case 'accept-then-cut':
        socket?.destroy();
        return;
    }
  }

  #repeat(everyMs: number, act: (index: number) => void): void {
    let index = 0;
    const timer = setInterval(() => act(index++), everyMs);
    this.#timers.add(timer);
  }
}
