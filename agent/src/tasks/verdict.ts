import type { Cause, Confidence, Evidence, TaskStatus, Verdict } from '@runnerwatch/shared/model/task.ts';
import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { adviseOn } from './advice.ts';
import { evidenceOf, isAmbiguous } from './evidence.ts';
import { describeExit, type ExitStatus, exitStatusOf, ownFaults, signalName, signalNumber } from './exit-status.ts';
import type { RunFacts } from './run-facts.ts';

/** How a run of work ended, judged. */
export interface Judgment {
  readonly status: TaskStatus;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly errorMessage: string | null;
  readonly verdict: Verdict;
}

interface Finding {
  readonly status: TaskStatus;
  readonly cause: Cause;
  readonly confidence: Confidence;
  readonly summary: string;
}

/**
 * From what was seen to what it means; pure. The questions are asked in this order, and the first that has an answer decides:
 * did it start at all · did its time run out (it was still alive then) · was it killed for memory · did someone stop it · how
 * did its main process end.
 * Whatever nobody saw is `unknown`: a number is never turned into a signal, 137 never into an OOM, silence never into success.
 */
export function judgeEnd(facts: RunFacts): Judgment {
  const exit = exitOf(facts);
  const finding =
    notStarted(facts, exit) ??
    outOfTime(facts, exit) ??
    outOfMemory(facts, exit) ??
    stopped(facts, exit) ??
    ended(facts, exit);
  const evidence: Evidence[] = evidenceOf(facts, exit);
  return {
    status: finding.status,
    exitCode: exit?.kind === 'code' ? exit.code : null,
    signal: exit?.kind === 'signal' ? exit.signal : null,
    errorMessage:
      finding.status === 'completed' ? null : (facts.container?.error ?? facts.run?.startError ?? finding.summary),
    verdict: {
      cause: finding.cause,
      confidence: finding.confidence,
      summary: finding.summary,
      evidence,
      advice: adviseOn({ cause: finding.cause, facts, exit }),
    },
  };
}

/** How the main process ended, by the best witness: its own parent first, then the kernel. */
export function exitOf(facts: RunFacts): ExitStatus | null {
  const { run, unit, process, container } = facts;
  if (run?.waitStatus != null) return exitStatusOf(run.waitStatus);
  if (unit?.execMain) {
    const { code, status } = unit.execMain;
    if (code === 'exited') return { kind: 'code', code: status };
    return { kind: 'signal', signal: signalName(status), coreDumped: code === 'dumped' };
  }
  if (container) return exitOfContainer(facts);
  return process?.waitStatus == null ? null : exitStatusOf(process.waitStatus);
}

/** An engine reports 128 + n both for a signal n and for a program that chose that code; only its events or the kernel tell which. */
function exitOfContainer({ container, process, memory }: RunFacts): ExitStatus | null {
  if (process?.waitStatus != null) return exitStatusOf(process.waitStatus);
  const code = container?.exitCode ?? null;
  if (container === null || code === null) return null;
  const sent = container.signals.find(({ signal }) => code === 128 + signal);
  if (sent) return { kind: 'signal', signal: signalName(sent.signal), coreDumped: false };
  const oomKilled =
    container.oomKilled === true ||
    container.oomAt !== null ||
    (memory.oomKills ?? 0) > 0 ||
    memory.kernelLine !== null;
  if (code === 137 && oomKilled) return { kind: 'signal', signal: 'SIGKILL', coreDumped: false };
  return { kind: 'code', code };
}

/** systemd's own exit codes for a program it could not execute (systemd.exec(5), "Process exit codes"). */
const systemdStartCodes: ReadonlyMap<number, string> = new Map([
  [200, 'its working directory could not be entered'],
  [203, 'its program could not be executed: no such file, or no permission'],
  [216, 'its group does not exist'],
  [217, 'its user does not exist'],
  [226, 'its name spaces could not be set up'],
]);

function notStarted({ container, run, unit }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (container?.notStarted) {
    return failedToStart(
      `The container could not be started: ${container.error ?? 'the engine gave no reason'}.`,
      'proven',
    );
  }
  if (run?.startError != null) return failedToStart(`The command could not be started: ${run.startError}.`, 'proven');
  if (unit?.result === 'resources' || unit?.result === 'protocol') {
    return failedToStart(`systemd could not start the unit (${unit.result}).`, 'proven');
  }
  const why = unit?.execMain?.code === 'exited' && exit?.kind === 'code' ? systemdStartCodes.get(exit.code) : undefined;
  return why === undefined ? null : failedToStart(`The unit did not start: ${why}.`, 'likely');
}

function failedToStart(summary: string, confidence: Confidence): Finding {
  return { status: 'failed', cause: 'start_failed', confidence, summary };
}

