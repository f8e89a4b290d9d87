import { describe, expect, it } from 'vitest';
import { defaultUnitExclude, defaultUnitInclude, unitMatcher } from './unit-globs.ts';

describe('the default unit globs', () => {
  const matches = unitMatcher({ include: defaultUnitInclude, exclude: defaultUnitExclude });

  it.each([
    'hakuriver-task-7123456789012345678.scope',
    'run-r0123456789abcdef0123456789abcdef.scope',
    'run-u12.service',
    'kohakuriver-runner.service',
    'train.service',
    'backup@nightly.service',
    'actions.runner.acme-web.node7.service',
    'slurmstepd.scope',
    'slurmd.service',
  ])('take %s for a task', (unit) => {
    expect(matches(unit)).toBe(true);
  });

  it.each([
    'init.scope',
    'session-3.scope',
    'user@1000.service',
    'user-runtime-dir@0.service',
    'systemd-journald.service',
    'docker-0123456789abcdef.scope',
    'libpod-0123456789abcdef.scope',
    'libpod-conmon-0123.scope',
    'getty@tty1.service',
    'dbus.service',
    'dbus-broker.service',
    'ssh.service',
    'sshd@4.service',
    'runnerwatch-agent.service',
    'apt-daily-upgrade.service',
    'cron.service',
    'docker.service',
    'multi-user.target',
    'dev-sda1.device',
    'logrotate.timer',
  ])('leave %s out', (unit) => {
    expect(matches(unit)).toBe(false);
  });
});

describe('a unit glob', () => {
  it('knows * and ? and takes everything else literally', () => {
    const matches = unitMatcher({ include: ['job-?.scope', 'x+y(z).scope'], exclude: [] });

    expect(matches('job-1.scope')).toBe(true);
    expect(matches('job-12.scope')).toBe(false);
    expect(matches('job-1xscope')).toBe(false);
    expect(matches('x+y(z).scope')).toBe(true);
  });

  it('matches nothing when there is none, and exclusion wins', () => {
    expect(unitMatcher({ include: [], exclude: [] })('a.scope')).toBe(false);
    expect(unitMatcher({ include: ['*'], exclude: ['a.*'] })('a.scope')).toBe(false);
  });
});
