import { describe, expect, it } from 'vitest';
import { judgeEnd, type ProgramEnd } from './judge.ts';

describe('the end of a program', () => {
  it.each<[ProgramEnd, string, string?]>([
    [{ kind: 'exited', code: 0, complaint: 'chatter' }, 'delivered'],
    [{ kind: 'exited', code: 75, complaint: 'try later' }, 'retry', 'exit code 75: try later'],
    [{ kind: 'exited', code: 1, complaint: '' }, 'refused', 'exit code 1'],
    [{ kind: 'exited', code: 65, complaint: 'no field x' }, 'refused', 'exit code 65: no field x'],
    [{ kind: 'signalled', signal: 'SIGSEGV' }, 'retry', 'the program was ended by SIGSEGV'],
    [{ kind: 'not-started', code: 'ENOENT' }, 'refused', 'the program could not be started (ENOENT)'],
    [{ kind: 'not-started', code: 'EAGAIN' }, 'retry', 'the program could not be started (EAGAIN)'],
    [{ kind: 'too-slow', timeoutMs: 5 }, 'retry', 'the program took longer than 5 ms'],
    [{ kind: 'stopped' }, 'retry', 'stopped'],
  ])('%j is %s', (end, outcome, error) => {
    expect(judgeEnd(end)).toEqual({ outcome, ...(error === undefined ? {} : { error }) });
  });
});
