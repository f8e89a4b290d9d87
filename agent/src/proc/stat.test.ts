import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseCpuTimes, readCpuTimes } from './stat.ts';

it('sums up the ticks of all CPUs, a guest’s only once', () => {
  expect(readCpuTimes(fixtureTree('debian-12'))).toEqual({
    totalTicks: 35_851 + 12 + 16_586 + 204_099 + 1_098 + 3 + 377 + 61,
    busyTicks: 35_851 + 12 + 16_586 + 3 + 377 + 61,
    cpuCount: 2,
  });
});

it('F044 has none where there is no file or no whole line', () => {
  expect(readCpuTimes('/nowhere')).toBeNull();
  expect(parseCpuTimes('cpu  1 2\n')).toBeNull();
  expect(parseCpuTimes('intr 5\n')).toBeNull();
});
