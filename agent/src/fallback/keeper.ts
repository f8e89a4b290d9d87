import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { AgentFrame, AllClearFrame, DeputyFrame, FallbackFrame } from '@runnerwatch/shared/protocol/frames.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import { keyOf, signatureHeaders } from '@runnerwatch/shared/webhook/sign.ts';
import type { Logger } from 'pino';
import { type PostOutcome, post } from '../post.ts';
import { answered, type Contact, decide, pass, type Step, wake } from './decision.ts';
import { backMessage, type FallbackNode, messageId, silentMessage, type Unsent } from './message.ts';
import { type FallbackState, readState, type Told, textOf } from './state.ts';

/** The agent's conversation, as far as it matters here. */
export interface FallbackUplink {
  state(): { readonly connected: boolean; readonly isUnwanted: boolean; readonly lastError: string | null };
  /** Tries every collector once more, now. */
  tryAll(stopping: AbortSignal): Promise<boolean>;
  /** To the collector, if there is one. */
  say(frame: Extract<AgentFrame, FallbackFrame>): void;
}

export interface FallbackOptions {
  /** It may hold a token and is named nowhere. */
  readonly webhook: string;
  /** To sign with; without one it goes out unsigned. */
  readonly secret: string | undefined;
  /** How long a deputy of rank 0 goes without its collector before it speaks. */
  readonly afterMs: number;
  readonly node: FallbackNode;
  readonly collectorUrls: readonly string[];
  readonly unsent: () => Promise<Unsent>;
  readonly kept: { readonly load: () => string | null; readonly save: (text: string) => Promise<void> };
  /** Named moments, for tests that die there. */
  readonly crashPoint?: (moment: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const postTimeoutMs = 10_000;
const noteEveryMs = 60_000;
const reportEveryMs = 60_000;
/** Collectors of before do not know the word. */
const unansweredMax = 10;

/**
 * The agent's own word where its collector has none: a deputy that has been without it for long enough posts once, and one of
 * those that did posts that it is back. What was said is written down before and after, so that a death in between repeats it
 * under the same id.
 */
export class Fallback implements AsyncDisposable {
  readonly #options: FallbackOptions;
  readonly #tickMs: number;
  #state: FallbackState;
  /** As it is on disk, and when it came there. */
  #noted: FallbackState;
  #notedAtMs: number;
  #isNoteFailing = false;
  #uplink: FallbackUplink | undefined;
  #heard: AllClearFrame[] = [];
  #obstacle: string | null = null;
  #tickedAtMs: number;
  #nextPostAtMs = 0;
  #attempts = 0;
  #reportedAtMs: number | null = null;
  #unanswered = 0;
  #loop: AsyncDisposable | undefined;

  constructor(options: FallbackOptions) {
    const { kept, clock, afterMs } = options;
    this.#options = options;
    this.#tickMs = Math.min(5000, Math.max(100, afterMs / 20));
    this.#noted = readState(kept.load());
    this.#state = wake(this.#noted, clock.wallMs());
    this.#tickedAtMs = clock.monotonicMs();
    this.#notedAtMs = this.#tickedAtMs;
  }

  start(uplink: FallbackUplink): void {
    const { clock } = this.#options;
    this.#uplink = uplink;
    this.#tickedAtMs = clock.monotonicMs();
    this.#loop = repeat((stopping) => this.#tick(uplink, stopping), {
      clock,
      everyMs: this.#tickMs,
      isFirstLater: true,
    });
  }

