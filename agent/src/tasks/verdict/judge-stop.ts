import { describeExit, type ExitStatus, ownFaults, signalName } from './exit-status.ts';
import type { Finding } from './finding.ts';
import { hasFailedAnyway, isAmbiguous, statusOf } from './judge-exit.ts';
import type { RunFacts } from './run-facts.ts';

const stopSignals: ReadonlySet<string> = new Set(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGQUIT', 'SIGHUP']);

/** Did someone stop it: a person, or the system or its engine on the way down? */
export function stopped(facts: RunFacts, exit: ExitStatus | null): Finding | null {
  const { unit } = facts;
  const sent = stopsOf(facts, exit);
  const isAsked = unit?.stopJob === true || sent.length > 0;
  const ofSystem = stopOfSystem(facts);
  if (!isAsked && !(ofSystem !== null && isSwept(facts, exit))) return null;
  const cause = ofSystem === null ? 'stopped_by_user' : 'stopped_by_system';
  const asked =
    ofSystem ?? (unit?.stopJob === true ? 'Someone stopped the unit' : 'It was told to stop through its engine');
  if (exit === null) {
    const summary = `${asked}; how its main process ended, nobody could see.`;
    return { status: 'killed', cause, confidence: 'likely', summary };
  }
  if (exit.kind === 'code' && exit.code === 0) {
    if (hasFailedAnyway(facts)) return null;
    // A process may pass over a signal and end when it is done; a unit that is stopped stays stopped.
    const confidence = unit?.stopJob === true ? 'proven' : 'likely';
    return { status: 'completed', cause, confidence, summary: `${asked}, and it ended well (exit 0).` };
  }
  if (exit.kind === 'signal' && ownFaults.has(exit.signal)) return null;
  const isProven = unit?.stopJob === true || sent.some(({ signal }) => isDeathBy(exit, signal));
  if (isProven) return { status: 'killed', cause, confidence: 'proven', summary: `${asked} (${describeExit(exit)}).` };
  return {
    status: statusOf(exit),
    cause,
    confidence: 'likely',
    summary: `${asked}, and it ended with ${describeExit(exit)}.`,
  };
}

/** What took it with it on its own way down, in a sentence's first words. */
function stopOfSystem({ shuttingDown, container }: RunFacts): string | null {
  if (shuttingDown) return 'The node was shutting down';
  const engine = container?.engineStopping ?? null;
  return engine === null ? null : `Its engine ${engine} was being stopped`;
}

/** Someone's stop explains the end by itself; a child that was killed for memory before it is then only evidence. */
export function isStopEnough(facts: RunFacts, exit: ExitStatus | null): boolean {
  const { unit, container } = facts;
  if (unit?.result === 'oom-kill' || (exit?.kind === 'code' && exit.code === 0)) return false;
  return (
    unit?.stopJob === true || (container !== null && stopsOf(facts, exit).some(({ signal }) => isDeathBy(exit, signal)))
  );
}

/** What was sent through the engine to end the container. SIGHUP tells many programs to read their files again: it counts only when it was deadly. */
function stopsOf({ container }: RunFacts, exit: ExitStatus | null): readonly { readonly signal: number }[] {
  return (container?.signals ?? []).filter(({ signal }) => {
    const name = signalName(signal);
    return stopSignals.has(name) && (name !== 'SIGHUP' || isDeathBy(exit, signal));
  });
}

/** Ended by what a shutdown sends to everything that is left; of an engine also a code that says so or the code alone. */
function isSwept(facts: RunFacts, exit: ExitStatus | null): boolean {
  if (exit === null) return false;
  if (exit.kind === 'signal') return stopSignals.has(exit.signal);
  return isAmbiguous(facts, exit.code) && stopSignals.has(signalName(exit.code - 128));
}

function isDeathBy(exit: ExitStatus | null, signal: number): boolean {
  if (exit === null) return false;
  return exit.kind === 'signal' ? exit.signal === signalName(signal) : exit.code === 128 + signal;
}
