import type { Event, EventBody, Lane } from '@runnerwatch/shared/model/event.ts';
import type { TaskEnding, TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { decode, encode } from '@runnerwatch/shared/protocol/codec.ts';
import type { AgentFrame, CollectorFrame, Hello } from '@runnerwatch/shared/protocol/frames.ts';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** The agent's side of a conversation, spoken by hand: a real socket, and everything the collector said. */
export class AgentClient implements AsyncDisposable {
  readonly frames: CollectorFrame[] = [];
  readonly #socket: WebSocket;
  #closed: { code: number; reason: string } | undefined;
  /** Answer of the HTTP server when it did not upgrade. */
  refusal: { status: number; body: string } | undefined;

  /** `isDeaf`: pings of the transport get no answer, as from a half-open connection. */
  constructor(url: string, { token, isDeaf = false }: { token?: string | undefined; isDeaf?: boolean } = {}) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#socket = new WebSocket(url, { headers, autoPong: !isDeaf });
    this.#socket.on('message', (data) => {
      const decoded = decode(String(data), 'collector');
      if (decoded.kind === 'frame') this.frames.push(decoded.frame);
    });
    this.#socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
    });
    this.#socket.on('error', () => {});
    this.#socket.on('unexpected-response', (request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => {
        this.refusal = { status: response.statusCode ?? 0, body };
        request.destroy();
      });
    });
  }

  async opened(): Promise<this> {
    await eventually(() => this.#socket.readyState === WebSocket.OPEN);
    return this;
  }

  send(frame: AgentFrame): void {
    this.#socket.send(encode(frame));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** Says hello and returns the welcome. */
  async greet(hello: Hello): Promise<Extract<CollectorFrame, { kind: 'welcome' }>> {
    await this.opened();
    this.send(hello);
    return eventually(() => this.frames.find((frame) => frame.kind === 'welcome'));
  }

  async acked(lane: Lane, seq: number): Promise<void> {
    const isAcked = () => this.frames.some((frame) => frame.kind === 'ack' && frame.lane === lane && frame.seq >= seq);
    await eventually(isAcked, { timeoutMs: 60_000 });
  }

  acks(): { lane: Lane; seq: number }[] {
    return this.frames.flatMap((frame) => (frame.kind === 'ack' ? [{ lane: frame.lane, seq: frame.seq }] : []));
  }

  async closed(): Promise<{ code: number; reason: string }> {
    return eventually(() => this.#closed);
  }

  /** As a cable would. */
  cut(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await eventually(() => this.#socket.readyState === WebSocket.CLOSED);
  }
}

const instant = '2026-11-22T04:00:00.000Z';

export function aHello(changes: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    protocol: { min: 1, max: 1 },
    node_id: '11111111-1111-4111-8111-111111111111',
    agent_version: '0.1.0',
    stream_id: '22222222-2222-4222-8222-222222222222',
    last: { ends: 0, facts: 0 },
    oldest: { ends: 0, facts: 0 },
    heartbeat_interval_ms: 10_000,
    at: instant,
    node: { name: 'n1', labels: { rack: 'r7' }, boot_id: 'boot-1', inventory: null, sources: [] },
    ...changes,
  };
}

export function aTask(id: string, changes: Partial<TaskIdentity> = {}): TaskIdentity {
  return {
    id,
    task_id: id,
    name: `task ${id}`,
    job: null,
    project: null,
    owner: null,
    source: 'systemd',
    unit: `${id}.scope`,
    container_id: null,
    command: 'sleep 1',
    started_at: instant,
    ...changes,
  };
}

export function anEnding(changes: Partial<TaskEnding> = {}): TaskEnding {
  return {
    status: 'failed',
    exit_code: 3,
    signal: null,
    ended_at: '2026-11-22T04:00:05.000Z',
    ended_at_approximate: false,
    duration_ms: 5000,
    cpu_ms: 10,
    memory_peak_bytes: 1024,
    memory_limit_bytes: null,
    error_message: null,
    verdict: { cause: 'exit_code', confidence: 'proven', summary: 'exited with 3', evidence: [], advice: [] },
    ...changes,
  };
}

export function anEvent(seq: number, body: EventBody): Event {
  return { seq, at: instant, body };
}

export function started(seq: number, id: string, changes: Partial<TaskIdentity> = {}): Event {
  return anEvent(seq, { kind: 'task_started', task: aTask(id, changes) });
}

export function ended(seq: number, id: string, ending: Partial<TaskEnding> = {}): Event {
  return anEvent(seq, { kind: 'task_ended', task: aTask(id), ending: anEnding(ending), log_tail: ['last words'] });
}
