import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Event, type Lane, lanes } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { type CloseReason, closeCodes } from '@runnerwatch/shared/protocol/close-codes.ts';
import { decode, encode, maxFrameBytes } from '@runnerwatch/shared/protocol/codec.ts';
import type { AgentFrame, CollectorFrame, Hello } from '@runnerwatch/shared/protocol/frames.ts';
import { type WebSocket, WebSocketServer } from 'ws';

type Received<Kind extends AgentFrame['kind']> = Extract<AgentFrame, { kind: Kind }>;

interface FakeCollectorOptions {
  readonly token?: string;
  readonly port?: number;
  readonly host?: string;
}

/**
 * A collector with its store in memory: it keeps every event once by stream, lane and number, and acknowledges after it has kept it.
 * It does nothing wrong by itself; tests order it to be slow, silent, forgetful or rude.
 */
export class FakeCollector {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxFrameBytes });
  readonly #wires = new Set<Socket>();
  readonly #token: string;
  /** Per stream and lane, by number. */
  readonly #stored = new Map<string, Record<Lane, Map<number, Event>>>();
  readonly received: AgentFrame[] = [];
  /** Every event as it came, repeats included. */
  readonly arrivals: { readonly lane: Lane; readonly seq: number; readonly session: number }[] = [];
  /** Events that came more than once and were kept once. */
  repeats = 0;
  sessions = 0;
  invalid: string[] = [];
  /** Answers upgrades with this instead. */
  answer: { readonly status: number; readonly headers?: Record<string, string>; readonly body: string } | undefined;
  /** Takes everything in and says nothing, not even welcome. */
  isSilent = false;
  isAcknowledging = true;
  ackDelayMs = 0;
  isPonging = true;
  /** Said in pongs and welcomes. */
  clockOffsetMs = 0;

  private constructor(token: string) {
    this.#token = token;
    this.#http = createServer((_request, response) => response.writeHead(404).end());
    this.#http.on('connection', (wire) => {
      this.#wires.add(wire);
      wire.on('close', () => this.#wires.delete(wire));
    });
    this.#http.on('upgrade', (request: IncomingMessage, wire: Socket, head: Buffer) =>
      this.#upgrade(request, wire, head),
    );
  }

  static async start({
    token = 'secret',
    port = 0,
    host = '127.0.0.1',
  }: FakeCollectorOptions = {}): Promise<FakeCollector> {
    const collector = new FakeCollector(token);
    collector.#http.listen(port, host);
    await once(collector.#http, 'listening');
    return collector;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get streams(): string[] {
    return [...this.#stored.keys()];
  }

  /** What is stored of a lane, by number, over all streams. */
  stored(lane: Lane): Event[] {
    return [...this.#stored.values()].flatMap((stream) => [...stream[lane].values()].sort((a, b) => a.seq - b.seq));
  }

  committed(streamId: string): Record<Lane, number> {
    const stream = this.#stream(streamId);
    return { ends: Math.max(0, ...stream.ends.keys()), facts: Math.max(0, ...stream.facts.keys()) };
  }

  of<Kind extends AgentFrame['kind']>(kind: Kind): Received<Kind>[] {
    return this.received.filter((frame): frame is Received<Kind> => frame.kind === kind);
  }

  /** Comes back from a backup: what was stored after these numbers is gone. */
  forgetAfter(positions: Record<Lane, number>): void {
    for (const stream of this.#stored.values()) {
      for (const lane of lanes)
        for (const seq of stream[lane].keys()) if (seq > positions[lane]) stream[lane].delete(seq);
    }
  }

  send(frame: CollectorFrame): void {
    for (const socket of this.#sockets.clients) socket.send(encode(frame));
  }

  sendText(text: string): void {
    for (const socket of this.#sockets.clients) socket.send(text);
  }

  closeAll(reason: CloseReason): void {
    for (const socket of this.#sockets.clients) socket.close(closeCodes[reason].code, reason);
  }

  cutAll(): void {
    for (const wire of this.#wires) wire.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const wire of this.#wires) wire.destroy();
    this.#http.close();
    await once(this.#http, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #upgrade(request: IncomingMessage, wire: Socket, head: Buffer): void {
    const refusal = this.answer ?? this.#refusalOf(request);
    if (refusal !== undefined) {
      const headers = Object.entries({
        connection: 'close',
        'content-length': String(Buffer.byteLength(refusal.body)),
        ...refusal.headers,
      });
      wire.end(
        `HTTP/1.1 ${refusal.status} Said\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${refusal.body}`,
      );
      return;
    }
    this.#sockets.handleUpgrade(request, wire, head, (socket) => this.#talk(socket));
  }

  #refusalOf(request: IncomingMessage): { status: number; headers?: Record<string, string>; body: string } | undefined {
    if (request.url?.endsWith('/agent/v1') !== true) return { status: 404, body: 'no such place' };
    if (request.headers.authorization !== `Bearer ${this.#token}`) return { status: 401, body: 'unknown token' };
    return undefined;
  }

  #talk(socket: WebSocket): void {
    const session = ++this.sessions;
    let streamId: string | undefined;
    // A cut connection closes by itself; there is nothing else to do about it here.
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      const decoded = decode(data.toString('utf8'), 'agent');
      if (decoded.kind !== 'frame') {
        this.invalid.push(`${decoded.where} ${decoded.what}`);
        return socket.close(closeCodes.invalidData.code);
      }
      this.received.push(decoded.frame);
      if (decoded.frame.kind === 'hello') streamId = decoded.frame.stream_id;
      void this.#answer(socket, decoded.frame, { streamId, session });
    });
  }

  async #answer(
    socket: WebSocket,
    frame: AgentFrame,
    { streamId, session }: { streamId: string | undefined; session: number },
  ): Promise<void> {
    const say = (answer: CollectorFrame) => {
      if (!this.isSilent && socket.readyState === socket.OPEN) socket.send(encode(answer));
    };
    const at = toInstant(Date.now() + this.clockOffsetMs);
    if (frame.kind === 'hello') say(this.#welcome(frame, at));
    if (frame.kind === 'ping' && this.isPonging) say({ kind: 'pong', id: frame.id, at });
    if (frame.kind === 'goodbye') socket.close(closeCodes.goodbye.code);
    if (frame.kind !== 'batch' || streamId === undefined) return;
    for (const event of frame.events) this.#store(streamId, { lane: frame.lane, session }, event);
    if (this.ackDelayMs > 0) await wait(this.ackDelayMs);
    if (this.isAcknowledging) say({ kind: 'ack', lane: frame.lane, seq: frame.events.at(-1)?.seq ?? 0 });
  }

  #welcome(hello: Hello, at: string): CollectorFrame {
    return { kind: 'welcome', protocol: 1, collector_id: 'fake', committed: this.committed(hello.stream_id), at };
  }

  #store(streamId: string, { lane, session }: { lane: Lane; session: number }, event: Event): void {
    this.arrivals.push({ lane, seq: event.seq, session });
    const stored = this.#stream(streamId)[lane];
    if (stored.has(event.seq)) this.repeats++;
    else stored.set(event.seq, event);
  }

  #stream(streamId: string): Record<Lane, Map<number, Event>> {
    const stream = this.#stored.get(streamId) ?? { ends: new Map<number, Event>(), facts: new Map<number, Event>() };
    this.#stored.set(streamId, stream);
    return stream;
  }
}
