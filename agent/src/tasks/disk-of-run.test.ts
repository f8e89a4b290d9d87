import type { DiskUse } from '@runnerwatch/shared/model/sample.ts';
import { describe, expect, it } from 'vitest';
import { fullestDiskOf } from './disk-of-run.ts';

const disk = (mount: string, usedPercent: number, inodesPercent: number | null = 1): DiskUse => ({
  mount,
  device: `/dev${mount}`,
  fstype: 'ext4',
  total_bytes: 100,
  used_bytes: usedPercent,
  available_bytes: 100 - usedPercent,
  used_percent: usedPercent,
  inodes_used_percent: inodesPercent,
});

describe('the fullest disk of a run', () => {
  const disks = [disk('/', 40), disk('/data', 99.8), disk('/data2', 100), disk('/var', 50)];

  it('is that of its working directory when that is the fullest it uses', () => {
    expect(fullestDiskOf({ source: 'systemd', directory: '/data/runs/7' }, disks, 5)).toEqual({
      mount: '/data',
      of: 'space',
      usedPercent: 99.8,
      at: 5,
    });
  });

  it('is not one it has nothing to do with, however full', () => {
    expect(fullestDiskOf({ source: 'run', directory: '/home/ada' }, disks, 5)?.mount).toBe('/var');
    expect(fullestDiskOf({ source: 'run', directory: '/data2.old' }, disks, 5)?.mount).toBe('/var');
  });

  it('counts inodes like space', () => {
    expect(fullestDiskOf({ source: 'run', directory: null }, [disk('/', 40, 100)], 5)).toEqual({
      mount: '/',
      of: 'inodes',
      usedPercent: 100,
      at: 5,
    });
  });

  it("is the engine's for a container, whose own paths mean nothing outside", () => {
    expect(fullestDiskOf({ source: 'docker', directory: '/data' }, disks, 5)?.mount).toBe('/var');
  });

  it('is not known where no disk was read', () => {
    expect(fullestDiskOf({ source: 'run', directory: '/data' }, [], 5)).toBeNull();
  });
});
