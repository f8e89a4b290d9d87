import { describe, expect, it } from 'vitest';
import { judgeOverrun } from './task-overrun.ts';
import { judgeTooShort } from './task-too-short.ts';

const minutes = (count: number) => count * 60_000;
const usual = { runs: 7, medianMs: minutes(10) };

describe('a run that takes longer than its job usually does', () => {
  const ran = (ranMs: number, known: typeof usual | null = usual) =>
    judgeOverrun({ id: 't1', name: 'nightly', ranMs, usual: known }, 0);

  it('is told above three times the usual time', () => {
    expect(ran(minutes(30))).toBeNull();
    expect(ran(minutes(31))).toMatchObject({
      severity: 'warning',
      value: 3.1,
      reason: 'task nightly: runs for 31 min, usual is 10 min (median of 7 runs)',
    });
  });

  it('is no news while it is a matter of minutes, or the job is hardly known', () => {
    expect(ran(minutes(5), { runs: 9, medianMs: 2000 })).toBeNull();
    expect(ran(minutes(500), { runs: 4, medianMs: minutes(10) })).toBeNull();
    expect(ran(minutes(500), null)).toBeNull();
  });
});

describe('a run that ended well much sooner than its job usually does', () => {
  const ended = (durationMs: number, known: typeof usual | null = usual) =>
    judgeTooShort({ id: 't1', name: 'nightly', durationMs, usual: known }, 0);

  it('is noted below a tenth of the usual time', () => {
    expect(ended(60_000)).toBeNull();
    expect(ended(59_999)).toMatchObject({
      condition: 'TaskTooShort',
      severity: 'info',
      reason: 'task nightly: ended well after 60 s, usual is 10 min (median of 7 runs)',
    });
  });

  it('is not noted of a job that is hardly known', () => {
    expect(ended(5, { runs: 4, medianMs: minutes(10) })).toBeNull();
    expect(ended(5, null)).toBeNull();
  });
});
