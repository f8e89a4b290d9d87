import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Liveness, type LivenessOptions, type NodeTouch } from './liveness.ts';

describe('liveness', () => {
  const opened: Liveness[] = [];
  afterEach(async () => {
    for (const liveness of opened.splice(0)) await liveness[Symbol.asyncDispose]();
  });

  const open = (options: Partial<LivenessOptions> = {}) => {
    const clock = new ManualClock();
    const saved: NodeTouch[][] = [];
    const save = async (touches: readonly NodeTouch[]) => void saved.push([...touches]);
    const liveness = new Liveness({
      clock,
      log: pino({ level: 'silent' }),
      timeoutMs: 30_000,
      returnMs: 0,
      save,
      ...options,
    });
    opened.push(liveness);
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) await clock.advance(500);
    };
    return { clock, liveness, saved, pass };
  };

  it('gives nodes the time of a back-off on top when it starts, because it was the collector that was away', async () => {
    const { liveness, pass } = open({ returnMs: 11_000 });
    liveness.start(['was-online']);

    await pass(40_000);
    expect(liveness.overdue()).toEqual([]);
    await pass(4000);
    expect(liveness.overdue()).toEqual(['was-online']);
  });

  it('finds a node overdue when its silence lasts longer than the timeout, and not when it was heard', async () => {
    const { liveness, pass } = open();
    liveness.start([]);
    liveness.heard('silent');
    liveness.heard('alive');

    await pass(20_000);
    liveness.heard('alive');
    expect(liveness.overdue()).toEqual([]);
    await pass(11_500);

    expect(liveness.overdue()).toEqual(['silent']);
  });

  it('knows who is late before anyone is overdue, and leaves out those that said goodbye', async () => {
    const { liveness, pass } = open();
    liveness.start([]);
    for (const nodeId of ['late', 'alive', 'gone']) liveness.heard(nodeId);
    liveness.left('gone', 'stopped');

    await pass(10_000);
    expect(liveness.fleet()).toEqual({ watched: 2, late: [] });
    liveness.heard('alive');
    await pass(10_000);

    expect(liveness.overdue()).toEqual([]);
    expect(liveness.fleet()).toEqual({ watched: 2, late: ['late'] });
  });

  it('F081 finds a node that died while the collector was down, one timeout after the start', async () => {
    const { liveness, pass } = open();
    liveness.start(['was-online']);

    await pass(29_000);
    expect(liveness.overdue()).toEqual([]);
    await pass(2500);

    expect(liveness.overdue()).toEqual(['was-online']);
  });

  it('F085 judges nobody for time in which it was not listening', async () => {
    const { clock, liveness, pass } = open();
    liveness.start(['a']);
    await pass(25_000);

    await clock.advance(60_000);

    expect(liveness.lagMs).toBe(59_500);
    expect(liveness.overdue()).toEqual([]);
    await pass(1000);
    expect(liveness.overdue()).toEqual([]);
    await pass(6000);
    expect(liveness.overdue()).toEqual(['a']);
  });

  it('F085 hears what came in during a pause before it judges', async () => {
    const { clock, liveness, pass } = open();
    liveness.start(['a']);
    await pass(29_900);

    await clock.advance(5000);
    expect(liveness.overdue()).toEqual([]);
    liveness.heard('a');
    await pass(29_000);

    expect(liveness.overdue()).toEqual([]);
  });

  it('F019 is moved by no step of a clock, ours or the node’s', async () => {
    const { clock, liveness, pass } = open();
    liveness.start([]);
    liveness.heard('past', clock.wallMs() - 315_360_000_000);
    liveness.heard('future', clock.wallMs() + 315_360_000_000);

    clock.stepWall(86_400_000);
    await pass(5000);
    clock.stepWall(-2 * 86_400_000);
    await pass(24_000);
    expect(liveness.overdue()).toEqual([]);
    await pass(2500);

    expect(liveness.overdue()).toEqual(['past', 'future']);
    expect([liveness.clockSkewMs('past'), liveness.clockSkewMs('future')]).toEqual([-315_360_000_000, 315_360_000_000]);
  });

  it('takes the clock reading that was least delayed', () => {
    const { clock, liveness } = open();
    for (const delayMs of [900, 20, 400]) liveness.heard('a', clock.wallMs() + 5000 - delayMs);

    expect(liveness.clockSkewMs('a')).toBe(4980);
    expect(liveness.clockSkewMs('never heard')).toBeNull();
  });

  it('does not miss whoever said goodbye, nor whoever was removed', async () => {
    const { liveness, saved, pass } = open();
    liveness.start(['left', 'removed']);
    liveness.left('left', 'stopping');
    liveness.forget('removed');

    await pass(60_000);

    expect(liveness.overdue()).toEqual([]);
    expect(saved.flat()).toMatchObject([{ nodeId: 'left', goodbyeReason: 'stopping', deadlineAt: null }]);
  });

  it('writes a node down at most every five seconds, with the deadline as people see it', async () => {
    const { clock, liveness, saved, pass } = open();
    liveness.start([]);
    for (let second = 0; second < 12; second++) {
      liveness.heard('a');
      await pass(1000);
    }

    expect(saved).toHaveLength(2);
    expect(saved[0]?.[0]).toMatchObject({ nodeId: 'a', goodbyeReason: null, clockSkewMs: null });
    const deadlineInMs = (saved[1]?.[0]?.deadlineAt?.getTime() ?? 0) - clock.wallMs();
    expect(deadlineInMs).toBeGreaterThan(25_000);
    expect(deadlineInMs).toBeLessThan(30_000);
  });

  it('keeps what it could not write down, a goodbye too, and writes it later', async () => {
    let isAway = true;
    const saved: NodeTouch[] = [];
    const { liveness, pass } = open({
      save: async (touches) => {
        if (isAway) throw new Error('the database is away');
        saved.push(...touches);
      },
    });
    liveness.start([]);
    liveness.heard('a');
    liveness.left('b', 'upgrading');
    await pass(11_000);
    expect(saved).toEqual([]);

    isAway = false;
    await pass(5500);

    expect(saved).toMatchObject([{ nodeId: 'a' }, { nodeId: 'b', goodbyeReason: 'upgrading' }]);
  });

  it('says at once, and once it is written down, that an overdue node is back', async () => {
    const returned: string[] = [];
    const { liveness, saved, pass } = open({ onReturned: (nodeId) => returned.push(nodeId) });
    liveness.start(['a']);
    await pass(31_500);
    expect(liveness.overdue()).toEqual(['a']);

    liveness.heard('a');
    await liveness.saveNow();

    expect(liveness.overdue()).toEqual([]);
    expect(saved.flat().map(({ nodeId }) => nodeId)).toEqual(['a']);
    expect(returned).toEqual(['a']);
  });
});
