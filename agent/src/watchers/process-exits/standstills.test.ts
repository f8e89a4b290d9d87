import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../test/support/manual-clock.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { Standstills } from './standstills.ts';

describe('standstills', () => {
  it('F015 are noticed by the time between two beats, and remembered', async () => {
    const clock = new ManualClock();
    const standstills = new Standstills('/nowhere', clock);
    standstills.beat();
    await clock.advance(1000);
    expect(standstills.beat()).toBeNull();
    const from = clock.wallMs();

    await clock.advance(60_000);

    expect(standstills.beat()).toEqual({ from, to: clock.wallMs() });
    expect(standstills.around(from + 30_000)).toBeDefined();
    expect(standstills.around(from - 10_000)).toBeUndefined();
  });

  it('F024 count the sleep of the machine, in which the monotonic clock stands', async () => {
    const root = await temporaryFolder();
    const clock = new ManualClock();
    const standstills = new Standstills(root, clock);
    const up = (seconds: number) => {
      mkdirSync(join(root, 'proc'), { recursive: true });
      writeFileSync(join(root, 'proc/uptime'), `${seconds.toFixed(2)} 1.00\n`);
    };
    up(100);
    standstills.beat();

    up(100 + 8 * 3600);
    clock.stepWall(8 * 3_600_000);

    const slept = standstills.beat();
    expect(slept).toEqual({ from: clock.wallMs() - 8 * 3_600_000, to: clock.wallMs() });
  });

  it('F020 are not made up by a wall clock that is stepped', async () => {
    const clock = new ManualClock();
    const standstills = new Standstills('/nowhere', clock);
    standstills.beat();
    await clock.advance(1000);
    clock.stepWall(3_600_000);

    expect(standstills.beat()).toBeNull();
  });
});
