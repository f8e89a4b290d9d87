import type { LookupFunction } from 'node:net';
import type { Instant } from '@runnerwatch/shared/model/instant.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { AllClearFrame, DeputyFrame, FallbackFrame } from '@runnerwatch/shared/protocol/frames.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Spool } from '../spool/spool.ts';
import { agentUrl, connect } from './connect.ts';
import type { Credential, Shown } from './credential.ts';
import { type HelloParts, Session, type SessionTimings, type StopReason } from './session.ts';
import { Way, type WayTimings } from './way.ts';

export interface UplinkOptions {
  readonly spool: Spool;
  /** `collector_urls`: tried in turn. */
  readonly urls: readonly string[];
  readonly credential: Credential;
  /** PEM of the authorities to trust instead of the system's (`ca_file`). */
  readonly ca?: string | undefined;
  /** Asked for every hello. */
  readonly hello: () => HelloParts;
  /** The collector's word on who speaks for it when it is silent. */
  readonly hear?: (frame: DeputyFrame | AllClearFrame) => void;
  readonly heartbeatIntervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
  readonly timings?: Partial<UplinkTimings>;
  readonly lookup?: LookupFunction;
}

export interface UplinkTimings extends Omit<SessionTimings, 'heartbeatIntervalMs'>, WayTimings {
  readonly connectTimeoutMs: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A session that lived as long counts as useful even when there was nothing to acknowledge. */
  readonly usefulMs: number;
}

export interface UplinkState {
  readonly connected: boolean;
  /** The collector spoken to, or tried last. */
  readonly url: string;
  /** Why there is no connection; null while there is one. */
  readonly lastError: string | null;
  /** Whoever was tried last is a collector that lives, and does not let this agent in. */
  readonly isUnwanted: boolean;
  /** When `connected` last changed. */
  readonly since: Instant;
  /** The collector's clock minus ours; null until it answered a ping. */
  readonly clockOffsetMs: number | null;
}

export interface Uplink {
  start(): void;
  /** Says goodbye if it can. Idempotent; takes two seconds at most, whatever the network does. */
  stop(reason: StopReason): Promise<void>;
  /** Live only: lost while there is no connection. */
  sendSample(sample: NodeSample): void;
  /** Lost while there is no connection, as a sample. */
  say(frame: FallbackFrame): void;
  /** Tries every collector once more, without waiting in between; true when one welcomes us, or has already. */
  tryAll(stopping: AbortSignal): Promise<boolean>;
  state(): UplinkState;
}

const defaults: UplinkTimings = {
  pingIntervalMs: 10_000,
  pongDeadlineMs: 10_000,
  welcomeDeadlineMs: 10_000,
  // With the answer it comes before `welcomeDeadlineMs`, and long before a collector misses the node.
  doubtAfterMs: 4000,
  probeTimeoutMs: 5000,
  tryWideBaseMs: 30_000,
  tryWideCapMs: 600_000,
  ackDeadlineMs: 60_000,
  goodbyeMs: 2000,
  connectTimeoutMs: 10_000,
  backoffBaseMs: 1000,
  // Short of every heartbeat timeout: a collector that was away for a moment must not find its nodes missing.
  backoffCapMs: 10_000,
  usefulMs: 60_000,
};

/** How often a try that somebody waits for is looked after. */
const tryLookMs = 50;

/** The agent's one conversation with its collector, kept up for ever: a session after another, with full-jitter back-off in between. */
export function createUplink(options: UplinkOptions): Uplink {
  return new Conversation(options);
}

class Conversation implements Uplink {
  readonly #options: UplinkOptions;
  readonly #timings: UplinkTimings;
  readonly #urls: readonly URL[];
  readonly #stopped = new AbortController();
  readonly #way: Way;
  #session: Session | undefined;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #state: UplinkState;
  /** Whole rounds through the addresses without useful work. */
  #rounds = 0;
  #turn = 0;
  #isLasting = true;
  /** Tries that are over, and what ends the wait for the next. */
  #tries = 0;
  #isTrying = false;
  #waiting = new AbortController();

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#timings = { ...defaults, ...options.timings };
    this.#urls = options.urls.map(agentUrl);
    const { ca, lookup, clock, log } = options;
    this.#way = new Way({ ca, lookup, clock, log, timings: this.#timings, signal: this.#stopped.signal });
    this.#state = {
      connected: false,
      url: options.urls[0] ?? '',
      lastError: null,
      isUnwanted: false,
      since: this.#now(),
      clockOffsetMs: null,
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  stop(reason: StopReason): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  sendSample(sample: NodeSample): void {
    this.#session?.sendSample(sample);
  }

  say(frame: FallbackFrame): void {
    this.#session?.say(frame);
  }

  async tryAll(stopping: AbortSignal): Promise<boolean> {
    // A try that is under way may have begun before there was a way.
    const wanted = this.#tries + this.#urls.length + (this.#isTrying ? 1 : 0);
    while (!this.#state.connected && this.#tries < wanted && !stopping.aborted && !this.#stopped.signal.aborted) {
      this.#waiting.abort();
      await this.#options.clock.sleep(tryLookMs, stopping);
    }
    return this.#state.connected;
  }

