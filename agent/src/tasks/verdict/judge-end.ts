import { describeExit, type ExitStatus, ownFaults, signalName, signalNumber } from './exit-status.ts';
import type { Finding } from './finding.ts';
import { hasFailedAnyway, isAmbiguous, isServiceSuccess, isSkipped, statusOf } from './judge-exit.ts';
import type { RunFacts } from './run-facts.ts';

/** Nothing else explains it: how did its main process end? */
export function ended(facts: RunFacts, exit: ExitStatus | null): Finding {
  if (exit === null) return unseen(facts);
  if (exit.kind === 'code') return endedWithCode(facts, exit.code);
  const own = ownFaults.has(exit.signal);
  const sender =
    facts.unit?.result === 'watchdog'
      ? ' because it did not answer its watchdog'
      : own
        ? ''
        : '; nothing shows who sent it';
  return {
    status: statusOf(exit),
    cause: 'signal',
    confidence: 'proven',
    summary: `${own ? 'Crashed with' : 'Killed by'} ${describeExit(exit)}${sender}.`,
  };
}

function endedWithCode(facts: RunFacts, code: number): Finding {
  if (code === 0) {
    if (!hasFailedAnyway(facts)) return endedWell('Ended well (exit 0).');
    return {
      status: 'failed',
      cause: 'unknown',
      confidence: 'unknown',
      summary: `Failed, says systemd (${facts.unit?.result}), although its main process ended with exit 0: another of its commands may have failed.`,
    };
  }
  if (isAmbiguous(facts, code)) {
    const summary = `Failed with exit ${code}, which the engine says of that code and of a death by ${signalName(code - 128)} alike.`;
    return { status: 'failed', cause: 'exit_code', confidence: 'likely', summary };
  }
  const summary = `Failed with exit ${code}${convention(code)}.`;
  return { status: 'failed', cause: 'exit_code', confidence: 'proven', summary };
}

/** By a shell's convention 128 + n says that a command of its own died of signal n; a program may also choose the code. */
function convention(code: number): string {
  const signal = code > 128 && code <= 128 + 64 ? signalName(code - 128) : undefined;
  if (signal === undefined || signalNumber(signal) === undefined) return '';
  return `, which a shell says when a command of it dies of ${signal}`;
}

function endedWell(summary: string): Finding {
  return { status: 'completed', cause: 'success', confidence: 'proven', summary };
}

function unseen({ unit, blindness, process, container, run }: RunFacts): Finding {
  if (isServiceSuccess(unit)) return endedWell('Ended well, says systemd.');
  if (isSkipped(unit)) return endedWell('Not run: its ExecCondition= was not met, says systemd.');
  const unheard =
    container === null
      ? 'its exit status was not seen'
      : 'its engine had removed it, exit code and all, when it could be asked';
  const reason = blindness?.reason ?? process?.blindReason ?? (run === null ? unheard : 'its wrapper ended before it');
  const failed = unit?.result != null && unit.result !== 'success';
  return {
    status: failed ? 'failed' : 'unknown',
    cause: 'unknown',
    confidence: 'unknown',
    summary: failed
      ? `Failed, says systemd (${unit.result}); the exit status was not seen: ${reason}.`
      : `Ended, and nobody could see how: ${reason}.`,
  };
}
