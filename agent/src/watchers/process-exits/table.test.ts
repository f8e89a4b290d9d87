import { beforeEach, describe, expect, it } from 'vitest';
import type { PidStat } from '../../proc/pid-stat.ts';
import type { ProcessExited } from '../watcher.ts';
import type { PidfdInfo } from './pidfd.ts';
import { ProcessTable } from './table.ts';
import { unitCgroupOf } from './unit-cgroup.ts';

/** A small machine: processes with cgroups, of which some have ended and some were reaped. */
function machine({ hearsThreads = true } = {}) {
  interface Process {
    cgroup: string;
    state: 'alive' | 'zombie' | 'reaped';
    waitStatus: number;
    ppid: number;
    startTicks: number;
    launches?: string;
    isInit?: boolean;
    threads?: number;
  }
  const processes = new Map<number, Process>();
  const fds = new Map<number, Process>();
  const cgroupIds = new Map<string, number>();
  const features = {
    hasEvents: true,
    pidfdExit: true,
    namesKnown: true,
    room: Number.POSITIVE_INFINITY,
    readable: true,
  };
  const exits: ProcessExited[] = [];
  let nowMs = 0;
  const idOf = (path: string) => cgroupIds.get(path) ?? cgroupIds.set(path, cgroupIds.size + 1).size;
  const present = (pid: number) => (processes.get(pid)?.state === 'reaped' ? undefined : processes.get(pid));
  const info = (process: Process | undefined): PidfdInfo => {
    if (process === undefined || !features.pidfdExit) return { cgroupId: null, waitStatus: null };
    return { cgroupId: idOf(process.cgroup), waitStatus: process.state === 'reaped' ? process.waitStatus : null };
  };
  const table = new ProcessTable({
    source: {
      pidfds: {
        open: (pid) => {
          const process = present(pid);
          if (process === undefined) return -1;
          if (fds.size >= features.room) return -2;
          const fd = [...Array(fds.size + 1).keys()].find((free) => !fds.has(free)) ?? 0;
          fds.set(fd, process);
          return fd;
        },
        info: (fd) => info(fds.get(fd)),
        isDead: (fd) => fds.get(fd)?.state !== 'alive',
        dead: (asked) => new Set(asked.filter((fd) => fds.get(fd)?.state !== 'alive')),
        hasRoom: (fd) => fd < features.room,
        close: (fd) => void fds.delete(fd),
      },
      readStat: (pid): PidStat | null => {
        const process = features.readable ? present(pid) : undefined;
        if (process === undefined) return null;
        const { ppid, startTicks, state } = process;
        return {
          pid,
          comm: 'job',
          state: state === 'zombie' ? 'Z' : 'S',
          ppid,
          threads: process.threads ?? 1,
          cpuTicks: 0,
          waitedCpuTicks: 0,
          startTicks,
          rssPages: 0,
          exitCode: state === 'zombie' ? process.waitStatus : null,
        };
      },
      isThere: (pid) => present(pid) !== undefined,
      readCgroup: (pid) => present(pid)?.cgroup ?? null,
      isInit: (pid) => present(pid)?.isInit ?? false,
      readLaunch: (pid) => present(pid)?.launches ?? null,
      cgroupById: (id) => {
        const path = [...cgroupIds].find(([, candidate]) => candidate === id)?.[0];
        return path === undefined || !features.namesKnown ? undefined : { id, path, unit: unitCgroupOf(path) };
      },
      unitOfPath: unitCgroupOf,
      watchEnd: () => undefined,
    },
    onExit: (exit) => exits.push(exit),
    onMainExit: () => undefined,
    now: () => ({ wallMs: nowMs, monotonicMs: nowMs }),
    hearsThreads,
    sight: () => ({ hasEvents: features.hasEvents, blindReason: 'nobody saw' }),
  });
  const begin = (pid: number, ppid: number, cgroup: string) => {
    processes.set(pid, { cgroup, state: 'alive', waitStatus: 0, ppid, startTicks: pid * 10 });
  };
  const fork = (pid: number, ppid: number) =>
    table.onEvent({ kind: 'fork', parentTgid: ppid, childPid: pid, childTgid: pid });
  return {
    table,
    exits,
    features,
    fds,
    process: (pid: number) => processes.get(pid) as Process,
    begin,
    spawn: (pid: number, ppid: number, cgroup: string) => {
      begin(pid, ppid, cgroup);
      fork(pid, ppid);
    },
    fork,
    thread: (tgid: number, pid: number) =>
      table.onEvent({ kind: 'fork', parentTgid: tgid, childPid: pid, childTgid: tgid }),
    exec: (pid: number) => table.onEvent({ kind: 'exec', pid, tgid: pid }),
    exit: (tgid: number, waitStatus: number, pid = tgid) => table.onEvent({ kind: 'exit', pid, tgid, waitStatus }),
    end: (pid: number, waitStatus: number, state: 'zombie' | 'reaped' = 'reaped') => {
      const process = processes.get(pid);
      if (process !== undefined) Object.assign(process, { state, waitStatus });
    },
    ready: (pid: number) => {
      for (const [fd, process] of fds) if (process === processes.get(pid)) table.onPidfdReady(fd);
    },
    pass: (ms: number) => {
      nowMs += ms;
      table.tick();
    },
  };
}

