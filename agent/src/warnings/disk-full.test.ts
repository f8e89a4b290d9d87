import { type ConditionState, judge } from '@runnerwatch/shared/conditions/condition.ts';
import { describe, expect, it } from 'vitest';
import { readCurve } from '../../../test/support/curves.ts';
import { diskWindow, measureDisk, type Writer } from './disk-full.ts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const settings = { withinMs: 3_600_000, clearMs: 7_200_000, forMs: 300_000 };

function course(points: readonly { atMs: number; usedBytes: number }[], capacityBytes: number, writers: Writer[] = []) {
  const window = diskWindow();
  const states: (ConditionState & { readonly atMs: number })[] = [];
  for (const { atMs, usedBytes } of points) {
    window.push(atMs, usedBytes);
    const disk = { mount: '/data', window, capacityBytes, missing: [], writers: () => writers };
    const measurement = measureDisk(disk, settings);
    const now = { wallMs: 1_000_000 + atMs, monotonicMs: atMs };
    states.push({ ...judge({ measurement, previous: states.at(-1) ?? null, now }), atMs });
  }
  return states;
}

const recorded = readCurve('writer').map(({ atMs, diskUsedBytes }) => ({ atMs, usedBytes: diskUsedBytes }));
const grownBytes = (recorded.at(-1)?.usedBytes ?? 0) - (recorded[0]?.usedBytes ?? 0);

/** Made up: every ten seconds. */
const steps = (minutes: number, usedAt: (minute: number) => number) =>
  Array.from({ length: minutes * 6 }, (_, index) => ({ atMs: index * 10_000, usedBytes: usedAt(index / 6) }));

describe('a disk that fills up', () => {
  it('is warned of while it is recorded to fill, with the task that writes to it', () => {
    const capacityBytes = (recorded[0]?.usedBytes ?? 0) + grownBytes * 3;
    const writers = [
      { name: 'train-7', bytesPerSecond: 4.2 * MiB },
      { name: 'idle', bytesPerSecond: 1024 },
    ];

    const states = course(recorded, capacityBytes, writers);

    const fired = states.find(({ isFiring }) => isFiring);
    expect(fired?.atMs).toBeLessThan(720_000);
    expect(fired?.reason).toMatch(
      /^\/data is full in about \d+ min at \d\.\d MiB\/s; task train-7 writes 4\.2 MiB\/s \(warned within 60 min\)$/,
    );
  });

  it('is left alone where the same growth has room for days', () => {
    expect(course(recorded, 200 * GiB).some(({ isFiring }) => isFiring)).toBe(false);
  });

  it('is no matter of one large file, nor of scratch files that come and go', () => {
    const download = steps(40, (minute) => (10 + Math.max(0, Math.min(minute - 15, 3)) * 5) * GiB);
    const scratch = steps(120, (minute) => (10 + (minute % 20) * 1.5) * GiB);

    expect(course(download, 100 * GiB).some(({ isFiring }) => isFiring)).toBe(false);
    const fired = course(scratch, 100 * GiB).filter(({ isFiring, atMs }) => isFiring && atMs > 25 * 60_000);
    expect(fired).toEqual([]);
  });

  it('is critical when little time is left', () => {
    const states = course(
      steps(30, (minute) => (70 + minute) * GiB),
      100 * GiB,
    );

    expect(states.at(-1)).toMatchObject({ status: 'true', severity: 'critical' });
  });
});
