import type { Cause } from '@runnerwatch/shared/model/task.ts';
import { describe, expect, it } from 'vitest';
import { adviseOn, commandMissing, couldNotSee, crashed, diskWasFull, ranOutOfTime } from './advice.ts';
import { gpuFaultNear, gpuNeedsReset, programFaultedGpu } from './advice-gpu.ts';
import { childWasKilled, groupOverItsLimit, nodeWasFull, overItsLimit } from './advice-memory.ts';
import type { Case, Rule } from './advice-rule.ts';
import { didNotStart } from './advice-start.ts';
import type { ExitStatus } from './exit-status.ts';
import type { RunFacts } from './run-facts.ts';

const at = 1_700_000_000_000;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

const blank: RunFacts = {
  source: 'systemd',
  startedAt: at - 60_000,
  endedAt: at,
  approximate: false,
  unit: null,
  container: null,
  process: null,
  run: null,
  memory: { peakBytes: null, limitBytes: null, oomKills: null, oomAt: null, kernelOom: null, trend: null },
  gpu: null,
  coreDump: null,
  disk: { fullest: null, complaint: null, isLogUnread: false },
  shuttingDown: false,
  blindness: null,
};
const unit: NonNullable<RunFacts['unit']> = {
  isScope: true,
  result: 'success',
  execMain: null,
  stopJob: false,
  oomAt: null,
  via: 'dbus',
  runtimeMaxMs: null,
  startError: null,
};
const container: NonNullable<RunFacts['container']> = {
  exitCode: null,
  oomKilled: null,
  oomAt: null,
  signals: [],
  engineStopping: null,
  notStarted: true,
  error: null,
};
const run: NonNullable<RunFacts['run']> = { waitStatus: null, timedOut: false, startError: null, timeoutMs: null };
const kernelOom: NonNullable<RunFacts['memory']['kernelOom']> = {
  at,
  isGlobal: false,
  group: null,
  usageBytes: null,
  limitBytes: null,
  victim: { pid: 42, comm: 'hog', rssBytes: null, isMain: false },
  largest: null,
};
const memory = (known: Partial<RunFacts['memory']>) => ({ memory: { ...blank.memory, ...known } });
const code = (number: number): ExitStatus => ({ kind: 'code', code: number });
const gpu = (xid: number, known: Partial<NonNullable<RunFacts['gpu']>> = {}) => ({
  gpu: { at: at - 2000, xid, gpu: '0000:3b:00', whose: 'main', text: '', ...known } as const,
});

function about(cause: Cause, facts: Partial<RunFacts> = {}, exit: ExitStatus | null = null): Case {
  return { cause, facts: { ...blank, ...facts }, exit };
}

interface Row {
  readonly rule: Rule;
  readonly one: Case;
  readonly says: string | null;
}

