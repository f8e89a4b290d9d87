import { describe, expect, it } from 'vitest';
import { judgeJobMissed, judgeJobOverlap, judgeTooLong, type StartFacts } from './job-expectation.ts';

const hourMs = 3_600_000;
const facts: StartFacts = {
  subject: 'lm/backup',
  everyMs: 24 * hourMs,
  graceMs: hourMs,
  setAt: 0,
  lastStartAt: 10 * hourMs,
  heardAt: 40 * hourMs,
  listeningSince: 0,
  isFiring: false,
};
const at = (hours: number, more: Partial<StartFacts> = {}) => judgeJobMissed({ ...facts, ...more }, hours * hourMs);

describe('a job that must start by a time', () => {
  it('is missed when the time and its grace are over, counted from its last start or from when that was said', () => {
    expect(at(35 - 0.001).status).toBe('false');
    expect(at(35)).toMatchObject({
      status: 'true',
      severity: 'critical',
      reason: 'no run since 1970-01-02 10:00 UTC, when one was due; its last run began at 1970-01-01 10:00 UTC',
    });
    expect(at(40, { setAt: 30 * hourMs }).status).toBe('false');
    expect(at(25, { lastStartAt: null, heardAt: null })).toMatchObject({
      status: 'true',
      reason: 'no run since 1970-01-02 00:00 UTC, when one was due; it has never run',
    });
  });

  it('is not known to be missed while nobody could have told of a start', () => {
    expect(at(36, { heardAt: 34 * hourMs })).toMatchObject({
      status: 'unknown',
      reason: expect.stringMatching(/silent/),
    });
    expect(at(36, { listeningSince: 35.5 * hourMs }).status).toBe('unknown');
    expect(at(36.5, { listeningSince: 35.5 * hourMs }).status).toBe('true');
  });

  it('stays missed while nodes are silent and over a restart, until it starts', () => {
    const still = { isFiring: true, heardAt: 20 * hourMs, listeningSince: 36 * hourMs };

    expect(at(36, still).status).toBe('true');
    expect(at(36, { ...still, lastStartAt: 35.9 * hourMs }).status).toBe('false');
  });
});

it('more runs at once than there may be are told, and a run that takes longer than it may', () => {
  expect(judgeJobOverlap({ subject: 'a', running: 2, max: 2 }, 0).status).toBe('false');
  expect(judgeJobOverlap({ subject: 'a', running: 3, max: 2 }, 0)).toMatchObject({ status: 'true', value: 3 });
  expect(judgeTooLong({ id: 't', name: 'a', ranMs: hourMs, maxMs: hourMs }, 0)).toBeNull();
  expect(judgeTooLong({ id: 't', name: 'a', ranMs: 2 * hourMs, maxMs: hourMs }, 0)).toMatchObject({
    condition: 'TaskOverrun',
    reason: 'task a: runs for 2 h, expected at most 60 min',
  });
});
