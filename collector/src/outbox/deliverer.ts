import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { DeliveryOutcome, Notifier } from '../notifiers/notifier.ts';
import { type Attempted, type Settlement, settle } from './schedule.ts';
import { type Claimed, claimDue, giveUpOnOthers, releaseClaims, settleClaim } from './store.ts';

/** Where a process can die between a promise and its settlement; told as they are passed, for tests that die there. */
export type DeliveryStep = 'before-send' | 'sent';

export interface DelivererOptions {
  readonly db: Database;
  /** By receiver. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly clock: Clock;
  readonly log: Logger;
  /** No other collector works on this database, so claims left behind at the start are of a dead process. */
  readonly isAlone: boolean;
  readonly onDelivered?: (latencyMs: number) => void;
  readonly onFailed?: (outcome: 'retry' | 'refused') => void;
  readonly onStep?: (step: DeliveryStep, notificationId: string) => void;
  readonly tickMs?: number;
  /** Attempts at once to one receiver. */
  readonly concurrency?: number;
  readonly leaseMs?: number;
}

/** One receiver's own queue: what happens to it delays nobody else. */
interface Queue {
  readonly receiver: string;
  readonly notifier: Notifier;
  inFlight: number;
  isFilling: boolean;
  askedAgain: boolean;
  /** The receiver asked to be left alone until then (epoch ms). */
  pausedUntil: number;
  lastError: string | null;
}

const orphanCheckMs = 60_000;
/** What attempts under way get at a stop before they are broken off. */
const stopGraceMs = 3000;

/**
 * Keeps promises: claims what is due per receiver, asks the receiver's notifier, settles. A nudge makes it look at once;
 * the tick is what it relies on. A death after the sending and before the settlement ends the claim by its lease, and the same
 * notification goes out again under the same id.
 */
