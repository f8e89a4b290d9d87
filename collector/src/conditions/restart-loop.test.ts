import { describe, expect, it } from 'vitest';
import { type FailedEnd, isFailedEnd, judgeRestartLoop, restartableOf } from './restart-loop.ts';

const settings = { count: 5, withinMs: 600_000 };
const ends = (...seconds: number[]): FailedEnd[] =>
  seconds.map((second, index) => ({
    taskId: `t${index}`,
    at: second * 1000,
    seenAt: second * 1000,
    text: `api failed (exit code ${index})`,
  }));
const judge = (given: { ends: FailedEnd[]; isFiring?: boolean; isRunning?: boolean | null }, nowSeconds: number) =>
  judgeRestartLoop(
    { subject: 'api.service', isFiring: false, isRunning: null, ...given },
    { settings, now: nowSeconds * 1000 },
  );

describe('a restart loop', () => {
  it('is five failures within ten minutes', () => {
    expect(judge({ ends: ends(0, 1, 2, 3) }, 3)).toBeNull();
    expect(judge({ ends: ends(0, 1, 2, 3, 4) }, 4)).toMatchObject({
      status: 'true',
      severity: 'critical',
      value: 5,
      reason: 'flapping: failed 5 times within 10 min; last: api failed (exit code 4)',
    });
  });

  it('is not five failures over an hour', () => {
    expect(judge({ ends: ends(0, 700, 1400, 2100, 2800) }, 2800)).toBeNull();
  });

  it('counts by the times of the ends, however late they are told', () => {
    const late = ends(0, 700, 1400, 2100, 2800).map((end) => ({ ...end, seenAt: 9_000_000 }));

    expect(judge({ ends: late }, 9000)).toBeNull();
  });

  it('goes on with fewer failures than began it, and is over after ten minutes without any', () => {
    const slow = ends(0, 1, 2, 3, 4, 500);

    expect(judge({ ends: slow, isFiring: true }, 1099)).toMatchObject({ status: 'true', value: 6 });
    expect(judge({ ends: slow, isFiring: true, isRunning: true }, 1100)).toMatchObject({
      status: 'false',
      reason: 'no failure for 10 min; it runs; last: api failed (exit code 5)',
    });
    expect(judge({ ends: slow, isFiring: true, isRunning: false }, 1100)?.reason).toContain('it does not run');
  });

  it('of which nothing is remembered is over', () => {
    expect(judge({ ends: [], isFiring: true }, 0)?.status).toBe('false');
    expect(judge({ ends: [] }, 0)).toBeNull();
  });

  it('is of a service or a container, and of failures that nobody ordered', () => {
    const at = (unit: string | null, containerId: string | null) => restartableOf({ nodeId: 'n1', unit, containerId });

    expect([at('api.service', null), at('t1.scope', null), at(null, 'c0ffee'), at(null, null)]).toEqual([
      'unit/n1/api.service',
      null,
      'container/n1/c0ffee',
      null,
    ]);
    expect(isFailedEnd({ status: 'failed', cause: 'exit_code' })).toBe(true);
    expect(isFailedEnd({ status: 'killed', cause: 'stopped_by_user' })).toBe(false);
    expect(isFailedEnd({ status: 'completed', cause: 'success' })).toBe(false);
  });
});
