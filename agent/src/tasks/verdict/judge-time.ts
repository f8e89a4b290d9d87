import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { describeExit, type ExitStatus } from './exit-status.ts';
import type { Finding } from './finding.ts';
import type { RunFacts } from './run-facts.ts';

/** Of its limit; a run that ended sooner did not run into it. */
const nearLimit = 0.9;

/** Did its time run out? */
export function outOfTime({ run, unit, startedAt, endedAt }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (run?.timedOut) {
    const limit = run.timeoutMs === null ? '' : ` of ${formatDuration(run.timeoutMs)}`;
    return timedOut(`Stopped at its time limit${limit}.`, 'proven');
  }
  if (unit?.result !== 'timeout' || unit.stopJob === true) return null;
  const limitMs = unit.runtimeMaxMs;
  const ranMs = startedAt === null ? null : endedAt - startedAt;
  if (limitMs !== null && ranMs !== null && ranMs >= limitMs * nearLimit)
    return timedOut(`Stopped by systemd at its time limit of ${formatDuration(limitMs)}.`, 'proven');
  const how = exit === null ? '' : ` (${describeExit(exit)})`;
  // systemd says `timeout` also when a stop took too long; whether one was asked for is not always known.
  return timedOut(
    `Stopped by systemd because a time limit ran out${how}.`,
    unit.stopJob === false ? 'proven' : 'likely',
  );
}

function timedOut(summary: string, confidence: Finding['confidence']): Finding {
  return { status: 'timed_out', cause: 'timeout', confidence, summary };
}