const scope = '/system.slice/t1.scope';
const container = `/system.slice/docker-${'0f'.repeat(32)}.scope`;

describe('F012 the table of processes when descriptors run out', () => {
  let on: ReturnType<typeof machine>;
  beforeEach(() => {
    on = machine();
    on.begin(1, 0, '/init.scope');
  });

  it('gives those that are left to processes whose end is told, and the rest theirs when there is room again', () => {
    on.features.room = 2;
    for (const pid of [10, 11, 12]) on.spawn(pid, 1, '/other');
    expect(on.table.isShort).toBe(true);
    on.spawn(20, 1, scope);
    on.exec(20);

    expect(on.table.refit()).toBe(2);
    expect([...on.fds.values()]).toContain(on.process(20));
    on.features.room = 100;
    expect(on.table.refit()).toBe(0);
    expect(on.table.isShort).toBe(false);
    on.end(20, 3 << 8);
    on.ready(20);

    expect(on.exits).toMatchObject([{ pid: 20, isMain: true, waitStatus: 3 << 8, via: 'pidfd' }]);
  });

  it('gives up those that there is no room for any more', () => {
    for (const pid of [10, 11, 12]) on.spawn(pid, 1, '/other');
    on.features.room = 1;

    expect(on.table.refit()).toBe(2);
    expect(on.fds.size).toBe(1);
  });

  it('hears an end by its message, and without messages by looking', () => {
    on.features.room = 0;
    on.spawn(20, 1, scope);
    on.exec(20);
    on.end(20, 0);
    on.exit(20, 4 << 8);
    expect(on.exits).toMatchObject([{ pid: 20, waitStatus: 4 << 8, via: 'connector' }]);

    on.features.hasEvents = false;
    on.begin(30, 1, '/other');
    on.table.follow(30, 300, (exit) => on.exits.push(exit));
    on.pass(1000);
    expect(on.exits).toHaveLength(1);
    on.end(30, 5 << 8);
    on.pass(1000);

    expect(on.exits[1]).toMatchObject({ pid: 30, waitStatus: null, blindReason: 'nobody saw' });
  });

  it('takes nobody for gone who cannot be looked at', () => {
    on.features.room = 0;
    on.features.hasEvents = false;
    on.begin(30, 1, '/other');
    on.features.readable = false;
    on.table.follow(30, 300, (exit) => on.exits.push(exit));
    on.pass(1000);
    on.table.resync();
    expect(on.exits).toEqual([]);
    on.features.readable = true;
    on.end(30, 0);
    on.pass(1000);

    expect(on.exits).toMatchObject([{ pid: 30, waitStatus: null }]);
  });

  it('waits for the threads that a leader leaves behind, where only its stat line tells of them', () => {
    on = machine({ hearsThreads: false });
    on.begin(1, 0, '/init.scope');
    on.features.room = 0;
    on.spawn(20, 1, scope);
    on.exec(20);
    on.process(20).threads = 2;
    on.exit(20, 0);
    on.pass(1000);
    expect(on.exits).toEqual([]);
    on.process(20).threads = 1;
    on.end(20, 6 << 8, 'zombie');
    on.pass(1000);

    expect(on.exits).toMatchObject([{ pid: 20, waitStatus: 6 << 8, via: 'zombie' }]);
  });
});

