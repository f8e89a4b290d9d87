import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { readPidStat } from './pid-stat.ts';
import { processTree, readProcessTree } from './process-tree.ts';

describe('a process and what descends from it', () => {
  it('is summed up, with what its children used before they ended', async () => {
    const busy = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done';
    const shell = spawn('/bin/sh', ['-c', `sh -c '${busy}'; sleep 300 & sleep 300; true`], { stdio: 'ignore' });
    const pid = shell.pid ?? 0;
    try {
      const reading = await eventually(() => {
        const found = readProcessTree('/', pid, null);
        return found?.processes === 3 ? found : null;
      });

      expect(reading.cpuUsec).toBeGreaterThanOrEqual(20_000);
      expect(reading.memoryBytes).toBeGreaterThan(3 * 100_000);
      expect(readProcessTree('/', pid, readPidStat('/', pid)?.startTicks ?? 0)?.processes).toBe(3);
      expect(readProcessTree('/', pid, 1)).toBeNull();
    } finally {
      await eventually(() => {
        for (const member of processTree('/', pid).slice(1)) process.kill(member, 'SIGKILL');
        return shell.exitCode !== null || shell.signalCode !== null;
      });
    }
  });

  it('is one where nothing is known of children', () => {
    expect(readProcessTree(fixtureTree('debian-12'), 812, 40_120)).toEqual({
      memoryBytes: 180_000 * 4096,
      cpuUsec: 992_000_000,
      processes: 1,
    });
  });

  it('F044 is null when it is gone, or has ended and waits for its parent', () => {
    expect([4711, 901].map((pid) => readProcessTree(fixtureTree('debian-12'), pid, null))).toEqual([null, null]);
  });
});
