import type { Cause, Confidence, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complaintOfNoSpace } from './judge-disk.ts';
import type { RunFacts } from './run-facts.ts';
import { judgeEnd } from './verdict.ts';

type Unit = NonNullable<RunFacts['unit']>;
type Container = NonNullable<RunFacts['container']>;
type Run = NonNullable<RunFacts['run']>;
type Memory = RunFacts['memory'];

const at = 1_700_000_000_000;
const MiB = 1024 ** 2;
const KILL = 9;
const TERM = 15;
const HUP = 1;
const core = 0x80;
const exit = (code: number) => code << 8;

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
const memory = (known: Partial<Memory>) => ({ memory: { ...blank.memory, ...known } });
const main = (waitStatus: number | null, blindReason: string | null = null): Pick<RunFacts, 'process'> => ({
  process: { waitStatus, via: waitStatus === null ? null : 'pidfd', blindReason, at },
});
const unitFacts: Unit = {
  isScope: true,
  result: 'success',
  execMain: null,
  stopJob: false,
  oomAt: null,
  via: 'dbus',
  runtimeMaxMs: null,
  startError: null,
};
const scope = (unit: Partial<Unit>, rest: Partial<RunFacts> = {}): RunFacts => ({
  ...blank,
  unit: { ...unitFacts, ...unit },
  ...rest,
});
const service = (unit: Partial<Unit>, rest: Partial<RunFacts> = {}): RunFacts =>
  scope({ isScope: false, ...unit }, rest);
const exited = (status: number) => ({ execMain: { code: 'exited', status } as const });
const killed = (status: number) => ({ execMain: { code: 'killed', status } as const });
const dumped = (status: number) => ({ execMain: { code: 'dumped', status } as const });
const containerFacts: Container = {
  exitCode: null,
  oomKilled: false,
  oomAt: null,
  signals: [],
  engineStopping: null,
  notStarted: false,
  error: null,
};
const container = (known: Partial<Container>, rest: Partial<RunFacts> = {}): RunFacts => ({
  ...blank,
  source: 'docker',
  container: { ...containerFacts, ...known },
  ...rest,
});
const sent = (...signals: number[]) => ({ signals: signals.map((signal) => ({ signal, at: at - 100 })) });
const run = (known: Partial<Run>, rest: Partial<RunFacts> = {}): RunFacts => ({
  ...blank,
  source: 'run',
  run: { waitStatus: null, timedOut: false, startError: null, timeoutMs: null, ...known },
  ...rest,
});
const full = memory({ peakBytes: 50 * MiB, limitBytes: 50 * MiB, oomKills: 1, oomAt: at - 5 });
const countOnly = memory({ oomKills: 1 });
const account: NonNullable<Memory['kernelOom']> = {
  at: at - 5,
  isGlobal: false,
  group: null,
  usageBytes: null,
  limitBytes: null,
  victim: { pid: 42, comm: 'hog', rssBytes: null, isMain: false },
  largest: null,
};
const line = (isGlobal: boolean, known: Partial<typeof account> = {}) => ({
  kernelOom: { ...account, isGlobal, ...known },
});
const gpu = (known: Partial<NonNullable<RunFacts['gpu']>>): Pick<RunFacts, 'gpu'> => ({
  gpu: {
    at: at - 3000,
    xid: 31,
    gpu: '0000:3b:00',
    whose: 'main',
    text: 'NVRM: Xid (PCI:0000:3b:00): 31, pid=1',
    ...known,
  },
});
const disk = (known: Partial<RunFacts['disk']>): Pick<RunFacts, 'disk'> => ({ disk: { ...blank.disk, ...known } });
const fullDisk = { fullest: { mount: '/data', of: 'space', usedPercent: 99.8, at: at - 400 } } as const;
const complaint = { complaint: "OSError: [Errno 28] No space left on device: 'ckpt-7.pt'" };
const dump = (known: Partial<NonNullable<RunFacts['coreDump']>>): Pick<RunFacts, 'coreDump'> => ({
  coreDump: { at: at - 10, pid: 77, comm: 'train', signal: 11, isMain: true, file: null, ...known },
});

/** status, cause, confidence, exit code, signal */
type Expected = readonly [TaskStatus, Cause, Confidence, (number | null)?, (string | null)?];
type Case = [string, RunFacts, Expected];

function judged(facts: RunFacts): Expected {
  const { status, exitCode, signal, verdict } = judgeEnd(facts);
  return [status, verdict.cause, verdict.confidence, exitCode, signal];
}

function check(
  _: string,
  facts: RunFacts,
  [status, cause, confidence, exitCode = null, signal = null]: Expected,
): void {
  expect(judged(facts)).toEqual([status, cause, confidence, exitCode, signal]);
}

describe('the main process of a scope, seen by the kernel', () => {
  const success = ['completed', 'success', 'proven', 0] as const;
  const code = (number: number) => ['failed', 'exit_code', 'proven', number] as const;
  const outside = (name: string) => ['killed', 'signal', 'proven', null, name] as const;
  const own = (name: string) => ['failed', 'signal', 'proven', null, name] as const;

  it.each<Case>([
    ['exit 0', scope({}, main(exit(0))), success],
    ['exit 1', scope({}, main(exit(1))), code(1)],
    ['exit 3, although systemd says success', scope({ result: 'success' }, main(exit(3))), code(3)],
    ['exit 3, although the journal says deactivated successfully', scope({ via: 'journal' }, main(exit(3))), code(3)],
    ['exit 126', scope({}, main(exit(126))), code(126)],
    ['exit 127', scope({}, main(exit(127))), code(127)],
    ['exit 137, a code', scope({}, main(exit(137))), code(137)],
    ['exit 143, a code', scope({}, main(exit(143))), code(143)],
    ['exit 255', scope({}, main(exit(255))), code(255)],
    ['SIGKILL by nobody we know', scope({}, main(KILL)), outside('SIGKILL')],
    ['SIGTERM', scope({}, main(TERM)), outside('SIGTERM')],
    ['SIGINT', scope({}, main(2)), outside('SIGINT')],
    ['SIGHUP', scope({}, main(HUP)), outside('SIGHUP')],
    ['SIGPIPE', scope({}, main(13)), outside('SIGPIPE')],
    ['a real-time signal', scope({}, main(40)), outside('SIG40')],
    ['SIGSEGV', scope({}, main(11)), own('SIGSEGV')],
    ['SIGSEGV with a core', scope({}, main(11 | core)), own('SIGSEGV')],
    ['SIGABRT with a core', scope({}, main(6 | core)), own('SIGABRT')],
    ['SIGBUS', scope({}, main(7)), own('SIGBUS')],
    ['SIGFPE', scope({}, main(8)), own('SIGFPE')],
    ['SIGILL', scope({}, main(4)), own('SIGILL')],
    ['SIGTRAP', scope({}, main(5)), own('SIGTRAP')],
    ['SIGSYS', scope({}, main(31)), own('SIGSYS')],
    ['nothing of systemd, only the kernel', { ...blank, ...main(exit(2)) }, code(2)],
  ])('%s', check);
});

