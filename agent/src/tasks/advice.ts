import type { Cause } from '@runnerwatch/shared/model/task.ts';
import { formatSize } from '@runnerwatch/shared/runtime/size.ts';
import type { ExitStatus } from './exit-status.ts';
import type { RunFacts } from './run-facts.ts';

interface Case {
  readonly cause: Cause;
  readonly facts: RunFacts;
  readonly exit: ExitStatus | null;
}

/** What a person can do about it; only where a rule knows something, at most two sentences. */
export function adviseOn(one: Case): string[] {
  return rules.map((rule) => rule(one)).filter((advice) => advice !== null);
}

type Rule = (one: Case) => string | null;

/** A quarter more, rounded up to 64 MiB, as people set limits. */
function roomier(limitBytes: number): string {
  return formatSize(Math.ceil((limitBytes * 1.25) / 2 ** 26) * 2 ** 26);
}

const overItsLimit: Rule = ({ cause, facts: { memory, source } }) => {
  if (cause !== 'oom_limit' || memory.limitBytes === null) return null;
  const setting = source === 'systemd' ? 'MemoryMax=' : source === 'run' ? "the limit of the run's cgroup" : '--memory';
  const peak = memory.peakBytes === null ? 'It reached' : `It peaked at ${formatSize(memory.peakBytes)} of`;
  return `${peak} its limit of ${formatSize(memory.limitBytes)}: raise ${setting} above ${roomier(memory.limitBytes)}, or make it need less.`;
};

const nodeWasFull: Rule = ({ cause, facts: { memory } }) => {
  if (cause !== 'oom_host') return null;
  const full = memory.kernelLine?.isGlobal === true ? 'The node itself' : 'The node, or a group around the task,';
  return `${full} ran out of memory: give its tasks limits that add up to less than the node has, so that the one at fault is the one that dies.`;
};

const childWasKilled: Rule = ({ cause, facts: { memory } }) =>
  cause === 'oom_child'
    ? `Part of its work is missing: look at what the killed process was to do${memory.limitBytes === null ? '' : `, and raise the limit of ${formatSize(memory.limitBytes)}`}.`
    : null;

const commandMissing: Rule = ({ cause, exit }) => {
  if (cause !== 'exit_code' || exit?.kind !== 'code') return null;
  if (exit.code === 127) return 'A shell says 127 when it does not find a command: check PATH and the spelling.';
  if (exit.code === 126) return 'A shell says 126 when a file is not executable: check its mode and its first line.';
  return null;
};

const crashed: Rule = ({ cause, exit }) =>
  cause === 'signal' && exit?.kind === 'signal' && exit.coreDumped
    ? 'The core dump shows where: coredumpctl info, if systemd-coredump keeps them.'
    : null;

const timedOut: Rule = ({ cause, facts }) => {
  if (cause !== 'timeout') return null;
  const setting = facts.run
    ? '--timeout'
    : facts.unit?.runtimeMaxMs == null
      ? 'TimeoutStartSec= or TimeoutStopSec='
      : 'RuntimeMaxSec=';
  return `Give it more time with ${setting}, or find out what it waits for in its last lines.`;
};

const didNotStart: Rule = ({ cause, facts }) => {
  if (cause !== 'start_failed') return null;
  return facts.container
    ? 'Try it by hand with the same image and command; the engine would not run it on this node at all.'
    : 'Check that the program exists on this node, is executable, and that its user and directory do.';
};

const couldNotSee: Rule = ({ cause, facts }) =>
  cause === 'unknown' && facts.process?.waitStatus == null && facts.unit?.isScope === true
    ? 'To know the exit status of scopes the agent needs kernel process events: run it as root or with CAP_NET_ADMIN, outside containers.'
    : null;

const rules: readonly Rule[] = [
  overItsLimit,
  nodeWasFull,
  childWasKilled,
  commandMissing,
  crashed,
  timedOut,
  didNotStart,
  couldNotSee,
];
