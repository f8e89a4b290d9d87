import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { parseMountInfo, readMountInfo } from '../proc/mountinfo.ts';
import { createDiskSampler, type DiskSamplerOptions, type FileSystemCounts } from './disk.ts';
import { realDisks } from './real-disks.ts';
import type { Contribution } from './sampler.ts';

const root = fixtureTree('debian-12');
const counts: FileSystemCounts = { bsize: 4096, blocks: 1000, bfree: 300, bavail: 250, files: 100, ffree: 75 };

function start(options: Partial<DiskSamplerOptions>) {
  const sampler = createDiskSampler({ root, statLocal: () => counts, statRemote: async () => counts, ...options });
  return (second: number) => sampler.sample({ wallMs: 0, monotonicMs: second * 1000 }) as Contribution;
}

const mountsOf = ({ sample }: Contribution) => sample?.disks?.map(({ mount }) => mount);

describe('real disks', () => {
  it('are each named once, at its whole place, without images, layers and pseudo file systems', () => {
    const disks = realDisks(parseMountInfo(readMountInfo(root) ?? ''));

    expect(disks).toEqual([
      { mount: '/', device: '/dev/vda1', fstype: 'ext4', isRemote: false },
      { mount: '/data of ours', device: '/dev/vdb1', fstype: 'xfs', isRemote: false },
      { mount: '/srv', device: '/dev/vdc', fstype: 'btrfs', isRemote: false },
      { mount: '/shared', device: 'files.example:/export/shared', fstype: 'nfs4', isRemote: true },
    ]);
  });

  it('of a container are its root of layers', () => {
    const text = '1 0 0:60 / / rw - overlay overlay rw\n2 1 0:61 / /proc rw - proc proc rw\n';

    expect(realDisks(parseMountInfo(text)).map(({ mount }) => mount)).toEqual(['/']);
  });

  it('are what is seen at a place: a later mount hides an earlier one', () => {
    const text =
      '1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /mnt rw - ext4 /dev/b rw\n3 2 0:5 / /mnt rw - tmpfs tmpfs rw\n';

    expect(realDisks(parseMountInfo(text)).map(({ device }) => device)).toEqual(['/dev/a']);
  });
});

describe('the disks of a sample', () => {
  it('are counted as df counts: what is reserved for root is not to be had', () => {
    const found = start({})(0).sample?.disks?.[0];

    expect(found).toEqual({
      mount: '/',
      device: '/dev/vda1',
      fstype: 'ext4',
      total_bytes: 4_096_000,
      used_bytes: 700 * 4096,
      available_bytes: 250 * 4096,
      used_percent: (700 / 950) * 100,
      inodes_used_percent: 25,
    });
  });

  it('tell no inodes where the file system counts none, and skip what has no space at all', () => {
    const read = start({
      statLocal: (mount) => ({ ...counts, files: 0, ffree: 0, blocks: mount === '/' ? 0 : 10, bfree: 0 }),
    });

    expect(read(0).sample?.disks?.[0]).toMatchObject({ mount: '/data of ours', inodes_used_percent: null });
  });

  it('name one that cannot be read as unread', () => {
    const read = start({
      statLocal: (mount) => {
        if (mount === '/srv') throw new Error('EIO');
        return counts;
      },
    });

    expect(read(0)).toMatchObject({ unreadDisks: ['/srv', '/shared'] });
  });

  it('ask a remote one in the background and not at every tick', async () => {
    let asked = 0;
    const read = start({
      statRemote: async () => {
        asked += 1;
        return counts;
      },
    });

    const first = read(0);
    await eventually(() => mountsOf(read(1))?.includes('/shared'));
    const later = read(9);

    expect(first.unreadDisks).toEqual(['/shared']);
    expect(later.unreadDisks).toEqual([]);
    expect(asked).toBe(1);
    read(10);
    expect(asked).toBe(2);
  });

  it('with a dead server are all told but that one, which is never asked twice at once', async () => {
    let asked = 0;
    let answer: (found: FileSystemCounts) => void = () => {};
    const read = start({
      statRemote: () => {
        asked += 1;
        return asked === 1 ? Promise.resolve(counts) : new Promise((resolve) => (answer = resolve));
      },
    });
    read(0);
    await eventually(() => mountsOf(read(1))?.includes('/shared'));

    const asking = read(10);
    const late = read(16);
    read(3600);
    answer(counts);

    expect(asking.unreadDisks).toEqual([]);
    expect(late.unreadDisks).toEqual(['/shared']);
    expect(mountsOf(late)).toEqual(['/', '/data of ours', '/srv']);
    expect(asked).toBe(2);
    await eventually(() => {
      read(3601);
      return asked === 3;
    });
  });

  it('F044 are unread without a list of mounts', () => {
    expect(start({ root: '/nowhere' })(0)).toEqual({});
  });
});
