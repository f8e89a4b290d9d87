import { type ConditionState, judge } from '@runnerwatch/shared/conditions/condition.ts';
import { describe, expect, it } from 'vitest';
import { type CurvePoint, readCurve } from '../../../test/support/curves.ts';
import { measureMemory, memoryWindow } from './memory-exhaustion.ts';

const MiB = 1024 ** 2;
const settings = { withinMs: 600_000, clearMs: 1_200_000, forMs: 30_000 };

/** Judges a curve as it goes; the amounts are what cannot be reclaimed. */
function course(points: readonly Pick<CurvePoint, 'atMs' | 'memoryBytes' | 'reclaimableBytes'>[], limitBytes: number) {
  const window = memoryWindow();
  const states: (ConditionState & { readonly atMs: number })[] = [];
  for (const { atMs, memoryBytes, reclaimableBytes } of points) {
    window.push(atMs, memoryBytes - reclaimableBytes);
    const measurement = measureMemory(
      {
        subject: 't1',
        who: 'task train-7',
        window,
        capacity: { bytes: limitBytes, name: `limit ${limitBytes / MiB} MiB` },
        missing: [],
      },
      settings,
    );
    const now = { wallMs: 1_000_000 + atMs, monotonicMs: atMs };
    states.push({ ...judge({ measurement, previous: states.at(-1) ?? null, now }), atMs });
  }
  return states;
}

const firedAt = (states: ReturnType<typeof course>) => states.find(({ isFiring }) => isFiring)?.atMs ?? null;

/** So many seconds of `bytesAt`, with the unevenness of a real process (made up, the same at each run). */
function uneven(seconds: number, bytesAt: (second: number) => number) {
  return Array.from({ length: Math.floor(seconds / 5) }, (_, index) => ({
    atMs: index * 5000,
    memoryBytes: bytesAt(index * 5) + 3 * MiB * Math.sin(index * 12.9898),
    reclaimableBytes: 0,
  }));
}

describe('memory that runs out', () => {
  it('is warned of minutes before the kernel kills a recorded leak, with how long is left and how fast it goes', () => {
    const curve = readCurve('leak');
    const killedAtMs = curve.at(-1)?.atMs ?? 0;

    const states = course(curve.slice(0, -1), 900 * MiB);

    const at = firedAt(states) ?? Number.NaN;
    expect(killedAtMs - at).toBeGreaterThan(300_000);
    expect(states.find(({ isFiring }) => isFiring)?.reason).toMatch(
      /^task train-7: limit 900 MiB reached in about [56] min at [12]\.\d MiB\/s \(warned within 10 min\)$/,
    );
    expect(states.filter((one, index) => one.isFiring !== (states[index - 1]?.isFiring ?? false))).toHaveLength(1);
    expect(states.at(-1)).toMatchObject({ status: 'true', severity: 'critical' });
  });

  it('is right about the time within a third', () => {
    const curve = readCurve('leak');
    const killedAtMs = curve.at(-1)?.atMs ?? 0;

    for (const { atMs, isFiring, value } of course(curve, 900 * MiB)) {
      if (!isFiring || killedAtMs - atMs < 60_000) continue;
      const saidMs = settings.withinMs / (value ?? Number.NaN);
      expect(Math.abs(saidMs - (killedAtMs - atMs)) / (killedAtMs - atMs)).toBeLessThan(0.35);
    }
  });

  it('is no matter of page cache: a recorded process that fills its limit with files is left alone', () => {
    expect(firedAt(course(readCurve('cache'), 160 * MiB))).toBeNull();
  });

  it('is no matter of a heap that is collected, nor of a model that is read in', () => {
    expect(firedAt(course(readCurve('heap'), 700 * MiB))).toBeNull();
    expect(firedAt(course(readCurve('load'), 900 * MiB))).toBeNull();
  });

  it('is not seen in an amount that is high but stays, or falls', () => {
    expect(
      firedAt(
        course(
          uneven(600, () => 980 * MiB),
          1000 * MiB,
        ),
      ),
    ).toBeNull();
    expect(
      firedAt(
        course(
          uneven(600, (second) => (990 - second / 2) * MiB),
          1000 * MiB,
        ),
      ),
    ).toBeNull();
  });

  it('that is further away than the warning reaches is left alone', () => {
    expect(
      firedAt(
        course(
          uneven(600, (second) => second * MiB * 0.1),
          1000 * MiB,
        ),
      ),
    ).toBeNull();
  });

  it('is over when the growth stops, and only then', () => {
    const states = course(
      uneven(900, (second) => (100 + Math.min(second, 300) * 2) * MiB),
      1000 * MiB,
    );

    const fired = states.filter(({ isFiring }) => isFiring).map(({ atMs }) => atMs);
    expect(fired[0]).toBeLessThan(120_000);
    expect(fired.at(-1)).toBeGreaterThan(300_000);
    expect(states.at(-1)).toMatchObject({ status: 'false' });
    expect(states.filter((one, index) => one.isFiring !== (states[index - 1]?.isFiring ?? false))).toHaveLength(2);
  });

  it('is unknown, and neither begins nor ends, while there is too little to judge by', () => {
    const [first, second] = course(readCurve('leak').slice(0, 2), 900 * MiB);

    expect([first?.status, second?.status]).toEqual(['unknown', 'unknown']);
  });
});
