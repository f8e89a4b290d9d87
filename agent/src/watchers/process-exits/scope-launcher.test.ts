import { describe, expect, it } from 'vitest';
import { scopeOfLauncher } from './scope-launcher.ts';

describe('a scope’s launcher', () => {
  it.each([
    [['systemd-run', '--scope', '--unit=t1', '--', 'sh', '-c', 'exit 3'], 't1.scope'],
    [['/usr/bin/systemd-run', '--scope', '--unit', 't1.scope', 'true'], 't1.scope'],
    [['systemd-run', '--scope', '-u', 't1', '-p', 'MemoryMax=1G', 'true'], 't1.scope'],
    [
      ['systemd-run', '--scope', '--collect', '--property=User=u', '--unit=hakuriver-task-7', 'sh'],
      'hakuriver-task-7.scope',
    ],
    [['systemd-run', '-p', '--unit=x', '--scope', '--unit=y', 'true'], 'y.scope'],
    [['systemd-run', '--scope', 'true', '--unit=x'], null],
    [['systemd-run', '--unit=x', 'true'], null],
    [['sudo', 'systemd-run', '--scope', '--unit=x', 'true'], null],
    [[], null],
  ])('of %j is %s', (commandLine, scope) => {
    expect(scopeOfLauncher(commandLine)).toBe(scope);
  });
});
