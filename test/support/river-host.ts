import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A task as a host lists it; what is not given is as of one that was just submitted. */
export interface RiverTask {
  readonly task_id: string;
  readonly status: string;
  readonly assigned_node?: string | null;
  readonly exit_code?: number | null;
  readonly error_message?: string | null;
  readonly started_at?: string | null;
  readonly [key: string]: unknown;
}

/** How it answers instead of well. */
export type Mischief =
  | 'hang'
  | 'hang-inside'
  | 'garbage'
  | 'cut'
  | 'endless'
  | 'html'
  | 'redirect'
  | 'reset'
  | 'object'
  | 'no-tasks'
  | { readonly status: number };

/** Nothing may carry this on: it is in the environment of every task. */
export const canary = 'canary-4f1e77';

/**
 * A HakuRiver or KohakuRiver host, as far as its tasks are read, on a port of its own.
 *   early        HakuRiver at first: at the root, the whole list whatever is asked
 *   hakuriver    HakuRiver later: at the root, in pages, ids as text
 *   kohakuriver  below /api, in pages, command tasks only, ids as 64-bit numbers; any other path is its page
 */
export class RiverHost implements AsyncDisposable {
  readonly kind: 'early' | 'hakuriver' | 'kohakuriver';
  readonly requests: string[] = [];
  /** Newest first. */
  tasks: RiverTask[] = [];
  mischief: Mischief | null = null;
  /** Whoever does not bear it gets 401. */
  token: string | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(kind: RiverHost['kind']) {
    this.kind = kind;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  static async open(kind: RiverHost['kind']): Promise<RiverHost> {
    const host = new RiverHost(kind);
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds a task or changes the one of its id. */
  set(task: RiverTask): void {
    const before = this.tasks.find(({ task_id }) => task_id === task.task_id);
    const changed = { ...before, ...task };
    if (before === undefined) this.tasks.unshift(changed);
    else this.tasks[this.tasks.indexOf(before)] = changed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(url.pathname + url.search);
    if (this.mischief !== null) return this.#misbehave(this.mischief, { request, response });
    const prefix = this.kind === 'kohakuriver' ? '/api' : '';
    if (this.kind === 'kohakuriver' && !url.pathname.startsWith('/api/'))
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>KohakuRiver</title>');
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`)
      return this.#send(response, 401, '{"detail":"Not authenticated"}');
    if (url.pathname === `${prefix}/tasks`) return this.#send(response, 200, this.#list(url.searchParams));
    const id = new RegExp(`^${prefix}/status/(\\d+)$`).exec(url.pathname)?.[1];
    const task = this.tasks.find(({ task_id }) => task_id === id);
    if (task === undefined) return this.#send(response, 404, '{"detail":"Not Found"}');
    this.#send(response, 200, this.#written(task));
  }

  #list(query: URLSearchParams): string {
    const status = query.get('status');
    const offset = Number(query.get('offset') ?? 0);
    const limit = Number(query.get('limit') ?? 100);
    const listed =
      this.kind === 'early'
        ? this.tasks
        : this.tasks.filter((task) => status === null || task.status === status).slice(offset, offset + limit);
    return `[${listed.map((task) => this.#written(task)).join(',')}]`;
  }

  #written({ task_id, ...rest }: RiverTask): string {
    const task = {
      task_id: '@id@',
      batch_id: task_id,
      task_type: 'command',
      command: 'python',
      arguments: ['train.py'],
      env_vars: { API_KEY: canary, ['QUOTES"]}']: `${canary}\\"]}` },
      required_cores: 1,
      assigned_node: null,
      exit_code: null,
      error_message: null,
      submitted_at: '2026-01-01T00:00:00',
      started_at: '2026-01-01T00:00:01',
      completed_at: null,
      assignment_suspicion_count: 0,
      ...rest,
    };
    return JSON.stringify(task).replace('"@id@"', this.kind === 'kohakuriver' ? task_id : `"${task_id}"`);
  }

  #send(response: ServerResponse, status: number, body: string): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  #misbehave(mischief: Mischief, { request, response }: { request: IncomingMessage; response: ServerResponse }): void {
    const json = { 'content-type': 'application/json' };
    if (typeof mischief === 'object') return this.#send(response, mischief.status, `{"detail":"${canary}"}`);
    switch (mischief) {
      case 'hang':
        return;
      case 'hang-inside':
        return void response.writeHead(200, json).write('[{"task_id":"1",');
      case 'garbage':
        return void response.writeHead(200, json).end(`\u0000\u0001 ${canary}`);
      case 'cut':
        return void response.writeHead(200, json).end(`[{"task_id":"1","status":"running","env_vars":{"A":"${canary}`);
      case 'endless': {
        const item = `${this.#written({ task_id: '1', status: 'running' })},`.repeat(100);
        response.writeHead(200, json).write('[');
        const more = () => {
          while (!response.destroyed && response.write(item));
          if (!response.destroyed) response.once('drain', more);
        };
        return more();
      }
      case 'html':
        return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
      case 'redirect':
        return void response.writeHead(302, { location: '/elsewhere' }).end();
      case 'reset':
        return void request.socket.resetAndDestroy();
      case 'object':
        return this.#send(response, 200, `{"detail":"${canary}"}`);
      case 'no-tasks':
        return this.#send(response, 200, `[{"id":1,"secret":"${canary}"},[1],2]`.replace(',[1],2', ''));
      default:
        return mischief satisfies never;
    }
  }
}
