import type { ResourceParts } from '@runnerwatch/collector/api/resources.ts';
import type { Database } from '@runnerwatch/collector/db/database.ts';
import { createTargetKinds, refuseTarget, type TargetKinds } from '@runnerwatch/collector/notifiers/targets.ts';
import { LivePolicy } from '@runnerwatch/collector/routing/live-policy.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';

/** What the routes of subscriptions and silences need, as the assembly gives it; the policy is that of an empty file. */
export function routingParts(
  db: Database,
  {
    policy = new LivePolicy({
      base: { enabled: true, subscriptions: [], receivers: new Set(['log']), silences: [] },
      db,
      clock: systemClock,
      log: pino({ level: 'silent' }),
      isAlone: true,
    }),
    allowedCidrs = ['127.0.0.0/8'],
    targetKinds,
    now = Date.now,
    onEnded = () => undefined,
  }: {
    policy?: LivePolicy;
    allowedCidrs?: readonly string[];
    /** Unset: those of a collector without a mail server. */
    targetKinds?: TargetKinds;
    now?: () => number;
    onEnded?: (undrained: string | null) => void;
  } = {},
): Pick<ResourceParts, 'subscriptions' | 'silences'> {
  const system = { env: {}, kill: (pid: number, signal: string) => process.kill(pid, signal) };
  const deps = { log: pino({ level: 'silent' }), clock: systemClock, hostname: 'collector-1', system };
  const kinds = targetKinds ?? createTargetKinds(deps, { allowed_cidrs: allowedCidrs });
  return {
    subscriptions: { db, policy, now, refuseTarget: (type, address) => refuseTarget(kinds, type, address) },
    silences: { db, policy, now, onEnded },
  };
}
