import type { Judgment } from './condition.ts';

const firesAboveMs = 30_000;
const clearsBelowMs = 15_000;

/**
 * ClockSkew: a node's clock is more than 30 s away from ours; over when it is within 15 s again.
 * Between the two levels it stays as it is. Liveness does not depend on it.
 */
export function judgeClockSkew(
  { skewMs, isFiring }: { skewMs: number | null; isFiring: boolean },
  now: number,
): Judgment {
  const judgment = {
    condition: 'ClockSkew',
    component: 'agent',
    subject: '',
    severity: 'warning',
    since: now,
  } as const;
  if (skewMs === null)
    return {
      ...judgment,
      status: 'unknown',
      reason: 'the clock of the node is not known',
      value: null,
      threshold: firesAboveMs,
    };
  const away = Math.abs(skewMs);
  const threshold = isFiring ? clearsBelowMs : firesAboveMs;
  const reason = `its clock is ${Math.round(away / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the collector's`;
  return { ...judgment, status: away > threshold ? 'true' : 'false', reason, value: away, threshold };
}