const rows: readonly (readonly [string, Rule, Case, string | null])[] = [
  [
    'a limit: peak, growth and a roomier one',
    overItsLimit,
    about(
      'oom_limit',
      memory({ peakBytes: 3.98 * GiB, limitBytes: 4 * GiB, trend: { bytesPerSecond: 40 * MiB, overMs: 90_000 } }),
    ),
    'It peaked at 3.98 of 4.0 GiB and grew 40 MiB/s for the last 1m30s: raise MemoryMax= above 5.0 GiB, or make it need less, for example by a smaller batch.',
  ],
  [
    'a limit that was used up, without growth worth a word',
    overItsLimit,
    about(
      'oom_limit',
      memory({ peakBytes: 50 * MiB, limitBytes: 50 * MiB, trend: { bytesPerSecond: 100, overMs: 90_000 } }),
    ),
    'It peaked at 50 of 50 MiB: raise MemoryMax= above 64 MiB, or make it need less, for example by a smaller batch.',
  ],
  [
    "a container's limit, its peak unread",
    overItsLimit,
    about('oom_limit', { source: 'docker', ...memory({ limitBytes: 20 * MiB }) }),
    'It reached its limit of 20 MiB: raise --memory above 64 MiB, or make it need less, for example by a smaller batch.',
  ],
  [
    'a limit that only the kernel told',
    overItsLimit,
    about('oom_limit', { source: 'run', ...memory({ kernelOom: { ...kernelOom, limitBytes: GiB } }) }),
    "It reached its limit of 1.0 GiB: raise the limit of the run's cgroup above 1.3 GiB, or make it need less, for example by a smaller batch.",
  ],
  ['a limit that nobody told', overItsLimit, about('oom_limit'), null],
  ['no limit of a full node', overItsLimit, about('oom_host', memory({ limitBytes: GiB })), null],
  [
    'no limit of its own when a group was at its limit',
    overItsLimit,
    about('oom_limit', memory({ limitBytes: GiB, kernelOom: { ...kernelOom, group: '/batch.slice' } })),
    null,
  ],
  [
    'the limit of a group',
    groupOverItsLimit,
    about('oom_limit', memory({ kernelOom: { ...kernelOom, group: '/batch.slice', limitBytes: 4 * GiB } })),
    'The limit, 4.0 GiB, is that of /batch.slice, which the task shares with others: raise it, or give each of them a limit of its own, so that the one at fault is the one that dies.',
  ],
  ['no group for its own limit', groupOverItsLimit, about('oom_limit', memory({ kernelOom })), null],
  [
    'a full node and who had the most',
    nodeWasFull,
    about(
      'oom_host',
      memory({
        kernelOom: { ...kernelOom, isGlobal: true, largest: { pid: 901, comm: 'python3', rssBytes: 30 * GiB } },
      }),
    ),
    'The node itself ran out of memory; python3 (pid 901) had 30 GiB of it: give its tasks limits that add up to less than the node has, so that the one at fault is the one that dies.',
  ],
  [
    'a node that was only likely full',
    nodeWasFull,
    about('oom_host'),
    'The node, or a group around the task, ran out of memory: give its tasks limits that add up to less than the node has, so that the one at fault is the one that dies.',
  ],
  ['no node for a limit', nodeWasFull, about('oom_limit'), null],
  [
    'a child',
    childWasKilled,
    about('oom_child', memory({ limitBytes: 20 * MiB })),
    'Part of its work is missing: look at what the killed process was to do, and raise the limit of 20 MiB above 64 MiB.',
  ],
  [
    'a child without a limit',
    childWasKilled,
    about('oom_child'),
    'Part of its work is missing: look at what the killed process was to do.',
  ],
  ['no child of a plain failure', childWasKilled, about('exit_code'), null],
  [
    'exit 127',
    commandMissing,
    about('exit_code', {}, code(127)),
    'A shell says 127 when it does not find a command: check PATH and the spelling.',
  ],
  [
    'exit 126',
    commandMissing,
    about('exit_code', {}, code(126)),
    'A shell says 126 when a file is not executable: check its mode and its first line.',
  ],
  ['nothing about exit 1', commandMissing, about('exit_code', {}, code(1)), null],
  [
    'a core',
    crashed,
    about('signal', {}, { kind: 'signal', signal: 'SIGSEGV', coreDumped: true }),
    'The core dump shows where: coredumpctl info, if systemd-coredump keeps them.',
  ],
  [
    'a core that is kept',
    crashed,
    about(
      'signal',
      { coreDump: { at, pid: 77, comm: null, signal: 11, isMain: true, file: '/x' } },
      { kind: 'signal', signal: 'SIGSEGV', coreDumped: true },
    ),
    'The core dump shows where: coredumpctl info 77.',
  ],
  [
    'nothing about a kill without a core',
    crashed,
    about('signal', {}, { kind: 'signal', signal: 'SIGKILL', coreDumped: false }),
    null,
  ],
  [
    'the time limit of a run',
    ranOutOfTime,
    about('timeout', { run: { ...run, timedOut: true, timeoutMs: 60_000 } }),
    'It ran for 1m: give it more time with --timeout above 1m, or find out what it waits for in its last lines.',
  ],
  [
    'the time limit of a unit',
    ranOutOfTime,
    about('timeout', { startedAt: null, unit: { ...unit, result: 'timeout', runtimeMaxMs: 3_600_000 } }),
    'Give it more time with RuntimeMaxSec= above 1h, or find out what it waits for in its last lines.',
  ],
  [
    'another time limit of a unit',
    ranOutOfTime,
    about('timeout', { unit: { ...unit, result: 'timeout' } }),
    'It ran for 1m: give it more time with TimeoutStartSec= or TimeoutStopSec=, or find out what it waits for in its last lines.',
  ],
  ['no time limit of a stop', ranOutOfTime, about('stopped_by_user'), null],
  [
    'a full disk',
    diskWasFull,
    about('disk_full', {
      disk: { fullest: { mount: '/data', of: 'inodes', usedPercent: 100, at }, complaint: null, isLogUnread: true },
    }),
    'Free inodes on /data (/data had used 100% of its inodes), or let it write elsewhere.',
  ],
  [
    'a full disk that nobody found',
    diskWasFull,
    about('disk_full'),
    'Find the disk it writes to, and free space or inodes there (df, df -i, quota).',
  ],
  ['no disk of a plain failure', diskWasFull, about('exit_code'), null],
  [
    'a GPU that left',
    gpuNeedsReset,
    about('gpu_fault', gpu(79)),
    'Xid 79 (GPU has fallen off the bus) points to the hardware of GPU 0000:3b:00: drain the node, restart it, and have the GPU looked at when it comes again.',
  ],
  [
    'a GPU whose firmware hangs',
    gpuNeedsReset,
    about('gpu_fault', gpu(119)),
    'Xid 119 (GSP does not answer) points to the driver of GPU 0000:3b:00: drain the node, reset that GPU (nvidia-smi --gpu-reset) or restart the node, and have the GPU looked at when it comes again.',
  ],
  ["no reset for a program's fault", gpuNeedsReset, about('gpu_fault', gpu(31)), null],
  [
    "a program's fault",
    programFaultedGpu,
    about('gpu_fault', gpu(31)),
    "Xid 31 is most often the program's own: run it under compute-sanitizer; if other programs meet it on GPU 0000:3b:00 too, suspect that GPU.",
  ],
  [
    'a fault that says little',
    programFaultedGpu,
    about('gpu_fault', gpu(94)),
    'Run it again on another GPU than 0000:3b:00: if it ends well there, have that one looked at.',
  ],
  ['no program for a lost GPU', programFaultedGpu, about('gpu_fault', gpu(79)), null],
  [
    'a GPU lost near the end',
    gpuFaultNear,
    about('exit_code', gpu(79, { whose: 'none' }), code(1)),
    '2s before its end GPU 0000:3b:00 of this node had Xid 79 (GPU has fallen off the bus): if the task used that GPU, look there first.',
  ],
  ['no GPU lost long before', gpuFaultNear, about('exit_code', gpu(79, { whose: 'none', at: at - 11_000 })), null],
  ["no other program's fault", gpuFaultNear, about('exit_code', gpu(31, { whose: 'none' })), null],
  ['no GPU for a success', gpuFaultNear, about('success', gpu(79, { whose: 'none' })), null],
  [
    'eyes for scopes',
    couldNotSee,
    about('unknown', { unit }),
    'To know the exit status of scopes the agent needs kernel process events: run it as root or with CAP_NET_ADMIN, outside containers.',
  ],
  [
    'nobody there to look',
    couldNotSee,
    about('unknown', { unit, blindness: { reason: 'it ended while the agent was not running', wasAway: true } }),
    null,
  ],
  ['no eyes for a service', couldNotSee, about('unknown', { unit: { ...unit, isScope: false } }), null],
];

