import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWindow, describeWindow, isTimeZone, type WindowRule, weekdays } from './window.ts';

const at = (text: string) => Date.parse(text);
const night: WindowRule = { time_zone: 'Europe/Berlin', from: '22:00', to: '07:00' };

describe('a window', () => {
  it('goes over midnight, and its end is outside', () => {
    const { around } = createWindow(night);

    expect(around(at('2026-01-10T20:59:59.999Z'))).toBeNull();
    expect(around(at('2026-01-10T21:00:00.000Z'))).toEqual({
      startAt: at('2026-01-10T21:00Z'),
      endAt: at('2026-01-11T06:00Z'),
    });
    expect(around(at('2026-01-11T05:59:59.999Z'))).not.toBeNull();
    expect(around(at('2026-01-11T06:00:00.000Z'))).toBeNull();
  });

  it('belongs to the day it begins on', () => {
    const { around } = createWindow({ ...night, days: ['sat'] });

    // 2026-01-10 is a Saturday.
    expect(around(at('2026-01-11T05:00:00Z'))).not.toBeNull();
    expect(around(at('2026-01-10T05:00:00Z'))).toBeNull();
    expect(around(at('2026-01-11T23:00:00Z'))).toBeNull();
  });

  it('is whole when its beginning and end are the same', () => {
    expect(
      createWindow({ time_zone: 'UTC', from: '00:00', to: '00:00', days: ['mon'] }).around(at('2026-01-12T12:00Z')),
    ).toEqual({
      startAt: at('2026-01-12T00:00Z'),
      endAt: at('2026-01-13T00:00Z'),
    });
  });

  it('F022 lasts eight hours in the night the clock goes forward, and ten when it goes back', () => {
    const { around } = createWindow(night);
    const hours = (instant: string) => {
      const found = around(at(instant));
      return found === null ? null : (found.endAt - found.startAt) / 3_600_000;
    };

    expect(hours('2026-03-29T01:30:00Z')).toBe(8);
    expect(hours('2026-10-25T01:30:00Z')).toBe(10);
  });

  it('F022 has no hole in the hour that comes twice', () => {
    const { around } = createWindow({ time_zone: 'Europe/Berlin', from: '02:30', to: '02:45' });

    expect(around(at('2026-10-25T00:35:00Z'))).toEqual({
      startAt: at('2026-10-25T00:30Z'),
      endAt: at('2026-10-25T01:45Z'),
    });
    expect(around(at('2026-10-25T01:10:00Z'))).not.toBeNull();
  });

  it('also comes on a day without its hour', () => {
    const { around } = createWindow({ time_zone: 'Europe/Berlin', from: '02:15', to: '02:45' });

    expect(around(at('2026-03-29T01:20:00Z'))).toEqual({
      startAt: at('2026-03-29T01:15Z'),
      endAt: at('2026-03-29T01:45Z'),
    });
  });

  it('knows the last one that is over', () => {
    const { before } = createWindow({ ...night, days: ['wed'] });

    expect(before(at('2026-01-13T12:00:00Z'))).toEqual({
      startAt: at('2026-01-07T21:00Z'),
      endAt: at('2026-01-08T06:00Z'),
    });
  });

  it('F022 finds for every instant an occurrence that holds it, or none, in any zone', () => {
    const minute = fc.integer({ min: 0, max: 1439 }).map((m) => new Date(m * 60_000).toISOString().slice(11, 16));
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.record({
          time_zone: fc.constantFrom(...zones),
          from: minute,
          to: minute,
          days: fc.option(fc.subarray([...weekdays], { minLength: 1 }), { nil: undefined }),
        }),
        fc.integer({ min: at('2026-01-01'), max: at('2028-01-01') }),
        (rule, instant) => {
          const window = createWindow(rule);
          const found = window.around(instant);
          if (found === null) return;
          expect(found.startAt).toBeLessThanOrEqual(instant);
          expect(found.endAt).toBeGreaterThan(instant);
          expect(found.endAt - found.startAt).toBeLessThanOrEqual(26 * 3_600_000);
          expect(window.before(found.endAt)?.endAt).toBeLessThanOrEqual(found.endAt);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('knows zones by name', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Nowhere')).toBe(false);
  expect(describeWindow({ ...night, days: ['mon', 'tue'] })).toBe('mon,tue 22:00–07:00 Europe/Berlin');
});
