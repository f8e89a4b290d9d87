import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { type ExitStatus, exitStatusOf, ownFaults, signalName } from './exit-status.ts';
import { hadOomKill, type RunFacts } from './run-facts.ts';

/** How the main process ended, by the best witness: its own parent first, then the kernel, then whoever took its core or its memory. */
export function exitOf(facts: RunFacts): ExitStatus | null {
  const { run, unit, process, container, coreDump, memory } = facts;
  // Whoever ended there was asked before the main process would have begun.
  if (isSkipped(unit)) return null;
  if (run?.waitStatus != null) return exitStatusOf(run.waitStatus);
  if (unit?.execMain) {
    const { code, status } = unit.execMain;
    if (code === 'exited') return { kind: 'code', code: status };
    return { kind: 'signal', signal: signalName(status), coreDumped: code === 'dumped' };
  }
  if (container) return exitOfContainer(facts);
  if (process?.waitStatus != null) return exitStatusOf(process.waitStatus);
  if (coreDump?.isMain) return { kind: 'signal', signal: signalName(coreDump.signal), coreDumped: true };
  return memory.kernelOom?.victim.isMain ? { kind: 'signal', signal: 'SIGKILL', coreDumped: false } : null;
}

/** An engine reports 128 + n both for a signal n and for a program that chose that code; only its events or the kernel tell which. */
function exitOfContainer(facts: RunFacts): ExitStatus | null {
  const { container, process } = facts;
  if (process?.waitStatus != null) return exitStatusOf(process.waitStatus);
  const code = container?.exitCode ?? null;
  if (container === null || code === null) return null;
  const sent = container.signals.find(({ signal }) => code === 128 + signal);
  if (sent) return { kind: 'signal', signal: signalName(sent.signal), coreDumped: false };
  if (code === 137 && hadOomKill(facts)) return { kind: 'signal', signal: 'SIGKILL', coreDumped: false };
  return { kind: 'code', code };
}

/** The status of an end that was not a good one, by the way it went. */
export function statusOf(exit: ExitStatus): TaskStatus {
  return exit.kind === 'signal' && !ownFaults.has(exit.signal) ? 'killed' : 'failed';
}

/** A code that only an engine vouches for, and that it would also report for a signal. */
export function isAmbiguous({ container, process }: RunFacts, code: number): boolean {
  return container !== null && process?.waitStatus == null && code > 128 && code <= 192;
}

/** The main process of a service ended with 0, yet systemd calls the unit failed: ExecStopPost= and the like, or a watchdog. */
export function hasFailedAnyway({ unit }: RunFacts): boolean {
  return unit?.result != null && unit.result !== 'success' && !isSkipped(unit);
}

/** Its ExecCondition= said no: systemd calls it neither started nor failed (systemd.service(5)). */
export function isSkipped(unit: RunFacts['unit']): boolean {
  return unit?.result === 'exec-condition';
}

export function isServiceSuccess(unit: RunFacts['unit']): boolean {
  return unit !== null && !unit.isScope && unit.result === 'success';
}
