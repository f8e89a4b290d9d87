import type { Judgment } from './condition.ts';

/** Without an answer for this long, a receiver is told of before anything to it is given up. */
const silentMs = 15 * 60_000;

export interface DeliverySight {
  readonly receiver: string;
  /** Something to it was given up, and it has taken nothing since. */
  readonly hasGivenUp: boolean;
  /** The first of its failures in a row (epoch ms); null when it answers. */
  readonly failingSince: number | null;
  readonly lastError: string | null;
}

/** DeliveryFailed: somebody is not told what they asked for, because their receiver does not take it. */
export function judgeDelivery({ receiver, hasGivenUp, failingSince, lastError }: DeliverySight, now: number): Judgment {
  const isSilent = failingSince !== null && now - failingSince >= silentMs;
  const why = lastError === null ? '' : `: ${lastError}`;
  return {
    condition: 'DeliveryFailed',
    component: 'collector',
    subject: receiver,
    status: hasGivenUp || isSilent ? 'true' : 'false',
    severity: 'critical',
    reason: hasGivenUp
      ? `notifications to ${receiver} were given up${why}`
      : isSilent
        ? `${receiver} has taken nothing for ${silentMs / 60_000} minutes${why}`
        : `${receiver} takes notifications`,
    value: null,
    threshold: null,
    since: isSilent ? failingSince : now,
  };
}