function outOfMemory(facts: RunFacts, exit: ExitStatus | null): Finding | null {
  if (!hadOomKill(facts)) return null;
  const { cause, confidence, who } = whoseMemory(facts);
  if (isStopEnough(facts, exit)) return null;
  const wasKilled =
    facts.unit?.result === 'oom-kill' ||
    (exit?.kind === 'signal' && exit.signal === 'SIGKILL') ||
    (exit?.kind === 'code' && exit.code === 137);
  if (wasKilled) return { status: 'killed_oom', cause, confidence, summary: `Killed for want of memory: ${who}.` };
  if (exit === null) return unseenAfterOom(facts, who);
  if (exit.kind === 'code' && exit.code === 0) {
    if (hasFailedAnyway(facts)) return null;
    return {
      status: 'completed',
      cause: 'oom_child',
      confidence: 'proven',
      summary: `Ended with exit 0, but a process of it was killed for want of memory: ${who}.`,
    };
  }
  return {
    status: exit.kind === 'signal' && !ownFaults.has(exit.signal) ? 'killed' : 'failed',
    cause: 'oom_child',
    confidence: 'likely',
    summary: `Ended with ${describeExit(exit)} after a process of it was killed for want of memory: ${who}.`,
  };
}

/** Someone's stop explains the end by itself; a child that was killed for memory before it is then only evidence. */
function isStopEnough(facts: RunFacts, exit: ExitStatus | null): boolean {
  const { unit, container } = facts;
  if (unit?.result === 'oom-kill' || (exit?.kind === 'code' && exit.code === 0)) return false;
  return (
    unit?.stopJob === true || (container !== null && stopsOf(facts, exit).some(({ signal }) => isDeathBy(exit, signal)))
  );
}

function unseenAfterOom({ unit }: RunFacts, who: string): Finding {
  if (isServiceSuccess(unit)) {
    return {
      status: 'completed',
      cause: 'oom_child',
      confidence: 'proven',
      summary: `Ended well, says systemd, but a process of it was killed for want of memory: ${who}.`,
    };
  }
  const failed = unit?.result != null && unit.result !== 'success';
  return {
    status: failed ? 'failed' : 'unknown',
    cause: 'unknown',
    confidence: 'unknown',
    summary: `A process of it was killed for want of memory (${who}); how it ended itself, nobody could see.`,
  };
}

/** Proof, never inference: the kernel's count or log, systemd's word, the engine's word. */
function hadOomKill({ unit, container, memory }: RunFacts): boolean {
  return (
    unit?.result === 'oom-kill' ||
    (unit?.oomAt ?? null) !== null ||
    container?.oomKilled === true ||
    (container?.oomAt ?? null) !== null ||
    (memory.oomKills ?? 0) > 0 ||
    memory.kernelLine !== null
  );
}

const nearLimit = 0.9;

function whoseMemory({ memory, container }: RunFacts): {
  cause: 'oom_limit' | 'oom_host';
  confidence: Confidence;
  who: string;
} {
  const { peakBytes, limitBytes, kernelLine } = memory;
  if (kernelLine) {
    return kernelLine.isGlobal
      ? { cause: 'oom_host', confidence: 'proven', who: 'the whole node had run out' }
      : {
          cause: 'oom_limit',
          confidence: 'proven',
          who: limitBytes === null ? 'a group around it had reached its limit' : 'it had reached its limit',
        };
  }
  if (limitBytes !== null && (peakBytes === null || peakBytes >= limitBytes * nearLimit)) {
    return { cause: 'oom_limit', confidence: 'proven', who: 'it had reached its limit' };
  }
  if (limitBytes === null && (container?.oomKilled === true || (container?.oomAt ?? null) !== null)) {
    return { cause: 'oom_limit', confidence: 'likely', who: 'the engine says it had reached its limit' };
  }
  if (limitBytes === null)
    return {
      cause: 'oom_host',
      confidence: 'likely',
      who: 'no limit of its own is known, so the node or a group around it had run out',
    };
  return {
    cause: 'oom_host',
    confidence: 'likely',
    who: 'it was below its limit, so the node or a group around it had run out',
  };
}

function outOfTime({ run, unit, startedAt, endedAt }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (run?.timedOut) {
    const limit = run.timeoutMs === null ? '' : ` of ${formatDuration(run.timeoutMs)}`;
    return {
      status: 'timed_out',
      cause: 'timeout',
      confidence: 'proven',
      summary: `Stopped at its time limit${limit}.`,
    };
  }
  if (unit?.result !== 'timeout' || unit.stopJob === true) return null;
  const limitMs = unit.runtimeMaxMs;
  const ranMs = startedAt === null ? null : endedAt - startedAt;
  if (limitMs !== null && ranMs !== null && ranMs >= limitMs * nearLimit) {
    return {
      status: 'timed_out',
      cause: 'timeout',
      confidence: 'proven',
      summary: `Stopped by systemd at its time limit of ${formatDuration(limitMs)}.`,
    };
  }
  const how = exit === null ? '' : ` (${describeExit(exit)})`;
  // systemd says `timeout` also when a stop took too long; whether one was asked for is not always known.
  const confidence = unit.stopJob === false ? 'proven' : 'likely';
  return {
    status: 'timed_out',
    cause: 'timeout',
    confidence,
    summary: `Stopped by systemd because a time limit ran out${how}.`,
  };
}

