import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database, Queries } from '../db/database.ts';
import type { DeliveryOutcome, Notifier, Rate } from '../notifiers/notifier.ts';
import { collapseOld, collapseOntoLast } from './collapse-store.ts';
import { logAttempt } from './delivery-log.ts';
import type { Keeper } from './outbox.ts';
import { Queue, type ReceiverState } from './queue.ts';
import { type Settlement, settle } from './schedule.ts';
import {
  type Claimed,
  claimDue,
  giveUpOnOthers,
  listAttemptEnds,
  listDueTargets,
  listGivenUp,
  makeDue,
  releaseClaims,
  settleClaim,
} from './store.ts';

/** Where a process can die between a promise and its settlement; told as they are passed, for tests that die there. */
export type DeliveryStep = 'before-send' | 'sent';

export interface DelivererOptions {
  readonly db: Database;
  /** By receiver. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** For receivers that are a subscription's own target, `<kind>:<subscription>`. */
  readonly targets?: Targets;
  readonly clock: Clock;
  readonly log: Logger;
  /** No other collector works on this database, so claims left behind at the start are of a dead process. */
  readonly isAlone: boolean;
  readonly onDelivered?: (latencyMs: number) => void;
  readonly onFailed?: (outcome: 'retry' | 'refused') => void;
  readonly onStep?: (step: DeliveryStep, notificationId: string) => void;
  readonly tickMs?: number;
  /** How many a receiver gets at most; what is not here gets the default. */
  readonly rates?: ReadonlyMap<string, Rate>;
  /** Attempts at once to one receiver. */
  readonly concurrency?: number;
  readonly leaseMs?: number;
}

export interface Targets {
  /** Whether there may be any. */
  readonly areThere: () => boolean;
  /** Null: there is no such target any more. */
  readonly open: (receiver: string) => Promise<Notifier | null>;
}

