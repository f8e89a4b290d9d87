import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { readKernelFile } from './kernel-file.ts';
import { hasDevice, parseInterfaceBytes } from './net-dev.ts';

const textOf = (tree: Parameters<typeof fixtureTree>[0]) => readKernelFile(fixtureTree(tree), '/proc/net/dev') ?? '';

it('reads what went through each interface', () => {
  expect(parseInterfaceBytes(textOf('debian-12'))?.slice(0, 2)).toEqual([
    { name: 'lo', receivedBytes: 219_555_949, sentBytes: 219_555_949 },
    { name: 'eth0', receivedBytes: 1_193_389_631, sentBytes: 1_878_795 },
  ]);
});

it('reads a number that touches the colon', () => {
  expect(parseInterfaceBytes(textOf('centos-7'))?.[0]).toEqual({
    name: 'eth0',
    receivedBytes: 1_193_389_631,
    sentBytes: 1_878_795,
  });
});

it('tells hardware from what is only configured', () => {
  const root = fixtureTree('debian-12');

  expect(hasDevice(root, 'eth0')).toBe(true);
  expect(hasDevice(root, 'docker0')).toBe(false);
  expect(hasDevice(root, '../net/eth0')).toBe(false);
});

it('F044 is null where there is no table', () => {
  expect(parseInterfaceBytes('')).toBeNull();
});