it.each<[string, Row]>(rows.map(([name, rule, one, says]) => [name, { rule, one, says }]))(
  'the advice on %s',
  (_, { rule, one, says }) => {
    expect(rule(one)).toBe(says);
  },
);

describe('the advice on what did not start', () => {
  it.each([
    ['Error response from daemon: No such image: train:7', 'The image is not to be had'],
    ['manifest for train:7 not found: manifest unknown', 'The image is not to be had'],
    [
      'OCI runtime create failed: unable to apply cgroup configuration: permission denied',
      'Its cgroup could not be set up',
    ],
    ['exec: "/app/run": permission denied', 'It may not be executed by its user'],
    ['Failed at step EXEC spawning /opt/x: Permission denied', 'It may not be executed by its user'],
    ['exec /app/run: exec format error', 'The program is for another kind of machine'],
    ['exec: "trian": executable file not found in $PATH', 'The program, its interpreter or its directory'],
    ['trian: no such file or directory', 'The program, its interpreter or its directory'],
    ['mkdir /var/lib/docker/x: no space left on device', 'There is no room to start it'],
    ['fork/exec /usr/bin/runc: resource temporarily unavailable', 'The node would give it no process or no memory'],
    ['', 'Try it by hand with the same image and command'],
  ])('by the words %j', (error, expected) => {
    expect(didNotStart(about('start_failed', { container: { ...container, error } }))).toContain(expected);
  });

  it('takes the words of systemd and of the wrapper alike', () => {
    const words = 'Failed at step CHDIR spawning /bin/x: No such file or directory';

    expect(didNotStart(about('start_failed', { unit: { ...unit, startError: { at, words } } }))).toContain(
      'its directory',
    );
    expect(didNotStart(about('start_failed', { run: { ...run, startError: 'x: permission denied' } }))).toContain(
      'mode',
    );
    expect(didNotStart(about('start_failed', { unit }))).toContain('Check that the program exists on this node');
    expect(didNotStart(about('exit_code', { unit }))).toBeNull();
  });
});

it('is silent where no rule knows anything', () => {
  expect(adviseOn(about('success', {}, code(0)))).toEqual([]);
  expect(adviseOn(about('exit_code', {}, code(1)))).toEqual([]);
  expect(adviseOn(about('stopped_by_user', { unit }, code(143)))).toEqual([]);
});
