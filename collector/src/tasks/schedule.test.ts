import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refuseSchedule, timeAfter, timesUpTo } from './schedule.ts';

const at = (text: string) => Date.parse(text);
const texts = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().slice(0, 16));
const nightly = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };

describe('a schedule', () => {
  it('has its last times, the very instant among them, and the next', () => {
    const rule = { schedule: '0 3 * * mon-fri', timeZone: 'UTC' };
    const monday = at('2026-11-23T03:00Z');

    expect(texts(timesUpTo(rule, monday, 2))).toEqual(['2026-11-23T03:00', '2026-11-20T03:00']);
    expect(texts(timesUpTo(rule, monday - 1, 1))).toEqual(['2026-11-20T03:00']);
    expect(timeAfter(rule, monday)).toBe(at('2026-11-24T03:00Z'));
  });

  it('comes when the clock has gone forward over its time', () => {
    expect(texts(timesUpTo(nightly, at('2026-03-30T12:00Z'), 3))).toEqual([
      '2026-03-30T00:30',
      '2026-03-29T01:00',
      '2026-03-28T01:30',
    ]);
  });

  it('F022 comes once in the night in which the clock goes back', () => {
    expect(texts(timesUpTo(nightly, at('2026-10-26T12:00Z'), 3))).toEqual([
      '2026-10-26T01:30',
      '2026-10-25T00:30',
      '2026-10-24T00:30',
    ]);
  });

  it('every hour, comes also in the hour that comes twice', () => {
    const hourly = { schedule: '0 * * * *', timeZone: 'Europe/Berlin' };

    expect(texts(timesUpTo(hourly, at('2026-10-25T02:00Z'), 4))).toEqual([
      '2026-10-25T02:00',
      '2026-10-25T01:00',
      '2026-10-25T00:00',
      '2026-10-24T23:00',
    ]);
  });

  it('loses no time and makes none up, in any zone and over any change of its clock', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('30 2 * * *', '*/15 * * * *', '0 0 1 * *', '59 23 * * sun', '0 3 29 2 *'),
        fc.integer({ min: at('2026-01-01'), max: at('2028-01-01') }),
        (timeZone, schedule, instant) => {
          const rule = { schedule, timeZone };
          const [last = Number.NaN, before = Number.NaN] = timesUpTo(rule, instant, 2);
          const next = timeAfter(rule, instant) ?? Number.NaN;
          expect(before).toBeLessThan(last);
          expect(last).toBeLessThanOrEqual(instant);
          expect(next).toBeGreaterThan(instant);
          expect(timeAfter(rule, last)).toBe(next);
          expect(timesUpTo(rule, last - 1, 1)).toEqual([before]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it.each(['', 'often', '0 3 * *', '* * * * * *', '61 * * * *', '0 3 * * * x', '@reboot', '0 3 31 2 *'])(
  '%j is no schedule',
  (text) => {
    expect(refuseSchedule(text)).toMatch(text === '0 3 31 2 *' ? /never comes/ : /^expected five fields/);
  },
);

it.each(['0 3 * * *', '*/5 9-17 * * mon-fri', '@daily', '0 0 29 2 *', '0 3 L * *'])('%j is one', (text) => {
  expect(refuseSchedule(text)).toBeNull();
});
