import { describe, expect, it } from 'vitest';
import { EngineStops } from './engine-stops.ts';

const unit = 'docker.service';
const box = { source: 'docker', socketPath: '/run/docker.sock' } as const;

function seen(...words: readonly (readonly [isStopping: boolean, at: number])[]): EngineStops {
  const stops = new EngineStops();
  for (const [isStopping, at] of words) stops.see({ unit, isStopping, at });
  return stops;
}

describe('a container engine that is stopped', () => {
  it('takes with it what ends from then on until it is over, and a moment around', () => {
    const stops = seen([true, 100_000], [false, 105_000]);

    const taken = [99_000, 99_960, 103_000, 105_040, 106_000].map((at) => stops.behind(box, at) === unit);

    expect(taken).toEqual([false, true, true, true, false]);
  });

  it('is one stop by the word of several witnesses, in whatever order they come', () => {
    const stops = seen([true, 100_000], [false, 103_000], [true, 99_900], [false, 102_990]);

    expect([stops.behind(box, 110_000), stops.behind(box, 99_900)]).toEqual([null, unit]);
  });

  it('explains nothing of long after, when nobody heard that it was over', () => {
    expect(seen([true, 100_000]).behind(box, 300_000)).toBeNull();
  });

  it('explains nothing of long after either, when it was heard late that it was over', () => {
    const stops = seen([true, 100_000], [false, 700_000]);

    expect([110_000, 300_000].map((at) => stops.behind(box, at) === unit)).toEqual([true, false]);
  });

  it('ends by the word for it, not for one before whose end went unheard', () => {
    const stops = seen([true, 100_000], [true, 500_000], [false, 502_000]);

    expect([501_000, 510_000].map((at) => stops.behind(box, at) === unit)).toEqual([true, false]);
  });

  it('is told apart from the stop before', () => {
    const stops = seen([true, 100_000], [false, 101_000], [true, 104_000], [false, 105_000]);

    expect([100_500, 102_000, 104_500].map((at) => stops.behind(box, at) === unit)).toEqual([true, false, true]);
  });

  it('touches neither another engine’s containers nor those of a user’s own', () => {
    const stops = seen([true, 100_000]);
    const ofUser = { ...box, socketPath: '/run/user/1000/docker.sock' };

    expect(stops.behind({ ...box, source: 'podman' }, 100_500)).toBeNull();
    expect(stops.behind(ofUser, 100_500)).toBeNull();
    expect(stops.behind({ source: 'systemd', socketPath: null }, 100_500)).toBeNull();
  });
});