const orphanCheckMs = 60_000;
const idleTargetMs = 60_000;
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
  readonly #queues = new Map<string, Queue>();
  readonly #stopping = new AbortController();
  readonly #breakOff = new AbortController();
  readonly #work = new Set<Promise<unknown>>();
  readonly #waiters = new Map<string, (outcome: DeliveryOutcome) => void>();
  #loop: Promise<void> | undefined;
  /** Started, and claims of a dead process are ended: from here on a claim is one of ours. */
  #isReady = false;
  #wake: () => void = () => {};
  #wasNudged = false;
  #lastOrphanCheckAt = Number.NEGATIVE_INFINITY;
  #databaseFailure: string | null = null;

  constructor(options: DelivererOptions) {
    this.#options = options;
    // One listener for every attempt under way, and for everyone who waits for a test.
    setMaxListeners(0, this.#breakOff.signal, this.#stopping.signal);
    for (const [receiver, notifier] of options.notifiers)
      this.#queues.set(receiver, new Queue(receiver, { notifier, rate: options.rates?.get(receiver) }));
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something was promised. */
  nudge(): void {
    this.#wasNudged = true;
    this.#wake();
  }

  /**
   * Claims inside a transaction that promises, so that the first attempt follows its commit without asking the database again.
   * Where a queue is at it already, has no room or may not yet, that is left to a nudge after the commit.
   */
  keeper(): Keeper {
    const held = new Map<Queue, Claimed[]>();
    let mustLook = false;
    const letGo = (queue: Queue) => {
      queue.isFilling = false;
      if (queue.askedAgain) this.#track(this.#fill(queue));
    };
    return {
      claim: async (tx, receiver) => {
        const queue = this.#queueOf(receiver);
        if (queue === undefined) return;
        const room = this.#isReady && !queue.isFilling ? this.#roomOf(queue) : 0;
        mustLook ||= room === 0;
        if (room === 0) return;
        queue.isFilling = true;
        held.set(queue, []);
        held.set(queue, await this.#claim(tx, queue, room));
      },
      committed: () => {
        for (const [queue, claimed] of held) {
          this.#attemptAll(queue, claimed);
          mustLook ||= claimed.length === 0;
          letGo(queue);
        }
        if (mustLook) this.nudge();
      },
      rolledBack: () => {
        for (const [queue, claimed] of held) {
          queue.pace.withdraw(claimed.length);
          letGo(queue);
        }
      },
    };
  }

  /** How every configured receiver fares, and the targets at work. */
  states(): ReceiverState[] {
    const now = this.#options.clock.wallMs();
    return [...this.#queues.values()].map((queue) => queue.state(now));
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
    this.nudge();
    await this.#loop;
    const timer = setTimeout(() => this.#breakOff.abort(), stopGraceMs);
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    clearTimeout(timer);
    for (const { isTarget, notifier } of this.#queues.values()) if (isTarget) await notifier?.[Symbol.asyncDispose]();
  }

  /** Undefined for a receiver that is neither configured nor a target. */
  #queueOf(receiver: string): Queue | undefined {
    const known = this.#queues.get(receiver);
    if (known !== undefined || this.#options.targets === undefined || !receiver.includes(':')) return known;
    const queue = new Queue(receiver, { notifier: null });
    this.#queues.set(receiver, queue);
    return queue;
  }

  async #run(): Promise<void> {
    const { clock, tickMs = 1000 } = this.#options;
    await this.#guarded(async () => {
      await this.#rememberAttempts();
      if (this.#options.isAlone) await releaseClaims(this.#options.db.drizzle);
      for (const receiver of await listGivenUp(this.#options.db.drizzle)) {
        const queue = this.#queues.get(receiver);
        if (queue !== undefined) queue.hasGivenUp = true;
      }
    });
    await this.#giveUpOnOrphans();
    this.#isReady = true;
    while (!this.#stopping.signal.aborted) {
      this.#wasNudged = false;
      // Before anything of it is claimed.
      await this.#giveUpOnOrphans();
      for (const queue of this.#queues.values()) if (!queue.isTarget) this.#track(this.#fill(queue));
      if (this.#options.targets?.areThere() === true) this.#track(this.#fillTargets());
      if (this.#wasNudged) continue;
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      await clock.sleep(tickMs, waking.signal);
    }
  }

  /** A restart is no reason to send a receiver more than its rate. What a dead process had claimed may have gone out just now. */
  async #rememberAttempts(): Promise<void> {
    const { db, clock, rates = new Map<string, Rate>(), isAlone } = this.#options;
    const now = clock.wallMs();
    const since = new Date(now - Math.max(0, ...[...rates.values()].map(({ perMs }) => perMs)));
    const receivers = [...rates.keys()];
    if (receivers.length === 0) return;
    const attempts = await listAttemptEnds(db.drizzle, { receivers, since, withClaimed: isAlone });
    for (const receiver of receivers) {
      const own = attempts.filter((attempt) => attempt.receiver === receiver);
      const agesMs = own.map(({ endedAt }) => Math.max(0, now - (endedAt ?? now)));
      this.#queues.get(receiver)?.pace.remember(agesMs.map((ageMs) => clock.monotonicMs() - ageMs));
    }
  }

  /** Only targets that something is due for have a queue, and are asked about. */
  async #fillTargets(): Promise<void> {
    const { db, clock } = this.#options;
    await this.#guarded(async () => {
      for (const receiver of await listDueTargets(db.drizzle, new Date(clock.wallMs()))) {
        const queue = this.#queueOf(receiver);
        if (queue !== undefined) this.#track(this.#fill(queue));
      }
    });
  }

  async #closeIdleTargets(): Promise<void> {
    const idleSince = this.#options.clock.monotonicMs() - idleTargetMs;
    for (const { receiver, isTarget, inFlight, isFilling, usedAt, notifier, circuit } of this.#queues.values()) {
      if (!isTarget || inFlight > 0 || isFilling || usedAt > idleSince || circuit.openUntil !== null) continue;
      this.#queues.delete(receiver);
      await notifier?.[Symbol.asyncDispose]();
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
    const room = this.#roomOf(queue);
    if (room > 0) this.#attemptAll(queue, await this.#claim(this.#options.db.drizzle, queue, room));
  }

  #roomOf(queue: Queue): number {
    const { clock, concurrency = 8 } = this.#options;
    if (this.#stopping.signal.aborted) return 0;
    return queue.room(concurrency, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
  }

  async #claim(queries: Queries, { receiver, pace, notifier }: Queue, limit: number): Promise<Claimed[]> {
    const now = new Date(this.#options.clock.wallMs());
    const keepsThreads = notifier?.keepsThreads === true || notifier?.mirrors === 'incident';
    const claimant = this.#claimant;
    const claimed = await claimDue(queries, { receiver, limit, keepsThreads, claimant, now, leaseMs: this.#leaseMs });
    pace.begin(claimed.length);
    return claimed;
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? 30_000;
  }

  #attemptAll(queue: Queue, claimed: readonly Claimed[]): void {
    for (const one of claimed) {
      queue.inFlight += 1;
      this.#track(
        this.#attempt(queue, one).finally(() => {
          queue.inFlight -= 1;
          queue.pace.end(this.#options.clock.monotonicMs());
          this.#track(this.#fill(queue));
        }),
      );
    }
  }

  async #attempt(queue: Queue, head: Claimed): Promise<void> {
    const { clock, onStep } = this.#options;
    const startedAt = clock.monotonicMs();
    const at = new Date(clock.wallMs());
    const claimed = await this.#lastWord(head);
    if (claimed === null) return;
    onStep?.('before-send', claimed.id);
    const outcome = await this.#send(queue, claimed);
    onStep?.('sent', claimed.id);
    const now = clock.wallMs();
    const isBrokenOff = this.#breakOff.signal.aborted && outcome.outcome === 'retry';
    const settlement: Settlement = isBrokenOff
      ? { state: 'pending', nextAttemptAt: now, error: outcome.error }
      : settle(outcome, claimed, { now });
    const isBack = !isBrokenOff && queue.heard(outcome, { startedAt: at.getTime(), now });
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
    if (isBack) await this.#guarded(() => makeDue(this.#options.db.drizzle, queue.receiver, new Date(now)));
    this.#waiters.get(claimed.id)?.(outcome);
  }

  /** What there is to say by now of what was claimed. Null: nothing, or the database fails, and it is claimed again after the lease. */
  async #lastWord(claimed: Claimed): Promise<Claimed | null> {
    if (!claimed.isLate) return claimed;
    const { db, clock } = this.#options;
    const now = new Date(clock.wallMs());
    try {
      return await collapseOntoLast(db, { claimed, claimant: this.#claimant, now, leaseMs: this.#leaseMs });
    } catch (error) {
      this.#databaseTrouble(error);
      return null;
    }
  }

  async #send(queue: Queue, claimed: Claimed): Promise<DeliveryOutcome> {
    queue.usedAt = this.#options.clock.monotonicMs();
    try {
      queue.notifier ??= (await this.#options.targets?.open(queue.receiver)) ?? null;
      if (queue.notifier === null) return { outcome: 'refused', error: 'its subscription and target are gone' };
      return await queue.notifier.deliver(claimed.body, { signal: this.#breakOff.signal, thread: claimed.thread });
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

  #report(queue: Queue, attempted: Parameters<typeof logAttempt>[2] & { readonly now: number }): void {
    const { log, onDelivered, onFailed } = this.#options;
    const { claimed, outcome, settlement, now } = attempted;
    logAttempt(log, queue, attempted);
    if (outcome.outcome === 'delivered') {
      onDelivered?.(Math.max(0, now - claimed.createdAt));
      queue.lastError = null;
      queue.hasGivenUp = false;
      return;
    }
    onFailed?.(outcome.outcome);
    queue.lastError = outcome.error;
    if (settlement.state === 'dead' && !claimed.isTest) queue.hasGivenUp = true;
  }

  async #giveUpOnOrphans(): Promise<void> {
    const { db, clock, log } = this.#options;
    if (clock.monotonicMs() - this.#lastOrphanCheckAt < orphanCheckMs) return;
    this.#lastOrphanCheckAt = clock.monotonicMs();
    await this.#guarded(async () => {
      await this.#closeIdleTargets();
      const receivers = [...this.#options.notifiers.keys()];
      for (const { id, receiver } of await giveUpOnOthers(db.drizzle, { receivers, now: new Date(clock.wallMs()) })) {
        log.error(
          { notification_id: id, receiver },
          'a notification was given up: its receiver is no longer configured',
        );
      }
      for (const { receiver, count } of await collapseOld(db, new Date(clock.wallMs()))) {
        log.error({ receiver, count }, 'notifications that could not be delivered for 72 hours are told as a sum');
        const queue = this.#queues.get(receiver);
        if (queue !== undefined) queue.hasGivenUp = true;
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
