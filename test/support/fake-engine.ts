import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly autoRemove: boolean;
  readonly tty: boolean;
  readonly labels: Record<string, string>;
  status: 'created' | 'running' | 'exited';
  exitCode: number;
  error: string;
  oomKilled: boolean;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  log: { readonly frame: Buffer; readonly stream: 1 | 2; readonly text: string; readonly atMs: number }[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A container engine of our own on a unix socket, with Docker's habits: it remembers its last 256 events and replays
 * them from `since` on, forgets them when it is started anew, removes a `--rm` container right after its `die`, and
 * tells nothing but a state of `created` with an exit code of one that could not start.
 */
export class FakeEngine {
  readonly socketPath: string;
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  /** May answer a request in place of the engine; true: done. */
  answer: Answer = () => false;
  readonly #containers = new Map<string, FakeContainer>();
  #events: { atNanos: bigint; line: string }[] = [];
  readonly #listeners = new Set<ServerResponse>();
  readonly #logFollowers = new Map<string, Set<ServerResponse>>();
  readonly #sockets = new Set<Socket>();
  #server: http.Server | null = null;
  #lastNanos = 0n;
  #made = 0;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  async start(): Promise<void> {
    rmSync(this.socketPath, { force: true });
    const server = http.createServer((request, response) => this.#handle(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
    this.#server = server;
  }

  /** Ends every connection and, as the real one, forgets its events. Containers stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#events = [];
    this.disconnect();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Cuts every connection; events are remembered. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  create(options: Partial<Pick<FakeContainer, 'name' | 'autoRemove' | 'tty' | 'labels'>> = {}): FakeContainer {
    this.#made += 1;
    const container: FakeContainer = {
      id: createHash('sha256').update(`${this.socketPath} ${this.#made}`).digest('hex'),
      name: options.name ?? `task-${this.#made}`,
      autoRemove: options.autoRemove ?? false,
      tty: options.tty ?? false,
      labels: options.labels ?? {},
      status: 'created',
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAtMs: null,
      finishedAtMs: null,
      log: [],
    };
    this.#containers.set(container.id, container);
    this.tell('create', container);
    return container;
  }

  run(options: Parameters<FakeEngine['create']>[0] = {}): FakeContainer {
    return this.restart(this.create(options));
  }

  restart(container: FakeContainer): FakeContainer {
    container.status = 'running';
    container.startedAtMs = Date.now();
    container.finishedAtMs = null;
    container.oomKilled = false;
    this.tell('start', container);
    return container;
  }

  /** As a runtime that refuses: no `start`, no `die`. */
  failToStart(container: FakeContainer, exitCode: number, error: string): void {
    container.exitCode = exitCode;
    container.error = error;
    if (container.autoRemove) setTimeout(() => this.remove(container), 20);
  }

  kill(container: FakeContainer, signal: number): void {
    this.tell('kill', container, { signal: String(signal) });
  }

  oom(container: FakeContainer): void {
    container.oomKilled = true;
    this.tell('oom', container);
  }

  die(container: FakeContainer, exitCode: number): void {
    container.status = 'exited';
    container.exitCode = exitCode;
    container.finishedAtMs = Date.now();
    this.tell('die', container, { exitCode: String(exitCode) });
    for (const follower of this.#logFollowers.get(container.id) ?? []) follower.end();
    if (container.autoRemove) this.remove(container);
  }

  remove(container: FakeContainer): void {
    this.#containers.delete(container.id);
    this.tell('destroy', container);
  }

  write(container: FakeContainer, text: string, stream: 1 | 2 = 1): void {
    const frame = frameOf(container, text, stream);
    container.log.push({ frame, stream, text, atMs: Date.now() });
    for (const follower of this.#logFollowers.get(container.id) ?? []) follower.write(frame);
  }

  /** While set, containers come and go without a word. */
  isMute = false;

  /** While set, it keeps its events and sends nobody any: as one that has no processor. */
  isSlowToTell = false;

  /** How much later than the states of its containers its events say that it was. */
  eventsLateMs = 0;

  tell(action: string, container: FakeContainer, extra: Record<string, string> = {}): void {
    if (this.isMute) return;
    const attributes = { ...container.labels, ...extra, image: 'bb:latest', name: container.name };
    this.tellRaw({ Type: 'container', Action: action, Actor: { ID: container.id, Attributes: attributes } });
  }

  tellRaw(event: { Type: string; Action: string; Actor: { ID: string; Attributes: Record<string, string> } }): void {
    const nowNanos = BigInt(Date.now() + this.eventsLateMs) * 1_000_000n;
    this.#lastNanos = nowNanos > this.#lastNanos ? nowNanos : this.#lastNanos + 1_001n;
    const { Type, Action, Actor } = event;
    const json = JSON.stringify({
      status: Action,
      id: Actor.ID,
      from: 'bb:latest',
      Type,
      Action,
      Actor,
      scope: 'local',
    });
    const line = `${json.slice(0, -1)},"time":${this.#lastNanos / 1_000_000_000n},"timeNano":${this.#lastNanos}}\n`;
    if (this.#server === null) return;
    this.#events = [...this.#events, { atNanos: this.#lastNanos, line }].slice(-256);
    if (this.isSlowToTell) return;
    for (const listener of this.#listeners) listener.write(line);
  }

  /** Text as it is into every stream of events. */
  writeToListeners(text: string | Buffer): void {
    for (const listener of this.#listeners) listener.write(text);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://engine');
    this.asked.push(request.url ?? '');
    if (this.answer(request, response)) return;
    const path = url.pathname.replace(/^\/v\d+\.\d+/, '');
    const [, , id, what] = path.split('/');
    if (path === '/version') return sendJson(response, 200, versionAnswer);
    if (path === '/events') return this.#sendEvents(url, response);
    if (path === '/containers/json') return sendJson(response, 200, this.#list(url));
    const container = this.#containers.get(id ?? '');
    if (container === undefined) return sendJson(response, 404, { message: `No such container: ${id}` });
    if (what === 'json') return sendJson(response, 200, inspectAnswer(container));
    if (what === 'logs') return this.#sendLogs(container, url, response);
    sendJson(response, 404, { message: 'page not found' });
  }

  #sendEvents(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const sinceNanos = BigInt(url.searchParams.get('since') ?? '0') * 1_000_000_000n;
    const until = url.searchParams.get('until');
    const untilNanos = until === null ? null : BigInt(until.replace('.', '').padEnd(19, '0'));
    for (const { atNanos, line } of this.#events)
      if (atNanos >= sinceNanos && (untilNanos === null || atNanos <= untilNanos)) response.write(line);
    if (untilNanos !== null) {
      response.end();
      return;
    }
    this.#listeners.add(response);
    response.once('close', () => this.#listeners.delete(response));
  }

  #sendLogs(container: FakeContainer, url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' });
    response.flushHeaders();
    const sinceMs = Number(url.searchParams.get('since') ?? 0) * 1000;
    const isStamped = url.searchParams.get('timestamps') === '1';
    const said = container.log.filter(({ atMs }) => atMs >= sinceMs);
    for (const { frame, stream, text, atMs } of said.slice(-Number(url.searchParams.get('tail')))) {
      const stamp = new Date(atMs).toISOString().replace('Z', '123456Z');
      response.write(isStamped ? frameOf(container, `${stamp} ${text}`, stream) : frame);
    }
    if (url.searchParams.get('follow') !== '1' || container.status !== 'running') {
      response.end();
      return;
    }
    const followers = this.#logFollowers.get(container.id) ?? new Set();
    this.#logFollowers.set(container.id, followers.add(response));
    response.once('close', () => followers.delete(response));
  }

  #list(url: URL): unknown[] {
    const filters = JSON.parse(url.searchParams.get('filters') ?? '{}') as { status?: string[] };
    return [...this.#containers.values()]
      .filter(({ status }) => filters.status?.includes(status) ?? true)
      .map((container) => ({
        Id: container.id,
        Names: [`/${container.name}`],
        Image: 'bb:latest',
        State: container.status,
        Labels: container.labels,
      }));
  }
}

function frameOf({ tty }: FakeContainer, text: string, stream: 1 | 2): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return tty ? payload : Buffer.concat([header, payload]);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const versionAnswer = {
  Platform: { Name: '' },
  Components: [{ Name: 'Engine', Version: '20.10.24+dfsg1', Details: { ApiVersion: '1.41', MinAPIVersion: '1.12' } }],
  Version: '20.10.24+dfsg1',
  ApiVersion: '1.41',
  MinAPIVersion: '1.12',
  Os: 'linux',
};

const never = '0001-01-01T00:00:00Z';

function inspectAnswer(container: FakeContainer): unknown {
  const { status, exitCode, error, oomKilled, startedAtMs, finishedAtMs } = container;
  return {
    Id: container.id,
    Created: new Date(startedAtMs ?? Date.now()).toISOString(),
    Path: '/busybox',
    Args: ['sh', '-c', 'exit 7'],
    State: {
      Status: status,
      Running: status === 'running',
      Paused: false,
      Restarting: false,
      OOMKilled: oomKilled,
      Dead: false,
      Pid: status === 'running' ? 4711 : 0,
      ExitCode: exitCode,
      Error: error,
      StartedAt: startedAtMs === null ? never : new Date(startedAtMs).toISOString().replace('Z', '123456Z'),
      FinishedAt: finishedAtMs === null ? never : new Date(finishedAtMs).toISOString().replace('Z', '654321Z'),
    },
    Image: `sha256:${'0'.repeat(64)}`,
    Name: `/${container.name}`,
    HostConfig: { Memory: 20_971_520, AutoRemove: container.autoRemove, RestartPolicy: { Name: 'no' } },
    Config: { Image: 'bb', Labels: container.labels, Tty: container.tty, Env: ['SECRET=hunter2'] },
  };
}
