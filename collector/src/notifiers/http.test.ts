import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAnswer, parseRetryAfter } from './http.ts';

const now = Date.UTC(2026, 10, 22, 12);
const answer = (status: number, retryAfter?: string) => judgeAnswer({ kind: 'status', status, retryAfter }, now);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['99999999999', 3_600_000],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
    ['Tue, 22 Nov 2050 12:00:30 GMT', 3_600_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', null],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['', null],
    ['2026', 2_026_000],
    [undefined, null],
  ])('F104 reads %j as %s ms', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  it('F104 never yields more than an hour, less than nothing, or no number', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.integer().map(String),
          fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
        ),
        (value) => {
          const ms = parseRetryAfter(value, now);
          expect(ms === null || (ms >= 0 && ms <= 3_600_000)).toBe(true);
        },
      ),
    );
  });
});

describe('an HTTP answer', () => {
  it.each([200, 201, 202, 204, 299])('F105 %i is delivered', (status) => {
    expect(answer(status)).toEqual({ outcome: 'delivered', httpStatus: status });
  });

  it.each([408, 425, 429, 500, 501, 502, 503, 504, 599, 600])('F105 %i is tried again', (status) => {
    expect(answer(status)).toMatchObject({ outcome: 'retry', httpStatus: status });
    expect(answer(status, '7')).toMatchObject({ outcome: 'retry', afterMs: 7000 });
  });

  it.each([300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 415, 422, 451])(
    'F105 %i is refused',
    (status) => {
      expect(answer(status, '7')).toMatchObject({
        outcome: 'refused',
        httpStatus: status,
        error: expect.stringMatching(`HTTP ${status}`),
      });
    },
  );

  it('that never came is tried again', () => {
    expect(judgeAnswer({ kind: 'failed', error: 'connection refused' }, now)).toEqual({
      outcome: 'retry',
      error: 'connection refused',
    });
  });
});
