import { type ConditionState, judge } from '@runnerwatch/shared/conditions/condition.ts';
import { describe, expect, it } from 'vitest';
import { measureOverrun } from './task-overrun.ts';

function course(minutes: readonly number[], limitMinutes: number, threshold = 80): ConditionState[] {
  const states: ConditionState[] = [];
  for (const minute of minutes) {
    const measurement = measureOverrun(
      { subject: 't1', who: 'task train-7', ranMs: minute * 60_000, limitMs: limitMinutes * 60_000 },
      threshold,
    );
    const now = { wallMs: minute * 60_000, monotonicMs: minute * 60_000 };
    states.push(judge({ measurement, previous: states.at(-1) ?? null, now }));
  }
  return states;
}

describe('a task and its own time limit', () => {
  it('is information above 80 %, a warning above 90 %, and critical when it runs on after its limit', () => {
    const states = course([79, 80, 81, 90, 91, 100, 101, 103], 100);

    expect(states.map(({ status, severity }) => (status === 'true' ? severity : status))).toEqual([
      'false',
      'false',
      'info',
      'info',
      'warning',
      'warning',
      'warning',
      'critical',
    ]);
    expect(states[2]?.reason).toBe('task train-7: 81% of its time limit of 1.7 h (threshold 80%)');
  });

  it('is a warning at once where the threshold lies above 90 %', () => {
    expect(course([94, 96], 100, 95).map(({ status, severity }) => (status === 'true' ? severity : status))).toEqual([
      'false',
      'warning',
    ]);
  });
});
