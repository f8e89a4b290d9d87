import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { build } from 'esbuild';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readPidStat } from '../../agent/src/proc/pid-stat.ts';
import {
  createProcessExitsWatcher,
  type ProcessExitsOptions,
  type ProcessExitsWatcher,
} from '../../agent/src/watchers/process-exits.ts';
import type { ProcessExited, Sighting } from '../../agent/src/watchers/watcher.ts';
import { testCgroups } from '../support/cgroups.ts';
import { eventually } from '../support/eventually.ts';
import { haveRoot, haveTool } from '../support/tool.ts';

const cgroups = testCgroups();
const log = pino({ level: 'silent' });
const code = (n: number) => n << 8;

const watchers: ProcessExitsWatcher[] = [];

async function watch(more: Partial<ProcessExitsOptions> = {}) {
  const sightings: Sighting[] = [];
  const watcher = createProcessExitsWatcher({
    root: '/',
    cgroupRoot: cgroups?.root ?? null,
    report: (sighting) => sightings.push(sighting),
    clock: systemClock,
    log,
    ...more,
  });
  watchers.push(watcher);
  await watcher.start(new AbortController().signal);
  const exits = () => sightings.filter((sighting): sighting is ProcessExited => sighting.kind === 'process_exited');
  // A storm of processes takes a machine that is busy otherwise many seconds.
  const exitOf = (cgroup: string) =>
    eventually(() => exits().find((exit) => exit.cgroup === cgroup), { timeoutMs: 60_000 });
  return { watcher, sightings, exits, exitOf };
}

/** Without kernel events only a process that was found while it ran is heard to end: the watcher's process holds its pidfd (proc_pid_fdinfo(5)). */
function isWatched(watcherPid: number | undefined, { pid }: ChildProcess): Promise<unknown> {
  const folder = `/proc/${watcherPid}/fdinfo`;
  return eventually(() =>
    readdirSync(folder).some((fd) => new RegExp(`^Pid:\\s+${pid}$`, 'm').test(textOf(join(folder, fd)))),
  );
}

/** Nothing for a descriptor that was closed meanwhile. */
function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

afterEach(async () => {
  for (const watcher of watchers.splice(0)) await watcher.stop();
});
afterAll(() => cgroups?.removeAll());

const hasNamespaces = ['setpriv', 'unshare'].every((tool) => haveTool(tool, 'Debian: apt-get install util-linux'));
const hasCompiler = haveTool('cc', 'Debian: apt-get install gcc libc6-dev');

