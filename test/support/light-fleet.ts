import { decode, encode } from '@runnerwatch/shared/protocol/codec.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import { WebSocket } from 'ws';
import { aHello } from './agent-client.ts';

const backoff = { baseMs: 1000, capMs: 10_000 };
const welcomeWithinMs = 10_000;
const heartbeatEveryMs = 10_000;

/** Many agents in one process that say no more than they must: hello, heartbeats, and hello again with the agent's own back-off. */
export class LightFleet implements AsyncDisposable {
  readonly #agents: LightAgent[];

  constructor(size: number, { url, token }: { url: string; token: string }) {
    this.#agents = Array.from({ length: size }, (_, index) => new LightAgent(index, { url, token }));
  }

  get welcomed(): number {
    return this.#agents.filter(({ isWelcomed }) => isWelcomed).length;
  }

  start(): void {
    for (const agent of this.#agents) agent.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.stop();
  }
}

class LightAgent {
  readonly #id: string;
  readonly #door: { readonly url: string; readonly token: string };
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rounds = 0;
  isWelcomed = false;

  constructor(index: number, door: { url: string; token: string }) {
    this.#id = `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
    this.#door = door;
  }

  connect(): void {
    const headers = { authorization: `Bearer ${this.#door.token}` };
    const socket = new WebSocket(this.#door.url, { headers, perMessageDeflate: false });
    this.#socket = socket;
    this.#after(welcomeWithinMs, () => socket.terminate());
    socket.on('error', () => {});
    socket.on('open', () => {
      const node = { ...aHello().node, name: `n${this.#id.slice(-4)}` };
      socket.send(encode(aHello({ node_id: this.#id, stream_id: this.#id, at: new Date().toISOString(), node })));
    });
    socket.on('message', (data) => {
      const heard = decode(String(data), 'collector');
      if (heard.kind !== 'frame' || heard.frame.kind !== 'welcome') return;
      this.isWelcomed = true;
      this.#rounds = 0;
      this.#beat(Math.random() * heartbeatEveryMs);
    });
    socket.on('close', () => {
      this.isWelcomed = false;
      this.#after(backoffMs(this.#rounds++, backoff), () => this.connect());
    });
  }

  stop(): void {
    this.#socket?.removeAllListeners('close');
    this.#socket?.terminate();
    clearTimeout(this.#timer);
  }

  #beat(waitMs: number): void {
    this.#after(waitMs, () => {
      const spool = { pending_records: 0, bytes: 0, evicted_records: 0, durable: true };
      this.#socket?.send(encode({ kind: 'heartbeat', at: new Date().toISOString(), spool }));
      this.#beat(heartbeatEveryMs);
    });
  }

  #after(waitMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, waitMs);
  }
}