describe('the table of processes', () => {
  let on: ReturnType<typeof machine>;
  beforeEach(() => {
    on = machine();
    on.begin(1, 0, '/init.scope');
    on.spawn(50, 1, '/user.slice/session-1.scope');
  });

  function runScope(pid = 60) {
    on.spawn(pid, 50, '/user.slice/session-1.scope');
    on.exec(pid);
    on.process(pid).cgroup = scope;
    on.exec(pid);
  }

  it('knows the main process of a scope by its exec, though it was born elsewhere', () => {
    runScope();
    on.end(60, 3 << 8, 'zombie');
    on.exit(60, 3 << 8);

    expect(on.exits).toMatchObject([
      { pid: 60, cgroup: scope, isMain: true, waitStatus: 3 << 8, via: 'connector', startTicks: 600, comm: 'job' },
    ]);
  });

  it('F025 knows it by the pidfd when it was gone before anything could be read', () => {
    on.spawn(60, 50, '/user.slice/session-1.scope');
    on.process(60).cgroup = scope;
    on.end(60, 0);
    on.exec(60);
    on.exit(60, 0);

    expect(on.exits).toMatchObject([{ pid: 60, cgroup: scope, isMain: true, waitStatus: 0, startTicks: null }]);
  });

  it('F025 waits for the name of a cgroup, and without one still counts what it could not tell', () => {
    on.features.namesKnown = false;
    on.spawn(60, 50, scope);
    on.end(60, 7 << 8);
    on.exit(60, 7 << 8);
    expect(on.exits).toEqual([]);
    on.features.namesKnown = true;
    on.pass(10);
    expect(on.exits).toMatchObject([{ cgroup: scope, waitStatus: 7 << 8 }]);

    on.features.namesKnown = false;
    on.spawn(61, 50, '/system.slice/t2.scope');
    on.end(61, 0);
    on.exit(61, 0);
    on.pass(2000);
    expect(on.exits).toHaveLength(1);
    expect(on.table.counts().nameless).toBe(1);
  });

  it('does not report children of the main process, nor orphans it leaves', () => {
    runScope();
    on.spawn(61, 60, scope);
    on.spawn(62, 60, scope);
    on.end(61, 9 << 8);
    on.exit(61, 9 << 8);
    on.end(60, 0);
    on.exit(60, 0);
    on.exec(62);
    on.end(62, 1 << 8);
    on.exit(62, 1 << 8);

    expect(on.exits.map(({ pid }) => pid)).toEqual([60]);
  });

  it('takes the next process from outside as main when the first has ended, as a service does after its ExecStartPre', () => {
    const service = '/system.slice/web.service';
    on.spawn(70, 1, service);
    on.exec(70);
    on.end(70, 0);
    on.exit(70, 0);
    on.spawn(71, 1, service);
    on.exec(71);
    on.end(71, 7 << 8);
    on.exit(71, 7 << 8);

    expect(on.exits.map(({ pid, waitStatus }) => [pid, waitStatus])).toEqual([
      [70, 0],
      [71, 7 << 8],
    ]);
  });

  it('passes over the helper with which a runtime enters a container, and reports the container’s own first process', () => {
    on.spawn(80, 1, '/system.slice/docker.service');
    on.spawn(81, 80, container);
    on.exec(81);
    on.spawn(82, 80, container);
    on.process(82).isInit = true;
    on.end(81, 0);
    on.exit(81, 0);
    on.exec(82);
    on.end(82, 9);
    on.exit(82, 9);

    expect(on.exits).toMatchObject([{ pid: 82, cgroup: container, isMain: true, isInit: true, waitStatus: 9 }]);
  });

  it('says of a helper that leaves nobody behind that a container did not end with it', () => {
    on.spawn(81, 80, container);
    on.exec(81);
    on.end(81, 0);
    on.exit(81, 0);

    expect(on.exits).toMatchObject([{ pid: 81, cgroup: container, isMain: true, isInit: false }]);
  });

  it('waits for the last thread when the leader leaves first, and tells its code', () => {
    runScope();
    on.thread(60, 600);
    on.exit(60, 7 << 8);
    expect(on.exits).toEqual([]);

    on.end(60, 42 << 8, 'zombie');
    on.exit(60, 42 << 8, 600);

    expect(on.exits).toMatchObject([{ waitStatus: 42 << 8 }]);
  });

  it('believes the pidfd when the messages of a threaded process were read late', () => {
    runScope();
    on.thread(60, 600);
    on.end(60, 42 << 8);
    on.exit(60, 7 << 8);
    on.exit(60, 42 << 8, 600);

    expect(on.exits).toMatchObject([{ waitStatus: 42 << 8, via: 'pidfd' }]);
  });

  it('sees that a process goes on when one of its threads execs', () => {
    runScope();
    on.thread(60, 600);
    on.exit(60, 0);
    on.exec(60);
    on.pass(1000);
    expect(on.exits).toEqual([]);

    on.end(60, 5 << 8, 'zombie');
    on.exit(60, 5 << 8);

    expect(on.exits).toMatchObject([{ waitStatus: 5 << 8 }]);
  });

  it('F033 settles the dead from their pidfds when their messages were lost', () => {
    runScope();
    on.end(60, 21 << 8);
    on.table.resync();

    expect(on.exits).toMatchObject([{ waitStatus: 21 << 8, via: 'pidfd' }]);
  });

  it('F033 says unknown when they were lost and no pidfd tells', () => {
    on.features.pidfdExit = false;
    runScope();
    on.end(60, 0);
    on.table.resync();

    expect(on.exits).toMatchObject([{ waitStatus: null, via: null, blindReason: 'nobody saw' }]);
  });

  it('F032 settles an old process with that pid before it takes in the new one', () => {
    runScope();
    on.end(60, 1 << 8);
    on.spawn(60, 50, '/system.slice/other.scope');
    on.exec(60);
    on.end(60, 2 << 8);
    on.exit(60, 2 << 8);

    expect(on.exits.map(({ cgroup, waitStatus }) => [cgroup, waitStatus])).toEqual([
      [scope, 1 << 8],
      ['/system.slice/other.scope', 2 << 8],
    ]);
  });

  it('reports a process found by a scan once, though its FORK is read afterwards', () => {
    on.begin(60, 50, scope);
    on.table.onMembers({ path: scope, isContainer: false }, [60]);
    on.end(60, 4 << 8, 'zombie');
    on.fork(60, 50);
    on.exec(60);
    on.exit(60, 4 << 8);

    expect(on.exits).toMatchObject([{ pid: 60, isMain: true, waitStatus: 4 << 8 }]);
  });

  it('holds one descriptor per living process and none of the dead', () => {
    for (let pid = 100; pid < 300; pid++) on.spawn(pid, 50, '/user.slice/session-1.scope');
    expect(on.fds.size).toBe(201);
    for (let pid = 100; pid < 300; pid++) {
      on.end(pid, 0);
      on.exit(pid, 0);
    }
    expect(on.fds.size).toBe(1);
    on.table.close();
    expect(on.fds.size).toBe(0);
  });

  it('F025 knows a scope that ended before its cgroup was read by what its launcher said', () => {
    on.features.pidfdExit = false;
    on.spawn(7, 1, '/user.slice/session-1.scope');
    on.process(7).launches = 't1.scope';
    on.exec(7);
    on.end(7, 3 << 8);
    on.exec(7);
    on.exit(7, 3 << 8);

    expect(on.exits).toMatchObject([{ pid: 7, cgroup: '/t1.scope', isMain: true, waitStatus: 3 << 8 }]);
  });
});

