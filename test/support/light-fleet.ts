import { Fallback, type FallbackOptions } from '@runnerwatch/agent/fallback/keeper.ts';
import { decode, encode } from '@runnerwatch/shared/protocol/codec.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { WebSocket } from 'ws';
import { aHello } from './agent-client.ts';
import { silentLog } from './database.ts';
import { eventually } from './eventually.ts';

const backoff = { baseMs: 1000, capMs: 10_000 };
const welcomeWithinMs = 10_000;
const heartbeatEveryMs = 10_000;

interface Door {
  readonly url: string;
  readonly token: string;
  /** Each has the agent's own fallback. */
  readonly fallback?: Pick<FallbackOptions, 'webhook' | 'secret' | 'afterMs'>;
}

/** Many agents in one process that say no more than they must: hello, heartbeats, and hello again with the agent's own back-off. */
export class LightFleet implements AsyncDisposable {
  readonly #agents: LightAgent[];

  constructor(size: number, door: Door) {
    this.#agents = Array.from({ length: size }, (_, index) => new LightAgent(index, door));
  }

  /** How many have told people that the collector is silent and wait for its end. */
  get telling(): number {
    return this.#agents.filter(({ fallback }) => (fallback?.state.told ?? null) !== null).length;
  }

  /** Of those that would, by their node. */
  get deputies(): { readonly rank: number; readonly key: string }[] {
    return this.#agents.flatMap(({ fallback }) => fallback?.state.place ?? []);
  }

  get welcomed(): number {
    return this.#agents.filter(({ isWelcomed }) => isWelcomed).length;
  }

  start(): void {
    for (const agent of this.#agents) agent.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }
}

class LightAgent {
  readonly #id: string;
  readonly #door: Door;
  readonly fallback: Fallback | undefined;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rounds = 0;
  isWelcomed = false;

  constructor(index: number, door: Door) {
    this.#id = `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
    this.#door = door;
    if (door.fallback === undefined) return;
    let kept: string | null = null;
    this.fallback = new Fallback({
      ...door.fallback,
      node: { id: this.#id, name: this.#name, labels: {} },
      collectorUrls: [door.url.replace('ws', 'http')],
      unsent: async () => ({ records: 0, taskFailures: 0, isCounted: true }),
      kept: {
        load: () => kept,
        save: async (text) => {
          kept = text;
        },
      },
      clock: systemClock,
      log: silentLog,
    });
    this.fallback.start({
      state: () => ({ connected: this.isWelcomed, isUnwanted: false, lastError: null }),
      tryAll: async () => this.#tryNow(),
      say: (frame) => this.#socket?.send(encode(frame)),
    });
  }

  get #name(): string {
    return `n${this.#id.slice(-4)}`;
  }

  connect(): void {
    const headers = { authorization: `Bearer ${this.#door.token}` };
    const socket = new WebSocket(this.#door.url, { headers, perMessageDeflate: false });
    this.#socket = socket;
    this.#after(welcomeWithinMs, () => socket.terminate());
    socket.on('error', () => {});
    socket.on('open', () => {
      const node = { ...aHello().node, name: this.#name, boot_id: this.#id };
      const more = this.fallback === undefined ? {} : { can_fall_back: true };
      const at = new Date().toISOString();
      socket.send(encode(aHello({ node_id: this.#id, stream_id: this.#id, at, node, ...more })));
    });
    socket.on('message', (data) => {
      const heard = decode(String(data), 'collector');
      if (heard.kind !== 'frame') return;
      if (heard.frame.kind === 'deputy' || heard.frame.kind === 'all_clear') this.fallback?.hear(heard.frame);
      if (heard.frame.kind !== 'welcome') return;
      this.isWelcomed = true;
      this.#rounds = 0;
      this.#beat(Math.random() * heartbeatEveryMs);
    });
    socket.on('close', () => {
      this.isWelcomed = false;
      this.#after(backoffMs(this.#rounds++, backoff), () => this.connect());
    });
  }

  async stop(): Promise<void> {
    await this.fallback?.[Symbol.asyncDispose]();
    this.#leave();
  }

  #leave(): void {
    this.#socket?.removeAllListeners('close');
    this.#socket?.terminate();
    clearTimeout(this.#timer);
  }

  async #tryNow(): Promise<boolean> {
    this.#leave();
    this.connect();
    await eventually(() => this.isWelcomed || this.#socket?.readyState === WebSocket.CLOSED, { timeoutMs: 30_000 });
    return this.isWelcomed;
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
