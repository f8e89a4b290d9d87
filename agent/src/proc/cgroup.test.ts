import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { findCgroup2Root, readCgroupUsage } from './cgroup.ts';

const debian = `${fixtureTree('debian-12')}/sys/fs/cgroup`;

describe('what the kernel counts for a cgroup', () => {
  it('is found where cgroup2 is mounted, alone or beside version 1', () => {
    const hybrid = fixtureTree('hybrid-cgroups');

    expect(findCgroup2Root(fixtureTree('debian-12'))).toBe(debian);
    expect(findCgroup2Root(hybrid)).toBe(`${hybrid}/sys/fs/cgroup/unified`);
    expect(findCgroup2Root(fixtureTree('centos-7'))).toBeNull();
  });

  it('is read whole', () => {
    expect(readCgroupUsage(debian, '/system.slice/train.service')).toEqual({
      cpuUsec: 994_120_331,
      memoryPeakBytes: 912_680_550,
      memoryCurrentBytes: 737_280_000,
      memoryMaxBytes: 1_073_741_824,
      oomKills: 2,
    });
  });

  it('has null for no limit and for what an older kernel does not count', () => {
    expect(readCgroupUsage(debian, '/init.scope')).toEqual({
      cpuUsec: 5_500_000,
      memoryPeakBytes: null,
      memoryCurrentBytes: 9_437_184,
      memoryMaxBytes: null,
      oomKills: null,
    });
  });

  it('F044 is all null for a cgroup that is gone, and for a path that leads out of the mount', () => {
    const nothing = {
      cpuUsec: null,
      memoryPeakBytes: null,
      memoryCurrentBytes: null,
      memoryMaxBytes: null,
      oomKills: null,
    };

    expect(readCgroupUsage(debian, '/gone.scope')).toEqual(nothing);
    expect(readCgroupUsage(debian, '/system.slice/../init.scope')).toEqual(nothing);
    expect(readCgroupUsage(debian, 'init.scope')).toEqual(nothing);
  });
});