describe.skipIf(cgroups === null || !hasCompiler)('ends of processes that are not ours', () => {
  const made = cgroups as NonNullable<typeof cgroups>;
  let directory: string;
  let threads: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'exits-'));
    chmodSync(directory, 0o755);
    threads = join(directory, 'threads');
    execFileSync('cc', [
      '-O1',
      '-w',
      '-pthread',
      '-o',
      threads,
      join(import.meta.dirname, '../fixtures/processes/threads.c'),
    ]);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const modes = [
    ['with kernel events and pidfds', {}],
    ['with kernel events alone', { pidfdExit: true }],
    ['with pidfds alone', { connector: true }],
  ] as const;

  describe.each(modes)('%s', (mode, without) => {
    const simple: [string, string[], number][] = [
      ['exit 0', ['sh', '-c', 'read line; exit 0'], code(0)],
      ['exit 3', ['sh', '-c', 'read line; exit 3'], code(3)],
      ['exit 137, which is no SIGKILL', ['sh', '-c', 'read line; exit 137'], code(137)],
      ['SIGKILL, which is no exit 137', ['sh', '-c', 'read line; kill -9 $$'], 9],
      ['SIGTERM', ['sh', '-c', 'read line; kill -15 $$'], 15],
    ];
    it.each(simple)('F026 tells %s of a scope', async (name, command, waitStatus) => {
      const { exitOf } = await watch({ without });
      const cgroup = made.make(`${mode}-${name}.scope`.replaceAll(/[ ,]/g, '-'));

      const child = made.run(cgroup, command);
      if ('connector' in without) await isWatched(process.pid, child);
      child.stdin?.end();

      const exit = await exitOf(cgroup);
      expect(exit).toMatchObject({ pid: child.pid, isMain: true, waitStatus, blindReason: null, comm: 'sh' });
    });

    const threaded: [string, number][] = [
      ['leader-first', code(42)],
      ['thread-exec', code(5)],
      ['thread-kill', 9],
      ['thread-exit', code(6)],
    ];
    it.each(threaded)('tells the end of a process with threads: %s', async (name, waitStatus) => {
      const { exitOf, exits } = await watch({ without });
      const cgroup = made.make(`${mode}-${name}.scope`.replaceAll(' ', '-'));

      const child = made.run(cgroup, ['sh', '-c', 'read line; exec "$@"', 'sh', threads, name]);
      if ('connector' in without) await isWatched(process.pid, child);
      child.stdin?.end();

      expect(await exitOf(cgroup)).toMatchObject({ waitStatus });
      expect(exits().filter((exit) => exit.cgroup === cgroup)).toHaveLength(1);
    });
  });

  it('tells SIGSEGV, and whether a core was written', async () => {
    const { exitOf } = await watch();
    const without = made.make('segv.scope');
    const withCore = made.make('segv-core.scope');

    for (const [cgroup, mode] of [
      [without, 'segv'],
      [withCore, 'segv-core'],
    ] as const) {
      made.run(cgroup, ['sh', '-c', `cd "${directory}" && exec "${threads}" ${mode}`]);
    }

    expect((await exitOf(without)).waitStatus).toBe(11);
    expect((await exitOf(withCore)).waitStatus).toBe(11 | 0x80);
  });

  it.runIf(hasNamespaces)('tells the first process of a container from whoever else is in its cgroup', async () => {
    const { exitOf } = await watch();
    const box = made.make(`docker-${'0f'.repeat(32)}.scope`);
    const other = made.make(`docker-${'f0'.repeat(32)}.scope`);
    const enter = 'echo 0 > "$0" && exec sh -c "sleep 0.5; exit 7"';

    spawn('unshare', ['-pf', 'sh', '-c', enter, join(made.root, box, 'cgroup.procs')], { stdio: 'inherit' });
    spawn('sh', ['-c', enter, join(made.root, other, 'cgroup.procs')], { stdio: 'inherit' });

    expect(await exitOf(box)).toMatchObject({ isMain: true, isInit: true, waitStatus: code(7) });
    expect(await exitOf(other)).toMatchObject({ isMain: true, isInit: false, waitStatus: code(7) });
  });

  it('F025 catches every scope that lives less than 10 ms, once, with its own status', async () => {
    const { exits: all } = await watch();
    // The watcher hears the whole machine.
    const exits = () => all().filter(({ cgroup }) => cgroup.includes('/short-'));
    const expected = new Map<string, number>();

    for (let index = 0; index < 60; index++) {
      const cgroup = made.make(`short-${index}.scope`);
      expected.set(cgroup, code(index % 4));
      const child = made.run(cgroup, ['/bin/sh', '-c', `exit ${index % 4}`]);
      if (index % 5 !== 0) continue;
      // The manager of the cgroup notices that it is empty, and removes it, no sooner than it gets its turn.
      await once(child, 'exit').then(() => new Promise((resolve) => setImmediate(resolve)));
      made.remove(cgroup);
    }

    await eventually(() => exits().length >= expected.size);
    expect(new Map(exits().map((exit) => [exit.cgroup, exit.waitStatus]))).toEqual(expected);
    expect(exits()).toHaveLength(expected.size);
    expect(exits().every((exit) => exit.isMain)).toBe(true);
  });

  it('loses none of 2,000 forks made as fast as possible, and their scope still ends right', async () => {
    const { watcher, exitOf, sightings } = await watch();
    const before = watcher.counts();
    const cgroup = made.make('storm.scope');

    made.run(cgroup, ['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do (exit 1) & i=$((i+1)); done; wait; exit 17']);

    expect(await exitOf(cgroup)).toMatchObject({ waitStatus: code(17), isMain: true });
    expect(watcher.counts().exits - before.exits).toBeGreaterThanOrEqual(2001);
    expect(sightings.filter((sighting) => sighting.kind === 'gap')).toEqual([]);
    expect(
      sightings.filter((sighting) => sighting.kind === 'process_exited' && sighting.cgroup === cgroup),
    ).toHaveLength(1);
    await eventually(() => watcher.counts().processes < before.processes + 100, { timeoutMs: 60_000 });
  });

  it('takes the first process as main, not its children nor what it leaves behind', async () => {
    const { exitOf, exits } = await watch();
    const cgroup = made.make('orphans.scope');

    const child = made.run(cgroup, ['sh', '-c', 'sh -c "exit 9"; (sh -c "sleep 0.3; exit 8" &) ; exit 4']);

    expect(await exitOf(cgroup)).toMatchObject({ pid: child.pid, waitStatus: code(4) });
    await eventually(() => made.remove(cgroup) === undefined);
    expect(exits().filter((exit) => exit.cgroup === cgroup)).toHaveLength(1);
  });

  it('finds what already ran, and a process attached without exec', async () => {
    const early = made.make('early.scope');
    const child = made.run(early, ['sh', '-c', 'sleep 0.4; exit 21']);
    await eventually(() => readPidStat('/', child.pid ?? 0)?.comm === 'sh' && made.root);
    const { exitOf } = await watch();
    const late = made.make('late.service');
    const stranger = spawn('/bin/sh', ['-c', `echo $$ > ${made.root}${late}/cgroup.procs; sleep 0.1; exit 22`], {
      stdio: 'ignore',
    });

    expect(await exitOf(early)).toMatchObject({ pid: child.pid, waitStatus: code(21) });
    expect(await exitOf(late)).toMatchObject({ pid: stranger.pid, waitStatus: code(22), isMain: true });
  });

  it('knows the main process of a cgroup while it lives', async () => {
    const { exitOf, watcher } = await watch();
    const cgroup = made.make('living.scope');
    const child = made.run(cgroup, ['sh', '-c', 'read x; exit 2']);

    expect(await eventually(() => watcher.mainPidOf(cgroup) ?? undefined)).toBe(child.pid);
    child.stdin?.end();
    await exitOf(cgroup);

    expect(watcher.mainPidOf(cgroup)).toBeNull();
  });

  it('lets the cgroup be read before it tells of the end', async () => {
    const order: string[] = [];
    const { exitOf } = await watch({ onMainExit: (cgroup) => order.push(cgroup) });
    const cgroup = made.make('hook.scope');

    made.run(cgroup, ['sh', '-c', 'exit 2']);
    await exitOf(cgroup);

    expect(order).toContain(cgroup);
  });

  it.skipIf(!haveTool('perl', 'Debian: apt-get install perl-base'))(
    'F033 settles the dead from their pidfds after an overrun and says how many events were dropped',
    async () => {
      const { watcher, exits, sightings } = await watch();
      const tracked = Array.from({ length: 5 }, (_, index) => made.make(`overrun-${index}.scope`));
      for (const [index, cgroup] of tracked.entries()) made.run(cgroup, ['sh', '-c', `sleep 0.3; exit ${index + 1}`]);
      await eventually(() => watcher.counts().processes >= 5);

      // The event loop stands still for as long as the storm blows, as it does in a stopped or starved agent.
      spawnSync('perl', ['-e', 'for (1..16000) { my $p = fork(); exit(0) if !$p; waitpid($p, 0); }']);

      await eventually(() => tracked.every((cgroup) => exits().some((exit) => exit.cgroup === cgroup)));
      for (const [index, cgroup] of tracked.entries()) {
        expect(exits().find((exit) => exit.cgroup === cgroup)).toMatchObject({ waitStatus: code(index + 1) });
      }
      const gaps = sightings.filter((sighting) => sighting.kind === 'gap');
      expect(gaps.reduce((sum, { gap }) => sum + (gap.lost ?? 0), 0)).toBeGreaterThan(1000);
      const after = made.make('after-overrun.scope');
      made.run(after, ['sh', '-c', 'exit 3']);
      expect((await eventually(() => exits().find((exit) => exit.cgroup === after))).waitStatus).toBe(code(3));
    },
  );

  it('F026 reads what the kernel said while it stood still before it asks who is gone', async () => {
    const { exits, exitOf, watcher } = await watch({ without: { pidfdExit: true } });
    const cgroup = made.make('standstill.scope');
    const leaving = `echo $$ > ${made.root}${cgroup}/cgroup.procs; exec sh -c "sleep 1; exit 137"`;
    // A parent of its own, which reaps it at once: nothing is left to be asked afterwards.
    spawn('/bin/sh', ['-c', `sh -c '${leaving}'; exit 0`], { stdio: 'ignore' });
    await eventually(() => watcher.mainPidOf(cgroup) !== null);

    spawnSync('sleep', ['4']);

    expect(await exitOf(cgroup)).toMatchObject({ waitStatus: code(137), via: 'connector', blindReason: null });
    expect(exits().filter((exit) => exit.cgroup === cgroup)).toHaveLength(1);
  });

  it('says it is blind, and why, when neither source works; an end is then an end with unknown status', async () => {
    const { watcher, exitOf } = await watch({ without: { connector: true, pidfdExit: true } });
    const cgroup = made.make('blind.scope');

    made.run(cgroup, ['sh', '-c', 'sleep 0.1; exit 0']);

    expect(watcher.state()).toMatchObject({ state: 'blind', reason: expect.stringContaining('CAP_NET_ADMIN') });
    const exit = await exitOf(cgroup);
    if (exit.via === 'zombie') expect(exit.waitStatus).toBe(0);
    else expect(exit).toMatchObject({ waitStatus: null, blindReason: expect.stringContaining('only its parent') });
  });
});

