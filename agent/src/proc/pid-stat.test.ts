import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parsePidCgroup, parsePidStat, readPidCgroup, readPidStat } from './pid-stat.ts';

const root = fixtureTree('debian-12');

describe('a process', () => {
  it('is read with its name, parent, time and memory', () => {
    expect(readPidStat(root, 812)).toEqual({
      pid: 812,
      comm: 'python3',
      state: 'R',
      ppid: 1,
      threads: 12,
      cpuTicks: 99_200,
      waitedCpuTicks: 0,
      startTicks: 40_120,
      rssPages: 180_000,
      exitCode: null,
    });
  });

  it('may carry blanks and parentheses in its name', () => {
    expect(readPidStat(root, 900)).toMatchObject({ comm: 'tmux: server (1)', ppid: 1, startTicks: 50_210 });
    expect(readPidStat(root, 901)).toMatchObject({ comm: 'a) R 1 (b', state: 'Z', ppid: 900 });
  });

  it('tells its wait status only once it has ended', () => {
    expect(readPidStat(root, 901)?.exitCode).toBe(768);
    expect(readPidStat(root, 900)?.exitCode).toBeNull();
  });

  it('F044 is null when it is gone', () => {
    expect(readPidStat(root, 4711)).toBeNull();
    expect(readPidCgroup(root, 4711)).toBeNull();
  });

  it.runIf(process.platform === 'linux')('is read of this machine too', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');

    const stat = readPidStat('/', child.pid ?? 0);
    child.stdin.end();
    await once(child, 'exit');

    expect(stat).toMatchObject({ pid: child.pid, ppid: process.pid });
    expect(stat?.startTicks).toBeGreaterThan(0);
    expect(readPidStat('/', child.pid ?? 0)).toBeNull();
  });

  it('whatever its name, is taken apart at the last parenthesis', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), fc.nat(), (comm, start) => {
        const line = `7 (${comm}) S 1 7 7 0 -1 0 0 0 0 0 11 22 0 0 20 0 3 0 ${start} 100 42`;

        expect(parsePidStat(line)).toMatchObject({
          pid: 7,
          comm,
          state: 'S',
          ppid: 1,
          cpuTicks: 33,
          startTicks: start,
        });
      }),
    );
  });

  it('is null, never a guess, when the text is not whole', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parsePidStat(text)).not.toThrow();
      }),
    );
    expect(parsePidStat('')).toBeNull();
    expect(parsePidStat('7 (a) S 1 7')).toBeNull();
  });
});

describe('the cgroup of a process', () => {
  it('is the one of version 2 among those of version 1', () => {
    expect(readPidCgroup(root, 900)).toBe('/user.slice/user-1000.slice/session-2.scope');
  });

  it('keeps its path when it has been removed', () => {
    expect(readPidCgroup(root, 901)).toBe('/user.slice/gone.scope');
  });

  it('is null where there is only version 1', () => {
    expect(parsePidCgroup('12:pids:/a\n1:name=systemd:/a\n')).toBeNull();
  });
});
