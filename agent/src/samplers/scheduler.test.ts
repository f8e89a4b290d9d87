import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Contribution, Sampler } from './sampler.ts';
import { createScheduler } from './scheduler.ts';

const steady: Sampler = { name: 'steady', sample: () => ({ sample: { load1: 1 } }) };

function start(samplers: Sampler[], onSample?: (reading: NodeReading) => void) {
  const clock = new ManualClock();
  const readings: NodeReading[] = [];
  const lines: string[] = [];
  const scheduler = createScheduler({
    clock,
    intervalMs: 1000,
    samplers,
    onSample: (reading) => {
      readings.push(reading);
      onSample?.(reading);
    },
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
  });
  onTestFinished(() => scheduler.stop());
  scheduler.start();
  return { clock, readings, lines, scheduler };
}

describe('the scheduler', () => {
  it('takes a reading at once and then on every beat', async () => {
    const { clock, readings } = start([steady]);

    for (let second = 0; second < 3; second += 1) await clock.advance(1000);

    expect(readings.map(({ sample }) => [sample.at, sample.load1])).toEqual([
      ['2026-01-01T00:00:00.000Z', 1],
      ['2026-01-01T00:00:01.000Z', 1],
      ['2026-01-01T00:00:02.000Z', 1],
      ['2026-01-01T00:00:03.000Z', 1],
    ]);
    expect(readings[0]?.sample).toMatchObject({ memory_total_bytes: null, disks: null });
  });

  it('keeps the beat of the clock, whenever it was started', async () => {
    const clock = new ManualClock();
    const readAtMs: number[] = [];
    await clock.advance(10_300);
    const scheduler = createScheduler({
      clock,
      intervalMs: 1000,
      samplers: [],
      onSample: (_, { monotonicMs }) => readAtMs.push(monotonicMs),
      log: pino({ level: 'silent' }),
    });
    onTestFinished(() => scheduler.stop());
    scheduler.start();

    for (let step = 0; step < 27; step += 1) await clock.advance(100);

    expect(readAtMs).toEqual([10_300, 11_000, 12_000, 13_000]);
  });

  it('lets the samplers close what they hold when it stops', async () => {
    let closed = 0;
    const { scheduler } = start([steady, { ...steady, close: () => void (closed += 1) }]);

    await scheduler.stop();

    expect(closed).toBe(1);
  });

  it('F024 skips the beats it slept through instead of making up for them', async () => {
    const { clock, readings } = start([steady]);

    await clock.advance(8 * 3600_000 + 300);
    await clock.advance(700);

    expect(readings.map(({ sample }) => sample.at)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T08:00:00.300Z',
      '2026-01-01T08:00:01.000Z',
    ]);
  });

  it('F020 goes on beating when the wall clock steps back', async () => {
    const { clock, readings } = start([steady]);

    clock.stepWall(-3_600_000);
    await clock.advance(1000);

    expect(readings).toHaveLength(2);
  });

  it('goes on without a sampler that throws, and says so once at the beginning and once at the end', async () => {
    let isBroken = true;
    const shaky: Sampler = {
      name: 'shaky',
      sample: () => {
        if (isBroken) throw new Error('no such thing');
        return { sample: { uptime_s: 5 } };
      },
    };
    const { clock, readings, lines } = start([shaky, steady]);

    await clock.advance(1000);
    isBroken = false;
    await clock.advance(1000);

    expect(readings.map(({ sample }) => [sample.load1, sample.uptime_s])).toEqual([
      [1, null],
      [1, null],
      [1, 5],
    ]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { sampler: 'shaky', err: { message: 'no such thing' } },
      { sampler: 'shaky', msg: 'a sampler reads again' },
    ]);
  });

  it('waits for no slow sampler, asks it once at a time and takes its answer at the next beat', async () => {
    const answers: ((found: Contribution) => void)[] = [];
    const slow: Sampler = { name: 'slow', sample: () => new Promise((resolve) => answers.push(resolve)) };
    const { clock, readings } = start([slow, steady]);

    await clock.advance(1000);
    const askedBefore = answers.length;
    answers[0]?.({ sample: { uptime_s: 7 } });
    await clock.advance(500);
    await clock.advance(500);
    await clock.advance(1000);

    expect(askedBefore).toBe(1);
    expect(answers).toHaveLength(2);
    expect(readings.map(({ sample }) => [sample.load1, sample.uptime_s])).toEqual([
      [1, null],
      [1, null],
      [1, 7],
      [1, null],
    ]);
  });

  it('goes on when a reading cannot be handed on', async () => {
    const { clock, readings } = start([steady], () => {
      throw new Error('full');
    });

    await clock.advance(1000);

    expect(readings).toHaveLength(2);
  });

  it('gives no reading after it has stopped', async () => {
    const { clock, readings, scheduler } = start([steady]);

    await scheduler.stop();
    await scheduler.stop();
    await clock.advance(5000);

    expect(readings).toHaveLength(1);
  });
});
