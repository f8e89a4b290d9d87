import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyOfTree } from '../../../test/fixtures/proc/trees.ts';
import { TickReader } from './tick-reader.ts';

const train = '/system.slice/train.service';

/** A task whose files a test writes, read once a second. */
function watched() {
  const root = `${copyOfTree('debian-12')}/sys/fs/cgroup`;
  const folder = join(root, train);
  const reader = new TickReader(root);
  onTestFinished(() => reader[Symbol.dispose]());
  let nowMs = 0;
  const tick = () => {
    nowMs += 1000;
    reader.begin(new Set([train]), nowMs);
    return reader.read(train);
  };
  return {
    tick,
    /** Until it rests: the first reading, and three like it. */
    settle: () => [tick(), tick(), tick(), tick()].at(-1) ?? null,
    useCpu: (usec: number) => writeFileSync(join(folder, 'cpu.stat'), `usage_usec ${usec}\nthrottled_usec 0\n`),
    holdMemory: (bytes: number) => writeFileSync(join(folder, 'memory.current'), `${bytes}\n`),
    readWhole: () => reader.readWhole(train),
  };
}

describe('a task read once a tick', () => {
  it('is read whole at every tick while it uses CPU', () => {
    const { tick, useCpu, holdMemory } = watched();

    const seen = [1, 2, 3, 4, 5, 6].map((second) => {
      useCpu(second * 1000);
      holdMemory(second * 4096);
      return tick();
    });

    expect(seen.map((reading) => reading?.memoryBytes)).toEqual([4096, 8192, 12_288, 16_384, 20_480, 24_576]);
    expect(seen.map((reading) => reading?.wholeAtMs)).toEqual([1000, 2000, 3000, 4000, 5000, 6000]);
  });

  it('rests when nothing was counted for three readings, and is read whole after five seconds', () => {
    const { tick, settle, holdMemory } = watched();
    const last = settle();
    holdMemory(4096);

    const [first, ...others] = [tick(), tick(), tick(), tick(), tick()];

    expect(first).toBe(last);
    expect(others.map((reading) => [reading?.memoryBytes, reading?.wholeAtMs])).toEqual([
      [737_280_000, 4000],
      [737_280_000, 4000],
      [737_280_000, 4000],
      [4096, 9000],
    ]);
  });

  it('is read whole in the very tick in which it has used CPU again', () => {
    const { tick, settle, useCpu, holdMemory } = watched();
    settle();
    tick();
    useCpu(2_000_000_000);
    holdMemory(4096);

    const woken = tick();

    expect(woken).toMatchObject({ cpuUsec: 2_000_000_000, memoryBytes: 4096, wholeAtMs: 6000 });
  });

  it('does not rest while others change what is counted for it', () => {
    const { tick, settle, holdMemory } = watched();
    settle();
    for (let second = 5; second < 9; second += 1) tick();
    holdMemory(8192);
    const found = tick();
    holdMemory(4096);

    const next = tick();

    expect([found?.memoryBytes, next?.memoryBytes]).toEqual([8192, 4096]);
  });

  it('is read whole at its end, whether it rests or not', () => {
    const { settle, holdMemory, readWhole } = watched();
    settle();
    holdMemory(4096);

    expect(readWhole()?.memoryBytes).toBe(4096);
  });
});