  /** The collector's word. */
  hear(frame: DeputyFrame | AllClearFrame): void {
    if (frame.kind === 'all_clear') {
      this.#unanswered = 0;
      this.#heard.push(frame);
      return;
    }
    this.#obstacle = frame.obstacle;
    const { place } = this.#state;
    if (place?.key === frame.place?.key && place?.rank === frame.place?.rank) return;
    this.#state = { ...this.#state, place: frame.place };
    if (place?.rank === frame.place?.rank) return;
    this.#options.log.info(
      { rank: frame.place?.rank ?? null },
      'whether this agent speaks for a silent collector changed',
    );
  }

  /** What it would keep of this life. */
  get state(): FallbackState {
    return this.#state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
    // Whoever leaves while all is well leaves its place too; in an outage it takes it along into its next life.
    if (this.#uplink !== undefined && this.#contact(this.#uplink).kind === 'working')
      this.#state = { ...this.#state, place: null };
    await this.#note();
  }

  /** Never rejects. */
  async #tick(uplink: FallbackUplink, stopping: AbortSignal): Promise<void> {
    const { clock, afterMs } = this.#options;
    const nowMs = clock.monotonicMs();
    // A process that did not run did not listen either.
    const elapsedMs = Math.min(nowMs - this.#tickedAtMs, 2 * this.#tickMs);
    this.#tickedAtMs = nowMs;
    for (const frame of this.#heard.splice(0)) this.#state = answered(this.#state, frame);
    const contact = this.#contact(uplink);
    this.#state = pass(this.#state, { contact, elapsedMs, nowMs: clock.wallMs() });
    await this.#noteWhatChanged();
    await this.#take(decide(this.#state, contact, { afterMs }), { uplink, stopping });
    await this.#noteWhatChanged();
  }

  #contact(uplink: FallbackUplink): Contact {
    const { connected, isUnwanted, lastError } = uplink.state();
    if (!connected) this.#obstacle = null;
    if (connected && this.#obstacle !== null) return { kind: 'hindered', reason: this.#obstacle };
    if (connected || isUnwanted) return { kind: connected ? 'working' : 'unwanted' };
    return { kind: 'unreachable', reason: lastError };
  }

  async #take(step: Step, { uplink, stopping }: { uplink: FallbackUplink; stopping: AbortSignal }): Promise<void> {
    if (step.kind !== 'report') this.#reportedAtMs = null;
    switch (step.kind) {
      case 'rest':
        if (step.why !== 'told') this.#attempts = 0;
        return;
      case 'forget':
        this.#state = { ...this.#state, told: null };
        return;
      case 'report':
        return this.#report(uplink, step);
      case 'tell':
        if (this.#mayPost && !(await this.#isBack(uplink, stopping))) await this.#tell(step, stopping);
        return;
      case 'clear':
        if (this.#mayPost) await this.#clear(stopping);
    }
  }

  /** A network that comes back brings the collector too: it is asked once more before anybody is told. */
  async #isBack(uplink: FallbackUplink, stopping: AbortSignal): Promise<boolean> {
    if (this.#contact(uplink).kind === 'unreachable') await uplink.tryAll(stopping);
    const { kind } = this.#contact(uplink);
    return kind === 'working' || kind === 'unwanted';
  }

  async #tell(step: Extract<Step, { kind: 'tell' }>, stopping: AbortSignal): Promise<void> {
    const { key, rank, cause } = step;
    const { clock, crashPoint, log } = this.#options;
    if (stopping.aborted) return;
    const since = this.#state.told?.since ?? this.#state.aloneSince ?? toInstant(clock.wallMs());
    const told: Told = { key, rank, since, cause, arrived: 'perhaps', end: 'open' };
    const hadArrived = this.#state.told?.arrived ?? 'no';
    this.#state = { ...this.#state, told };
    // On a disk that takes nothing people are told all the same: a repeat under the same id is less than silence.
    await this.#note();
    crashPoint?.('fallback_noted');
    const outcome = await this.#post(told, 'fired', stopping);
    crashPoint?.('fallback_posted');
    if (outcome.kind === 'done')
      log.warn({ rank, since, cause: cause.kind }, 'told people that the collector is silent');
    const isUnsent = outcome.kind === 'failed' && !outcome.mayHaveArrived && hadArrived === 'no';
    const arrived = outcome.kind === 'done' ? 'yes' : isUnsent ? 'no' : 'perhaps';
    this.#state = { ...this.#state, told: { ...told, arrived } };
    this.#settle(outcome);
  }

  async #clear(stopping: AbortSignal): Promise<void> {
    const { told } = this.#state;
    const { crashPoint, log } = this.#options;
    if (told === null || stopping.aborted) return;
    const outcome = await this.#post(told, 'resolved', stopping);
    crashPoint?.('all_clear_posted');
    if (outcome.kind === 'done') {
      this.#state = { ...this.#state, told: { ...told, end: 'told' } };
      log.info({ since: told.since }, 'told people that the collector is back');
    }
    this.#settle(outcome);
  }

  async #post(told: Told, transition: 'fired' | 'resolved', signal: AbortSignal): Promise<PostOutcome> {
    const { webhook, secret, node, collectorUrls, clock, log } = this.#options;
    const unsent = await this.#options.unsent().catch((error: unknown): Unsent => {
      log.warn({ err: error }, 'what waits for the collector could not be counted');
      return { records: 0, taskFailures: 0, isCounted: false };
    });
    const at = clock.wallMs();
    const parts = { told, node, collectorUrls, unsent, atMs: at };
    const body = transition === 'fired' ? silentMessage(parts) : backMessage(parts);
    const keys = secret === undefined ? [] : [keyOf(secret)];
    const headers = signatureHeaders({ id: messageId(told.key, transition), at, body, keys });
    return post({ url: webhook, body, headers, timeoutMs: postTimeoutMs, signal });
  }

  get #mayPost(): boolean {
    return this.#options.clock.monotonicMs() >= this.#nextPostAtMs;
  }

  #settle(outcome: PostOutcome): void {
    if (outcome.kind === 'done') {
      this.#attempts = 0;
      this.#nextPostAtMs = 0;
      return;
    }
    if (this.#attempts === 0) this.#options.log.warn({ reason: outcome.reason }, 'fallback.webhook is not reached');
    const waitMs = 1000 + backoffMs(this.#attempts++, { baseMs: 5000, capMs: 5 * 60_000 });
    this.#nextPostAtMs = this.#options.clock.monotonicMs() + waitMs;
  }

  #report(uplink: FallbackUplink, { key, transition }: Extract<Step, { kind: 'report' }>): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#reportedAtMs !== null && nowMs - this.#reportedAtMs < reportEveryMs) return;
    this.#reportedAtMs = nowMs;
    if (this.#unanswered++ < unansweredMax) return uplink.say({ kind: 'fallback', key, transition });
    this.#unanswered = 0;
    const { told } = this.#state;
    const isOver = transition === 'resolved' || told === null;
    this.#state = { ...this.#state, told: isOver ? null : { ...told, end: 'ours' } };
  }

  /** What the next life must know at once; how time goes by, once a minute and of deputies only. */
  async #noteWhatChanged(): Promise<void> {
    const { place, told, aloneSince } = this.#state;
    const isNews = place !== this.#noted.place || told !== this.#noted.told;
    const concerns = place !== null || told !== null;
    const hasBegun = concerns && (aloneSince === null) !== (this.#noted.aloneSince === null);
    const isLate = concerns && this.#options.clock.monotonicMs() - this.#notedAtMs >= noteEveryMs;
    if (isNews || hasBegun || isLate) await this.#note();
  }

  /** Never rejects: what could not be written is tried again with the next tick. */
  async #note(): Promise<void> {
    const state = this.#state;
    this.#notedAtMs = this.#options.clock.monotonicMs();
    try {
      await this.#options.kept.save(textOf(state));
      this.#noted = state;
      this.#isNoteFailing = false;
    } catch (error) {
      if (!this.#isNoteFailing)
        this.#options.log.warn({ err: error }, 'what this agent does for a silent collector could not be noted');
      this.#isNoteFailing = true;
    }
  }
}
