import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { repeat } from './repeat.ts';

describe('work that is repeated', () => {
  it('runs at once and then after every interval, until it is disposed of', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const work = repeat(() => runs++, { clock, everyMs: 100 });

    await clock.advance(0);
    await clock.advance(99);
    expect(runs).toBe(1);
    await clock.advance(1);
    expect(runs).toBe(2);
    await work[Symbol.asyncDispose]();
    await clock.advance(1000);

    expect(runs).toBe(2);
    expect(clock.sleeping).toBe(0);
  });

  it('waits first where it is asked to, and never runs when it ends before', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const work = repeat(() => runs++, { clock, everyMs: 100, isFirstLater: true });

    await clock.advance(99);
    await work[Symbol.asyncDispose]();

    expect(runs).toBe(0);
  });

  it('tells a run that is under way to stop, and waits for it', async () => {
    const steps: string[] = [];
    const work = repeat(
      async (stopping) => {
        await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
        steps.push('stopped');
      },
      { clock: new ManualClock(), everyMs: 100 },
    );

    await work[Symbol.asyncDispose]();

    expect(steps).toEqual(['stopped']);
  });
});
