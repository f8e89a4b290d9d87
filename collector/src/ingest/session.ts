import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lane } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import { type CloseReason, closeCodes } from '@runnerwatch/shared/protocol/close-codes.ts';
import { decode, encode } from '@runnerwatch/shared/protocol/codec.ts';
import type {
  AgentFrame,
  AllClearFrame,
  CollectorFrame,
  DeputyFrame,
  FallbackFrame,
  Hello,
} from '@runnerwatch/shared/protocol/frames.ts';
import { agreeVersion, protocolVersions } from '@runnerwatch/shared/protocol/version.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { toDatabaseError } from '../db/errors.ts';
import { NotAdmittedError } from '../enrolment/register.ts';
import type { Liveness } from '../nodes/liveness.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import { DuplicateError, type Duplicates, type Present } from './duplicates.ts';
import type { Greeting, Visitor } from './greeting.ts';
import { type Incoming, incomingOf, salvageBatch } from './incoming.ts';
import { ForeignStreamError } from './store.ts';
import type { Turns } from './turns.ts';
import { NodeRemovedError, type Writer } from './writer.ts';

type Heartbeat = Extract<AgentFrame, { kind: 'heartbeat' }>;

/** From our close frame to the cut, where no answer is waited for. */
const closingMs = 1000;
/** A message that takes longer to arrive is answered with a ping, well within the agent's patience for its own. */
const midMessageMs = 3000;

/** Who speaks when the collector is silent is settled elsewhere; a session only carries it. */
export interface FallbackDesk {
  welcomed(hello: Hello): void;
  left(nodeId: string): void;
  take(nodeId: string, frame: FallbackFrame): void;
}

/** What a session needs of the rest. */
export interface SessionParts {
  readonly collectorId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly liveness: Liveness;
  readonly writer: Writer;
  readonly greeting: Greeting;
  readonly duplicates: Duplicates;
  /** The session that speaks for a node. */
  readonly present: (nodeId: string) => Session | undefined;
  /** A newer session of a node ends the older one. */
  readonly onWelcomed: (session: Session) => void;
  readonly onSample: (nodeId: string, sample: NodeSample) => void;
  readonly fallback?: FallbackDesk;
  readonly onEnded: (session: Session, reason: CloseReason | 'lost') => void;
  /** Bytes of batches waiting in all sessions together; a session takes part in it. */
  readonly waiting: { bytes: number };
  /** Of all sessions together: one writes its arrival down after the other. */
  readonly greetings: Turns;
  readonly limits: SessionLimits;
}

export interface SessionLimits {
  readonly helloWithinMs: number;
  readonly silentAfterMs: number;
  /** For the answer to a ping that asks whether an agent is there. */
  readonly answerWithinMs: number;
  /** Batches of one session, and of all, that may wait for the database. */
  readonly waitingBatchesMax: number;
  readonly waitingBytesMax: number;
  readonly waitingBytesMaxTogether: number;
  /** What an agent may leave unread. */
  readonly unreadBytesMax: number;
  readonly budget: BudgetLimits;
  /** For how long an agent may spend more than its budget, slowed down meanwhile. */
  readonly inDebtMaxMs: number;
}

export interface Connection {
  /** Of all that came over it, also of a message that is not whole yet. */
  readonly bytesRead: () => number;
}

interface Waiting {
  readonly lane: Lane;
  readonly items: readonly Incoming[];
  readonly bytes: number;
  readonly receivedAt: Date;
}

/**
 * One connection of one agent, hello to close.
 *
 *   opened ── hello ──▶ greeting ── welcome ──▶ talking ── goodbye, fault or close ──▶ ended
 *
 * Batches go one after another through the writer and are acknowledged when committed. While the database is away they wait
 * here, up to a bound, and heartbeats are still heard; beyond the bound the session ends and the agent keeps what it has.
 * Every fault leads to {@link end}, the only way out.
 */
export class Session implements Present {
  readonly #socket: WebSocket;
  readonly #parts: SessionParts;
  readonly #queue: Waiting[] = [];
  readonly #ending = new AbortController();
  readonly remoteAddress: string | null;
  readonly #visitor: Visitor;
  readonly #bytesRead: () => number;
  #bytesSeen = 0;
  /** When the last whole message came, or the agent was last told that a long one is being read. */
  #messageAtMs: number;
  #phase: 'opened' | 'greeting' | 'talking' | 'ended' = 'opened';
  #hello: Hello | undefined;
  #openedAtMs: number;
  #heardAtMs: number;
  #heartbeat: Heartbeat | undefined;
  #goodbye: string | undefined;
  #working: Promise<void> = Promise.resolve();
  #isWorking = false;
  readonly #closed: Promise<void>;
  readonly #budget: Budget;

