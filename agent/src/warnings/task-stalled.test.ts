import { describe, expect, it } from 'vitest';
import { readCurve } from '../../../test/support/curves.ts';
import { type Activity, follow, measureStall, type Stillness } from './task-stalled.ts';

const none: Activity = { cpuUsec: 0, ioBytes: 0, logLines: 0 };

/** How long it has stood still after each reading. */
function stillness(readings: readonly { atMs: number; activity: Activity }[]): number[] {
  let state: Stillness | null = null;
  return readings.map(({ atMs, activity }) => {
    state = follow(state, activity, atMs);
    return atMs - state.sinceMs;
  });
}

const every5s = (count: number, activityAt: (second: number) => Partial<Activity>) =>
  Array.from({ length: count }, (_, index) => ({
    atMs: index * 5000,
    activity: { ...none, ...activityAt(index * 5) },
  }));

describe('a task that stands still', () => {
  it('is known by a recording: it hangs from its first minute on, whatever its timers do', () => {
    const readings = readCurve('hang').map(({ atMs, cpuUsec }) => ({ atMs, activity: { ...none, cpuUsec } }));

    const still = stillness(readings);

    expect(still.at(11)).toBeLessThan(10_000);
    expect(still.at(-1)).toBeGreaterThan(340_000);
  });

  it('works while it computes, reads, writes or logs', () => {
    const computes = readCurve('load').map(({ atMs, cpuUsec }) => ({ atMs, activity: { ...none, cpuUsec } }));

    expect(Math.max(...stillness(computes))).toBeLessThan(30_000);
    expect(Math.max(...stillness(every5s(60, (second) => ({ ioBytes: second * 1_000_000 }))))).toBe(0);
    expect(Math.max(...stillness(every5s(60, (second) => ({ logLines: Math.floor(second / 60) }))))).toBeLessThan(
      60_000,
    );
  });

  it('counts from anew when its totals begin anew', () => {
    expect(stillness(every5s(4, (second) => ({ cpuUsec: second < 10 ? 9_000_000 : 5 })))).toEqual([0, 5000, 0, 5000]);
  });

  it('is said with how long, and only strictly after the threshold', () => {
    const at = (stillMs: number | null) => measureStall({ subject: 't', who: 'task train-7', stillMs }, 1_800_000);

    expect(at(1_860_000).items[0]).toEqual({ value: 1_860_000, text: 'task train-7: no CPU, IO or log for 31 min' });
    expect(at(1_800_000).level.threshold).toBe(1_800_000);
    expect(at(null).missing).toEqual(['task train-7: CPU']);
  });
});
