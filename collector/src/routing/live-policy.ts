import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { isMatcherKey, type Matcher } from './matcher.ts';
import type { Silence } from './silence.ts';
import { loadRouting, readVersion, type SilenceRow, type StoredRouting, type SubscriptionRow } from './store.ts';
import { type Policy, type SubscribableEvent, type Subscription, stepsOf, subscribableEvents } from './subscription.ts';
import { createWindow, type DailyWindow, type WindowRule } from './window.ts';

export interface LivePolicyOptions {
  /** What the configuration file says; it comes first. */
  readonly base: Policy;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** No other collector works on this database, so nobody else changes it. */
  readonly isAlone: boolean;
  readonly everyMs?: number;
}

/** An expired subscription is asked for a day longer, so that `explain` can say that it has expired. */
const shownExpiredMs = 86_400_000;

/**
 * Who hears what at this moment: the file's subscriptions and those that people made, with every silence. A snapshot in memory,
 * replaced as a whole: by `refresh` after a change in this process, and by looking at the version of what is stored for the
 * changes of other collectors.
 */
export class LivePolicy implements AsyncDisposable {
  readonly #options: LivePolicyOptions;
  #policy: Policy;
  #version = -1;
  #refreshing: Promise<void> = Promise.resolve();
  #loop: AsyncDisposable | undefined;
  #isBlind = false;

  constructor(options: LivePolicyOptions) {
    this.#options = options;
    this.#policy = options.base;
  }

  /** What the configuration file says. */
  get base(): Policy {
    return this.#options.base;
  }

  current(): Policy {
    return this.#policy;
  }

  /** Whether anybody has a target of their own. */
  get hasTargets(): boolean {
    return this.#policy.receivers.size > this.#options.base.receivers.size;
  }

  /** Reads everything; rejects when the database fails it. */
  async start(): Promise<void> {
    await this.refresh();
    const { clock, isAlone, everyMs = 2000 } = this.#options;
    if (!isAlone) this.#loop ??= repeat(() => this.#look(), { clock, everyMs, isFirstLater: true });
  }

  /** What was stored before this call is in force when it resolves. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.catch(() => undefined).then(() => this.#load());
    return this.#refreshing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
  }

  async #load(): Promise<void> {
    const { db, base, clock } = this.#options;
    const now = clock.wallMs();
    const stored = await loadRouting(db.drizzle, new Date(now));
    this.#policy = combine(base, stored, { now, onUnusable: (id, error) => this.#complain(id, error) });
    this.#version = stored.version;
  }

  async #look(): Promise<void> {
    const { db, log } = this.#options;
    try {
      if ((await readVersion(db.drizzle)) !== this.#version) await this.refresh();
      if (this.#isBlind) log.info('subscriptions and silences are read again');
      this.#isBlind = false;
    } catch (error) {
      if (!this.#isBlind)
        log.warn({ err: error }, 'subscriptions and silences cannot be read; those known so far stay in force');
      this.#isBlind = true;
    }
  }

  #complain(id: string, error: unknown): void {
    this.#options.log.error({ err: error, id }, 'a stored subscription or silence cannot be used and is left out');
  }
}

function combine(
  base: Policy,
  { subscriptions, silences }: StoredRouting,
  { now, onUnusable }: { now: number; onUnusable: (id: string, error: unknown) => void },
): Policy {
  const usable = <Row extends { readonly id: string }, T>(rows: readonly Row[], read: (row: Row) => T) =>
    rows.flatMap((row) => {
      try {
        return [read(row)];
      } catch (error) {
        onUnusable(row.id, error);
        return [];
      }
    });
  const asked = subscriptions.filter(
    ({ deletedAt, expiresAt }) =>
      deletedAt === null && (expiresAt === null || expiresAt.getTime() > now - shownExpiredMs),
  );
  const own = subscriptions.flatMap(({ receiver, target }) => (target === null ? [] : [receiver]));
  return {
    ...base,
    subscriptions: [...base.subscriptions, ...usable(asked, (row) => toSubscription(row, base))],
    receivers: new Set([...base.receivers, ...own]),
    silences: usable(silences, toSilence),
  };
}

/** @throws RangeError for a time zone that this program does not know */
function toSubscription(row: SubscriptionRow, { groupWindowMs = 0 }: Policy): Subscription {
  return {
    name: row.id,
    matchers: toMatchers(row.matchers),
    events: row.events.filter(isEvent),
    receiver: row.receiver,
    renotifyIntervalMs: row.renotifyIntervalMs,
    // Who asks for each failure of a job, or counts them, is told each.
    groupWindowMs: row.groupWindowMs ?? (row.origin === 'api' && row.maxAlertsPerJob === null ? groupWindowMs : 0),
    ...(row.digestMs === null ? {} : { digestMs: row.digestMs }),
    ...(row.job === null ? {} : { job: { project: row.project, name: row.job } }),
    ...(row.maxAlertsPerJob === null ? {} : { maxAlertsPerJob: row.maxAlertsPerJob }),
    ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt.getTime() }),
    ...(row.quietHours === null ? {} : { quietHours: toWindow(row.quietHours) }),
    escalate: stepsOf((row.escalate ?? []).map(({ after_ms: afterMs, receiver }) => ({ afterMs, receiver }))),
  };
}

/** @throws RangeError for a time zone that this program does not know */
export function toSilence(
  row: Pick<SilenceRow, 'id' | 'author' | 'reason' | 'matchers' | 'startsAt' | 'endsAt' | 'recurrence' | 'origin'>,
): Silence {
  return {
    id: row.id,
    author: row.author,
    reason: row.reason,
    matchers: toMatchers(row.matchers),
    startsAt: row.startsAt.getTime(),
    endsAt: row.endsAt?.getTime() ?? null,
    window: row.recurrence === null ? null : toWindow(row.recurrence),
    ...(row.origin === 'drain' ? { isDrain: true } : {}),
  };
}

function toWindow(stored: NonNullable<SilenceRow['recurrence']>): DailyWindow {
  return createWindow(stored as WindowRule);
}

/** A key that this program does not know would fit everything or nothing: it is refused. */
function toMatchers(stored: SilenceRow['matchers']): Matcher[] {
  return stored.map(({ key, patterns }) => {
    if (!isMatcherKey(key)) throw new RangeError(`there is no matcher ${key}`);
    return { key, patterns };
  });
}

function isEvent(word: string): word is SubscribableEvent {
  return subscribableEvents.some((one) => one === word);
}