describe('following one process', () => {
  it('reports its end without any cgroup', async () => {
    const { watcher, exits } = await watch({ cgroupRoot: null });
    const child = spawn('/bin/sh', ['-c', 'read line; exit 12'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const startTicks = readPidStat('/', child.pid ?? 0)?.startTicks ?? null;
    let heard: ProcessExited | undefined;

    watcher.follow(child.pid ?? 0, startTicks, (exit) => {
      heard = exit;
    });
    child.stdin.end('\n');

    await eventually(() => heard);
    expect(heard).toMatchObject({ pid: child.pid, startTicks, waitStatus: code(12), isMain: false });
    expect(exits()).toEqual([heard]);
  });

  it('F032 never blames the process that has the pid now', async () => {
    const { watcher } = await watch();
    const child = spawn('/bin/sh', ['-c', 'read line; exit 13'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const startTicks = readPidStat('/', child.pid ?? 0)?.startTicks ?? 0;
    const heard: ProcessExited[] = [];

    watcher.follow(child.pid ?? 0, startTicks - 100, (exit) => heard.push(exit));
    child.stdin.end('\n');
    await once(child, 'exit');

    expect(heard).toMatchObject([{ waitStatus: null, blindReason: expect.stringContaining('later process') }]);
  });

  it('tells at once of a process that is already gone', async () => {
    const { watcher } = await watch();
    const child = spawn('true');
    await once(child, 'exit');
    const heard: ProcessExited[] = [];

    watcher.follow(child.pid ?? 0, 1, (exit) => heard.push(exit));

    expect(heard).toMatchObject([{ waitStatus: null }]);
  });

  it('stops within 10 ms, twice without harm, and holds no descriptor afterwards', async () => {
    const tookMs: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const { watcher } = await watch();
      const startedAt = performance.now();
      await watcher.stop();
      tookMs.push(performance.now() - startedAt);
      await watcher.stop();
    }

    // The fastest: on a busy machine any one of them may have waited for its turn.
    expect(Math.min(...tookMs)).toBeLessThan(10);
  });
});

/** The watcher in a process of its own, started by a command in front of it that takes rights or sight away. */
describe.skipIf(cgroups === null || !hasNamespaces || !haveRoot())('with fewer rights', () => {
  const made = cgroups as NonNullable<typeof cgroups>;
  let directory: string;
  let script: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'exits-'));
    chmodSync(directory, 0o755);
    script = join(directory, 'watch.cjs');
    const koffi = createRequire(import.meta.url).resolve('koffi');
    await build({
      entryPoints: [join(import.meta.dirname, '../support/watch-exits.ts')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      outfile: script,
      logLevel: 'error',
      plugins: [
        { name: 'koffi', setup: (of) => of.onResolve({ filter: /^koffi$/ }, () => ({ path: koffi, external: true })) },
      ],
    });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function scopeSeen(prefix: readonly string[], name: string) {
    const child = spawn('env', [...prefix, process.execPath, script, made.root], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    const lines = () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { state?: string; reason?: string } & ProcessExited);
    const state = await eventually(() => lines()[0]);
    const cgroup = made.make(name);
    const main = made.run(cgroup, ['sh', '-c', 'read line; exit 3']);
    if (state.state === 'degraded') await isWatched(child.pid, main);
    main.stdin?.end();
    const exit = await eventually(() => lines().find((line) => line.cgroup === cgroup));
    child.stdin.end();
    await once(child, 'exit');
    return { state, exit };
  }

  it('sees the same as nobody, where the kernel lets everyone listen', async () => {
    const { state, exit } = await scopeSeen(
      ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      'nobody.scope',
    );

    expect(exit.isMain).toBe(true);
    if (state.state === 'seeing') expect(exit).toMatchObject({ waitStatus: code(3) });
    else expect(state.reason).toContain('CAP_NET_ADMIN');
  });

  it('says in another network namespace that events do not reach it, and goes on with pidfds', async () => {
    const { state, exit } = await scopeSeen(['unshare', '-n'], 'netns.scope');

    expect(state).toMatchObject({
      state: expect.stringMatching(/degraded|blind/),
      reason: expect.stringContaining('network namespace'),
    });
    expect(exit).toMatchObject(
      state.state === 'degraded' ? { waitStatus: code(3), via: 'pidfd' } : { waitStatus: null },
    );
  });

  it('is not taken in by events of a foreign pid namespace', async () => {
    const child = spawn('unshare', ['-pf', '--mount-proc', process.execPath, script, made.root], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    child.stdin.end();
    await once(child, 'exit');

    expect(JSON.parse(line.toString())).toMatchObject({
      state: expect.stringMatching(/degraded|blind/),
      reason: expect.stringContaining('pid namespace'),
    });
  });
});