describe('the table of processes where threads are not heard of', () => {
  let on: ReturnType<typeof machine>;
  beforeEach(() => {
    on = machine({ hearsThreads: false });
    on.begin(1, 0, '/init.scope');
    on.spawn(50, 1, '/user.slice/session-1.scope');
    on.spawn(60, 50, '/user.slice/session-1.scope');
    on.exec(60);
    on.process(60).cgroup = scope;
    on.exec(60);
  });

  it('tells an end at once, before the reap', () => {
    on.end(60, 3 << 8, 'zombie');
    on.exit(60, 3 << 8);

    expect(on.exits).toMatchObject([{ pid: 60, waitStatus: 3 << 8, via: 'connector' }]);
  });

  it("waits for the reap when the leader leaves first, and tells the last thread's code", () => {
    on.exit(60, 7 << 8);
    on.pass(5000);
    expect(on.exits).toEqual([]);

    on.end(60, 42 << 8);
    on.ready(60);

    expect(on.exits).toMatchObject([{ waitStatus: 42 << 8, via: 'pidfd' }]);
    expect(on.fds.size).toBe(1);
  });

  it("tells the last thread's code when the leader's word is read only after it, reaped or not", () => {
    on.end(60, 42 << 8, 'zombie');
    on.exit(60, 7 << 8);

    expect(on.exits).toMatchObject([{ waitStatus: 42 << 8, via: 'zombie' }]);
  });

  it('tells of a leaderless one that nobody reaps within a second', () => {
    on.exit(60, 7 << 8);
    on.end(60, 42 << 8, 'zombie');
    on.pass(1000);

    expect(on.exits).toMatchObject([{ waitStatus: 42 << 8, via: 'zombie' }]);
  });

  it('sees that a process goes on when one of its threads execs', () => {
    on.exit(60, 0);
    on.exec(60);
    on.pass(1000);
    expect(on.exits).toEqual([]);

    on.end(60, 5 << 8, 'zombie');
    on.exit(60, 5 << 8);

    expect(on.exits).toMatchObject([{ waitStatus: 5 << 8 }]);
  });
});
