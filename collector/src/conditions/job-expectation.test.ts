import { describe, expect, it } from 'vitest';
import {
  dueByInterval,
  dueBySchedule,
  judgeJobMissed,
  judgeJobOverlap,
  judgeTooLong,
  type StartFacts,
} from './job-expectation.ts';

const hourMs = 3_600_000;
const facts: StartFacts = {
  subject: 'lm/backup',
  dueAt: 34 * hourMs,
  graceMs: hourMs,
  lastStartAt: 10 * hourMs,
  heardAt: 40 * hourMs,
  listeningSince: 0,
  isFiring: false,
};
const at = (hours: number, more: Partial<StartFacts> = {}) => judgeJobMissed({ ...facts, ...more }, hours * hourMs);

describe('a job that must start by a time', () => {
  it('is due so long after its last start, or after that was said', () => {
    const due = (setAt: number, lastStartAt: number | null) => dueByInterval(24 * hourMs, { setAt, lastStartAt });

    expect([due(0, 10 * hourMs), due(30 * hourMs, 10 * hourMs), due(5, null)]).toEqual([
      34 * hourMs,
      54 * hourMs,
      24 * hourMs + 5,
    ]);
  });

  it('is due at the times of its schedule, when no run began there', () => {
    const minuteMs = 60_000;
    const due = (lastStartAt: number | null, { times = [34 * hourMs, 10 * hourMs], setAt = 0 } = {}) =>
      dueBySchedule(times, { setAt, lastStartAt });

    expect(due(null)).toBe(34 * hourMs);
    expect(due(10 * hourMs)).toBe(34 * hourMs);
    expect(due(34 * hourMs)).toBeNull();
    expect(due(40 * hourMs)).toBeNull();
    // The node's clock is ahead.
    expect(due(34 * hourMs - minuteMs)).toBeNull();
    expect(due(34 * hourMs - minuteMs - 1)).toBe(34 * hourMs);
    // The run of the minute before.
    expect(due(9 * minuteMs, { times: [10 * minuteMs, 9 * minuteMs] })).toBe(10 * minuteMs);
    expect(due(null, { setAt: 34 * hourMs + 1 })).toBeNull();
    expect(due(null, { times: [] })).toBeNull();
  });

  it('is missed when the time and its grace are over', () => {
    expect(at(35 - 0.001).status).toBe('false');
    expect(at(35)).toMatchObject({
      status: 'true',
      severity: 'critical',
      reason: 'no run since 1970-01-02 10:00 UTC, when one was due; its last run began at 1970-01-01 10:00 UTC',
    });
    expect(at(40, { dueAt: null }).status).toBe('false');
    expect(at(25, { dueAt: 24 * hourMs, lastStartAt: null, heardAt: null })).toMatchObject({
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
    expect(at(36, { ...still, dueAt: 59.9 * hourMs, lastStartAt: 35.9 * hourMs }).status).toBe('false');
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
