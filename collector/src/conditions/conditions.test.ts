import { conditionType } from '@runnerwatch/shared/model/condition.ts';
import { describe, expect, it } from 'vitest';
import { conditionKinds } from './catalogue.ts';
import { judgeClockSkew } from './clock-skew.ts';
import { judgeReturned, judgeUnreachable } from './component-unreachable.ts';
import { lostVerdict, mayStillRun } from './node-lost.ts';
import { judgeSpoolGap, judgeSpoolQuiet } from './spool-overflow.ts';
import { judgeTaskFailed } from './task-failed.ts';

describe('the catalogue', () => {
  it('has every condition once', () => {
    expect(conditionKinds.map(({ condition }) => condition).toSorted()).toEqual([...conditionType.options].toSorted());
  });
});

describe('ComponentUnreachable', () => {
  it('holds for a node past its deadline, not for one that said goodbye', () => {
    expect(judgeUnreachable({ status: 'online', isOverdue: true, lastHeardAt: 0 }, 31_000)).toMatchObject({
      status: 'true',
      reason: 'nothing heard for 31 s',
    });
    expect(judgeUnreachable({ status: 'online', isOverdue: false, lastHeardAt: 0 }, 31_000)?.status).toBe('false');
    expect(judgeUnreachable({ status: 'stopped', isOverdue: true, lastHeardAt: 0 }, 31_000)).toBeNull();
  });

  it('is over when the node is heard, also when it stops at once', () => {
    expect(judgeReturned({ status: 'offline', isOverdue: false, lastHeardAt: 0 })).toBeNull();
    expect(judgeReturned({ status: 'online', isOverdue: false, lastHeardAt: 0 })?.status).toBe('false');
    expect(judgeReturned({ status: 'stopped', isOverdue: false, lastHeardAt: 0 })?.reason).toMatch(/goodbye/);
  });
});

describe('a lost task', () => {
  const verdict = lostVerdict({ lastHeardAt: new Date(0), bootId: 'b1', now: new Date(30_000) });

  it('is likely lost, by the heartbeat', () => {
    expect(verdict).toMatchObject({ cause: 'node_lost', confidence: 'likely' });
    expect(verdict.evidence[0]).toEqual({
      source: 'collector',
      at: '1970-01-01T00:00:30.000Z',
      fact: 'heartbeat expired',
    });
  });

  it('may still run only in the boot in which its node fell silent', () => {
    expect(mayStillRun(verdict, 'b1')).toBe(true);
    expect(mayStillRun(verdict, 'b2')).toBe(false);
    expect(mayStillRun(verdict, null)).toBe(false);
    expect(mayStillRun(lostVerdict({ lastHeardAt: new Date(0), bootId: null, now: new Date(1) }), 'b1')).toBe(false);
  });
});

describe('TaskFailed', () => {
  const ended = (status: 'failed' | 'completed' | 'killed' | 'unknown', more = {}) =>
    judgeTaskFailed({
      id: 't',
      name: 'n',
      status,
      cause: null,
      exitCode: null,
      signal: null,
      summary: null,
      endedAt: 0,
      ...more,
    });

  it('holds for every end but a good one, an unseen one too', () => {
    expect(ended('failed', { exitCode: 3 })).toMatchObject({
      status: 'true',
      severity: 'critical',
      reason: 'n failed (exit code 3)',
    });
    expect(ended('unknown')).toMatchObject({
      status: 'true',
      severity: 'warning',
      reason: 'n ended, nobody could see how',
    });
    expect(ended('completed').status).toBe('false');
  });

  it('is information when a person stopped it', () => {
    expect(ended('killed', { cause: 'stopped_by_user', signal: 'SIGTERM' })).toMatchObject({
      severity: 'info',
      reason: 'n was killed (SIGTERM)',
    });
  });
});

describe('ClockSkew', () => {
  it('F019 holds above 30 s either way, is over within 15 s, and unknown without a reading', () => {
    const judge = (skewMs: number | null, isFiring: boolean) => judgeClockSkew({ skewMs, isFiring }, 0).status;

    expect([judge(30_000, false), judge(30_001, false), judge(-3_600_000, false)]).toEqual(['false', 'true', 'true']);
    expect([judge(20_000, true), judge(-15_001, true), judge(15_000, true)]).toEqual(['true', 'true', 'false']);
    expect(judge(null, true)).toBe('unknown');
  });
});

describe('SpoolOverflow', () => {
  const gap = {
    source: 'spool',
    cause: 'full',
    lost: 3,
    at_most: null,
    from: null,
    to: null,
    lane: 'ends',
    from_seq: 1,
    to_seq: 3,
  } as const;

  it('holds when the spool gave something up, and says how much', () => {
    expect(judgeSpoolGap(gap, 5)).toMatchObject({
      status: 'true',
      reason: '3 records (ends) were given up: full',
      since: 5,
    });
    expect(judgeSpoolGap({ ...gap, lost: null }, 5)?.reason).toMatch(/^an unknown number of records/);
    expect(judgeSpoolGap({ ...gap, source: 'docker' }, 5)).toBeNull();
  });

  it('is over after fifteen quiet minutes', () => {
    expect(judgeSpoolQuiet({ lastGapAt: 0 }, 15 * 60_000 - 1)).toBeNull();
    expect(judgeSpoolQuiet({ lastGapAt: 0 }, 15 * 60_000)?.status).toBe('false');
  });
});
