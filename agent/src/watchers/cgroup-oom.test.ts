import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { type CgroupOomWatcher, createCgroupOomWatcher } from './cgroup-oom.ts';
import type { Sighting } from './watcher.ts';

const cgroup = '/system.slice/t1.scope';

describe('OOM kills of a cgroup', () => {
  let root: string;
  let watcher: CgroupOomWatcher;
  let sightings: Sighting[];
  const count = (oomKills: number) =>
    writeFileSync(
      join(root, cgroup, 'memory.events'),
      `low 0\nhigh 0\nmax 3\noom 2\noom_kill ${oomKills}\noom_group_kill 0\n`,
    );
  const create = (cgroupRoot: string | null) =>
    createCgroupOomWatcher({
      cgroupRoot,
      report: (sighting) => sightings.push(sighting),
      clock: systemClock,
      log: pino({ level: 'silent' }),
    });

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cgroup-'));
    mkdirSync(join(root, cgroup), { recursive: true });
    writeFileSync(join(root, 'cgroup.controllers'), 'cpu io memory pids\n');
    sightings = [];
    watcher = create(root);
    await watcher.start(new AbortController().signal);
  });
  afterEach(async () => {
    await watcher.stop();
    rmSync(root, { recursive: true });
  });

  it('are reported when their number grows, and only then', async () => {
    count(0);
    watcher.watch(cgroup);
    expect(sightings).toEqual([]);

    count(1);
    await eventually(() => sightings.length > 0);
    count(1);
    count(3);

    await eventually(() => sightings.length > 1);
    expect(sightings).toMatchObject([
      { kind: 'cgroup_oom', cgroup, oomKills: 1 },
      { kind: 'cgroup_oom', cgroup, oomKills: 3 },
    ]);
  });

  it('are told also when they were counted before anybody looked', () => {
    count(2);
    watcher.watch(cgroup);
    expect(sightings).toMatchObject([{ oomKills: 2 }]);
  });

  it('keep their last number when the cgroup is gone', () => {
    count(0);
    watcher.watch(cgroup);
    count(1);
    expect(watcher.read(cgroup)).toBe(1);
    rmSync(join(root, cgroup), { recursive: true });

    expect(watcher.read(cgroup)).toBe(1);
    expect(watcher.read('/never/was.scope')).toBeNull();
    watcher.unwatch(cgroup);
    expect(watcher.read(cgroup)).toBeNull();
  });

  it('are unknown, never none, where memory is not controlled by cgroup2', async () => {
    expect(watcher.state()).toMatchObject({ state: 'seeing', reason: null });
    writeFileSync(join(root, 'cgroup.controllers'), 'hugetlb\n');

    expect(create(root).state()).toMatchObject({ state: 'blind', reason: expect.stringContaining('cgroup v1') });
    expect(create(null).state()).toMatchObject({ state: 'blind', reason: expect.stringContaining('no cgroup2') });
    expect(create(null).read(cgroup)).toBeNull();
  });
});
