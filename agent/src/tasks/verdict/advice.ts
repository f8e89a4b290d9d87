import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { gpuFaultNear, gpuNeedsReset, programFaultedGpu } from './advice-gpu.ts';
import { childWasKilled, groupOverItsLimit, nodeWasFull, overItsLimit } from './advice-memory.ts';
import type { Case, Rule } from './advice-rule.ts';
import { didNotStart } from './advice-start.ts';
import { describeDisk } from './judge-disk.ts';

/** What a person can do about it; only where a rule knows something. */
export function adviseOn(one: Case): string[] {
  return rules.map((rule) => rule(one)).filter((advice) => advice !== null);
}

export const commandMissing: Rule = ({ cause, exit }) => {
  if (cause !== 'exit_code' || exit?.kind !== 'code') return null;
  if (exit.code === 127) return 'A shell says 127 when it does not find a command: check PATH and the spelling.';
  if (exit.code === 126) return 'A shell says 126 when a file is not executable: check its mode and its first line.';
  return null;
};

export const crashed: Rule = ({ cause, exit, facts: { coreDump } }) => {
  if (cause !== 'signal' || exit?.kind !== 'signal' || !exit.coreDumped) return null;
  return coreDump === null
    ? 'The core dump shows where: coredumpctl info, if systemd-coredump keeps them.'
    : `The core dump shows where: coredumpctl info ${coreDump.pid}.`;
};

export const ranOutOfTime: Rule = ({ cause, facts: { run, unit, startedAt, endedAt } }) => {
  if (cause !== 'timeout') return null;
  const setting = run
    ? '--timeout'
    : unit?.runtimeMaxMs == null
      ? 'TimeoutStartSec= or TimeoutStopSec='
      : 'RuntimeMaxSec=';
  const limitMs = run ? run.timeoutMs : (unit?.runtimeMaxMs ?? null);
  const ask = startedAt === null ? 'Give' : `It ran for ${formatDuration(endedAt - startedAt)}: give`;
  const more = limitMs === null ? '' : ` above ${formatDuration(limitMs)}`;
  return `${ask} it more time with ${setting}${more}, or find out what it waits for in its last lines.`;
};

export const diskWasFull: Rule = ({ cause, facts: { disk } }) => {
  if (cause !== 'disk_full') return null;
  return disk.fullest === null
    ? 'Find the disk it writes to, and free space or inodes there (df, df -i, quota).'
    : `Free ${disk.fullest.of} on ${disk.fullest.mount} (${describeDisk(disk.fullest)}), or let it write elsewhere.`;
};

export const couldNotSee: Rule = ({ cause, facts: { process, unit, blindness } }) =>
  cause === 'unknown' && process?.waitStatus == null && unit?.isScope === true && blindness?.wasAway !== true
    ? 'To know the exit status of scopes the agent needs kernel process events: run it as root or with CAP_NET_ADMIN, outside containers.'
    : null;

const rules: readonly Rule[] = [
  overItsLimit,
  groupOverItsLimit,
  nodeWasFull,
  childWasKilled,
  didNotStart,
  ranOutOfTime,
  gpuNeedsReset,
  programFaultedGpu,
  gpuFaultNear,
  diskWasFull,
  commandMissing,
  crashed,
  couldNotSee,
];
