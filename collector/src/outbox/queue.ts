import type { DeliveryOutcome, Notifier, Rate } from '../notifiers/notifier.ts';
import { Circuit } from './circuit.ts';
import { Pace } from './pace.ts';

/** How a receiver fares. Instants are epoch milliseconds. */
export interface ReceiverState {
  readonly receiver: string;
  /** It is a subscription's own, not of the configuration. */
  readonly isTarget: boolean;
  /** `paused`: left alone, by the circuit or at its own word, until `nextAttemptAt`. */
  readonly state: 'working' | 'failing' | 'paused';
  readonly inFlight: number;
  readonly failuresInRow: number;
  readonly failingSince: number | null;
  readonly nextAttemptAt: number | null;
  readonly lastError: string | null;
  /** Notifications to it were given up, and it has taken none since. */
  readonly hasGivenUp: boolean;
}

/** One receiver's own queue: what happens to it delays nobody else. */
export class Queue {
  readonly receiver: string;
  /** A target's queue is closed when nothing has been sent for a while. */
  readonly isTarget: boolean;
  /** A target's is opened at its first attempt. */
  notifier: Notifier | null;
  readonly circuit = new Circuit();
  readonly pace: Pace;
  usedAt = 0;
  inFlight = 0;
  isFilling = false;
  askedAgain = false;
  lastError: string | null = null;
  hasGivenUp = false;
  /** The receiver asked to be left alone until then (epoch ms). */
  #pausedUntil = 0;

  constructor(receiver: string, { notifier, rate }: { notifier: Notifier | null; rate?: Rate | undefined }) {
    this.receiver = receiver;
    this.notifier = notifier;
    this.isTarget = notifier === null;
    this.pace = new Pace(rate);
  }

  /** How many more may be attempted now; 0 also while a claim is not worth its statement. */
  room(concurrency: number, { wallMs, monotonicMs }: { wallMs: number; monotonicMs: number }): number {
    if (wallMs < this.#pausedUntil) return 0;
    const width = Math.min(concurrency, this.circuit.width(wallMs));
    const room = width - this.inFlight;
    const isWorth = this.inFlight === 0 || room >= width / 2;
    return isWorth ? Math.max(0, Math.min(room, this.pace.left(monotonicMs))) : 0;
  }

  /** @returns whether the receiver answers again after it was left alone. */
  heard(outcome: DeliveryOutcome, { startedAt, now }: { startedAt: number; now: number }): boolean {
    if (outcome.outcome === 'retry' && outcome.afterMs !== undefined) this.#pausedUntil = now + outcome.afterMs;
    // Who refuses, or has too many, is there.
    const isThere = outcome.outcome !== 'retry' || outcome.httpStatus === 429;
    if (isThere) return this.circuit.answered(now);
    this.circuit.failed(now, startedAt);
    return false;
  }

  state(now: number): ReceiverState {
    const until = Math.max(this.#pausedUntil, this.circuit.openUntil ?? 0);
    const isFailing = this.circuit.failures > 0 || this.lastError !== null;
    return {
      receiver: this.receiver,
      isTarget: this.isTarget,
      state: until > now ? 'paused' : isFailing ? 'failing' : 'working',
      inFlight: this.inFlight,
      failuresInRow: this.circuit.failures,
      failingSince: this.circuit.failingSince,
      nextAttemptAt: until > now ? until : null,
      lastError: this.lastError,
      hasGivenUp: this.hasGivenUp,
    };
  }
}
