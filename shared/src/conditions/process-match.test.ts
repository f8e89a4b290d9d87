import { expect, it } from 'vitest';
import { matchesProcess, type ProcessTraits } from './process-match.ts';
import { parseProcessMatch } from './settings.ts';

const python: ProcessTraits = {
  name: 'python3',
  commandLine: '/usr/bin/python3.11 train.py --gpu 0',
  cgroup: '/system.slice/train.service/worker',
};

function matches(text: string, traits = python): boolean {
  const match = parseProcessMatch(text);
  return match !== null && matchesProcess(match, traits);
}

it('finds a process by its command, also the one in its first argument', () => {
  expect(matches('python3')).toBe(true);
  expect(matches('command:python3.1?')).toBe(true);
  expect(matches('pyth')).toBe(false);
  expect(matches('usr')).toBe(false);
});

it('finds a process by a part of its command line', () => {
  expect(matches('command_line:train.py --gpu')).toBe(true);
  expect(matches('command_line: train*0')).toBe(true);
  expect(matches('command_line:test.py')).toBe(false);
});

it('finds a process by its unit and by its cgroup, or one above', () => {
  expect(matches('unit:train.service')).toBe(true);
  expect(matches('unit:*.scope')).toBe(false);
  expect(matches('cgroup:/system.slice')).toBe(true);
  expect(matches('cgroup:/system.slice/train.service/worker')).toBe(true);
  expect(matches('cgroup:/system')).toBe(false);
});

it('F044 finds nothing in what could not be read', () => {
  const hidden = { name: 'x', commandLine: null, cgroup: null };

  expect(matches('command_line:a', { ...python, ...hidden })).toBe(false);
  expect(matchesProcess({ by: 'unit', pattern: '*', text: 'unit:*' }, hidden)).toBe(false);
  expect(matchesProcess({ by: 'cgroup', pattern: '*', text: 'cgroup:*' }, hidden)).toBe(false);
});

it('keeps the rule as it was written, and has none in an empty one', () => {
  expect(parseProcessMatch(' unit: nginx.service ')).toEqual({
    by: 'unit',
    pattern: 'nginx.service',
    text: 'unit: nginx.service',
  });
  expect(parseProcessMatch('a:b')).toMatchObject({ by: 'command', pattern: 'a:b' });
  expect(parseProcessMatch('unit:')).toBeNull();
});
