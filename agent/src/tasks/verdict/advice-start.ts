import type { Rule } from './advice-rule.ts';

/** By the words of whoever could not start it. */
export const didNotStart: Rule = ({ cause, facts: { container, run, unit } }) => {
  if (cause !== 'start_failed') return null;
  const words = container?.error ?? run?.startError ?? unit?.startError?.words ?? '';
  const known = reasons.find(([pattern]) => pattern.test(words));
  if (known) return known[1];
  return container
    ? 'Try it by hand with the same image and command; the engine would not run it on this node at all.'
    : 'Check that the program exists on this node, is executable, and that its user and directory do.';
};

/** The first that fits; engines put the cause, in words of libc or runc, at the end of long sentences. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [
    /no such image|manifest (?:unknown|for)|pull access denied|image .*not (?:known|found)|unauthorized: authentication/i,
    'The image is not to be had on this node: check its name and tag, pull it by hand, and log in to its registry if it asks for that.',
  ],
  [
    /cgroup/i,
    "Its cgroup could not be set up: check the limits it asks for against those of the group around it, and that this node's controllers are delegated.",
  ],
  [
    /exec format error/i,
    'The program is for another kind of machine, or a script without a first line: check its architecture and its #! line.',
  ],
  [
    /permission denied|operation not permitted|\bEACCES\b|\bEPERM\b/i,
    'It may not be executed by its user: check the mode of the program and of every folder above it, and whether its disk is mounted noexec.',
  ],
  [
    /no space left|\bENOSPC\b/i,
    'There is no room to start it: free space or inodes on the disk of the engine or of its directory.',
  ],
  [
    /cannot allocate memory|resource temporarily unavailable|\bENOMEM\b|\bEAGAIN\b/i,
    'The node would give it no process or no memory: check TasksMax=, ulimit -u and free memory.',
  ],
  [
    /no such file|not found in \$PATH|executable file not found|unable to locate executable|failed to locate|\bENOENT\b/i,
    'The program, its interpreter or its directory is not on this node: check the spelling, PATH, and what is mounted.',
  ],
];
