import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';
import { judgeDelivery } from './conditions/delivery-failed.ts';
import type { ReceiverState } from './outbox/queue.ts';

export interface DeliveryWatchOptions {
  readonly states: () => readonly ReceiverState[];
  /** Receivers whose DeliveryFailed fires by what is stored. */
  readonly firing: () => Promise<readonly string[]>;
  readonly report: (reports: readonly ConditionReport[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Judges how the configured receivers fare, and says it when that changes, so that another of them tells it. A person's own target
 * is not among them: it is shown, and nobody else's business.
 */
export function startDeliveryWatch({
  states,
  firing,
  report,
  clock,
  log,
  everyMs = 2000,
}: DeliveryWatchOptions): AsyncDisposable {
  let told: Set<string> | null = null;
  let isEveryoneAway = false;

  const look = async () => {
    const known = told ?? new Set(await firing());
    const now = clock.wallMs();
    const receivers = states().filter(({ isTarget }) => !isTarget);
    const judged = receivers.map((state) => judgeDelivery(state, now));
    const gone = [...known].filter((receiver) => !receivers.some((one) => one.receiver === receiver));
    const changed = [
      ...judged.filter(({ subject, status }) => known.has(subject) !== (status === 'true')),
      ...gone.map((receiver) => ({
        ...judgeDelivery({ receiver, hasGivenUp: false, failingSince: null, lastError: null }, now),
        reason: `${receiver} is no longer configured`,
      })),
    ];
    await report(changed.map((judgment) => ({ ...judgment, since: toInstant(judgment.since) })));
    told = new Set(judged.filter(({ status }) => status === 'true').map(({ subject }) => subject));
    const away = areAllAway(receivers);
    if (away && !isEveryoneAway) log.error('no receiver takes notifications: nobody is told anything');
    if (!away && isEveryoneAway) log.info('a receiver takes notifications again');
    isEveryoneAway = away;
  };
  const round = () =>
    look().catch((error: unknown) =>
      log.warn({ err: error }, 'could not write down how receivers fare; it is said again'),
    );
  return repeat(round, { clock, everyMs });
}

/** Everyone who is to be told is beyond reach: no receiver of the configuration but the log takes anything. */
export function areAllAway(states: readonly ReceiverState[]): boolean {
  const people = states.filter(({ isTarget, receiver }) => !isTarget && receiver !== 'log');
  return people.length > 0 && people.every(isAway);
}

function isAway({ hasGivenUp, state, failuresInRow }: ReceiverState): boolean {
  return hasGivenUp || (state !== 'working' && failuresInRow > 0);
}