  state(): UplinkState {
    return this.#state;
  }

  async #stop(reason: StopReason): Promise<void> {
    this.#stopped.abort();
    this.#waiting.abort();
    await this.#session?.stop(reason);
    await this.#running;
    await this.#way.settled();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const url = this.#urls[this.#turn % this.#urls.length];
      if (url === undefined) return;
      this.#isTrying = true;
      const wasUseful = await this.#converse(url);
      this.#isTrying = false;
      this.#tries++;
      if (signal.aborted) return;
      this.#waiting = new AbortController();
      await this.#options.clock.sleep(this.#waitMs(wasUseful), this.#waiting.signal);
    }
  }

  /** One connection and one session. True when it did useful work. */
  async #converse(url: URL): Promise<boolean> {
    const { spool, credential, ca, clock, log, hello, hear, heartbeatIntervalMs, lookup } = this.#options;
    const shown = this.#shown(url);
    if (shown === null) return false;
    const connection = await connect({
      url,
      shown,
      ca,
      clock,
      lookup,
      signal: this.#stopped.signal,
      timeoutMs: this.#timings.connectTimeoutMs,
    });
    if (connection.kind === 'cancelled') return false;
    if (connection.kind === 'failed') {
      credential.refused(connection.failure.code ?? null);
      this.#isLasting &&= connection.failure.isLasting;
      const { message, cause, code } = connection.failure;
      this.#down(url, { message, cause, isUnwanted: code !== undefined });
      return false;
    }
    if (this.#stopped.signal.aborted) {
      connection.socket.terminate();
      return false;
    }
    const beganAt = clock.monotonicMs();
    const session = new Session({
      socket: connection.socket,
      spool,
      hello: hello(),
      timings: { ...this.#timings, heartbeatIntervalMs },
      clock,
      log,
      isWayNarrow: () => this.#way.isNarrow,
      probeWay: () => this.#way.probe(url),
      onWelcome: (welcome) => {
        credential.welcomed();
        this.#up(url, welcome.collector_id);
      },
      hear,
      onClockOffset: (clockOffsetMs) => {
        this.#state = { ...this.#state, clockOffsetMs };
      },
    });
    this.#session = session;
    const end = await session.run();
    this.#session = undefined;
    this.#isLasting &&= end.isLasting;
    this.#down(url, { message: end.message, cause: end.reason, isUnwanted: end.isLasting });
    const wasConnectedMs = end.reason === 'no_welcome' ? 0 : clock.monotonicMs() - beganAt;
    const learnt = end.reason === 'stream_renewed' || end.reason === 'narrow_way';
    return end.wasUseful || wasConnectedMs >= this.#timings.usefulMs || learnt;
  }

  /** Null: the agent's key cannot be kept yet. */
  #shown(url: URL): Shown | null {
    try {
      return this.#options.credential.show();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#down(url, { message: `the agent's key cannot be kept: ${reason}`, cause: 'key', isUnwanted: false });
      return null;
    }
  }

  /** Useful work resets the back-off and stays with the address; anything else goes on to the next one, and waits after each round. */
  #waitMs(wasUseful: boolean): number {
    const { random = Math.random } = this.#options;
    const { backoffBaseMs: baseMs, backoffCapMs: capMs } = this.#timings;
    if (wasUseful) {
      this.#rounds = 0;
      this.#isLasting = true;
      return backoffMs(0, { baseMs, capMs, random });
    }
    this.#turn++;
    if (this.#turn % this.#urls.length !== 0) return backoffMs(0, { baseMs, capMs, random });
    const isLasting = this.#isLasting;
    this.#isLasting = true;
    // Where a person must act, hurrying only fills two logs.
    return isLasting
      ? Math.floor(capMs / 2 + random() * (capMs / 2))
      : backoffMs(this.#rounds++, { baseMs, capMs, random });
  }

  #up(url: URL, collectorId: string): void {
    this.#options.log.info({ url: url.href, collectorId }, 'connected');
    this.#state = {
      ...this.#state,
      connected: true,
      url: url.href,
      lastError: null,
      isUnwanted: false,
      since: this.#now(),
    };
  }

  #down(url: URL, { message, cause, isUnwanted }: { message: string; cause: string; isUnwanted: boolean }): void {
    const { connected, lastError, since } = this.#state;
    const isNews = connected || lastError !== message;
    if (isNews && this.#stopped.signal.aborted)
      this.#options.log.info({ url: url.href, cause, message }, 'disconnected');
    else if (isNews) this.#options.log.warn({ url: url.href, cause, message }, 'not connected');
    this.#state = {
      ...this.#state,
      connected: false,
      url: url.href,
      lastError: message,
      isUnwanted,
      since: connected ? this.#now() : since,
    };
  }

  #now(): Instant {
    return toInstant(this.#options.clock.wallMs());
  }
}
