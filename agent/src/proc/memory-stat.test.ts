import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { readReclaimableBytes } from './memory-stat.ts';

const root = `${fixtureTree('debian-12')}/sys/fs/cgroup`;

describe('memory that the kernel takes back', () => {
  it('is page cache without shared memory, and reclaimable slab', () => {
    expect(readReclaimableBytes(root, '/system.slice/train.service')).toBe(213_909_504 - 33_554_432 + 10_485_760);
  });

  it('F044 is null for a cgroup that is gone or does not count it, and outside the mount', () => {
    expect(
      ['/gone.scope', '/init.scope', '/system.slice/../init.scope'].map((path) => readReclaimableBytes(root, path)),
    ).toEqual([null, null, null]);
  });
});
