import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { hadOom, isUnexplainedKill, type Run } from './run.ts';

/**
 * How long an end waits for the other witness of it, by what is still missing. The kernel speaks within a millisecond; on a
 * node that is out of breath it takes longer, and `unknown` is a poor answer where a moment's patience has a proven one.
 */
export const waitMs = { exit: 800, journal: 400, kernelLog: 800, output: 1500, stopJob: 2000 } as const;

/** Waits; once more when the agent stood still meanwhile: timers run before what arrived in that time is heard. */
export async function wait(forMs: number, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  const beganMs = clock.monotonicMs();
  await clock.sleep(forMs, signal);
  const stoodStill = clock.monotonicMs() - beganMs > forMs + lateMs;
  if (stoodStill && !signal.aborted) await clock.sleep(forMs, signal);
}

const lateMs = 1000;

/** The witness of an end that should still speak. */
export function missingWitness(run: Run, isSeeing: LedgerOptions['isSeeing']): keyof typeof waitMs | null {
  // The kernel's log says whose memory had run out: the task's own limit, or the node's.
  const isKernelAsked = hadOom(run) || isUnexplainedKill(run);
  if (isKernelAsked && run.kernelOom === null && isSeeing('journal') && !isFoundLater(run)) return 'kernelLog';
  if (run.source !== 'systemd') return null;
  if (run.unitEnded === null && isSeeing('systemd') && !run.journalEnded?.approximate) return 'journal';
  if (isStopUnsure(run) && run.journalEnded === null && isSeeing('journal')) return 'stopJob';
  // A service's last lines are in the journal before systemd's own word about its end.
  if (!run.isScope && run.journalEnded === null && isSeeing('journal')) return 'journal';
  const hasStatus = run.exit !== null || (run.unitEnded ?? run.journalEnded)?.execMain != null;
  return hasStatus || !isSeeing('process-exits') || run.journalEnded?.approximate === true ? null : 'exit';
}

/** A death by signal of a unit that was listed, not heard from its start on: who asked for it only the journal knows. */
function isStopUnsure({ unitEnded, exit }: Run): boolean {
  if (unitEnded === null || unitEnded.stopJob !== null) return false;
  return unitEnded.execMain === null
    ? exit?.waitStatus == null || (exit.waitStatus & 0x7f) !== 0
    : unitEnded.execMain.code !== 'exited';
}

/** Its end was read back afterwards: who would have more to say has said it. */
function isFoundLater({ journalEnded, containerEnded }: Run): boolean {
  return (
    journalEnded?.approximate === true || (containerEnded?.kind === 'container_ended' && containerEnded.approximate)
  );
}