const stopSignals: ReadonlySet<string> = new Set(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGQUIT', 'SIGHUP']);

/** What was sent through the engine to end the container. SIGHUP tells many programs to read their files again: it counts only when it was deadly. */
function stopsOf({ container }: RunFacts, exit: ExitStatus | null): readonly { readonly signal: number }[] {
  return (container?.signals ?? []).filter(({ signal }) => {
    const name = signalName(signal);
    return stopSignals.has(name) && (name !== 'SIGHUP' || isDeathBy(exit, signal));
  });
}

function isDeathBy(exit: ExitStatus | null, signal: number): boolean {
  if (exit === null) return false;
  return exit.kind === 'signal' ? exit.signal === signalName(signal) : exit.code === 128 + signal;
}

function stopped(facts: RunFacts, exit: ExitStatus | null): Finding | null {
  const { unit, shuttingDown } = facts;
  const sent = stopsOf(facts, exit);
  const isAsked = unit?.stopJob === true || sent.length > 0;
  const isSwept = shuttingDown && exit?.kind === 'signal' && stopSignals.has(exit.signal);
  if (!isAsked && !isSwept) return null;
  const cause = shuttingDown ? 'stopped_by_system' : 'stopped_by_user';
  const asked = shuttingDown
    ? 'The node was shutting down'
    : unit?.stopJob === true
      ? 'Someone stopped the unit'
      : 'Someone stopped the container';
  if (exit === null)
    return {
      status: 'killed',
      cause,
      confidence: 'likely',
      summary: `${asked}; how its main process ended, nobody could see.`,
    };
  if (exit.kind === 'code' && exit.code === 0) {
    if (hasFailedAnyway(facts)) return null;
    return { status: 'completed', cause, confidence: 'proven', summary: `${asked}, and it ended well (exit 0).` };
  }
  if (exit.kind === 'signal' && ownFaults.has(exit.signal)) return null;
  const isProven = unit?.stopJob === true || sent.some(({ signal }) => isDeathBy(exit, signal));
  if (isProven) return { status: 'killed', cause, confidence: 'proven', summary: `${asked} (${describeExit(exit)}).` };
  return {
    status: exit.kind === 'signal' ? 'killed' : 'failed',
    cause,
    confidence: 'likely',
    summary: `${asked}, and it ended with ${describeExit(exit)}.`,
  };
}

function ended(facts: RunFacts, exit: ExitStatus | null): Finding {
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
    status: own ? 'failed' : 'killed',
    cause: 'signal',
    confidence: 'proven',
    summary: `${own ? 'Crashed with' : 'Killed by'} ${describeExit(exit)}${sender}.`,
  };
}

function endedWithCode(facts: RunFacts, code: number): Finding {
  if (code === 0) {
    if (!hasFailedAnyway(facts))
      return { status: 'completed', cause: 'success', confidence: 'proven', summary: 'Ended well (exit 0).' };
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
  return {
    status: 'failed',
    cause: 'exit_code',
    confidence: 'proven',
    summary: `Failed with exit ${code}${convention(code)}.`,
  };
}

/** The main process of a service ended with 0, yet systemd calls the unit failed: ExecStopPost= and the like, or a watchdog. */
function hasFailedAnyway({ unit }: RunFacts): boolean {
  return unit?.result != null && unit.result !== 'success';
}

function isServiceSuccess(unit: RunFacts['unit']): boolean {
  return unit !== null && !unit.isScope && unit.result === 'success';
}

/** By a shell's convention 128 + n says that a command of its own died of signal n; a program may also choose the code. */
function convention(code: number): string {
  const signal = code > 128 && code <= 128 + 64 ? signalName(code - 128) : undefined;
  if (signal === undefined || signalNumber(signal) === undefined) return '';
  return `, which a shell says when a command of it dies of ${signal}`;
}

function unseen({ unit, blindReason, process, run }: RunFacts): Finding {
  if (isServiceSuccess(unit)) {
    return { status: 'completed', cause: 'success', confidence: 'proven', summary: 'Ended well, says systemd.' };
  }
  const reason =
    blindReason ??
    process?.blindReason ??
    (run === null ? 'its exit status was not seen' : 'its wrapper ended before it');
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
