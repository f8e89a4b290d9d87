import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parseMemInfo, readMemInfo } from './meminfo.ts';

it('reads memory and swap in bytes', () => {
  expect(readMemInfo(fixtureTree('debian-12'))).toEqual({
    totalBytes: 2_030_412 * 1024,
    availableBytes: 1_421_520 * 1024,
    swapTotalBytes: 1_048_572 * 1024,
    swapFreeBytes: 524_284 * 1024,
  });
});

it('has null for what a kernel before 3.14 does not say, and 0 for swap that is really none', () => {
  expect(readMemInfo(fixtureTree('centos-7'))).toMatchObject({ availableBytes: null, swapTotalBytes: 0 });
});

it('F044 takes no other line and no garbage for a reading', () => {
  expect(readMemInfo('/nowhere')).toBeNull();
  expect(parseMemInfo('XMemTotal: 5 kB\nMemAvailable: many kB\nSwapTotal: 7')).toEqual({
    totalBytes: null,
    availableBytes: null,
    swapTotalBytes: null,
    swapFreeBytes: null,
  });
});
