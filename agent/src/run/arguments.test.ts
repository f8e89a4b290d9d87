import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

describe('the options of run', () => {
  it('end at -- and leave the command alone', () => {
    expect(parseArguments(['--job', 'nightly', '--timeout=1h30m', '--', 'make', '--job', '--', 'x'])).toMatchObject({
      kind: 'run',
      command: ['make', '--job', '--', 'x'],
      job: 'nightly',
      project: null,
      timeoutMs: 5_400_000,
    });
  });

  it('end at the first word that is none, when there is no --', () => {
    expect(parseArguments(['--name', 'n', 'ls', '-l'])).toMatchObject({
      kind: 'run',
      command: ['ls', '-l'],
      name: 'n',
    });
  });

  it('take 0 as no time limit', () => {
    expect(parseArguments(['--timeout', '0', '--', 'ls'])).toMatchObject({ timeoutMs: null });
  });

  it.each([
    [['--'], 'no command'],
    [[], 'no command'],
    [['--timeout', 'soon', '--', 'ls'], '"soon" is no duration'],
    [['--jib', 'x', '--', 'ls'], '--jib'],
    [['--job'], '--job'],
  ])('refuse %j by saying what is wrong', (words, reason) => {
    expect(parseArguments(words)).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it('show the help only when it is asked of run itself', () => {
    expect(parseArguments(['--help'])).toEqual({ kind: 'help' });
    expect(parseArguments(['--', 'ls', '--help'])).toMatchObject({ kind: 'run' });
  });
});
