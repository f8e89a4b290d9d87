import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { copyOfTree } from '../../../test/fixtures/proc/trees.ts';
import { createCpuSampler } from './cpu.ts';

it('tells the share of the last interval, not since boot, and none at first', () => {
  const root = copyOfTree('debian-12');
  const sampler = createCpuSampler(root);
  const at = (second: number) => sampler.sample({ wallMs: 0, monotonicMs: second * 1000 });

  const first = at(0);
  writeFileSync(`${root}/proc/stat`, 'cpu  35901 12 16586 204249 1098 3 377 61 40 0\ncpu0 1\ncpu1 1\n');
  const second = at(1);
  writeFileSync(`${root}/proc/stat`, 'nothing');
  const third = at(2);

  expect(first).toEqual({ sample: { cpu_percent: null, cpu_count: 2 } });
  expect(second).toEqual({ sample: { cpu_percent: 25, cpu_count: 2 } });
  expect(third).toEqual({ sample: { cpu_percent: null, cpu_count: null } });
});

it('stays in its bounds when idle time steps back', () => {
  const root = copyOfTree('debian-12');
  const sampler = createCpuSampler(root);
  void sampler.sample({ wallMs: 0, monotonicMs: 0 });

  writeFileSync(`${root}/proc/stat`, 'cpu  35951 12 16586 204090 1098 3 377 61 40 0\n');

  expect(sampler.sample({ wallMs: 0, monotonicMs: 1000 })).toMatchObject({ sample: { cpu_percent: 100 } });
});
