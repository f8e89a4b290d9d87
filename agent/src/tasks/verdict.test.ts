import type { Cause, Confidence, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
  memory: { peakBytes: null, limitBytes: null, oomKills: null, oomAt: null, kernelLine: null },
  shuttingDown: false,
  blindReason: null,
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
const container = (known: Partial<Container>, rest: Partial<RunFacts> = {}): RunFacts => ({
  ...blank,
  source: 'docker',
  container: { exitCode: null, oomKilled: false, oomAt: null, signals: [], notStarted: false, error: null, ...known },
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
const line = (isGlobal: boolean) => ({
  kernelLine: { at: at - 5, isGlobal, text: 'oom-kill:constraint=…,task=hog,pid=42' },
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
      judgeEnd(scope({}, { blindReason: 'the agent was away', ...main(null, 'no right') })).errorMessage,
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
      "the kernel's line: a limit",
      scope({}, { ...main(KILL), ...memory(line(false)) }),
      ['killed_oom', 'oom_limit', 'proven', null, 'SIGKILL'],
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
      'a child of a container, which then failed',
      container({ exitCode: 1, oomKilled: true, oomAt: at - 5 }),
      ['failed', 'oom_child', 'likely', 1],
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

  it('says of whose limit it speaks', () => {
    expect(judgeEnd(scope({}, { ...main(KILL), ...memory(line(false)) })).verdict.summary).toContain(
      'a group around it had reached its limit',
    );
    expect(judgeEnd(scope({}, { ...main(KILL), ...full })).verdict.summary).toBe(
      'Killed for want of memory: it had reached its limit.',
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
    ['0 by docker stop', container({ exitCode: 0, ...sent(TERM) }), ['completed', 'stopped_by_user', 'proven', 0]],
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
      'not started',
      container({ exitCode: 128, notStarted: true, error: 'no such image' }),
      ['failed', 'start_failed', 'proven', 128],
    ],
    ['not started, without a reason', container({ notStarted: true }), ['failed', 'start_failed', 'proven']],
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
    ["the kernel's line", scope({}, memory(line(true))), 'kernel: oom-kill:constraint=…,task=hog,pid=42'],
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

describe('the advice', () => {
  it.each<[string, RunFacts, string]>([
    [
      'raises the limit of a unit',
      scope({}, { ...main(KILL), ...full }),
      'It peaked at 50 MiB of its limit of 50 MiB: raise MemoryMax= above 64 MiB, or make it need less.',
    ],
    [
      'raises the limit of a container',
      container({ exitCode: 137, oomKilled: true }, memory({ limitBytes: 20 * MiB })),
      'It reached its limit of 20 MiB: raise --memory above 64 MiB, or make it need less.',
    ],
    ['raises the limit of a run', run({ waitStatus: KILL }, full), "raise the limit of the run's cgroup above"],
    [
      'sets limits on a full node',
      scope({}, { ...main(KILL), ...memory(line(true)) }),
      'The node itself ran out of memory: give its tasks limits',
    ],
    [
      'does not blame the node for sure where it is only likely',
      scope({}, { ...main(KILL), ...countOnly }),
      'The node, or a group around the task, ran out of memory',
    ],
    [
      'looks after the child',
      container({ exitCode: 0, oomKilled: true }, memory({ limitBytes: 20 * MiB })),
      'Part of its work is missing: look at what the killed process was to do, and raise the limit of 20 MiB.',
    ],
    [
      'looks after the child of a task without a limit',
      scope({}, { ...main(exit(0)), ...countOnly }),
      'Part of its work is missing: look at what the killed process was to do.',
    ],
    ['checks PATH', scope({}, main(exit(127))), 'A shell says 127 when it does not find a command'],
    ['checks the mode', scope({}, main(exit(126))), 'A shell says 126 when a file is not executable'],
    ['finds the core dump', scope({}, main(11 | core)), 'coredumpctl info'],
    ['gives a run more time', run({ waitStatus: TERM, timedOut: true }), 'Give it more time with --timeout,'],
    [
      'gives a unit more time',
      scope({ result: 'timeout', runtimeMaxMs: 60_000 }),
      'Give it more time with RuntimeMaxSec=,',
    ],
    [
      'gives a unit without RuntimeMaxSec= more time',
      service({ result: 'timeout', ...killed(TERM) }),
      'Give it more time with TimeoutStartSec= or TimeoutStopSec=,',
    ],
    ['tries the container by hand', container({ notStarted: true }), 'Try it by hand with the same image and command'],
    [
      'checks the program',
      service({ result: 'exit-code', ...exited(203) }),
      'Check that the program exists on this node',
    ],
    ['gives the agent eyes', scope({}), 'the agent needs kernel process events'],
  ])('%s', (_, facts, expected) => {
    const { advice } = judgeEnd(facts).verdict;

    expect(advice.join('\n')).toContain(expected);
    expect(advice).toHaveLength(1);
  });

  it.each<[string, RunFacts]>([
    ['a success', scope({}, main(exit(0)))],
    ['a plain failure', scope({}, main(exit(1)))],
    ['a kill without a core', scope({}, main(KILL))],
    ['a stop', service({ stopJob: true, ...killed(TERM) })],
  ])('is silent about %s', (_, facts) => {
    expect(judgeEnd(facts).verdict.advice).toEqual([]);
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
      }),
    ),
    container: maybe(
      fc.record({
        exitCode: maybe(fc.integer({ min: -1, max: 255 })),
        oomKilled: maybe(fc.boolean()),
        oomAt: maybe(instants),
        signals: fc.array(fc.record({ signal: fc.integer({ min: 0, max: 70 }), at: instants }), { maxLength: 3 }),
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
      kernelLine: maybe(fc.record({ at: instants, isGlobal: fc.boolean(), text: fc.string() })),
    }),
    shuttingDown: fc.boolean(),
    blindReason: maybe(fc.string()),
  });
  const always = (holds: (facts: RunFacts, judgment: ReturnType<typeof judgeEnd>) => void) =>
    fc.assert(
      fc.property(anything, (facts) => {
        holds(facts, judgeEnd(facts));
      }),
      { numRuns: 1000 },
    );
  const hasOomFact = ({ unit, container: engine, memory: { oomKills, kernelLine } }: RunFacts) =>
    unit?.result === 'oom-kill' ||
    unit?.oomAt != null ||
    engine?.oomKilled === true ||
    engine?.oomAt != null ||
    (oomKills ?? 0) > 0 ||
    kernelLine !== null;

  it('is judged without a throw, in one sentence, and by the same again', () => {
    always((facts, judgment) => {
      expect(judgment.verdict.summary).not.toBe('');
      expect(judgeEnd(facts)).toEqual(judgment);
    });
  });

  it('is completed only when exit 0 was seen, or systemd says so of a service', () => {
    always(({ unit }, { status: judgedStatus, exitCode }) => {
      if (judgedStatus === 'completed')
        expect(exitCode === 0 || (unit !== null && !unit.isScope && unit.result === 'success')).toBe(true);
    });
  });

  it('is killed for memory only when something saw the OOM killer', () => {
    always((facts, { status: judgedStatus, verdict }) => {
      if (judgedStatus === 'killed_oom' || verdict.cause.startsWith('oom_')) expect(hasOomFact(facts)).toBe(true);
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
