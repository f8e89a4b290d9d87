import { lanes } from '@runnerwatch/shared/model/event.ts';
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
  Welcome,
} from '@runnerwatch/shared/protocol/frames.ts';
import { agreeVersion, protocolVersions } from '@runnerwatch/shared/protocol/version.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import type { Spool } from '../spool/spool.ts';
import { clean } from './connect-failure.ts';
import { keepAlive } from './keepalive.ts';
import { LaneSender, maxBatchBytes } from './lane-sender.ts';
import { LargeProof } from './large-proof.ts';
import { PieceSender } from './piece-sender.ts';
import type { Width } from './probe-way.ts';

export type HelloParts = Pick<Hello, 'node_id' | 'agent_version' | 'instance_id' | 'node' | 'can_fall_back'>;
export type StopReason = Extract<AgentFrame, { kind: 'goodbye' }>['reason'];

export interface SessionTimings {
  readonly heartbeatIntervalMs: number;
  readonly pingIntervalMs: number;
  readonly pongDeadlineMs: number;
  readonly welcomeDeadlineMs: number;
  /** After something large, nothing is heard for as long: asks whether large packets get through. */
  readonly doubtAfterMs: number;
  /** How long a batch may stay unacknowledged. */
  readonly ackDeadlineMs: number;
  /** From `stop` to the end, at most. */
  readonly goodbyeMs: number;
}

export interface SessionOptions {
  readonly socket: WebSocket;
  readonly spool: Spool;
  readonly hello: HelloParts;
  readonly timings: SessionTimings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly hear: ((frame: DeputyFrame | AllClearFrame) => void) | undefined;
  /** The collector's clock minus ours, in milliseconds. */
  readonly onClockOffset: (offsetMs: number) => void;
  /** Whether what is sent must go in small pieces. */
  readonly isWayNarrow: () => boolean;
  /** Finds out, without touching this session. */
  readonly probeWay: () => Promise<Width>;
}

export interface SessionEnd {
  readonly reason:
    | 'stopped'
    | 'closed'
    | 'silent'
    | 'no_welcome'
    | 'no_ack'
    | 'narrow_way'
    | 'protocol'
    | 'spool'
    | 'stream_renewed';
  /** For people. */
  readonly message: string;
  /** The collector committed something new. */
  readonly wasUseful: boolean;
  /** A person must act before coming back helps. */
  readonly isLasting: boolean;
}

/** Not more than this waits in the socket when a batch is added, so that pings and ends do not queue behind bulk. */
const bulkBufferedBytes = 64 * 1024;
const sampleBufferedBytes = 16 * 1024;
/** In one batch on a narrow way, where a heartbeat has to wait until it is through. */
const narrowBatchBytes = 8 * 1024;
const checkTickMs = 1000;