export class Deliverer implements AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #claimant = randomUUID();
  readonly #queues: readonly Queue[];
  readonly #stopping = new AbortController();
  readonly #breakOff = new AbortController();
  readonly #work = new Set<Promise<unknown>>();
  readonly #waiters = new Map<string, (outcome: DeliveryOutcome) => void>();
  #loop: Promise<void> | undefined;
  #wake: () => void = () => {};
  #wasNudged = false;
  #lastOrphanCheckAt = Number.NEGATIVE_INFINITY;
  #databaseFailure: string | null = null;

  constructor(options: DelivererOptions) {
    this.#options = options;
    // One listener for every attempt under way, and for everyone who waits for a test.
    setMaxListeners(0, this.#breakOff.signal, this.#stopping.signal);
    this.#queues = [...options.notifiers].map(([receiver, notifier]) => ({
      receiver,
      notifier,
      inFlight: 0,
      isFilling: false,
      askedAgain: false,
      pausedUntil: 0,
      lastError: null,
    }));
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something was promised. */
  nudge(): void {
    this.#wasNudged = true;
    this.#wake();
  }

  /** The outcome of the next attempt at this notification; null when none ends within the time. */
  nextOutcome(notificationId: string, timeoutMs: number): Promise<DeliveryOutcome | null> {
    return new Promise((resolve) => {
      const done = (outcome: DeliveryOutcome | null) => {
        clearTimeout(timer);
        this.#waiters.delete(notificationId);
        this.#stopping.signal.removeEventListener('abort', onStop);
        resolve(outcome);
      };
      const onStop = () => done(null);
      const timer = setTimeout(() => done(null), timeoutMs);
      this.#waiters.set(notificationId, done);
      this.#stopping.signal.addEventListener('abort', onStop, { once: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#loop;
    const timer = setTimeout(() => this.#breakOff.abort(), stopGraceMs);
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { clock, tickMs = 1000 } = this.#options;
    await this.#guarded(async () => {
      if (this.#options.isAlone) await releaseClaims(this.#options.db.drizzle);
    });
    while (!this.#stopping.signal.aborted) {
      this.#wasNudged = false;
      for (const queue of this.#queues) this.#track(this.#fill(queue));
      this.#track(this.#giveUpOnOrphans());
      if (this.#wasNudged) continue;
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      await clock.sleep(tickMs, waking.signal);
    }
  }

  /** Claims for one queue as long as there is room and something due. */
  async #fill(queue: Queue): Promise<void> {
    if (queue.isFilling) {
      queue.askedAgain = true;
      return;
    }
    queue.isFilling = true;
    try {
      do {
        queue.askedAgain = false;
        await this.#guarded(() => this.#claimInto(queue));
      } while (queue.askedAgain && !this.#stopping.signal.aborted);
    } finally {
      queue.isFilling = false;
    }
  }

  async #claimInto(queue: Queue): Promise<void> {
    const { db, clock, concurrency = 8, leaseMs = 30_000 } = this.#options;
    const now = clock.wallMs();
    const room = concurrency - queue.inFlight;
    const isWorthIt = queue.inFlight === 0 || room >= concurrency / 2;
    if (!isWorthIt || now < queue.pausedUntil || this.#stopping.signal.aborted) return;
    const claimed = await claimDue(db, {
      receiver: queue.receiver,
      limit: room,
      claimant: this.#claimant,
      now: new Date(now),
      leaseMs,
    });
    for (const one of claimed) {
      queue.inFlight += 1;
      this.#track(
        this.#attempt(queue, one).finally(() => {
          queue.inFlight -= 1;
          this.#track(this.#fill(queue));
        }),
      );
    }
  }

  async #attempt(queue: Queue, claimed: Claimed): Promise<void> {
    const { clock, onStep } = this.#options;
    const startedAt = clock.monotonicMs();
    const at = new Date(clock.wallMs());
    onStep?.('before-send', claimed.id);
    const outcome = await this.#send(queue, claimed);
    onStep?.('sent', claimed.id);
    const now = clock.wallMs();
    const isBrokenOff = this.#breakOff.signal.aborted && outcome.outcome === 'retry';
    const settlement: Settlement = isBrokenOff
      ? { state: 'pending', nextAttemptAt: now, error: outcome.error }
      : settle(outcome, attempted(claimed), { now });
    if (outcome.outcome === 'retry' && outcome.afterMs !== undefined) queue.pausedUntil = now + outcome.afterMs;
    const isSettled = await this.#settle({
      claimed,
      claimant: this.#claimant,
      outcome,
      settlement,
      at,
      durationMs: clock.monotonicMs() - startedAt,
      now: new Date(now),
    });
    this.#report(queue, { claimed, outcome, settlement, now });
    if (!isSettled)
      this.#options.log.warn(
        { notification_id: claimed.id, receiver: queue.receiver },
        'a delivery could not be settled and may be repeated',
      );
    this.#waiters.get(claimed.id)?.(outcome);
  }

  async #send(queue: Queue, claimed: Claimed): Promise<DeliveryOutcome> {
    try {
      return await queue.notifier.deliver(claimed.body, { signal: this.#breakOff.signal });
    } catch (error) {
      this.#options.log.error({ err: error, receiver: queue.receiver }, 'a notifier broke its promise never to reject');
      return { outcome: 'retry', error: 'the notifier failed' };
    }
  }

  /** A sent message that is not marked goes out again, so marking is tried a few times before that is left to the lease. */
  async #settle(attempt: Parameters<typeof settleClaim>[1]): Promise<boolean> {
    for (const waitMs of [100, 500, 2000, 0]) {
      try {
        return await settleClaim(this.#options.db, attempt);
      } catch (error) {
        if (waitMs === 0) this.#databaseTrouble(error);
        else await this.#options.clock.sleep(waitMs, this.#breakOff.signal);
      }
    }
    return false;
  }

  #report(
    queue: Queue,
    {
      claimed,
      outcome,
      settlement,
      now,
    }: { claimed: Claimed; outcome: DeliveryOutcome; settlement: Settlement; now: number },
  ): void {
    const { log, onDelivered, onFailed } = this.#options;
    const facts = {
      receiver: queue.receiver,
      notification_id: claimed.id,
      type: claimed.body.type,
      attempt: claimed.attempts + 1,
    };
    if (outcome.outcome === 'delivered') {
      onDelivered?.(Math.max(0, now - claimed.createdAt));
      if (queue.lastError !== null) log.info(facts, 'the receiver takes notifications again');
      queue.lastError = null;
      return;
    }
    onFailed?.(outcome.outcome);
    const failure = { ...facts, error: outcome.error, http_status: outcome.httpStatus ?? null };
    if (settlement.state === 'dead')
      log.error(failure, 'a notification was given up; POST /api/v1/deliveries/<id>/retry sends it again');
    else if (queue.lastError !== outcome.error)
      log.warn(failure, 'a notification could not be delivered; it is tried again');
    queue.lastError = outcome.error;
  }

  async #giveUpOnOrphans(): Promise<void> {
    const { db, clock, log } = this.#options;
    if (clock.monotonicMs() - this.#lastOrphanCheckAt < orphanCheckMs) return;
    this.#lastOrphanCheckAt = clock.monotonicMs();
    await this.#guarded(async () => {
      const receivers = this.#queues.map(({ receiver }) => receiver);
      for (const { id, receiver } of await giveUpOnOthers(db.drizzle, { receivers, now: new Date(clock.wallMs()) })) {
        log.error(
          { notification_id: id, receiver },
          'a notification was given up: its receiver is no longer configured',
        );
      }
    });
  }

  /** The loop outlives the database: what fails is said once and tried again at the next tick. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#databaseFailure !== null) this.#options.log.info('the outbox reads its database again');
      this.#databaseFailure = null;
    } catch (error) {
      this.#databaseTrouble(error);
    }
  }

  #databaseTrouble(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#databaseFailure !== message)
      this.#options.log.error({ err: error }, 'the outbox cannot use its database; it tries again');
    this.#databaseFailure = message;
  }

  #track(work: Promise<unknown>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }
}

function attempted({ attempts, createdAt, isTest }: Claimed): Attempted {
  return { attempts, createdAt, isTest };
}