  constructor(socket: WebSocket, visitor: Visitor & Connection, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.remoteAddress = visitor.remoteAddress;
    this.#visitor = visitor;
    this.#bytesRead = visitor.bytesRead;
    this.#openedAtMs = parts.liveness.listenedMs;
    this.#heardAtMs = this.#openedAtMs;
    this.#messageAtMs = this.#openedAtMs;
    this.#budget = new Budget(parts.limits.budget, parts.clock.monotonicMs());
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    // The library answers it, and ends who sends them faster than answers leave.
    socket.on('ping', () => this.#charge(0));
    socket.on('error', (error) => {
      parts.log.info({ ...this.facts, err: error }, 'agent connection failed');
      this.end('protocolError');
    });
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#leave('lost');
        resolve();
      });
    });
  }

  /** Undefined until the agent has said hello. */
  get nodeId(): string | undefined {
    return this.#hello?.node_id;
  }

  /** A getter, since what is called in between may end the session. */
  get #isOver(): boolean {
    return this.#phase === 'ended';
  }

  get isTalking(): boolean {
    return this.#phase === 'talking';
  }

  get instanceId(): string | undefined {
    return this.#hello?.instance_id;
  }

  get streamId(): string | undefined {
    return this.#hello?.stream_id;
  }

  /** A ping of the transport: whoever is only half there does not answer it. */
  async answers(): Promise<boolean> {
    const { clock, limits } = this.#parts;
    const over = new AbortController();
    const ponged = new Promise<boolean>((resolve) => {
      this.#socket.once('pong', () => resolve(true));
      over.signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    void this.#closed.then(() => over.abort());
    void clock.sleep(limits.answerWithinMs, over.signal).then(() => over.abort());
    this.#socket.ping();
    const isThere = await ponged;
    over.abort();
    return isThere && this.#phase !== 'ended';
  }

  /** The agent's last word on its spool. */
  get heartbeat(): Heartbeat | undefined {
    return this.#heartbeat;
  }

  get facts() {
    return { node_id: this.#hello?.node_id, node: this.#hello?.node.name, remote_address: this.remoteAddress };
  }

  /** Resolves when the socket is closed and nothing of this session runs any more. */
  async settled(): Promise<void> {
    await this.#closed;
    await this.#working;
  }

  /** Ends what has lasted too long; the gateway calls it on a tick. */
  checkPatience(): void {
    const { liveness, limits } = this.#parts;
    const nowMs = liveness.listenedMs;
    this.#noticeBytes(nowMs);
    if (this.#phase === 'opened' && nowMs - this.#openedAtMs > limits.helloWithinMs) this.end('helloTimeout');
    else if (nowMs - this.#heardAtMs > limits.silentAfterMs) this.end('silent');
  }

  /** A large message on a slow way: each side learns that the other lives before it has arrived. */
  #noticeBytes(nowMs: number): void {
    const bytes = this.#bytesRead();
    if (bytes === this.#bytesSeen || this.#phase === 'ended') return;
    this.#bytesSeen = bytes;
    this.#heardAtMs = nowMs;
    if (this.#hello !== undefined) this.#parts.liveness.heard(this.#hello.node_id);
    if (nowMs - this.#messageAtMs < midMessageMs) return;
    this.#messageAtMs = nowMs;
    this.#socket.ping();
  }

  /** The one way out. Idempotent. */
  end(reason: CloseReason): void {
    if (this.#phase === 'ended') return;
    const { code, meaning } = closeCodes[reason];
    this.#socket.close(code, meaning);
    this.#leave(reason);
    // Its answer stands behind all that it sent: who floods is not read for that.
    if (reason === 'tooMuch') void this.#parts.clock.sleep(closingMs).then(() => this.cutOff());
    else this.#socket.resume();
  }

  say(frame: DeputyFrame | AllClearFrame): void {
    this.#send(frame);
  }

  /** For a peer that does not answer the closing handshake. */
  cutOff(): void {
    this.#socket.terminate();
  }

  #leave(reason: CloseReason | 'lost'): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#ending.abort();
    for (const { bytes } of this.#queue.splice(0)) this.#parts.waiting.bytes -= bytes;
    this.#parts.onEnded(this, reason);
  }

  #send(frame: CollectorFrame): void {
    if (this.#phase === 'ended') return;
    this.#socket.send(encode(frame));
    if (this.#socket.bufferedAmount > this.#parts.limits.unreadBytesMax) this.end('tooSlow');
  }

  #refuse(reason: CloseReason, code: string, message: string): void {
    this.#parts.log.warn({ ...this.facts, code, reason: message }, 'refused an agent');
    this.#send({ kind: 'refused', code, message });
    this.end(reason);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#phase === 'ended') return;
    if (isBinary) return this.#refuse('protocolError', 'binary', 'frames are text');
    const text = textOf(data);
    this.#charge(text.length);
    if (this.#isOver) return;
    const decoded = decode(text, 'agent');
    this.#heardAtMs = this.#parts.liveness.listenedMs;
    this.#messageAtMs = this.#heardAtMs;
    if (this.#hello !== undefined) this.#parts.liveness.heard(this.#hello.node_id);
    switch (decoded.kind) {
      case 'frame':
        return this.#onFrame(decoded.frame, text.length);
      case 'unknown':
        this.#parts.log.debug({ ...this.facts, what: decoded.what }, 'skipped a frame of an unknown kind');
        return;
      case 'refused': {
        const salvaged = this.#phase === 'talking' && decoded.reason === 'invalid' ? salvageBatch(text) : undefined;
        if (salvaged !== undefined) return this.#enqueue(salvaged.lane, salvaged.items, text.length);
        const closing = decoded.reason === 'too_big' ? 'tooBig' : 'invalidData';
        return this.#refuse(closing, decoded.reason, `${decoded.where}: ${decoded.what}`);
      }
    }
  }

  /** Who sends too much is read more slowly; who goes on with it is closed. */
  #charge(bytes: number): void {
    const { clock, log, limits } = this.#parts;
    const nowMs = clock.monotonicMs();
    const wasInDebt = this.#budget.inDebtSinceMs !== null;
    const waitMs = this.#budget.spend(bytes, nowMs);
    if (waitMs === 0 || this.#socket.isPaused) return;
    if (nowMs - (this.#budget.inDebtSinceMs ?? nowMs) > limits.inDebtMaxMs) return this.end('tooMuch');
    if (!wasInDebt) log.warn(this.facts, 'an agent sends more than its budget; it is read more slowly');
    this.#socket.pause();
    void clock.sleep(waitMs, this.#ending.signal).then(() => {
      if (this.#phase !== 'ended') this.#socket.resume();
    });
  }

  #onFrame(frame: AgentFrame, sizeBytes: number): void {
    if (frame.kind === 'hello') return this.#onHello(frame);
    const nodeId = this.nodeId;
    if (nodeId === undefined) return this.#refuse('protocolError', 'no_hello', `${frame.kind} came before hello`);
    switch (frame.kind) {
      case 'batch':
        return this.#enqueue(frame.lane, incomingOf(frame.events), sizeBytes);
      case 'sample':
        return this.#parts.onSample(nodeId, frame.sample);
      case 'heartbeat':
        this.#heartbeat = frame;
        return this.#parts.liveness.heard(nodeId, Date.parse(frame.at));
      case 'ping':
        this.#parts.liveness.heard(nodeId, Date.parse(frame.at));
        return this.#send({ kind: 'pong', id: frame.id, at: toInstant(this.#parts.clock.wallMs()) });
      case 'fallback':
        return this.#parts.fallback?.take(nodeId, frame);
      case 'goodbye':
        this.#goodbye = frame.reason;
        return this.#work();
    }
  }

  #onHello(hello: Hello): void {
    if (this.#phase !== 'opened') return this.#refuse('protocolError', 'second_hello', 'hello came twice');
    const version = agreeVersion(protocolVersions, hello.protocol);
    if (version === undefined) {
      const { min, max } = protocolVersions;
      return this.#refuse('versionMismatch', 'version', `this collector speaks protocol ${min} to ${max}`);
    }
    this.#phase = 'greeting';
    this.#hello = hello;
    this.#parts.liveness.heard(hello.node_id, Date.parse(hello.at));
    this.#working = this.#parts.greetings.take(() => this.#greet(hello, version));
  }

  /** Where thousands come at once, those who gave up waiting cost nothing when their turn comes. */
  async #greet(hello: Hello, version: number): Promise<void> {
    if (this.#isOver) return;
    try {
      const present = this.#parts.present(hello.node_id);
      if (present !== undefined)
        await this.#parts.duplicates.judge(hello, {
          present,
          remoteAddress: this.remoteAddress,
          vouch: () => this.#parts.greeting.vouch(hello, this.#visitor),
        });
      if (this.#phase !== 'greeting') return;
      const arrived = await this.#parts.greeting.arrive(hello, this.#visitor);
      if (this.#phase !== 'greeting') return;
      // More than it ever numbered: it begins a new stream and sends what it holds on that.
      const committed = this.#parts.duplicates.mustRenew(hello)
        ? { ends: hello.last.ends + 1, facts: hello.last.facts + 1 }
        : arrived;
      this.#phase = 'talking';
      this.#parts.onWelcomed(this);
      const at = toInstant(this.#parts.clock.wallMs());
      this.#send({ kind: 'welcome', protocol: version, collector_id: this.#parts.collectorId, committed, at });
      this.#parts.fallback?.welcomed(hello);
      this.#work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #enqueue(lane: Lane, items: readonly Incoming[], bytes: number): void {
    if (this.#phase !== 'talking')
      return this.#refuse('protocolError', 'no_welcome', 'a batch came before the welcome');
    const { waiting, limits, clock } = this.#parts;
    const own = this.#queue.reduce((total, batch) => total + batch.bytes, 0);
    const isFull = this.#queue.length >= limits.waitingBatchesMax || own + bytes > limits.waitingBytesMax;
    if (isFull || waiting.bytes + bytes > limits.waitingBytesMaxTogether) {
      this.#parts.log.warn(
        { ...this.facts, waiting_bytes: own },
        'an agent sends more than can be written down; it will come back',
      );
      return this.end('tryAgainLater');
    }
    waiting.bytes += bytes;
    this.#queue.push({ lane, items, bytes, receivedAt: new Date(clock.wallMs()) });
    this.#work();
  }

  /** Starts to work off the queue, unless that is being done. */
  #work(): void {
    if (this.#isWorking || this.#phase !== 'talking') return;
    this.#isWorking = true;
    this.#working = this.#workOff().finally(() => {
      this.#isWorking = false;
      if (this.#queue.length > 0) this.#work();
    });
  }

  async #workOff(): Promise<void> {
    const hello = this.#hello;
    if (hello === undefined) return;
    try {
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        const position = await this.#commit(hello, next);
        if (this.#phase !== 'talking') return;
        this.#queue.shift();
        this.#parts.waiting.bytes -= next.bytes;
        this.#send({ kind: 'ack', lane: next.lane, seq: position });
        // Conclusions from what is committed go before what is not.
        if (this.#queue.length > 0) await nextTurn();
      }
      if (this.#goodbye !== undefined) await this.#sayGoodbye(hello.node_id, this.#goodbye);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tries again for as long as the session lives: what comes back by itself is waited for. */
  async #commit(hello: Hello, { lane, items, receivedAt }: Waiting): Promise<number> {
    const batch = { nodeId: hello.node_id, streamId: hello.stream_id, lane, items, receivedAt };
    for (let attempt = 0; ; attempt++) {
      try {
        const position = await this.#parts.writer.commit(batch);
        if (attempt > 0) this.#parts.log.info({ ...this.facts, attempt }, 'events are written down again');
        return position;
      } catch (error) {
        const failure = toDatabaseError(error);
        if (!failure.retryable || this.#phase !== 'talking') throw error;
        if (attempt === 0)
          this.#parts.log.warn(
            { ...this.facts, err: failure },
            'events cannot be written down; their acks are withheld',
          );
        await this.#parts.clock.sleep(100 + backoffMs(attempt, { baseMs: 100, capMs: 3000 }), this.#ending.signal);
        if (this.#ending.signal.aborted) throw error;
      }
    }
  }

  async #sayGoodbye(nodeId: string, reason: string): Promise<void> {
    this.#parts.liveness.left(nodeId, reason);
    await this.#parts.liveness.saveNow();
    this.end('goodbye');
  }

  #fail(error: unknown): void {
    if (this.#phase === 'ended') {
      this.#parts.log.debug({ ...this.facts, err: error }, 'work of an ended session failed');
      return;
    }
    if (error instanceof ForeignStreamError)
      return this.#refuse('protocolError', 'foreign_stream', 'this stream belongs to another node');
    if (error instanceof NotAdmittedError)
      return this.#refuse(error.code === 'revoked' ? 'revoked' : 'unauthorized', error.code, error.message);
    if (error instanceof DuplicateError)
      return this.#refuse(
        'duplicate',
        'duplicate',
        'another agent that is alive speaks for this node; if this machine or its data_dir is a copy, stop the agent, remove data_dir and start it',
      );
    if (error instanceof NodeRemovedError) return this.end('goodbye');
    const failure = toDatabaseError(error);
    this.#parts.log.error({ ...this.facts, err: error }, 'an agent session failed');
    this.end(failure.retryable ? 'tryAgainLater' : 'internalError');
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