/**
 * One conversation, from hello to close. Whatever goes wrong ends it whole through `#end`, once; a new session starts from the cursor.
 *
 * hello → welcome → then, side by side: batches per lane (`ends` first, `facts` only when no end waits), heartbeats, pings, and the
 * newest sample when the socket is not busy. The cursor moves on an ack and on nothing else.
 *
 * On a way that loses large packets all of it goes in small pieces, and the next batch or sample only when the one before is through.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #over = new AbortController();
  readonly #pings = new Map<number, { wallMs: number; monotonicMs: number }>();
  readonly #pieces: PieceSender;
  readonly #largeProof: LargeProof;
  #isProbing = false;
  #senders: readonly LaneSender[] | undefined;
  #sample: NodeSample | undefined;
  #heardAt: number;
  #pumping: Promise<void> | undefined;
  #mustPumpAgain = false;
  #wasUseful = false;
  #refusal: string | undefined;
  #stopping: Promise<void> | undefined;
  #ended: SessionEnd | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { socket, clock } = options;
    this.#heardAt = clock.monotonicMs();
    this.#largeProof = new LargeProof(socket, clock);
    this.#pieces = new PieceSender({ socket, clock, signal: this.#over.signal, onIdle: () => this.#goOn() });
  }

  /** Talks until the end. Never rejects. */
  async run(): Promise<SessionEnd> {
    const { socket, spool, clock, timings } = this.#options;
    const { signal } = this.#over;
    const isOver = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    const heard = () => {
      this.#heardAt = clock.monotonicMs();
    };
    // The collector's word that it is still reading a message of ours that is long on its way.
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.once('close', (code, reason) => this.#closed(code, reason.toString('utf8')));
    socket.on('error', (error) => this.#end('closed', `the connection broke: ${clean(error.message, 200)}`));
    const unsubscribe = spool.subscribe(() => this.#pump());
    this.#send(this.#hello());
    void this.#every(checkTickMs, () => this.#check());
    void clock.sleep(timings.welcomeDeadlineMs, signal).then(() => {
      if (this.#senders === undefined) this.#end('no_welcome', 'the collector did not answer our hello in time');
    });
    await isOver;
    unsubscribe();
    socket.terminate();
    await this.#pumping;
    return this.#ended ?? { reason: 'closed', message: 'closed', wasUseful: this.#wasUseful, isLasting: false };
  }

  /** Shown as soon as the socket is not busy; a newer one takes its place. */
  sendSample(sample: NodeSample): void {
    this.#sample = sample;
    this.#flushSample();
  }

  /** Lost before the welcome. */
  say(frame: FallbackFrame): void {
    if (this.#senders !== undefined) this.#send(frame);
  }

  /** Waits for what is on its way, says goodbye and closes, all within `goodbyeMs`. */
  stop(reason: StopReason): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: StopReason): Promise<void> {
    const { socket, clock, timings } = this.#options;
    const { signal } = this.#over;
    const deadline = clock.sleep(timings.goodbyeMs, signal).then(() => this.#end('stopped', 'stopped'));
    this.#pump();
    const halfway = clock.monotonicMs() + timings.goodbyeMs / 2;
    while (!signal.aborted && clock.monotonicMs() < halfway && !(await this.#isAllAcknowledged()))
      await clock.sleep(10, signal);
    this.#send({ kind: 'goodbye', reason });
    while (this.#pieces.isBusy && !signal.aborted) await clock.sleep(10, signal);
    socket.close(closeCodes.goodbye.code);
    await deadline;
  }

  async #isAllAcknowledged(): Promise<boolean> {
    await this.#pumping;
    return this.#senders?.every((sender) => sender.isIdle) ?? true;
  }

  #hello(): Hello {
    const { spool, hello, timings } = this.#options;
    const { last, oldest } = spool.positions;
    return {
      kind: 'hello',
      protocol: protocolVersions,
      ...hello,
      stream_id: spool.streamId,
      last: { ...last },
      oldest: { ...oldest },
      heartbeat_interval_ms: timings.heartbeatIntervalMs,
      at: this.#now(),
    };
  }

  #hear(data: RawData, isBinary: boolean): void {
    this.#heardAt = this.#options.clock.monotonicMs();
    if (isBinary || !Buffer.isBuffer(data)) return this.#end('protocol', 'the collector sent a binary message', true);
    const decoded = decode(data.toString('utf8'), 'collector');
    if (decoded.kind === 'frame') return this.#take(decoded.frame);
    if (decoded.kind === 'unknown') return this.#options.log.debug({ what: decoded.what }, 'frame skipped');
    this.#end('protocol', `the collector sent what is not a frame: ${decoded.where} ${decoded.what}`, true);
  }

  #take(frame: CollectorFrame): void {
    switch (frame.kind) {
      case 'welcome':
        void this.#begin(frame).catch((error: unknown) => this.#spoolFailed(error));
        return;
      case 'ack':
        return this.#acknowledged(frame);
      case 'pong':
        return this.#pong(frame.id, Date.parse(frame.at));
      case 'deputy':
      case 'all_clear':
        return this.#options.hear?.(frame);
      case 'refused':
        this.#refusal = `the collector refuses this agent: ${clean(frame.message, 200)} (${clean(frame.code, 60)})`;
        return;
    }
  }

  async #begin(welcome: Welcome): Promise<void> {
    const { spool, timings, log, onWelcome } = this.#options;
    if (this.#senders !== undefined) return log.debug('second welcome ignored');
    if (agreeVersion(protocolVersions, { min: welcome.protocol, max: welcome.protocol }) === undefined) {
      return this.#end(
        'protocol',
        `the collector speaks version ${welcome.protocol} of the protocol, which this agent does not`,
        true,
      );
    }
    const settled = await spool.settle(welcome.committed);
    if (settled.kind === 'renewed') return this.#end('stream_renewed', 'the spool began a new stream');
    if (this.#over.signal.aborted) return;
    this.#senders = lanes.map((lane) => new LaneSender(lane, spool, settled.after[lane]));
    onWelcome(welcome);
    const { signal } = this.#over;
    void this.#every(timings.heartbeatIntervalMs, () => this.#heartbeat());
    const ping = (id: number) => this.#ping(id);
    const found = keepAlive(
      {
        clock: this.#options.clock,
        intervalMs: timings.pingIntervalMs,
        deadlineMs: timings.pongDeadlineMs,
        sendPing: ping,
        heardAt: () => this.#heardAt,
      },
      signal,
    );
    void found.then((result) => {
      if (result === 'silent')
        this.#end('silent', 'nothing was heard from the collector after a ping: the connection is dead');
    });
    this.#pump();
  }

  async #every(intervalMs: number, action: () => void): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      action();
      await this.#options.clock.sleep(intervalMs, signal);
    }
  }

  #heartbeat(): void {
    const { pendingRecords, sizeBytes, evictedRecords, isDurable } = this.#options.spool.stats;
    this.#send({
      kind: 'heartbeat',
      at: this.#now(),
      spool: { pending_records: pendingRecords, bytes: sizeBytes, evicted_records: evictedRecords, durable: isDurable },
    });
  }

  #check(): void {
    const { clock, timings } = this.#options;
    const waitingSince = this.#senders?.map((sender) => sender.waitingSince ?? Number.POSITIVE_INFINITY) ?? [];
    // A large event in small pieces takes as long as it takes.
    const movedAt = Math.max(Math.min(...waitingSince), this.#pieces.arrivedAt ?? 0);
    if (clock.monotonicMs() - movedAt > timings.ackDeadlineMs)
      return this.#end('no_ack', 'the collector does not acknowledge what it was sent');
    this.#largeProof.ask();
    if (this.#largeProof.silentMs(this.#heardAt) > timings.doubtAfterMs) void this.#doubt();
    this.#goOn();
  }

  /** Nothing that is in the stream behind a lost packet arrives before it: when large ones are lost, only a new session helps. */
  async #doubt(): Promise<void> {
    const { isWayNarrow, probeWay } = this.#options;
    if (this.#isProbing) return;
    this.#isProbing = true;
    if (isWayNarrow() || (await probeWay()) === 'narrow')
      this.#end('narrow_way', 'large packets do not reach the collector');
    this.#isProbing = false;
  }

  #goOn(): void {
    this.#pump();
    this.#flushSample();
  }

  #acknowledged({ lane, seq }: Extract<CollectorFrame, { kind: 'ack' }>): void {
    const moved = this.#senders?.[lanes.indexOf(lane)]?.acknowledge(seq, this.#options.clock.monotonicMs()) ?? 'ahead';
    if (moved === 'ahead')
      return this.#end('protocol', `the collector acknowledges ${lane} ${seq}, which it was not sent`);
    if (moved === 'moved') this.#wasUseful = true;
    this.#pump();
  }

  #ping(id: number): void {
    const { clock } = this.#options;
    // The pong to a piece that is under way says as much, and behind it this one would tell no time.
    if (this.#pieces.isBusy) return;
    this.#pings.clear();
    this.#pings.set(id, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
    this.#send({ kind: 'ping', id, at: this.#now() });
  }

  #pong(id: number, theirWallMs: number): void {
    const { clock, onClockOffset } = this.#options;
    const ping = this.#pings.get(id);
    if (ping === undefined) return;
    this.#pings.delete(id);
    const halfwayMs = (clock.monotonicMs() - ping.monotonicMs) / 2;
    onClockOffset(Math.round(theirWallMs - (ping.wallMs + halfwayMs)));
  }

  /** Sends batches while there is room; one at a time, and once more when it was asked meanwhile. */
  #pump(): void {
    this.#mustPumpAgain = true;
    this.#pumping ??= this.#pumpAll()
      .catch((error: unknown) => this.#spoolFailed(error))
      .finally(() => {
        this.#pumping = undefined;
        if (this.#mustPumpAgain && !this.#over.signal.aborted) this.#pump();
      });
  }

  async #pumpAll(): Promise<void> {
    while (this.#mustPumpAgain) {
      this.#mustPumpAgain = false;
      while (await this.#sendBatch());
    }
  }

  async #sendBatch(): Promise<boolean> {
    const { socket, clock } = this.#options;
    for (const sender of this.#senders ?? []) {
      if (this.#over.signal.aborted || socket.bufferedAmount > bulkBufferedBytes || this.#pieces.isBusy) return false;
      // A lane that waits for acks holds the lower lanes back as well: what it has next must not queue behind them.
      if (sender.isWindowFull) return false;
      const limitBytes = this.#options.isWayNarrow() ? narrowBatchBytes : maxBatchBytes;
      const text = await sender.next(clock.monotonicMs(), limitBytes);
      if (text === undefined) continue;
      this.#write(text);
      return true;
    }
    return false;
  }

  #flushSample(): void {
    const { socket } = this.#options;
    const isBusy = socket.bufferedAmount > sampleBufferedBytes || this.#pieces.isBusy;
    if (this.#sample === undefined || this.#senders === undefined || isBusy) return;
    this.#send({ kind: 'sample', sample: this.#sample });
    this.#sample = undefined;
  }

  #send(frame: AgentFrame): void {
    this.#write(encode(frame));
  }

  #write(text: string): void {
    const { socket } = this.#options;
    if (this.#over.signal.aborted || socket.readyState !== socket.OPEN) return;
    if (this.#options.isWayNarrow() || this.#pieces.isBusy) return this.#pieces.send(text);
    // A failed write is followed by the socket's own close, which ends the session.
    socket.send(text, (error) => {
      if (error == null && this.#senders !== undefined && text.length > sampleBufferedBytes) this.#pump();
    });
    this.#largeProof.wrote(text);
  }

  #spoolFailed(error: unknown): void {
    this.#options.log.error({ err: error }, 'spool cannot be read');
    this.#end('spool', `the spool cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }

  #closed(code: number, reason: string): void {
    const name = (Object.keys(closeCodes) as CloseReason[]).find((key) => closeCodes[key].code === code);
    const known = name === undefined ? undefined : closeCodes[name];
    const said = clean(reason, 120);
    const why =
      this.#refusal ?? (known === undefined ? 'the connection was cut' : `the collector closed: ${known.meaning}`);
    this.#end(
      this.#stopping === undefined ? 'closed' : 'stopped',
      `${why} (${code}${said === '' ? '' : ` ${said}`})`,
      known?.retry === 'later',
    );
  }

  #end(reason: SessionEnd['reason'], message: string, isLasting = false): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason, message, wasUseful: this.#wasUseful, isLasting };
    this.#over.abort();
  }

  #now(): string {
    return toInstant(this.#options.clock.wallMs());
  }
}
