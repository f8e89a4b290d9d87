import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { findCgroup2Root } from './cgroup.ts';

const debian = `${fixtureTree('debian-12')}/sys/fs/cgroup`;

describe('the tree of cgroups', () => {
  it('is found where cgroup2 is mounted, alone or beside version 1', () => {
    const hybrid = fixtureTree('hybrid-cgroups');

    expect(findCgroup2Root(fixtureTree('debian-12'))).toBe(debian);
    expect(findCgroup2Root(hybrid)).toBe(`${hybrid}/sys/fs/cgroup/unified`);
    expect(findCgroup2Root(fixtureTree('centos-7'))).toBeNull();
  });
});
