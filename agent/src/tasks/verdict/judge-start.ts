import type { Confidence } from '@runnerwatch/shared/model/task.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Finding } from './finding.ts';
import type { RunFacts } from './run-facts.ts';

/** Did it start at all? The engine's, systemd's or the kernel's words on why not, where they said any. */
export function notStarted({ container, run, unit }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (container?.notStarted) {
    const words = sentence(container.error ?? 'the engine gave no reason');
    return failedToStart(`The container could not be started: ${words}`, 'proven');
  }
  if (run?.startError != null)
    return failedToStart(`The command could not be started: ${sentence(run.startError)}`, 'proven');
  if (unit?.result === 'resources' || unit?.result === 'protocol') {
    return failedToStart(`systemd could not start the unit (${unit.result}).`, 'proven');
  }
  if (unit?.execMain?.code !== 'exited' || exit?.kind !== 'code') return null;
  const why = startSteps.get(exit.code);
  if (why === undefined) return null;
  // A program may choose such a code too; systemd's words settle it.
  if (unit.startError === null) return failedToStart(`The unit did not start: ${why}.`, 'likely');
  return failedToStart(`The unit did not start: ${sentence(unit.startError.words)}`, 'proven');
}

/** The exit codes of a process that systemd could not turn into the unit's (systemd.exec(5), "Process exit codes"). */
const startSteps: ReadonlyMap<number, string> = new Map([
  [200, 'its working directory could not be entered'],
  [202, 'its file descriptors could not be set up'],
  [203, 'its program could not be executed: no such file, or no permission'],
  [204, 'there was no memory to start it'],
  [205, 'its resource limits could not be set'],
  [206, 'its OOM score could not be set'],
  [208, 'its standard input could not be opened'],
  [209, 'its standard output could not be opened'],
  [210, 'its root directory could not be entered'],
  [214, 'its scheduling could not be set'],
  [215, 'its CPU affinity could not be set'],
  [216, 'its group does not exist or could not be taken'],
  [217, 'its user does not exist or could not be taken'],
  [218, 'its capabilities could not be set'],
  [219, 'its cgroup could not be set up'],
  [220, 'its session could not be made'],
  [222, 'its standard error could not be opened'],
  [224, 'its PAM session could not be opened'],
  [225, 'its network could not be set up'],
  [226, 'its name spaces could not be set up'],
  [228, 'its system call filter could not be set'],
  [233, 'its runtime directory could not be made'],
  [235, 'the owner of its sockets or directories could not be set'],
  [238, 'its state directory could not be made'],
  [239, 'its cache directory could not be made'],
  [240, 'its log directory could not be made'],
  [241, 'its configuration directory could not be made'],
  [243, 'its credentials could not be set up'],
]);

function failedToStart(summary: string, confidence: Confidence): Finding {
  return { status: 'failed', cause: 'start_failed', confidence, summary };
}

function sentence(words: string): string {
  return `${words.trim().replace(/\.$/, '')}.`;
}
