import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConditionState, judge, type Measurement } from './condition.ts';

function measured(values: number[] | null, level: Partial<Measurement['level']> = {}): Measurement {
  return {
    subject: '',
    level: { threshold: 90, clear: 85, forMs: 0, ...level },
    criticalAbove: 95,
    items: (values ?? []).map((value, index) => ({ value, text: `/disk${index} ${value}%` })),
    missing: values === null ? ['disks'] : [],
    absent: 'nothing there',
    limit: 'threshold 90%',
  };
}

/** Judges one value a second; null: unread. */
function course(values: (number | null)[], level: Partial<Measurement['level']> = {}): ConditionState[] {
  const states: ConditionState[] = [];
  values.forEach((value, second) => {
    const measurement = measured(value === null ? null : [value], level);
    const now = { wallMs: 1_000_000 + second * 1000, monotonicMs: second * 1000 };
    states.push(judge({ measurement, previous: states.at(-1) ?? null, now }));
  });
  return states;
}

const statuses = (values: (number | null)[], level: Partial<Measurement['level']> = {}) =>
  course(values, level).map(({ status }) => status);

describe('a threshold', () => {
  it('is strict: exactly at it nothing fires', () => {
    expect(statuses([90, 90.001])).toEqual(['false', 'true']);
  });

  it('once fired holds until the clear level is reached', () => {
    expect(statuses([91, 89, 86, 85, 89, 91])).toEqual(['true', 'true', 'true', 'false', 'false', 'true']);
  });

  it('with a duration fires only when the value stayed above without a break', () => {
    expect(statuses([91, 91, 89, 91, 91, 91], { forMs: 2000 })).toEqual([
      'false',
      'false',
      'false',
      'false',
      'false',
      'true',
    ]);
  });

  it('tells when its status began', () => {
    expect(course([80, 91, 92, 80]).map(({ sinceMs }) => sinceMs)).toEqual([
      1_000_000, 1_001_000, 1_001_000, 1_003_000,
    ]);
  });

  it('F020 counts a duration by the clock that nobody can step', () => {
    const first = judge({
      measurement: measured([91], { forMs: 5000 }),
      previous: null,
      now: { wallMs: 9e9, monotonicMs: 0 },
    });

    const later = judge({
      measurement: measured([91], { forMs: 5000 }),
      previous: first,
      now: { wallMs: 9e9 - 3_600_000, monotonicMs: 5000 },
    });

    expect(later.status).toBe('true');
  });
});

describe('a missing reading', () => {
  it('neither fires nor resolves: after it the end is told', () => {
    expect(statuses([91, null, 80])).toEqual(['true', 'unknown', 'false']);
    expect(course([91, null]).at(-1)).toMatchObject({ isFiring: true, value: null, reason: 'cannot be read: disks' });
  });

  it('keeps the hold of what fired before it', () => {
    expect(statuses([91, null, 87])).toEqual(['true', 'unknown', 'true']);
    expect(statuses([80, null, 87])).toEqual(['false', 'unknown', 'false']);
  });

  it('breaks a wait', () => {
    expect(statuses([91, null, 91, 91], { forMs: 2000 })).toEqual(['false', 'unknown', 'false', 'false']);
  });

  it('of one disk does not hide that another is full, and lets none be called well', () => {
    const partly = (value: number): Measurement => ({ ...measured([value]), missing: ['/shared'] });
    const now = { wallMs: 0, monotonicMs: 0 };

    expect(judge({ measurement: partly(97), previous: null, now }).status).toBe('true');
    expect(judge({ measurement: partly(20), previous: null, now })).toMatchObject({
      status: 'unknown',
      reason: 'cannot be read: /shared',
    });
  });
});

describe('a reason', () => {
  const now = { wallMs: 0, monotonicMs: 0 };

  it('names every offender, the worst first', () => {
    expect(judge({ measurement: measured([92, 10, 97]), previous: null, now })).toMatchObject({
      reason: '/disk2 97%, /disk0 92% (threshold 90%)',
      value: 97,
      threshold: 90,
      severity: 'critical',
    });
  });

  it('counts the rest of very many', () => {
    const { reason } = judge({
      measurement: measured(Array.from({ length: 30 }, (_, n) => 99 - n / 10)),
      previous: null,
      now,
    });

    expect(reason).toMatch(/ and 10 more \(threshold 90%\)$/);
  });

  it('tells the largest value while all is well, or that there is nothing', () => {
    expect(judge({ measurement: measured([5, 20]), previous: null, now }).reason).toBe('/disk1 20% (threshold 90%)');
    expect(judge({ measurement: measured([]), previous: null, now })).toMatchObject({
      status: 'false',
      reason: 'nothing there',
    });
  });

  it('only grows more severe while it fires, and ends as severe as it was', () => {
    expect(course([91, 96, 91, 80, 91]).map(({ severity }) => severity)).toEqual([
      'warning',
      'critical',
      'critical',
      'critical',
      'warning',
    ]);
  });
});

it('never fires at or below the threshold from rest, and always ends at or below the clear level', () => {
  const value = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), (values) => {
      course(values).forEach((state, index, states) => {
        const current = values[index] ?? null;
        const wasFiring = states[index - 1]?.isFiring ?? false;
        if (current === null) expect(state).toMatchObject({ status: 'unknown', isFiring: wasFiring });
        else expect(state.isFiring).toBe(current > (wasFiring ? 85 : 90));
      });
    }),
  );
});