describe('an end that nobody could see is unknown, never a success', () => {
  const unknown = ['unknown', 'unknown', 'unknown'] as const;

  it.each<Case>([
    ['a scope of which systemd says success', scope({}, main(null, 'no right to hear process events')), unknown],
    ['a scope without any word of the kernel', scope({}), unknown],
    ['a scope read back from the journal', scope({ via: 'journal', stopJob: null }), unknown],
    ['a scope whose result is not known', scope({ result: null, stopJob: null }), unknown],
    ['a service whose result is not known', service({ result: null, stopJob: null }), unknown],
    ['a container that was gone before it could be asked', container({ oomKilled: null }), unknown],
    ['a run whose wrapper died', run({}), unknown],
    ['a run of which there is nothing at all', blank, unknown],
    ['a blind scope while the node goes down', scope({ stopJob: null }, { shuttingDown: true }), unknown],
    [
      'a service that systemd calls failed without numbers',
      service({ result: 'exit-code' }),
      ['failed', 'unknown', 'unknown'],
    ],
    ['a service that was started too often', service({ result: 'start-limit-hit' }), ['failed', 'unknown', 'unknown']],
    ['a service that systemd calls successful without numbers', service({}), ['completed', 'success', 'proven']],
    [
      'a service that the journal calls successful',
      service({ via: 'journal', stopJob: null }),
      ['completed', 'success', 'proven'],
    ],
  ])('%s', check);

  it('says why it could not be seen, by the best reason there is', () => {
    expect(judgeEnd(scope({}, main(null, 'no right'))).verdict.summary).toBe(
      'Ended, and nobody could see how: no right.',
    );
    expect(
      judgeEnd(scope({}, { blindness: { reason: 'the agent was away', wasAway: true }, ...main(null, 'no right') }))
        .errorMessage,
    ).toContain('the agent was away');
    expect(judgeEnd(run({})).verdict.summary).toContain('its wrapper ended before it');
  });
});

