import { describe, expect, it } from 'vitest';
import { DatabaseError, toDatabaseError } from './errors.ts';

const withCode = (code: string, cause?: unknown) => Object.assign(new Error(`message of ${code}`, { cause }), { code });

describe('what a database error means (F090, F093)', () => {
  it.each([
    ['25006', 'read_only', true],
    ['53100', 'disk_full', true],
    ['57P01', 'unreachable', true],
    ['57P03', 'starting', true],
    ['53300', 'starting', true],
    ['57014', 'timeout', true],
    ['40P01', 'conflict', true],
    ['08006', 'unreachable', true],
    ['22P02', 'data', false],
    ['23505', 'data', false],
    ['28P01', 'denied', false],
    ['3D000', 'denied', false],
    ['42501', 'denied', false],
    ['42P01', 'failed', false],
    ['XX000', 'failed', false],
    ['ECONNREFUSED', 'unreachable', true],
    ['EPIPE', 'unreachable', true],
    ['ETIMEDOUT', 'unreachable', true],
    ['CONNECTION_CLOSED', 'unreachable', true],
  ] as const)('%s is %s', (code, problem, retryable) => {
    expect(toDatabaseError(withCode(code))).toMatchObject({ problem, retryable });
  });

  it('looks through wrappers, and leaves their text behind', () => {
    const wrapped = new Error('Failed query: insert secret', { cause: withCode('53100') });

    const error = toDatabaseError(wrapped);

    expect(error).toMatchObject({
      problem: 'disk_full',
      sqlState: '53100',
      message: 'database disk full: message of 53100',
    });
    expect(error.cause).toMatchObject({ message: 'message of 53100' });
  });

  it('keeps one that is one already', () => {
    const error = new DatabaseError('conflict', 'x');
    expect(toDatabaseError(new Error('around', { cause: error }))).toBe(error);
  });

  it('takes anything else as a failure that does not pass', () => {
    expect(toDatabaseError('text')).toMatchObject({ problem: 'failed', retryable: false, message: 'text' });
    expect(toDatabaseError(withCode('ERR_INVALID_ARG_TYPE'))).toMatchObject({ problem: 'failed' });
  });
});
