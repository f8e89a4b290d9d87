import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { parseProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import { describe, expect, it } from 'vitest';
import { copyOfTree, fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { largestBy } from './largest.ts';
import { createProcessesSampler } from './processes.ts';
import type { Contribution } from './sampler.ts';

function matchesOf(...texts: string[]) {
  return texts.map((text) => parseProcessMatch(text)).filter((match) => match !== null);
}

function start(root: string, ...rules: string[]) {
  const sampler = createProcessesSampler(root, matchesOf(...rules));
  return (second: number) => sampler.sample({ wallMs: 0, monotonicMs: second * 1000 }) as Contribution;
}

function statLine(pid: number, comm: string, told: { cpu: number; start: number; pages?: number }): string {
  return `${pid} (${comm}) R 1 1 1 0 -1 0 0 0 0 0 ${told.cpu} 0 0 0 20 0 1 0 ${told.start} 0 ${told.pages ?? 100} 0\n`;
}

describe('the processes of a sample', () => {
  it('are the largest, with memory in bytes and no CPU at the first sight', () => {
    const found = start(fixtureTree('debian-12'))(0);

    expect(found.sample?.processes?.map(({ pid }) => pid)).toEqual([812, 1, 900]);
    expect(found.sample?.processes?.[0]).toEqual({
      pid: 812,
      start_ticks: 40_120,
      name: 'python3',
      rss_bytes: 180_000 * 4096,
      cpu_percent: null,
    });
  });

  it('have their CPU of the last interval, of one core', () => {
    const root = copyOfTree('debian-12');
    const read = start(root);
    read(0);
    writeFileSync(`${root}/proc/812/stat`, statLine(812, 'python3', { cpu: 99_200 + 300, start: 40_120 }));

    expect(read(2).sample?.processes?.find(({ pid }) => pid === 812)?.cpu_percent).toBe(150);
  });

  it('F032 of a pid used again are another process: no time of the old one is counted', () => {
    const root = copyOfTree('debian-12');
    const read = start(root, 'python3', 'other');
    read(0);
    writeFileSync(`${root}/proc/812/stat`, statLine(812, 'other', { cpu: 99_900, start: 77_777 }));
    writeFileSync(`${root}/proc/812/cmdline`, 'other');

    const found = read(1);

    expect(found.sample?.processes?.find(({ pid }) => pid === 812)).toMatchObject({ name: 'other', cpu_percent: null });
    expect(found.ruleProcesses?.map(({ processes }) => processes.length)).toEqual([0, 1]);
  });

  it('F044 leave out one that vanishes while it is read', () => {
    const root = copyOfTree('debian-12');
    const read = start(root);
    read(0);
    writeFileSync(`${root}/proc/812/stat`, '812 (python3) R 1');
    writeFileSync(`${root}/proc/900/stat`, '');

    expect(read(1).sample?.processes?.map(({ pid }) => pid)).toEqual([1]);
  });

  it('F044 are unread, not none, when /proc cannot be listed or the page size is not known', () => {
    const root = copyOfTree('debian-12');
    rmSync(`${root}/proc/self/auxv`);

    expect(start('/nowhere', 'x')(0)).toEqual({});
    expect(start(root)(0)).toEqual({});
  });
});

describe('a kernel thread', () => {
  it('rests from the start: its CPU is that of five seconds, and it is gone five seconds after its end at the latest', () => {
    const root = copyOfTree('debian-12');
    const read = start(root);
    read(0);
    writeFileSync(`${root}/proc/2/stat`, statLine(2, 'kthreadd', { cpu: 4 + 250, start: 5 }));
    const cpuOf = (found: Contribution) => found.sample?.processes?.find(({ pid }) => pid === 2)?.cpu_percent;

    expect(cpuOf(read(4))).toBeUndefined();
    expect(cpuOf(read(5))).toBe(50);
    rmSync(`${root}/proc/2`, { recursive: true });
    expect(cpuOf(read(10))).toBeUndefined();
  });
});

describe('a process that does nothing', () => {
  /** Twelve larger ones, so that 3000 is not among those shown. */
  function crowd(...rules: string[]) {
    const root = copyOfTree('debian-12');
    const tell = (pid: number, pages: number, cpu: number) => {
      mkdirSync(`${root}/proc/${pid}`, { recursive: true });
      writeFileSync(`${root}/proc/${pid}/stat`, statLine(pid, `p${pid}`, { cpu, start: pid, pages }));
    };
    for (let pid = 4000; pid < 4012; pid += 1) tell(pid, 10_000, 0);
    tell(3000, 1, 0);
    const read = start(root, ...rules);
    for (const second of [0, 1, 2, 3]) read(second);
    return { read, tell };
  }
  const cpuOf = (found: Contribution, pid: number) =>
    found.sample?.processes?.find((process) => process.pid === pid)?.cpu_percent;

  it('is read more seldom, with its CPU of the time between, and at every tick again once it works', () => {
    const { read, tell } = crowd();
    tell(3000, 1, 150);

    expect(cpuOf(read(4), 3000)).toBeUndefined();
    expect(cpuOf(read(6), 3000)).toBe(50);
    tell(3000, 1, 250);
    expect(cpuOf(read(7), 3000)).toBe(100);
  });

  it('is read at every tick where it is among the largest', () => {
    const { read, tell } = crowd();
    tell(4000, 10_000, 50);

    expect(cpuOf(read(4), 4000)).toBe(50);
  });

  it('is read at every tick where a rule is about it', () => {
    const { read, tell } = crowd('p3000');
    tell(3000, 1, 50);

    expect(read(4).ruleProcesses?.[0]?.processes).toMatchObject([{ pid: 3000, cpuPercent: 50 }]);
  });
});

describe('a process that begins', () => {
  it('is there at the next reading when a pid was given away since, and after five seconds in any case', () => {
    const root = copyOfTree('debian-12');
    const read = start(root, 'python3');
    const pids = (found: Contribution) => found.ruleProcesses?.[0]?.processes.map(({ pid }) => pid);
    read(0);
    cpSync(`${root}/proc/812`, `${root}/proc/25742`, { recursive: true });
    writeFileSync(`${root}/proc/25742/stat`, statLine(25_742, 'python3', { cpu: 0, start: 60_000 }));

    expect(pids(read(1))).toEqual([812]);
    expect(pids(read(5))).toEqual([812, 25_742]);
    cpSync(`${root}/proc/812`, `${root}/proc/25743`, { recursive: true });
    writeFileSync(`${root}/proc/25743/stat`, statLine(25_743, 'python3', { cpu: 0, start: 61_000 }));
    writeFileSync(`${root}/proc/loadavg`, '0.72 0.92 0.55 2/97 25743\n');
    expect(pids(read(6))).toEqual([812, 25_742, 25_743]);
  });

  it('F044 is seen at the next reading, and gone from the one after its end, on this machine', async () => {
    const read = start('/', 'command_line:sleep 4713');
    const pids = (found: Contribution) => found.ruleProcesses?.[0]?.processes.map(({ pid }) => pid);
    expect(pids(read(0))).toEqual([]);

    const child = spawn('sleep', ['4713']);
    await once(child, 'spawn');
    expect(pids(read(1))).toEqual([child.pid]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(pids(read(2))).toEqual([]);
  });
});

it('costs one reading of a kept file for a process that does nothing, whose CPU is none', () => {
  const root = copyOfTree('debian-12');
  const read = start(root);
  read(0);

  expect(read(1).sample?.processes?.map(({ pid, cpu_percent: percent }) => [pid, percent])).toEqual([
    [812, 0],
    [1, 0],
    [900, 0],
  ]);
});

describe('the processes of a rule', () => {
  it('are found by command, command line, unit and cgroup', () => {
    const read = start(
      fixtureTree('debian-12'),
      'python3',
      'command_line:--gpu',
      'unit:session-*',
      'cgroup:/init.scope',
    );

    const found = read(0).ruleProcesses?.map(({ match, processes }) => [match, processes.map(({ pid }) => pid)]);

    expect(found).toEqual([
      ['python3', [812]],
      ['command_line:--gpu', [812]],
      ['unit:session-*', [900]],
      ['cgroup:/init.scope', [1]],
    ]);
  });

  it('follow one that executes another program', () => {
    const root = copyOfTree('debian-12');
    const read = start(root, 'python3');
    read(0);
    writeFileSync(`${root}/proc/900/stat`, statLine(900, 'python3', { cpu: 60, start: 50_210 }));

    expect(
      read(1)
        .ruleProcesses?.[0]?.processes.map(({ pid }) => pid)
        .toSorted(),
    ).toEqual([812, 900]);
  });
});

it('picks the largest in order', () => {
  expect(largestBy([3, 9, 0, 1, 7, 9], (value) => value, 3)).toEqual([9, 9, 7]);
  expect(largestBy([0, 0], (value) => value, 3)).toEqual([]);
});