describe('the main process of a service, by its parent, systemd', () => {
  it.each<Case>([
    ['exit 0', service(exited(0)), ['completed', 'success', 'proven', 0]],
    ['exit 7', service({ result: 'exit-code', ...exited(7) }), ['failed', 'exit_code', 'proven', 7]],
    [
      'exit 7 from the journal',
      service({ result: 'exit-code', via: 'journal', stopJob: null, ...exited(7) }),
      ['failed', 'exit_code', 'proven', 7],
    ],
    ['exit 137, a code', service({ result: 'exit-code', ...exited(137) }), ['failed', 'exit_code', 'proven', 137]],
    ['SIGKILL', service({ result: 'signal', ...killed(KILL) }), ['killed', 'signal', 'proven', null, 'SIGKILL']],
    [
      'SIGTERM, which systemd calls a success',
      service({ result: 'success', ...killed(TERM) }),
      ['killed', 'signal', 'proven', null, 'SIGTERM'],
    ],
    [
      'SIGSEGV with a core',
      service({ result: 'core-dump', ...dumped(11) }),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    [
      'the watchdog, heeded by SIGABRT',
      service({ result: 'watchdog', ...dumped(6) }),
      ['failed', 'signal', 'proven', null, 'SIGABRT'],
    ],
    [
      'the watchdog, which then had to kill',
      service({ result: 'watchdog', ...killed(KILL) }),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      'the watchdog, after which it ended with 0',
      service({ result: 'watchdog', ...exited(0) }),
      ['failed', 'unknown', 'unknown', 0],
    ],
    [
      'exit 0, but ExecStopPost= failed',
      service({ result: 'exit-code', ...exited(0) }),
      ['failed', 'unknown', 'unknown', 0],
    ],
    [
      'exit 0 after a stop, but ExecStopPost= failed',
      service({ result: 'exit-code', stopJob: true, ...exited(0) }),
      ['failed', 'unknown', 'unknown', 0],
    ],
    [
      'its parent rather than the kernel, where they differ',
      service(exited(7), main(exit(0))),
      ['failed', 'exit_code', 'proven', 7],
    ],
    [
      'the kernel, where systemd gives no number',
      service({ result: 'exit-code', stopJob: null }, main(exit(7))),
      ['failed', 'exit_code', 'proven', 7],
    ],
    ['no such program', service({ result: 'exit-code', ...exited(203) }), ['failed', 'start_failed', 'likely', 203]],
    ['no such directory', service({ result: 'exit-code', ...exited(200) }), ['failed', 'start_failed', 'likely', 200]],
    ['no such user', service({ result: 'exit-code', ...exited(217) }), ['failed', 'start_failed', 'likely', 217]],
    [
      '203 of a scope, which is a code like any other',
      scope({}, main(exit(203))),
      ['failed', 'exit_code', 'proven', 203],
    ],
    ['no resources to start it', service({ result: 'resources' }), ['failed', 'start_failed', 'proven']],
    ['a broken start protocol', service({ result: 'protocol', ...exited(0) }), ['failed', 'start_failed', 'proven', 0]],
  ])('%s', check);

  it('names the watchdog', () => {
    expect(judgeEnd(service({ result: 'watchdog', ...dumped(6) })).verdict.summary).toBe(
      'Crashed with SIGABRT (core dumped) because it did not answer its watchdog.',
    );
    expect(judgeEnd(service({ result: 'watchdog', ...killed(KILL) })).verdict.summary).toBe(
      'Killed by SIGKILL because it did not answer its watchdog.',
    );
  });
});

describe('killed for memory only where something proves it', () => {
  it.each<Case>([
    [
      'a scope at its limit, main killed',
      scope({ result: 'oom-kill' }, { ...main(KILL), ...full }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'OOMPolicy=stop: a child killed, the main ended by SIGTERM',
      scope({ result: 'oom-kill' }, { ...main(TERM), ...full }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGTERM'],
    ],
    [
      'OOMPolicy=stop, and the main ended with 0',
      scope({ result: 'oom-kill' }, { ...main(exit(0)), ...full }),
      ['killed_oom', 'oom_limit', 'proven', 0],
    ],
    [
      'OOMPolicy=stop, and nobody saw the main',
      scope({ result: 'oom-kill' }, full),
      ['killed_oom', 'oom_limit', 'proven'],
    ],
    [
      'only the journal knows',
      scope({ result: 'oom-kill', via: 'journal', oomAt: at - 5, stopJob: null }),
      ['killed_oom', 'oom_host', 'likely'],
    ],
    [
      'OOMPolicy=continue: success, a count, exit 0',
      scope({}, { ...main(exit(0)), ...full }),
      ['completed', 'oom_child', 'proven', 0],
    ],
    [
      'OOMPolicy=continue: success, a count, exit 1',
      scope({}, { ...main(exit(1)), ...full }),
      ['failed', 'oom_child', 'likely', 1],
    ],
    [
      'OOMPolicy=continue: main SIGKILL and a count',
      scope({}, { ...main(KILL), ...full }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    ['OOMPolicy=continue: a count, main unseen', scope({}, full), ['unknown', 'unknown', 'unknown']],
    [
      "OOMPolicy=continue: success, the journal's line alone, exit 0",
      scope({ oomAt: at - 5 }, main(exit(0))),
      ['completed', 'oom_child', 'proven', 0],
    ],
    [
      "OOMPolicy=continue: success, the journal's line alone, main SIGKILL",
      scope({ oomAt: at - 5 }, main(KILL)),
      ['killed_oom', 'oom_host', 'likely', null, 'SIGKILL'],
    ],
    [
      "OOMPolicy=continue: success, the kernel's line alone, exit 0",
      scope({}, { ...main(exit(0)), ...memory(line(false)) }),
      ['completed', 'oom_child', 'proven', 0],
    ],
    [
      'OOMPolicy=kill: a child over the limit, and all of it killed',
      scope({ result: 'oom-kill' }, { ...main(KILL), ...memory({ ...full.memory, ...line(false), oomKills: 3 }) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'OOMPolicy=continue: a service that systemd calls successful, numbers unseen',
      service({}, full),
      ['completed', 'oom_child', 'proven'],
    ],
    [
      'a service that systemd calls failed, numbers unseen',
      service({ result: 'exit-code' }, full),
      ['failed', 'unknown', 'unknown'],
    ],
    [
      'a crash after a child was killed',
      scope({}, { ...main(11), ...full }),
      ['failed', 'oom_child', 'likely', null, 'SIGSEGV'],
    ],
    [
      'SIGTERM by nobody we know after a child was killed',
      scope({}, { ...main(TERM), ...full }),
      ['killed', 'oom_child', 'likely', null, 'SIGTERM'],
    ],
    [
      'a shell whose only command was killed: exit 137',
      scope({}, { ...main(exit(137)), ...full }),
      ['killed_oom', 'oom_limit', 'proven', 137],
    ],
    [
      'a count without a limit',
      scope({}, { ...main(KILL), ...countOnly }),
      ['killed_oom', 'oom_host', 'likely', null, 'SIGKILL'],
    ],
    [
      'a count far below the limit',
      scope({}, { ...main(KILL), ...memory({ oomKills: 1, peakBytes: 10 * MiB, limitBytes: 50 * MiB }) }),
      ['killed_oom', 'oom_host', 'likely', null, 'SIGKILL'],
    ],
    [
      "the kernel's line: the whole node",
      scope({}, { ...main(KILL), ...memory(line(true)) }),
      ['killed_oom', 'oom_host', 'proven', null, 'SIGKILL'],
    ],
    [
      "the kernel's line: the whole node, although at its limit",
      scope({}, { ...main(KILL), ...memory({ ...full.memory, ...line(true) }) }),
      ['killed_oom', 'oom_host', 'proven', null, 'SIGKILL'],
    ],
    [
      "the kernel's line: the limit of a group around it",
      scope({}, { ...main(KILL), ...memory(line(false, { group: '/batch.slice', limitBytes: 1024 * MiB })) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'systemd says so, the count was gone with the cgroup, and no peak was read',
      scope({ result: 'oom-kill' }, { ...main(KILL), ...memory({ limitBytes: 50 * MiB }) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'systemd-oomd, far below the limit',
      service({ result: 'oom-kill', ...killed(KILL) }, memory({ peakBytes: 10 * MiB, limitBytes: 50 * MiB })),
      ['killed_oom', 'oom_host', 'likely', null, 'SIGKILL'],
    ],
    [
      "the kernel's line: a limit",
      scope({}, { ...main(KILL), ...memory(line(false)) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      "the kernel's line names its main process, whose exit nobody saw",
      scope({}, memory(line(false, { victim: { pid: 42, comm: 'hog', rssBytes: null, isMain: true } }))),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      "the kernel's line names another process of it, and its exit nobody saw",
      scope({}, memory(line(false))),
      ['unknown', 'unknown', 'unknown'],
    ],
    [
      'a service killed at its limit',
      service({ result: 'oom-kill', ...killed(KILL) }, full),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'a run killed at its limit',
      run({ waitStatus: KILL }, full),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'a count of zero',
      scope({}, { ...main(KILL), ...memory({ oomKills: 0, peakBytes: 50 * MiB, limitBytes: 50 * MiB }) }),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      'its memory full to the limit, and SIGKILL',
      scope({}, { ...main(KILL), ...memory({ peakBytes: 50 * MiB, limitBytes: 50 * MiB }) }),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      'a child an hour before, then SIGKILL by nobody we know',
      scope({}, { ...main(KILL), ...memory({ ...full.memory, oomAt: at - 3_600_000 }) }),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      'a child an hour before, then exit 1',
      scope({}, { ...main(exit(1)), ...memory({ ...full.memory, oomAt: at - 3_600_000 }) }),
      ['failed', 'oom_child', 'likely', 1],
    ],
    [
      'a kill long before an end whose instant is only a bound',
      scope({}, { approximate: true, ...main(KILL), ...memory({ ...full.memory, oomAt: at - 3_600_000 }) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'a container at its limit',
      container({ exitCode: 137, oomKilled: true, oomAt: at - 5 }, memory({ limitBytes: 20 * MiB })),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'a container with --rm: only the event',
      container({ exitCode: 137, oomKilled: null, oomAt: at - 5 }),
      ['killed_oom', 'oom_limit', 'likely', null, 'SIGKILL'],
    ],
    [
      "a container of which only the engine's flag speaks",
      container({ exitCode: 137, oomKilled: true }),
      ['killed_oom', 'oom_limit', 'likely', null, 'SIGKILL'],
    ],
    [
      "a container, by the kernel's line",
      container({ exitCode: 137 }, memory(line(false))),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    [
      'a child of a container, which ended with 0',
      container({ exitCode: 0, oomKilled: true, oomAt: at - 5 }),
      ['completed', 'oom_child', 'proven', 0],
    ],
    [
      'a child of a container with --rm, which ended with 0: only the event',
      container({ exitCode: 0, oomKilled: null, oomAt: at - 5 }),
      ['completed', 'oom_child', 'proven', 0],
    ],
    [
      'a child of a container, which then failed',
      container({ exitCode: 1, oomKilled: true, oomAt: at - 5 }),
      ['failed', 'oom_child', 'likely', 1],
    ],
    [
      'a container whose engine tells of its end late, on a node that starves',
      container({ exitCode: 137, oomKilled: null, oomAt: at - 16_000 }, memory({ ...full.memory, oomAt: at - 16_000 })),
      ['killed_oom', 'oom_limit', 'likely', null, 'SIGKILL'],
    ],
    [
      'a container whose main process went on after a kill, says the kernel',
      container({ exitCode: 137, oomKilled: null, oomAt: at - 16_000 }, main(KILL)),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    ['a container whose end was not seen', container({ oomKilled: true }), ['unknown', 'unknown', 'unknown']],
    [
      'a child earlier, and docker kill at the end',
      container({ exitCode: 137, oomKilled: true, ...sent(KILL) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGKILL'],
    ],
    [
      'docker stop begun, but the OOM killer was quicker',
      container({ exitCode: 137, oomKilled: true, ...sent(TERM) }),
      ['killed_oom', 'oom_limit', 'likely', null, 'SIGKILL'],
    ],
    [
      'a child earlier, and a stop that had to kill',
      service({ result: 'signal', stopJob: true, ...killed(KILL) }, full),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGKILL'],
    ],
    [
      'the OOM killer during a stop',
      service({ result: 'oom-kill', stopJob: true, ...killed(KILL) }, full),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
  ])('%s', check);

  it.each([
    ['its own', full, 'it had reached its limit of 50 MiB.'],
    ['its own, by the kernel', memory(line(false, { limitBytes: 50 * MiB })), 'it had reached its limit of 50 MiB.'],
    [
      'a group around it',
      memory(line(false, { group: '/batch.slice', limitBytes: 1024 * MiB })),
      '/batch.slice around it had reached its limit of 1.0 GiB.',
    ],
    ['the node', memory(line(true)), 'the whole node had run out.'],
    [
      'the node, where another was the largest',
      memory(line(true, { largest: { pid: 901, comm: 'python3', rssBytes: 30 * 1024 * MiB } })),
      'the whole node had run out; the largest process was python3 (pid 901) with 30 GiB.',
    ],
    [
      'the node, where it was the largest itself',
      memory(line(true, { largest: { pid: 42, comm: 'hog', rssBytes: 30 * 1024 * MiB } })),
      'the whole node had run out.',
    ],
  ])('says who was over what: %s', (_, facts, expected) => {
    expect(judgeEnd(scope({}, { ...main(KILL), ...facts })).verdict.summary).toBe(
      `Killed for want of memory: ${expected}`,
    );
  });
});

describe('a container, whose engine says 128 + n for two things', () => {
  it.each<Case>([
    ['exit 0', container({ exitCode: 0 }), ['completed', 'success', 'proven', 0]],
    ['exit 7', container({ exitCode: 7 }), ['failed', 'exit_code', 'proven', 7]],
    ['exit 127, no such command', container({ exitCode: 127 }), ['failed', 'exit_code', 'proven', 127]],
    ['137 without a word of anybody', container({ exitCode: 137 }), ['failed', 'exit_code', 'likely', 137]],
    ['143 without a word of anybody', container({ exitCode: 143 }), ['failed', 'exit_code', 'likely', 143]],
    ['255', container({ exitCode: 255 }), ['failed', 'exit_code', 'proven', 255]],
    [
      '137 by docker kill',
      container({ exitCode: 137, ...sent(KILL) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGKILL'],
    ],
    [
      '137 by docker stop: TERM, then KILL',
      container({ exitCode: 137, ...sent(TERM, KILL) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGKILL'],
    ],
    [
      '143 by docker stop',
      container({ exitCode: 143, ...sent(TERM) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGTERM'],
    ],
    [
      '143 by docker stop, and the kernel saw a code',
      container({ exitCode: 143, ...sent(TERM) }, main(exit(143))),
      ['killed', 'stopped_by_user', 'proven', 143],
    ],
    ['0 by docker stop', container({ exitCode: 0, ...sent(TERM) }), ['completed', 'stopped_by_user', 'likely', 0]],
    ['1 by docker stop', container({ exitCode: 1, ...sent(TERM) }), ['failed', 'stopped_by_user', 'likely', 1]],
    ['docker stop, and the end not seen', container({ ...sent(TERM) }), ['killed', 'stopped_by_user', 'likely']],
    [
      '137 that the kernel saw as SIGKILL',
      container({ exitCode: 137 }, main(KILL)),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      '137 that the kernel saw as a code',
      container({ exitCode: 137 }, main(exit(137))),
      ['failed', 'exit_code', 'proven', 137],
    ],
    [
      '139 that the kernel saw as SIGSEGV',
      container({ exitCode: 139 }, main(11)),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    [
      'a crash while it was being stopped',
      container({ exitCode: 139, ...sent(TERM) }, main(11)),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    [
      'SIGHUP to read its files again, and exit 1 much later',
      container({ exitCode: 1, ...sent(HUP) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'SIGHUP to read its files again, and exit 0 much later',
      container({ exitCode: 0, ...sent(HUP) }),
      ['completed', 'success', 'proven', 0],
    ],
    [
      'SIGHUP that was deadly',
      container({ exitCode: 129, ...sent(HUP) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGHUP'],
    ],
    ['SIGUSR1, which stops nothing', container({ exitCode: 3, ...sent(10) }), ['failed', 'exit_code', 'proven', 3]],
    [
      'SIGTERM sent, but the kernel saw another SIGKILL',
      container({ exitCode: 137, ...sent(TERM) }, main(KILL)),
      ['killed', 'stopped_by_user', 'likely', null, 'SIGKILL'],
    ],
    [
      'the node going down',
      container({ exitCode: 143, ...sent(TERM) }, { shuttingDown: true }),
      ['killed', 'stopped_by_system', 'proven', null, 'SIGTERM'],
    ],
    [
      'its engine going down',
      container({ exitCode: 143, engineStopping: 'docker.service', ...sent(TERM) }),
      ['killed', 'stopped_by_system', 'proven', null, 'SIGTERM'],
    ],
    [
      'its engine going down, whose events were not heard',
      container({ exitCode: 137, engineStopping: 'docker.service' }, main(KILL)),
      ['killed', 'stopped_by_system', 'likely', null, 'SIGKILL'],
    ],
    [
      'its engine going down, which it outlived long enough to end well',
      container({ exitCode: 0, engineStopping: 'docker.service', ...sent(TERM) }),
      ['completed', 'stopped_by_system', 'likely', 0],
    ],
    [
      'a failure of its own while its engine goes down',
      container({ exitCode: 1, engineStopping: 'docker.service' }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'not started',
      container({ exitCode: 128, notStarted: true, error: 'no such image' }),
      ['failed', 'start_failed', 'proven', 128],
    ],
    ['not started, without a reason', container({ notStarted: true }), ['failed', 'start_failed', 'proven']],
    [
      'not started, its program not in the image',
      container({ exitCode: 127, notStarted: true, error: 'exec: "trian": executable file not found in $PATH' }),
      ['failed', 'start_failed', 'proven', 127],
    ],
    [
      'not started, its program without permission',
      container({ exitCode: 126, notStarted: true, error: 'exec: "/train": permission denied' }),
      ['failed', 'start_failed', 'proven', 126],
    ],
    [
      '137 of Podman without a word of anybody',
      container({ exitCode: 137 }, { source: 'podman' }),
      ['failed', 'exit_code', 'likely', 137],
    ],
  ])('%s', check);

  it('does not claim that an ambiguous 137 is no signal', () => {
    const { verdict } = judgeEnd(container({ exitCode: 137 }));

    expect(verdict.summary).toBe(
      'Failed with exit 137, which the engine says of that code and of a death by SIGKILL alike.',
    );
    expect(verdict.evidence.map(({ fact }) => fact)).toContain(
      'the engine says 137 of that code and of a death by SIGKILL alike; no event of it and no word of the kernel tells which',
    );
    expect(JSON.stringify(verdict)).not.toContain('a code, not a signal');
  });

  it('gives the reason of the engine as the error', () => {
    expect(judgeEnd(container({ notStarted: true, error: 'no such image' })).errorMessage).toBe('no such image');
  });
});

describe('stopped by someone', () => {
  const byUser = (...end: [number | null, (string | null)?]) =>
    ['killed', 'stopped_by_user', 'proven', ...end] as const;

  it.each<Case>([
    [
      'a service that ended with 0',
      service({ stopJob: true, ...exited(0) }),
      ['completed', 'stopped_by_user', 'proven', 0],
    ],
    ['a service that ended with 143', service({ stopJob: true, result: 'exit-code', ...exited(143) }), byUser(143)],
    ['a service by SIGTERM', service({ stopJob: true, ...killed(TERM) }), byUser(null, 'SIGTERM')],
    [
      'a service that had to be killed',
      service({ stopJob: true, result: 'timeout', ...killed(KILL) }),
      byUser(null, 'SIGKILL'),
    ],
    [
      'a service that crashed meanwhile',
      service({ stopJob: true, result: 'core-dump', ...dumped(11) }),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    ['a scope by SIGTERM', scope({ stopJob: true }, main(TERM)), byUser(null, 'SIGTERM')],
    ['a scope that had to be killed', scope({ stopJob: true, result: 'timeout' }, main(KILL)), byUser(null, 'SIGKILL')],
    ['a scope whose end was not seen', scope({ stopJob: true }), ['killed', 'stopped_by_user', 'likely']],
    [
      'a service by the node going down',
      service({ stopJob: true, ...killed(TERM) }, { shuttingDown: true }),
      ['killed', 'stopped_by_system', 'proven', null, 'SIGTERM'],
    ],
    [
      'a run swept away by the node going down',
      run({ waitStatus: TERM }, { shuttingDown: true }),
      ['killed', 'stopped_by_system', 'likely', null, 'SIGTERM'],
    ],
    [
      'a container swept away by the node going down, of which the engine says 143 alone',
      container({ exitCode: 143 }, { shuttingDown: true }),
      ['failed', 'stopped_by_system', 'likely', 143],
    ],
    [
      'a container that failed while the node went down',
      container({ exitCode: 1 }, { shuttingDown: true }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'a crash while the node went down',
      scope({ stopJob: true }, { shuttingDown: true, ...main(11) }),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    [
      'a run that failed while the node went down',
      run({ waitStatus: exit(1) }, { shuttingDown: true }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'a run that ended well while the node went down',
      run({ waitStatus: 0 }, { shuttingDown: true }),
      ['completed', 'success', 'proven', 0],
    ],
    [
      'SIGTERM when it is not known whether someone asked',
      service({ stopJob: null, via: 'journal', ...killed(TERM) }),
      ['killed', 'signal', 'proven', null, 'SIGTERM'],
    ],
  ])('%s', check);
});

describe('out of time', () => {
  it.each<Case>([
    [
      'RuntimeMaxSec= of a scope',
      scope({ result: 'timeout', runtimeMaxMs: 60_000 }, main(TERM)),
      ['timed_out', 'timeout', 'proven', null, 'SIGTERM'],
    ],
    [
      'RuntimeMaxSec= of a scope, its main not seen',
      scope({ result: 'timeout', runtimeMaxMs: 60_000 }),
      ['timed_out', 'timeout', 'proven'],
    ],
    [
      'RuntimeMaxSec= of a service',
      service({ result: 'timeout', runtimeMaxMs: 60_000, ...killed(TERM) }),
      ['timed_out', 'timeout', 'proven', null, 'SIGTERM'],
    ],
    [
      'RuntimeMaxSec= of a service, from the journal',
      service({ result: 'timeout', runtimeMaxMs: 60_000, via: 'journal', stopJob: null }),
      ['timed_out', 'timeout', 'proven'],
    ],
    [
      'TimeoutStartSec=',
      service({ result: 'timeout', ...killed(TERM) }),
      ['timed_out', 'timeout', 'proven', null, 'SIGTERM'],
    ],
    [
      'a time limit or a slow stop, from the journal',
      service({ result: 'timeout', via: 'journal', stopJob: null }),
      ['timed_out', 'timeout', 'likely'],
    ],
    [
      'a time limit of a run whose start is not known',
      scope({ result: 'timeout', runtimeMaxMs: 60_000, stopJob: null }, { startedAt: null }),
      ['timed_out', 'timeout', 'likely'],
    ],
    [
      'a stop that took too long is a stop',
      service({ result: 'timeout', stopJob: true, ...killed(KILL) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGKILL'],
    ],
    [
      '--timeout of a run',
      run({ waitStatus: TERM, timedOut: true, timeoutMs: 90_000 }),
      ['timed_out', 'timeout', 'proven', null, 'SIGTERM'],
    ],
    [
      '--timeout of a run that had to be killed',
      run({ waitStatus: KILL, timedOut: true, timeoutMs: 1000 }),
      ['timed_out', 'timeout', 'proven', null, 'SIGKILL'],
    ],
    [
      '--timeout of a run that then ended with 0',
      run({ waitStatus: 0, timedOut: true, timeoutMs: 1000 }),
      ['timed_out', 'timeout', 'proven', 0],
    ],
    [
      '--timeout of a run a child of which was killed for memory before',
      run({ waitStatus: KILL, timedOut: true, timeoutMs: 1000 }, full),
      ['timed_out', 'timeout', 'proven', null, 'SIGKILL'],
    ],
    [
      'RuntimeMaxSec= under OOMPolicy=continue after a child was killed',
      scope({ result: 'timeout', runtimeMaxMs: 60_000 }, { ...main(TERM), ...full }),
      ['timed_out', 'timeout', 'proven', null, 'SIGTERM'],
    ],
  ])('%s', check);

  it('says which limit', () => {
    expect(judgeEnd(run({ waitStatus: TERM, timedOut: true, timeoutMs: 90_000 })).errorMessage).toBe(
      'Stopped at its time limit of 1m30s.',
    );
    expect(judgeEnd(run({ waitStatus: TERM, timedOut: true })).errorMessage).toBe('Stopped at its time limit.');
    expect(judgeEnd(scope({ result: 'timeout', runtimeMaxMs: 60_000 })).verdict.summary).toBe(
      'Stopped by systemd at its time limit of 1m.',
    );
    expect(judgeEnd(service({ result: 'timeout', ...killed(TERM) })).verdict.summary).toBe(
      'Stopped by systemd because a time limit ran out (SIGTERM).',
    );
  });
});

describe('a service whose ExecCondition= said no', () => {
  it.each<Case>([
    ['is no failure', service({ result: 'exec-condition' }), ['completed', 'success', 'proven']],
    [
      'nor is the code of the command that was asked',
      service({ result: 'exec-condition' }, main(exit(1))),
      ['completed', 'success', 'proven'],
    ],
    [
      'by the journal alone',
      service({ result: 'exec-condition', via: 'journal', stopJob: null }),
      ['completed', 'success', 'proven'],
    ],
  ])('%s', check);

  it('did not run', () => {
    expect(judgeEnd(service({ result: 'exec-condition' })).verdict.summary).toBe(
      'Not run: its ExecCondition= was not met, says systemd.',
    );
  });
});

describe('not started at all', () => {
  const startError = { at: at - 5, words: 'Failed at step EXEC spawning /no/such: No such file or directory' };

  it.each<Case>([
    [
      'systemd says which program is missing',
      service({ result: 'exit-code', startError, ...exited(203) }),
      ['failed', 'start_failed', 'proven', 203],
    ],
    [
      'its cgroup could not be set up',
      service({ result: 'exit-code', ...exited(219) }),
      ['failed', 'start_failed', 'likely', 219],
    ],
    [
      '203 by the kernel only, which is a code like any other',
      service({ result: 'exit-code', stopJob: null }, main(exit(203))),
      ['failed', 'exit_code', 'proven', 203],
    ],
    [
      'words of systemd about an earlier command, and exit 1 of the program',
      service({ result: 'exit-code', startError, ...exited(1) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'a container without a place in its cgroup',
      container({
        notStarted: true,
        exitCode: 128,
        error: 'OCI runtime create failed: unable to apply cgroup configuration',
      }),
      ['failed', 'start_failed', 'proven', 128],
    ],
  ])('%s', check);

  it('gives the words of whoever could not start it', () => {
    const summary = (facts: RunFacts) => judgeEnd(facts).verdict.summary;

    expect(summary(service({ result: 'exit-code', startError, ...exited(203) }))).toBe(
      'The unit did not start: Failed at step EXEC spawning /no/such: No such file or directory.',
    );
    expect(summary(service({ result: 'exit-code', ...exited(219) }))).toBe(
      'The unit did not start: its cgroup could not be set up.',
    );
    expect(summary(container({ notStarted: true, error: 'no such image.' }))).toBe(
      'The container could not be started: no such image.',
    );
    expect(summary(container({ notStarted: true }))).toBe(
      'The container could not be started: the engine gave no reason.',
    );
  });
});

describe('its GPU failed it', () => {
  it.each<Case>([
    [
      'a page fault of the main process, then exit 1',
      scope({}, { ...main(exit(1)), ...gpu({}) }),
      ['failed', 'gpu_fault', 'proven', 1],
    ],
    [
      'a page fault of another process of it, then exit 1',
      scope({}, { ...main(exit(1)), ...gpu({ whose: 'member' }) }),
      ['failed', 'gpu_fault', 'likely', 1],
    ],
    [
      'a GPU lost under it, and SIGABRT',
      scope({}, { ...main(6 | core), ...gpu({ xid: 79 }) }),
      ['failed', 'gpu_fault', 'proven', null, 'SIGABRT'],
    ],
    [
      'a container, by the code of its engine',
      container({ exitCode: 1 }, gpu({ xid: 48, whose: 'member' })),
      ['failed', 'gpu_fault', 'likely', 1],
    ],
    [
      'an Xid that no catalogue knows',
      scope({}, { ...main(exit(1)), ...gpu({ xid: 999 }) }),
      ['failed', 'gpu_fault', 'proven', 1],
    ],
    [
      'a fault that it survived, and exit 0',
      scope({}, { ...main(exit(0)), ...gpu({}) }),
      ['completed', 'success', 'proven', 0],
    ],
    [
      'a fault eleven seconds before the end',
      scope({}, { ...main(exit(1)), ...gpu({ at: at - 11_000 }) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'a fault of the node that befell nobody we know',
      scope({}, { ...main(exit(1)), ...gpu({ xid: 79, whose: 'none' }) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'the clean-up after a kill, which is no fault',
      scope({}, { ...main(KILL), ...gpu({ xid: 45 }) }),
      ['killed', 'signal', 'proven', null, 'SIGKILL'],
    ],
    [
      'a memory row taken out of use, which harms nobody',
      scope({}, { ...main(exit(1)), ...gpu({ xid: 63 }) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'a stop by a person explains the end first',
      scope({ stopJob: true }, { ...main(TERM), ...gpu({ xid: 43 }) }),
      ['killed', 'stopped_by_user', 'proven', null, 'SIGTERM'],
    ],
    [
      'the OOM killer explains the end first',
      scope({}, { ...main(KILL), ...full, ...gpu({ xid: 31 }) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
    ],
    ['an end that nobody saw stays unknown', scope({}, gpu({})), ['unknown', 'unknown', 'unknown']],
  ])('%s', check);

  it('names the GPU and the fault', () => {
    expect(judgeEnd(scope({}, { ...main(exit(1)), ...gpu({ xid: 79 }) })).errorMessage).toBe(
      'Ended with exit 1 after a fault of GPU 0000:3b:00 befell it: Xid 79, GPU has fallen off the bus.',
    );
  });
});

describe('its disk was full', () => {
  it.each<Case>([
    [
      'it complained, and the disk was',
      scope({}, { ...main(exit(1)), ...disk({ ...fullDisk, ...complaint }) }),
      ['failed', 'disk_full', 'proven', 1],
    ],
    [
      'it complained, and the disk had room again',
      scope({}, { ...main(exit(1)), ...disk(complaint) }),
      ['failed', 'disk_full', 'likely', 1],
    ],
    [
      'it complained, and the disk was nearly full',
      scope({}, { ...main(exit(1)), ...disk({ ...complaint, fullest: { ...fullDisk.fullest, usedPercent: 99.4 } }) }),
      ['failed', 'disk_full', 'likely', 1],
    ],
    [
      'nobody could read whether it complained',
      scope({}, { ...main(exit(1)), ...disk({ ...fullDisk, isLogUnread: true }) }),
      ['failed', 'disk_full', 'likely', 1],
    ],
    [
      'a mapped file that could not grow',
      scope({}, { ...main(7 | core), ...disk({ ...fullDisk, isLogUnread: true }) }),
      ['failed', 'disk_full', 'likely', null, 'SIGBUS'],
    ],
    [
      'it complained of something else',
      scope({}, { ...main(exit(1)), ...disk(fullDisk) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'it complained and coped',
      scope({}, { ...main(exit(0)), ...disk({ ...fullDisk, ...complaint }) }),
      ['completed', 'success', 'proven', 0],
    ],
    [
      'an end that nobody saw stays unknown',
      scope({}, disk({ ...fullDisk, ...complaint })),
      ['unknown', 'unknown', 'unknown'],
    ],
  ])('%s', check);

  it('names the disk, and what of it ran out', () => {
    const summary = (facts: RunFacts['disk']) => judgeEnd(scope({}, { ...main(exit(1)), disk: facts })).verdict.summary;
    const inodes = { fullest: { ...fullDisk.fullest, of: 'inodes', usedPercent: 100 } } as const;

    expect(summary({ ...blank.disk, ...fullDisk, ...complaint })).toBe(
      'Ended with exit 1 and had found no space left to write: /data was 99.8% full.',
    );
    expect(summary({ ...blank.disk, ...inodes, isLogUnread: true })).toBe(
      'Ended with exit 1 while its disk was full: /data had used 100% of its inodes.',
    );
  });

  it.each([
    "OSError: [Errno 28] No space left on device: '/data/x'",
    'Error: ENOSPC: no space left on device, write',
    'tar: write error: No space left on device',
    'cp: error writing b: Disk quota exceeded',
  ])('is complained of in %j', (line) => {
    expect(complaintOfNoSpace(['epoch 3', line, 'Traceback ends'])).toBe(line);
  });

  it('is not complained of in other words', () => {
    expect(complaintOfNoSpace(['CUDA out of memory', 'exit status 28', 'space left on device: 3 GB'])).toBeNull();
  });
});

describe('a core', () => {
  it.each([
    ['a scope with one', scope({}, main(11 | core)), 'Crashed with SIGSEGV (core dumped).'],
    ['a scope without one', scope({}, main(11)), 'Crashed with SIGSEGV.'],
    ['a service with one', service({ result: 'core-dump', ...dumped(6) }), 'Crashed with SIGABRT (core dumped).'],
    ['a service without one', service({ result: 'signal', ...killed(6) }), 'Crashed with SIGABRT.'],
    ['a run with one', run({ waitStatus: 7 | core }), 'Crashed with SIGBUS (core dumped).'],
    [
      'a container, where the kernel saw one',
      container({ exitCode: 139 }, main(11 | core)),
      'Crashed with SIGSEGV (core dumped).',
    ],
  ])('is told when it was dumped, and only then: %s', (_, facts, expected) => {
    expect(judgeEnd(facts).verdict.summary).toBe(expected);
  });
});

describe('a core that systemd-coredump took', () => {
  it.each<Case>([
    [
      'of a main process that nobody else saw',
      scope({}, { ...main(null), ...dump({}) }),
      ['failed', 'signal', 'proven', null, 'SIGSEGV'],
    ],
    [
      'of a child, while nobody saw the main process',
      scope({}, dump({ isMain: false })),
      ['unknown', 'unknown', 'unknown'],
    ],
    [
      'of a child, while the main process ended with 1',
      scope({}, { ...main(exit(1)), ...dump({ isMain: false }) }),
      ['failed', 'exit_code', 'proven', 1],
    ],
    [
      'is no better witness than the kernel',
      scope({}, { ...main(exit(3)), ...dump({}) }),
      ['failed', 'exit_code', 'proven', 3],
    ],
  ])('%s', check);
});

describe('a run of our own', () => {
  it.each<Case>([
    ['exit 0', run({ waitStatus: 0 }), ['completed', 'success', 'proven', 0]],
    ['exit 3', run({ waitStatus: exit(3) }), ['failed', 'exit_code', 'proven', 3]],
    ['SIGKILL', run({ waitStatus: KILL }), ['killed', 'signal', 'proven', null, 'SIGKILL']],
    ['its wrapper died, but the kernel saw the command', run({}, main(exit(4))), ['failed', 'exit_code', 'proven', 4]],
    [
      'a command that does not exist',
      run({ startError: 'make: no such file or directory' }),
      ['failed', 'start_failed', 'proven'],
    ],
  ])('%s', check);

  it('has no error when it ended well, and its start error when it did not begin', () => {
    expect(judgeEnd(run({ waitStatus: 0 })).errorMessage).toBeNull();
    expect(judgeEnd(run({ startError: 'make: no such file' })).errorMessage).toBe('make: no such file');
  });
});

describe('the evidence says who saw what', () => {
  const sources = (facts: RunFacts) => judgeEnd(facts).verdict.evidence.map(({ source, fact }) => `${source}: ${fact}`);

  it.each<[string, RunFacts, string]>([
    ['the kernel by pidfd', scope({}, main(exit(3))), 'kernel: main process ended with exit 3 (pidfd)'],
    ['a core', scope({}, main(11 | core)), 'kernel: main process ended with SIGSEGV (core dumped) (pidfd)'],
    [
      'what was not seen',
      scope({}, main(null, 'no right')),
      "agent: the main process's exit status was not seen: no right",
    ],
    [
      'that systemd knows no status of a scope',
      scope({}),
      'systemd: scope ended; systemd keeps no exit status of a scope',
    ],
    [
      'the journal',
      service({ via: 'journal', result: 'exit-code', ...exited(7) }),
      'journal: main process exited, status 7',
    ],
    [
      'the OOM killer, by systemd',
      scope({ oomAt: at - 5, result: 'oom-kill' }),
      'systemd: a process of the unit was killed by the OOM killer',
    ],
    ['the OOM killer, by its count', scope({}, countOnly), 'cgroup: memory.events counts 1 OOM kill'],
    ['the memory used, of the limit', scope({}, full), 'cgroup: memory peaked at 50 MiB of 50 MiB'],
    [
      "the kernel's account of a full node",
      scope({}, memory(line(true))),
      'kernel: the OOM killer took process 42 (hog): the node had run out of memory',
    ],
    [
      "the kernel's account of a limit",
      scope({}, memory(line(false, { victim: { pid: 42, comm: 'hog', rssBytes: 49 * MiB, isMain: false } }))),
      'kernel: the OOM killer took process 42 (hog) with 49 MiB: a memory limit was reached',
    ],
    [
      'what was used of which limit',
      scope({}, memory(line(false, { usageBytes: 50 * MiB, limitBytes: 50 * MiB }))),
      'kernel: the task used 50 MiB of its limit of 50 MiB',
    ],
    [
      'which group was at its limit',
      scope({}, memory(line(false, { group: '/batch.slice', usageBytes: 50 * MiB, limitBytes: 50 * MiB }))),
      'kernel: /batch.slice used 50 MiB of its limit of 50 MiB',
    ],
    [
      'who was the largest',
      scope({}, memory(line(true, { largest: { pid: 901, comm: 'python3', rssBytes: 30 * 1024 * MiB } }))),
      'kernel: the largest process then was 901 (python3) with 30 GiB',
    ],
    [
      'the fault of its GPU',
      scope({}, { ...main(exit(1)), ...gpu({}) }),
      'kernel: NVRM: Xid (PCI:0000:3b:00): 31, pid=1',
    ],
    [
      'its complaint of a full disk',
      scope({}, { ...main(exit(1)), ...disk(complaint) }),
      `log: ${complaint.complaint}`,
    ],
    ['its full disk', scope({}, { ...main(exit(1)), ...disk(fullDisk) }), 'statfs: /data was 99.8% full'],
    [
      'a core and where it is',
      scope({}, { ...main(11 | core), ...dump({ file: '/var/lib/systemd/coredump/core.train.77.zst' }) }),
      'journal: process 77 (train) dumped core on SIGSEGV, kept in /var/lib/systemd/coredump/core.train.77.zst',
    ],
    [
      'why systemd could not execute it',
      service({
        startError: { at: at - 5, words: 'Failed at step EXEC spawning /x: Permission denied' },
        ...exited(203),
      }),
      'journal: Failed at step EXEC spawning /x: Permission denied',
    ],
    ['the time limit of a unit', scope({ result: 'timeout', runtimeMaxMs: 60_000 }), 'systemd: RuntimeMaxSec= is 1m'],
    ['a stop', service({ stopJob: true, ...killed(TERM) }), 'systemd: a stop was asked for'],
    [
      'the convention of shells',
      scope({}, main(exit(137))),
      'agent: exit 137 is a code, not a signal; shells use it for a command that died of SIGKILL',
    ],
    ["the engine's events", container({ exitCode: 137, ...sent(KILL) }), 'docker: SIGKILL was sent through the engine'],
    ["the engine's flag", container({ exitCode: 0, oomKilled: true }), 'docker: OOMKilled is true'],
    ['the engine as podman', container({ exitCode: 7 }, { source: 'podman' }), 'podman: exit code 7'],
    ['a time limit', run({ waitStatus: TERM, timedOut: true }), 'run: the time limit ran out'],
    [
      'the stop of its engine',
      container({ exitCode: 143, engineStopping: 'docker.service' }),
      'systemd: docker.service was being stopped or restarted',
    ],
    ['the shutdown', run({ waitStatus: TERM }, { shuttingDown: true }), 'systemd: the node is shutting down'],
  ])('%s', (_, facts, expected) => {
    expect(sources(facts)).toContain(expected);
  });

  it("does not take a scope's success for evidence of one", () => {
    expect(sources(scope({}, main(exit(3)))).join()).not.toContain('success');
  });

  it('is dated by the one who saw it', () => {
    const [first] = judgeEnd(scope({}, { process: { waitStatus: 0, via: 'connector', blindReason: null, at: at - 7 } }))
      .verdict.evidence;

    expect(first).toEqual({
      source: 'kernel',
      at: '2023-11-14T22:13:19.993Z',
      fact: 'main process ended with exit 0 (process connector)',
    });
  });
});

describe('whatever is seen', () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
  const instants = fc.integer({ min: at - 1_000_000, max: at });
  const bytes = maybe(fc.integer({ min: 0, max: 2 ** 40 }));
  const status = maybe(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }).map(exit),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 0, max: 0xffff }),
    ),
  );
  const results = [
    'success',
    'exit-code',
    'signal',
    'core-dump',
    'timeout',
    'oom-kill',
    'start-limit-hit',
    'resources',
    'protocol',
    'watchdog',
    'exec-condition',
    'of-a-later-systemd',
  ];
  const anything: fc.Arbitrary<RunFacts> = fc.record({
    source: fc.constantFrom('systemd' as const, 'docker' as const, 'podman' as const, 'run' as const),
    startedAt: maybe(instants),
    endedAt: instants,
    approximate: fc.boolean(),
    unit: maybe(
      fc.record({
        isScope: fc.boolean(),
        result: maybe(fc.constantFrom(...results)),
        execMain: maybe(
          fc.record({
            code: fc.constantFrom('exited' as const, 'killed' as const, 'dumped' as const),
            status: fc.integer({ min: 0, max: 255 }),
          }),
        ),
        stopJob: maybe(fc.boolean()),
        oomAt: maybe(instants),
        via: fc.constantFrom('dbus' as const, 'journal' as const),
        runtimeMaxMs: maybe(fc.nat()),
        startError: maybe(fc.record({ at: instants, words: fc.string() })),
      }),
    ),
    container: maybe(
      fc.record({
        exitCode: maybe(fc.integer({ min: -1, max: 255 })),
        oomKilled: maybe(fc.boolean()),
        oomAt: maybe(instants),
        signals: fc.array(fc.record({ signal: fc.integer({ min: 0, max: 70 }), at: instants }), { maxLength: 3 }),
        engineStopping: maybe(fc.constant('docker.service')),
        notStarted: fc.boolean(),
        error: maybe(fc.string()),
      }),
    ),
    process: maybe(
      fc.record({
        waitStatus: status,
        via: maybe(fc.constantFrom('connector' as const, 'pidfd' as const, 'zombie' as const)),
        blindReason: maybe(fc.string()),
        at: instants,
      }),
    ),
    run: maybe(
      fc.record({
        waitStatus: status,
        timedOut: fc.boolean(),
        startError: maybe(fc.string()),
        timeoutMs: maybe(fc.nat()),
      }),
    ),
    memory: fc.record({
      peakBytes: bytes,
      limitBytes: bytes,
      oomKills: maybe(fc.nat({ max: 3 })),
      oomAt: maybe(instants),
      kernelOom: maybe(
        fc.record({
          at: instants,
          isGlobal: fc.boolean(),
          group: maybe(fc.string()),
          usageBytes: bytes,
          limitBytes: bytes,
          victim: fc.record({ pid: fc.nat(), comm: maybe(fc.string()), rssBytes: bytes, isMain: fc.boolean() }),
          largest: maybe(fc.record({ pid: fc.nat(), comm: fc.string(), rssBytes: fc.nat() })),
        }),
      ),
      trend: maybe(fc.record({ bytesPerSecond: fc.integer(), overMs: fc.nat() })),
    }),
    gpu: maybe(
      fc.record({
        at: instants,
        xid: fc.integer({ min: 0, max: 200 }),
        gpu: fc.string(),
        whose: fc.constantFrom('main' as const, 'member' as const, 'none' as const),
        text: fc.string(),
      }),
    ),
    coreDump: maybe(
      fc.record({
        at: instants,
        pid: fc.nat(),
        comm: maybe(fc.string()),
        signal: fc.integer({ min: 1, max: 64 }),
        isMain: fc.boolean(),
        file: maybe(fc.string()),
      }),
    ),
    disk: fc.record({
      fullest: maybe(
        fc.record({
          mount: fc.string(),
          of: fc.constantFrom('space' as const, 'inodes' as const),
          usedPercent: fc.double({ min: 0, max: 100, noNaN: true }),
          at: instants,
        }),
      ),
      complaint: maybe(fc.string()),
      isLogUnread: fc.boolean(),
    }),
    shuttingDown: fc.boolean(),
    blindness: maybe(fc.record({ reason: fc.string(), wasAway: fc.boolean() })),
  });
  const always = (holds: (facts: RunFacts, judgment: ReturnType<typeof judgeEnd>) => void) =>
    fc.assert(
      fc.property(anything, (facts) => {
        holds(facts, judgeEnd(facts));
      }),
      { numRuns: 1000 },
    );
  const hasOomFact = ({ unit, container: engine, memory: { oomKills, kernelOom } }: RunFacts) =>
    unit?.result === 'oom-kill' ||
    unit?.oomAt != null ||
    engine?.oomKilled === true ||
    engine?.oomAt != null ||
    (oomKills ?? 0) > 0 ||
    kernelOom !== null;

  it('is judged without a throw, in one sentence, and by the same again', () => {
    always((facts, judgment) => {
      expect(judgment.verdict.summary).not.toBe('');
      expect(judgeEnd(facts)).toEqual(judgment);
    });
  });

  it('is completed only when exit 0 was seen, or systemd says so of a service', () => {
    always(({ unit }, { status: judgedStatus, exitCode }) => {
      if (judgedStatus === 'completed')
        expect(
          exitCode === 0 ||
            (unit !== null && !unit.isScope && ['success', 'exec-condition'].includes(unit.result ?? '')),
        ).toBe(true);
    });
  });

  it('is killed for memory only when something saw the OOM killer', () => {
    always((facts, { status: judgedStatus, verdict }) => {
      if (judgedStatus === 'killed_oom' || verdict.cause.startsWith('oom_')) expect(hasOomFact(facts)).toBe(true);
    });
  });

  it('is never killed for memory by 137 alone, nor by SIGKILL', () => {
    always((facts) => {
      const noOom: RunFacts = {
        ...facts,
        unit: facts.unit && {
          ...facts.unit,
          result: facts.unit.result === 'oom-kill' ? 'signal' : facts.unit.result,
          oomAt: null,
        },
        container: facts.container && { ...facts.container, exitCode: 137, oomKilled: false, oomAt: null },
        memory: { ...facts.memory, oomKills: 0, kernelOom: null },
      };
      expect(judgeEnd(noOom).status).not.toBe('killed_oom');
      expect(judgeEnd(noOom).verdict.cause).not.toMatch(/^oom_/);
    });
  });

  it('blames a GPU only for a fault of its own process, and a disk only for a complaint or a full one', () => {
    always((facts, { status: judgedStatus, verdict }) => {
      if (verdict.cause === 'gpu_fault') expect(facts.gpu?.whose).toMatch(/main|member/);
      const isFull = (facts.disk.fullest?.usedPercent ?? 0) >= 99.5;
      if (verdict.cause === 'disk_full') expect(facts.disk.complaint !== null || isFull).toBe(true);
      if (verdict.cause === 'disk_full' && verdict.confidence === 'proven')
        expect(facts.disk.complaint !== null && isFull).toBe(true);
      if (['gpu_fault', 'disk_full'].includes(verdict.cause)) expect(judgedStatus).not.toBe('completed');
    });
  });

  it('has evidence with a source, an instant and a fact, whenever it claims to know', () => {
    always((_, { verdict }) => {
      for (const { source, at: seenAt, fact } of verdict.evidence) {
        expect(source).not.toBe('');
        expect(Date.parse(seenAt)).not.toBeNaN();
        expect(typeof fact).toBe('string');
      }
      if (verdict.confidence !== 'unknown') expect(verdict.evidence).not.toEqual([]);
    });
  });

  it('has an unknown cause exactly when the confidence is unknown', () => {
    always((_, { verdict }) => expect(verdict.cause === 'unknown').toBe(verdict.confidence === 'unknown'));
  });

  it('has an exit code or a signal, never both', () => {
    always((_, { exitCode, signal }) => expect(exitCode === null || signal === null).toBe(true));
  });

  it('never becomes a signal from a code above 128 of a unit or a run', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 129, max: 255 }), (facts, code) => {
        const one: RunFacts = {
          ...facts,
          container: null,
          run: null,
          unit: { ...unitFacts, isScope: false, ...exited(code) },
        };
        expect(judgeEnd(one)).toMatchObject({ exitCode: code, signal: null });
        expect(
          judgeEnd({ ...one, unit: null, process: { waitStatus: exit(code), via: 'pidfd', blindReason: null, at } }),
        ).toMatchObject({ exitCode: code, signal: null });
      }),
    );
  });

  it('has an error exactly when it did not complete', () => {
    always((_, { status: judgedStatus, errorMessage }) =>
      expect(errorMessage === null).toBe(judgedStatus === 'completed'),
    );
  });

  it('is timed out only when a time limit is known to have run out', () => {
    always((facts, { status: judgedStatus }) => {
      if (judgedStatus === 'timed_out')
        expect(facts.run?.timedOut === true || facts.unit?.result === 'timeout').toBe(true);
    });
  });
});
