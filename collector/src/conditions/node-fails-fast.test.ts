import { describe, expect, it } from 'vitest';
import { isFastFailure, type JobEnd, judgeFastFailures } from './node-fails-fast.ts';

const settings = { count: 3, withinMs: 600_000 };
/** Newest first, a minute apart. */
const ends = (...more: (Partial<JobEnd> & { job: string })[]): JobEnd[] =>
  more.map((one, index) => ({
    project: null,
    status: 'failed',
    cause: 'exit_code',
    durationMs: 2000,
    endedAt: 6_000_000 - index * 60_000,
    ...one,
  }));

describe('a node on which everything fails at once', () => {
  it('fires with the list when so many different jobs have failed in a row', () => {
    const judgment = judgeFastFailures(ends({ job: 'c' }, { job: 'b', project: 'lm' }, { job: 'a' }), settings);

    expect(judgment).toMatchObject({
      condition: 'NodeFailsFast',
      status: 'true',
      severity: 'critical',
      value: 3,
      since: 5_880_000,
      reason: '3 different jobs failed in a row within 10 min, each in less than 60 s: c, lm/b, a',
    });
  });

  it('is not one on which one job fails again and again', () => {
    expect(judgeFastFailures(ends({ job: 'a' }, { job: 'a' }, { job: 'a' }, { job: 'b' }), settings)).toBeNull();
    expect(judgeFastFailures(ends({ job: 'a' }, { job: 'a' }, { job: 'b' }, { job: 'c' }), settings)?.reason).toContain(
      '3 different jobs failed in a row within 10 min, 4 runs',
    );
  });

  it.each([
    ['a success', { job: 'x', status: 'completed', cause: 'success' }],
    ['a failure after some work', { job: 'x', durationMs: 60_000 }],
    ['what somebody stopped', { job: 'x', status: 'killed', cause: 'stopped_by_user' }],
    ['too long a pause', { job: 'x', endedAt: 6_000_000 - 600_000 }],
  ] as const)('is not one when %s is between', (_, between) => {
    expect(judgeFastFailures(ends({ job: 'c' }, { job: 'b' }, between, { job: 'a' }), settings)).toBeNull();
  });

  it('counts what could not be started, and names ten jobs at most', () => {
    const many = Array.from({ length: 14 }, (_, index) => ({
      job: `j${index}`,
      durationMs: null,
      cause: 'start_failed' as const,
      endedAt: 6_000_000 - index,
    }));

    expect(judgeFastFailures(ends(...many), settings)?.reason).toMatch(/^14 different jobs .*, j9 and 4 more$/);
    expect(isFastFailure({ status: 'failed', cause: 'exit_code', durationMs: null })).toBe(false);
  });

  it('is never one when it is switched off, and nothing has ended', () => {
    expect(judgeFastFailures(ends({ job: 'c' }, { job: 'b' }, { job: 'a' }), { ...settings, count: 0 })).toBeNull();
    expect(judgeFastFailures([], settings)).toBeNull();
  });
});
