import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type Perishable, startRetention } from './retention.ts';

describe('retention', () => {
  const log = pino({ level: 'silent' });
  let running: AsyncDisposable;
  afterEach(async () => running[Symbol.asyncDispose]());

  it('deletes in small steps until nothing too old is left, at the start and every hour', async () => {
    const clock = new ManualClock(1_000_000_000);
    const asked: [number, number][] = [];
    let left = 12_000;
    const old: Perishable = {
      name: 'old',
      keepMs: 1000,
      deleteBefore: async (before, limit) => {
        asked.push([before.getTime(), limit]);
        const deleted = Math.min(limit, left);
        left -= deleted;
        return deleted;
      },
    };

    running = startRetention({ clock, log, perishables: [old] });
    await clock.advance(10);
    expect(left).toBe(0);
    expect(asked).toHaveLength(3);
    await clock.advance(3_600_000);

    expect(asked.at(-1)).toEqual([1_000_000_000 + 10 + 3_600_000 - 1000, 5000]);
  });

  it('keeps for ever what has no limit, and goes on when something cannot be deleted', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const perishable = (name: string, keepMs: number, fails = false): Perishable => ({
      name,
      keepMs,
      deleteBefore: async () => {
        asked.push(name);
        if (fails) throw new Error('the database is away');
        return 0;
      },
    });

    running = startRetention({
      clock,
      log,
      perishables: [perishable('ever', 0), perishable('bad', 1, true), perishable('good', 1)],
    });
    await clock.advance(10);

    expect(asked).toEqual(['bad', 'good']);
  });
});
