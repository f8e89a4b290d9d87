import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ContainersWatcher,
  type ContainersWatcherOptions,
  createContainersWatcher,
} from '@runnerwatch/agent/watchers/containers.ts';
import type { Sighting } from '@runnerwatch/agent/watchers/watcher.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Kind = Sighting['kind'];

interface Watched {
  readonly watcher: ContainersWatcher;
  readonly seen: Sighting[];
  of<K extends Kind>(kind: K): Extract<Sighting, { kind: K }>[];
}

async function startEngine(): Promise<FakeEngine> {
  const engine = new FakeEngine(join(await temporaryFolder(), 'docker.sock'));
  await engine.start();
  onTestFinished(() => engine.stop());
  return engine;
}

async function watch(socketPath: string, options: Partial<ContainersWatcherOptions> = {}): Promise<Watched> {
  const seen: Sighting[] = [];
  const watcher = createContainersWatcher({
    engine: 'docker',
    socketPath,
    include: [],
    exclude: [],
    logLines: 100,
    since: null,
    known: [],
    report: (sighting) => seen.push(sighting),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    root: '/nowhere',
    timeoutMs: 300,
    retry: { baseMs: 20, capMs: 60 },
    ...options,
  });
  onTestFinished(() => watcher.stop());
  await watcher.start(new AbortController().signal);
  const of = <K extends Kind>(kind: K) =>
    seen.filter((sighting): sighting is Extract<Sighting, { kind: K }> => sighting.kind === kind);
  return { watcher, seen, of };
}

/** Waits for the first sighting of a kind. */
function first<K extends Kind>(watched: Watched, kind: K): Promise<Extract<Sighting, { kind: K }>> {
  return eventually(() => watched.of(kind)[0]);
}

/** Lets everything on its way arrive, by a container that comes after it. */
async function afterAll(engine: FakeEngine, watched: Watched): Promise<void> {
  const last = engine.run();
  engine.die(last, 0);
  await eventually(() => watched.of('container_ended').some(({ containerId }) => containerId === last.id));
}

describe('a container', () => {
  it('is told with its start and its end, and with nothing of its environment', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const container = engine.run({ name: 'hakuriver-task-17', labels: { team: 'vision' } });
    await first(watched, 'container_started');
    engine.write(container, 'one\ntwo\n');
    engine.write(container, 'three\n', 2);
    engine.die(container, 7);

    const ended = await first(watched, 'container_ended');
    expect(watched.of('container_started')).toEqual([
      {
        kind: 'container_started',
        engine: 'docker',
        socketPath: engine.socketPath,
        containerId: container.id,
        name: 'hakuriver-task-17',
        image: 'bb',
        labels: { team: 'vision' },
        command: '/busybox sh -c exit 7',
        cgroup: null,
        pid: 4711,
        memoryMaxBytes: 20_971_520,
        startedAt: container.startedAtMs,
      },
    ]);
    expect(ended).toMatchObject({
      exitCode: 7,
      oomKilled: false,
      error: null,
      approximate: false,
      logTail: ['one', 'two', 'stderr: three'],
      startedAt: container.startedAtMs,
    });
    expect(JSON.stringify(watched.seen)).not.toContain('hunter2');
  });

  it('with --rm still gives its code and its last lines', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const container = engine.run({ autoRemove: true });
    await eventually(() => engine.asked.some((path) => path.includes('follow=1')));
    engine.write(container, 'epoch 3\nloss is NaN\n');
    engine.die(container, 3);

    const ended = await first(watched, 'container_ended');
    expect(ended).toMatchObject({ exitCode: 3, oomKilled: null, logTail: ['epoch 3', 'loss is NaN'] });
    await afterAll(engine, watched);
    expect(watched.of('container_ended').filter(({ containerId }) => containerId === container.id)).toHaveLength(1);
    expect(watched.of('container_not_started')).toEqual([]);
  });

  it('that lives for an instant is told whole', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const container = engine.run({ autoRemove: true, name: 'brief' });
    engine.die(container, 1);

    expect(await first(watched, 'container_ended')).toMatchObject({ name: 'brief', exitCode: 1 });
    expect(watched.of('container_started')).toHaveLength(1);
  });

  it('killed by its limit is told with oom before its end; a child’s oom with exit code 0', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const whole = engine.run();
    engine.oom(whole);
    engine.die(whole, 137);
    const child = engine.run();
    engine.oom(child);
    engine.die(child, 0);

    await eventually(() => watched.of('container_ended').length === 2);
    const about = (id: string) => watched.seen.filter((found) => 'containerId' in found && found.containerId === id);
    expect(about(whole.id)).toMatchObject([
      { kind: 'container_started' },
      { kind: 'container_oom' },
      { kind: 'container_ended', exitCode: 137, oomKilled: true },
    ]);
    expect(about(child.id).at(-1)).toMatchObject({ kind: 'container_ended', exitCode: 0, oomKilled: true });
  });

  it('killed through the engine is told with the signal', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const container = engine.run();
    engine.kill(container, 9);
    engine.die(container, 137);

    expect(await first(watched, 'container_signalled')).toMatchObject({ containerId: container.id, signal: 9 });
    expect(await first(watched, 'container_ended')).toMatchObject({ exitCode: 137, oomKilled: false });
  });

  it('that cannot start is told with the reason, kept or removed at once', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const kept = engine.create({ name: 'kept' });
    const removed = engine.create({ name: 'removed', autoRemove: true });
    await eventually(() => engine.asked.filter((path) => path.endsWith('/json')).length >= 2);
    engine.failToStart(kept, 127, 'exec: "nope": executable file not found in $PATH');
    engine.failToStart(removed, 128, 'mount failed');

    await eventually(() => watched.of('container_not_started').length === 2);
    await afterAll(engine, watched);
    const told = watched.of('container_not_started').toSorted((a, b) => a.name.localeCompare(b.name));
    expect(told).toMatchObject([
      { name: 'kept', exitCode: 127, error: 'exec: "nope": executable file not found in $PATH' },
      { name: 'removed', exitCode: 128, error: 'mount failed' },
    ]);
  });

  it('of Podman that cannot start is told at its clean-up, for its state says nothing', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { engine: 'podman' });

    const container = engine.create({ name: 'bad' });
    engine.tell('cleanup', container);
    const good = engine.run({ name: 'good' });
    engine.die(good, 0);
    engine.tell('cleanup', good);

    await afterAll(engine, watched);
    expect(watched.of('container_not_started')).toMatchObject([{ name: 'bad', exitCode: null }]);
  });

  it('of Podman killed by it is told with the signal that its exit code names', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { engine: 'podman' });

    const container = engine.run();
    engine.tell('kill', container);
    engine.tell('died', container, { containerExitCode: '137' });

    await first(watched, 'container_ended');
    expect(watched.of('container_signalled')).toMatchObject([{ signal: 9 }]);
    expect(watched.of('container_ended')).toMatchObject([{ exitCode: 137 }]);
  });

  it('of Podman killed by it is told so, also where its list is quicker than its events', async () => {
    const engine = await startEngine();
    const container = engine.run({ name: 'quick' });
    Object.assign(container, { status: 'exited', exitCode: 137, finishedAtMs: Date.now() });
    const { id: containerId, startedAtMs: startedAt } = container;
    const watched = await watch(engine.socketPath, {
      engine: 'podman',
      since: Date.now() - 60_000,
      known: [{ engine: 'podman', containerId, name: 'quick', startedAt }],
    });
    expect(await first(watched, 'container_ended')).toMatchObject({ exitCode: 137, approximate: true });

    engine.tell('kill', container);
    engine.tell('died', container, { containerExitCode: '137' });

    expect(await first(watched, 'container_signalled')).toMatchObject({ containerId, signal: 9 });
    await afterAll(engine, watched);
    expect(watched.of('container_ended').filter(({ name }) => name === 'quick')).toHaveLength(1);
  });

  it('that is only created and never started is nothing to tell', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const idle = engine.create();
    await eventually(() => engine.asked.some((path) => path.includes(`${idle.id}/json`)));
    await afterAll(engine, watched);
    engine.remove(idle);
    await afterAll(engine, watched);

    expect(watched.of('container_not_started')).toEqual([]);
  });

  it('that runs again is told as another run', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    const container = engine.run();
    engine.die(container, 1);
    await first(watched, 'container_ended');
    engine.restart(container);
    engine.die(container, 2);

    await eventually(() => watched.of('container_ended').length === 2);
    expect(watched.of('container_ended').map(({ exitCode }) => exitCode)).toEqual([1, 2]);
    expect(watched.of('container_started')).toHaveLength(2);
  });

  it('is left alone when its name is excluded, or not included', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { include: ['*-task-*'], exclude: ['noisy-*'] });

    engine.die(engine.run({ name: 'noisy-task-1' }), 1);
    engine.die(engine.run({ name: 'database' }), 1);
    const wanted = engine.run({ name: 'hakuriver-task-2' });
    engine.die(wanted, 1);

    await first(watched, 'container_ended');
    expect(watched.of('container_ended').map(({ name }) => name)).toEqual(['hakuriver-task-2']);
    expect(watched.of('container_started')).toHaveLength(1);
  });

  it('that already runs at the start is told once, and one that had ended before is not', async () => {
    const engine = await startEngine();
    const running = engine.run({ name: 'running' });
    const old = engine.run({ name: 'old' });
    engine.die(old, 1);
    old.finishedAtMs = Date.now() - 60_000;
    old.startedAtMs = Date.now() - 90_000;
    await engine.stop();
    await engine.start();

    const watched = await watch(engine.socketPath);

    expect(watched.watcher.state()).toMatchObject({ state: 'seeing', reason: null });
    expect(watched.of('container_started').map(({ containerId }) => containerId)).toEqual([running.id]);
    expect(watched.of('container_ended')).toEqual([]);
  });
});

describe('the log of a container', () => {
  it('says when it last grew, with or without a terminal, by one line asked for', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const [plain, terminal] = [engine.run(), engine.run({ tty: true })];
    await eventually(() => watched.of('container_started').length === 2);
    for (const container of [plain, terminal]) {
      for (const line of ['2001-01-01T00:00:00Z old news\n', '2002-02-02T00:00:00Z the last\n'])
        engine.write(container, line, 2);
    }

    const grewAt = await Promise.all(
      [plain, terminal].map(({ id }) => watched.watcher.logGrewAt(id, Date.now() - 60_000)),
    );

    expect(grewAt).toEqual([plain.log.at(-1)?.atMs, terminal.log.at(-1)?.atMs]);
    expect(engine.asked.at(-1)).toContain('tail=1&');
  });

  it('says nothing of one that was silent since, that is not here, or whose log driver cannot be read', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const container = engine.run();
    await first(watched, 'container_started');
    engine.write(container, 'the only line\n');
    const ask = (sinceMs: number, id = container.id) => watched.watcher.logGrewAt(id, sinceMs);

    expect(await ask(Date.now() + 2000)).toBeNull();
    expect(await ask(0, 'f'.repeat(64))).toBeNull();
    engine.answer = (request, response) => {
      if (!request.url?.includes('/logs?')) return false;
      response.writeHead(501).end('{"message":"configured logging driver does not support reading"}');
      return true;
    };
    expect(await ask(0)).toBeNull();
  });
});

describe('what happened while nobody looked', () => {
  it('F038 the daemon restarted and forgot its events: the end is found in the list with its code, its time marked', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const container = engine.run();
    await first(watched, 'container_started');

    await engine.stop();
    engine.die(container, 5);
    await engine.start();

    const ended = await first(watched, 'container_ended');
    expect(ended).toMatchObject({ exitCode: 5, approximate: true });
    expect(ended.at).toBe(container.finishedAtMs);
    expect(watched.of('container_started')).toHaveLength(1);
    expect(watched.of('gap')).toMatchObject([{ gap: { source: 'docker', lost: null } }]);
  });

  it('F038 a container gone without a trace has ended, and nobody knows how', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const container = engine.run({ autoRemove: true });
    await first(watched, 'container_started');

    await engine.stop();
    engine.die(container, 5);
    await engine.start();

    expect(await first(watched, 'container_ended')).toMatchObject({
      exitCode: null,
      oomKilled: null,
      approximate: true,
      logTail: null,
    });
  });

  it('F038 an engine that answers and says nothing of what comes and goes is blind, asked anew, and told on', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { checkEveryMs: 50 });
    const goes = engine.run({ name: 'goes' });
    await first(watched, 'container_started');

    engine.isMute = true;
    engine.die(goes, 4);
    engine.run({ name: 'comes' });

    await eventually(() => watched.of('container_started').some(({ name }) => name === 'comes'));
    const ended = await first(watched, 'container_ended');
    expect([ended.name, ended.exitCode, ended.approximate]).toEqual(['goes', 4, true]);
    const blind = watched.of('state_changed').find(({ state }) => state.state === 'blind');
    expect(blind?.state.reason).toMatch(/^the engine said nothing of (comes, goes|goes, comes)$/);
    await eventually(() => watched.watcher.state().state === 'seeing');
  });

  it('a paused container is no silence', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { checkEveryMs: 20 });
    const paused = engine.run({ name: 'paused' });
    await first(watched, 'container_started');

    engine.answer = (request, response) => {
      if (!request.url?.includes('/containers/json')) return false;
      const all = [{ Id: paused.id, Names: ['/paused'], State: 'paused', Labels: {} }];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(request.url.includes('filters') ? [] : all));
      return true;
    };
    const asked = engine.asked.length;
    await eventually(() => engine.asked.length > asked + 20);

    expect(watched.of('state_changed').map(({ state }) => state.state)).not.toContain('blind');
  });

  it('F039 what the daemon still remembers is told exactly; the rest is a gap', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    await afterAll(engine, watched);

    engine.answer = (_, response) => {
      response.destroy();
      return true;
    };
    engine.disconnect();
    await eventually(() => watched.watcher.state().state === 'blind');
    const runs = Array.from({ length: 110 }, () => {
      const container = engine.run({ autoRemove: true });
      engine.die(container, 4);
      return container;
    });
    engine.answer = () => false;

    await eventually(() => watched.watcher.state().state === 'seeing');
    const last = runs.at(-1)?.id;
    await eventually(() => watched.of('container_ended').some(({ containerId }) => containerId === last));
    const told = watched.of('container_ended').filter(({ exitCode }) => exitCode === 4);
    // Four events a run: 256 events hold 64 of them.
    expect(told).toHaveLength(64);
    expect(new Set(told.map(({ containerId }) => containerId)).size).toBe(64);
    expect(told.every(({ approximate }) => !approximate)).toBe(true);
    expect(watched.of('gap')).toHaveLength(1);
    expect(watched.of('gap')[0]?.gap.cause).toContain('256');
  });

  it('an end told by an inspection is not told again when its event comes late, by the engine’s own later time', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const container = engine.run();
    await first(watched, 'container_started');
    engine.isMute = true;
    engine.die(container, 3);
    engine.disconnect();
    await eventually(() => watched.of('container_ended').length === 1);
    engine.isMute = false;

    engine.eventsLateMs = 3_000;
    engine.tell('die', container, { exitCode: '3' });

    await afterAll(engine, watched);
    expect(watched.of('container_ended').filter(({ containerId }) => containerId === container.id)).toHaveLength(1);
  });

  it('a second run whose start was not heard is told all the same', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const container = engine.run();
    engine.die(container, 3);
    await eventually(() => watched.of('container_ended').length === 1);
    container.startedAtMs = (container.finishedAtMs ?? 0) + 5;
    engine.eventsLateMs = 10;

    engine.die(container, 4);

    await eventually(() => watched.of('container_ended').length === 2);
    expect(watched.of('container_ended').map(({ exitCode }) => exitCode)).toEqual([3, 4]);
  });

  it('a short break of the connection loses nothing, tells nothing twice and claims no gap', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const before = engine.run();
    engine.die(before, 1);
    const during = engine.run({ autoRemove: true });
    await eventually(() => watched.of('container_started').length === 2);

    engine.disconnect();
    engine.kill(during, 15);
    engine.die(during, 143);

    await eventually(() => watched.of('container_ended').length === 2);
    await afterAll(engine, watched);
    expect(watched.of('container_ended').slice(0, 2)).toMatchObject([
      { exitCode: 1 },
      { exitCode: 143, approximate: false },
    ]);
    expect(watched.of('container_ended')).toHaveLength(3);
    expect(watched.of('container_signalled')).toHaveLength(1);
    expect(watched.of('gap')).toEqual([]);
  });

  it('the agent was dead: known containers are found ended, gone or still running', async () => {
    const engine = await startEngine();
    const sinceMs = Date.now() - 60_000;
    const exited = engine.run({ name: 'exited' });
    const running = engine.run({ name: 'running' });
    engine.die(exited, 9);
    const unheard = engine.run({ name: 'unheard' });
    engine.die(unheard, 8);
    await engine.stop();
    await engine.start();
    const known = (containerId: string, name: string, startedAt: number | null) =>
      ({ engine: 'docker', containerId, name, startedAt }) as const;

    const watched = await watch(engine.socketPath, {
      since: sinceMs,
      known: [
        known(exited.id, 'exited', exited.startedAtMs),
        known(running.id, 'running', running.startedAtMs),
        known('f'.repeat(64), 'gone', sinceMs),
      ],
    });

    const ended = watched.of('container_ended').toSorted((a, b) => a.name.localeCompare(b.name));
    expect(ended).toMatchObject([
      { name: 'exited', exitCode: 9, approximate: true },
      { name: 'gone', exitCode: null, approximate: true, startedAt: sinceMs },
      { name: 'unheard', exitCode: 8, approximate: true },
    ]);
    expect(watched.of('container_started')).toMatchObject([{ name: 'running', startedAt: running.startedAtMs }]);
  });

  it('the agent was dead: containers of another engine are not gone because this one has never heard of them', async () => {
    const engine = await startEngine();

    const watched = await watch(engine.socketPath, {
      since: Date.now() - 60_000,
      known: [{ engine: 'podman', containerId: 'f'.repeat(64), name: 'elsewhere', startedAt: Date.now() - 60_000 }],
    });

    await afterAll(engine, watched);
    expect(watched.of('container_ended').map(({ name }) => name)).not.toContain('elsewhere');
  });

  it('the agent was dead for a moment: the daemon’s own events tell the exact end', async () => {
    const engine = await startEngine();
    const sinceMs = Date.now() - 5_000;
    const container = engine.run({ autoRemove: true });
    engine.die(container, 6);

    const watched = await watch(engine.socketPath, {
      since: sinceMs,
      known: [{ engine: 'docker', containerId: container.id, name: container.name, startedAt: container.startedAtMs }],
    });

    const ended = await first(watched, 'container_ended');
    expect(ended).toMatchObject({ exitCode: 6, approximate: false });
    await afterAll(engine, watched);
    expect(watched.of('container_ended')).toHaveLength(2);
  });
});

describe('an engine whose list is quicker than its events', () => {
  it('is asked once for all it remembers, and heard on from the last of that', async () => {
    const engine = await startEngine();
    engine.die(engine.run(), 0);

    await watch(engine.socketPath, { since: Date.now() - 3_600_000 });

    const sinces = engine.asked.flatMap((path) => /since=(\d+)/.exec(path)?.[1] ?? []).map(Number);
    const nowS = Date.now() / 1000;
    expect(sinces.map((since) => (nowS - since > 60 ? 'long ago' : 'just now'))).toEqual(['long ago', 'just now']);
  });

  it('F038 is asked for the death of a container that is gone from the list', async () => {
    const engine = await startEngine();
    const container = engine.run({ autoRemove: true });
    engine.answer = ({ url = '' }) => {
      if (!url.includes('/containers/json')) return false;
      engine.answer = () => false;
      engine.isSlowToTell = true;
      engine.die(container, 6);
      return false;
    };

    const watched = await watch(engine.socketPath, {
      since: Date.now(),
      known: [{ engine: 'docker', containerId: container.id, name: container.name, startedAt: container.startedAtMs }],
    });

    expect(await first(watched, 'container_ended')).toMatchObject({ exitCode: 6, approximate: false });
    engine.isSlowToTell = false;
    await afterAll(engine, watched);
    expect(watched.of('container_ended')).toHaveLength(2);
  });
});

describe('from one life of the agent to the next', () => {
  /** What the life before leaves behind: everything it had written down, and what it had told. */
  function left(watched: Watched): Partial<ContainersWatcherOptions> {
    const told = watched
      .of('container_ended')
      .map(({ containerId, startedAt, at }) => [containerId, { startedAtMs: startedAt, endedAtMs: at }] as const);
    return { since: Date.now(), heardUntil: watched.watcher.heardUntil(), told: new Map(told) };
  }

  it('F001 F039 what came and went while its engine did not answer, right before the agent died, is told', async () => {
    const engine = await startEngine();
    const first = await watch(engine.socketPath);
    await afterAll(engine, first);
    engine.answer = (_, response) => {
      response.destroy();
      return true;
    };
    engine.disconnect();
    await eventually(() => first.watcher.state().state === 'blind');
    const unheard = engine.run({ autoRemove: true });
    engine.die(unheard, 4);
    await first.watcher.stop();
    engine.answer = () => false;

    const second = await watch(engine.socketPath, left(first));

    await afterAll(engine, second);
    const ended = second.of('container_ended').filter(({ exitCode }) => exitCode === 4);
    expect(ended).toMatchObject([{ containerId: unheard.id, startedAt: unheard.startedAtMs, approximate: false }]);
    expect(second.of('container_ended')).toHaveLength(2);
    expect(second.of('gap')).toEqual([]);
  });

  it('F001 an end that was told is not told again by its late event, of a container that is gone', async () => {
    const engine = await startEngine();
    const first = await watch(engine.socketPath);
    await afterAll(engine, first);
    const container = engine.run();
    await eventually(() => first.of('container_started').some(({ containerId }) => containerId === container.id));
    engine.isMute = true;
    engine.die(container, 3);
    engine.disconnect();
    await eventually(() => first.of('container_ended').some(({ containerId }) => containerId === container.id));
    await first.watcher.stop();
    engine.isMute = false;
    engine.eventsLateMs = 3_000;
    engine.tell('die', container, { exitCode: '3' });
    engine.remove(container);

    const second = await watch(engine.socketPath, left(first));

    await afterAll(engine, second);
    expect(second.of('container_ended').filter(({ containerId }) => containerId === container.id)).toEqual([]);
  });

  it('F001 an end whose container is still asked about is asked for again', async () => {
    const engine = await startEngine();
    const first = await watch(engine.socketPath, { timeoutMs: 5_000 });
    const container = engine.run();
    await eventually(() => first.of('container_started').length === 1);
    engine.answer = (request) => request.url?.includes(container.id) === true;
    const diedAtMs = Date.now();
    engine.die(container, 3);
    engine.eventsLateMs = 2_000;
    const later = engine.run();
    await eventually(() => first.of('container_started').some(({ containerId }) => containerId === later.id));

    expect(first.of('container_ended')).toEqual([]);
    expect(first.watcher.heardUntil()?.at).toBeLessThan(diedAtMs + 1_000);
    await eventually(() => first.of('container_ended').length === 1);
    expect(first.watcher.heardUntil()?.at).toBeGreaterThanOrEqual(diedAtMs + 2_000);
  });

  it('F001 a run that began before the end of the one before it was found out is told with its own end', async () => {
    const engine = await startEngine();
    const container = engine.run();
    const now = Date.now();
    const told = new Map([[container.id, { startedAtMs: now - 60_000, endedAtMs: now + 60_000 }]]);
    const stopped = engine.run();
    engine.die(stopped, 5);
    told.set(stopped.id, { startedAtMs: now - 60_000, endedAtMs: now + 60_000 });
    await engine.stop();
    await engine.start();

    const watched = await watch(engine.socketPath, { since: now - 60_000, told });
    engine.die(container, 4);

    await eventually(() => watched.of('container_ended').length === 2);
    expect(watched.of('container_started').map(({ containerId }) => containerId)).toEqual([container.id]);
    expect(watched.of('container_ended').map(({ exitCode }) => exitCode)).toEqual([5, 4]);
  });

  it('F039 an engine that was started anew meanwhile and forgot its events leaves a gap', async () => {
    const engine = await startEngine();
    const first = await watch(engine.socketPath);
    await afterAll(engine, first);
    await first.watcher.stop();
    await engine.stop();
    await engine.start();

    const second = await watch(engine.socketPath, left(first));

    await eventually(() => second.of('gap').length === 1);
    expect(second.of('gap')[0]?.gap).toMatchObject({ source: 'docker', lost: null });
    expect(second.of('gap')[0]?.gap.cause).toContain('started anew');

    await second.watcher.stop();
    const third = await watch(engine.socketPath, left(second));
    await afterAll(engine, third);
    expect(third.of('gap')).toEqual([]);
  });
});

describe('an engine in trouble', () => {
  it('F041 that breaks off in the middle of what it remembers has not told the rest', async () => {
    const engine = await startEngine();
    const begun = engine.run({ autoRemove: true });
    const second = () => Math.floor(Date.now() / 1000);
    await eventually(() => second() > Math.floor((begun.startedAtMs ?? 0) / 1000));
    const sinceMs = Date.now();
    engine.die(begun, 6);
    engine.answer = ({ url = '' }, response) => {
      if (!url.includes('/events')) return false;
      engine.answer = () => false;
      const other = { Type: 'image', Action: 'pull', Actor: { ID: 'bb', Attributes: {} } };
      response.write(`${JSON.stringify({ ...other, timeNano: sinceMs * 1e6 })}\n`, () => response.destroy());
      return true;
    };

    const watched = await watch(engine.socketPath, { since: sinceMs });

    expect(await first(watched, 'container_ended')).toMatchObject({ containerId: begun.id, exitCode: 6 });
  });

  it('F040 without a socket it is off with the reason, and is found when it appears', async () => {
    const folder = await temporaryFolder();
    const socketPath = join(folder, 'docker.sock');

    const watched = await watch(socketPath);
    const before = watched.watcher.state();
    const engine = new FakeEngine(socketPath);
    await engine.start();
    onTestFinished(() => engine.stop());

    expect(before).toMatchObject({ name: 'docker', state: 'off' });
    expect(before.reason).toContain(socketPath);
    await eventually(() => watched.watcher.state().state === 'seeing');
    expect(watched.of('state_changed').map(({ state }) => state.state)).toEqual(['off', 'seeing']);
  });

  it('F040 without permission it is blind and says what to do', async () => {
    const engine = await startEngine();
    await chmod(engine.socketPath, 0);
    const nobody = 65_534;
    const user = process.geteuid?.();
    if (user === 0) process.seteuid?.(nobody);
    onTestFinished(() => void (user === 0 && process.seteuid?.(0)));

    const watched = await watch(engine.socketPath, { retry: { baseMs: 60_000, capMs: 60_000 } });

    expect(watched.watcher.state()).toMatchObject({ state: 'blind' });
    expect(watched.watcher.state().reason).toContain('group');
  });

  it('F040 replaced by a new socket, it is followed there', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { checkEveryMs: 30 });
    const successor = new FakeEngine(engine.socketPath);
    onTestFinished(() => successor.stop());

    await rm(engine.socketPath);
    await successor.start();

    await eventually(() => successor.listenerCount === 1);
    const container = successor.run();
    successor.die(container, 2);
    await eventually(() => watched.of('container_ended').some(({ containerId }) => containerId === container.id));
  });

  it('F041 an answer that never comes is given up after its time', async () => {
    const engine = await startEngine();
    engine.answer = () => true;

    const watched = await watch(engine.socketPath, { timeoutMs: 50 });

    expect(watched.watcher.state()).toMatchObject({ state: 'blind' });
    expect(watched.watcher.state().reason).toContain('did not answer within 50 ms');
  });

  it('F041 an engine that stops answering is noticed although its stream stays open', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath, { timeoutMs: 50, checkEveryMs: 30 });

    engine.answer = () => true;

    await eventually(() => watched.watcher.state().state === 'blind');
    engine.answer = () => false;
    await eventually(() => watched.watcher.state().state === 'seeing');
  });

  it('F041 garbage, a cut answer and a wrong shape are errors with a reason, not crashes', async () => {
    const engine = await startEngine();
    const answers = ['<html>login</html>', '{"ApiVersion":"1.4', '{"ApiVersion":41}', '[]'];
    for (const body of answers) {
      engine.answer = (request, response) => {
        if (request.url !== '/version') return false;
        response.end(body);
        return true;
      };

      const watched = await watch(engine.socketPath);

      expect(watched.watcher.state()).toMatchObject({ state: 'blind' });
      expect(watched.watcher.state().reason).toMatch(/not JSON|not what its API promises/);
      await watched.watcher.stop();
    }
  });

  it('F041 an answer of 100 MiB is cut off at its limit', async () => {
    const engine = await startEngine();
    const block = Buffer.alloc(1024 * 1024, 32);
    let sentBlocks = 0;
    engine.answer = (request, response) => {
      if (!request.url?.endsWith('/containers/json?all=1')) return false;
      const pump = (): void => {
        while (sentBlocks < 100 && !response.destroyed) {
          sentBlocks += 1;
          if (!response.write(block)) {
            response.once('drain', pump);
            return;
          }
        }
        response.end();
      };
      pump();
      return true;
    };

    const watched = await watch(engine.socketPath, { timeoutMs: 5_000, retry: { baseMs: 60_000, capMs: 60_000 } });

    expect(watched.watcher.state().reason).toContain('longer than');
    expect(sentBlocks).toBeLessThan(40);
  });

  it('F041 garbage among the events ends the connection and begins a new one', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);

    engine.writeToListeners('{"Type":"container","Action":\n');

    await eventually(() => watched.of('state_changed').some(({ state }) => state.state === 'blind'));
    await afterAll(engine, watched);
  });

  it('F042 hostile ids, names and labels reach no other path and no bound is broken', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`label-${index}`, 'x'.repeat(50)]));

    for (const id of ['../../images/json', '%2e%2e%2fversion', 'a\nb', 'A'.repeat(64), '', 'f'.repeat(65)]) {
      for (const action of ['create', 'start', 'die', 'destroy']) {
        engine.tellRaw({
          Type: 'container',
          Action: action,
          Actor: { ID: id, Attributes: { name: '../x', exitCode: '1' } },
        });
      }
    }
    const container = engine.run({ name: '../../evil\n{"kind":"x"}', labels });
    engine.die(container, 1);

    const ended = await first(watched, 'container_ended');
    expect(watched.of('container_ended')).toHaveLength(1);
    expect(Object.keys(ended.labels).length).toBeLessThanOrEqual(256);
    const allowed =
      /^\/(version|v1\.41\/(events\?since=\d+(&until=\d+\.\d{3}&stream=false)?|containers\/json\?[^/]*|containers\/[0-9a-f]{64}\/(json|logs\?[^/]*)))$/;
    expect(engine.asked.filter((path) => !allowed.test(path))).toEqual([]);
  });

  it('F037 a container that floods its log delays nobody’s end', async () => {
    const engine = await startEngine();
    const watched = await watch(engine.socketPath);
    const flooder = engine.run({ autoRemove: true });
    const quiet = engine.run();
    await eventually(() => engine.asked.some((path) => path.includes('follow=1')));

    for (let line = 0; line < 3_000; line += 1) engine.write(flooder, `${'x'.repeat(1_000)} ${line}\n`);
    engine.die(quiet, 3);
    engine.die(flooder, 4);

    const ended = await eventually(() =>
      watched.of('container_ended').length === 2 ? watched.of('container_ended') : null,
    );
    const tail = ended.find(({ containerId }) => containerId === flooder.id)?.logTail ?? [];
    expect(tail.at(-1)).toBe(`${'x'.repeat(1_000)} 2999`);
    expect(tail.join('\n').length).toBeLessThanOrEqual(66 * 1024);
  });
});

it('stops within its time, also when the engine hangs, and twice without harm', async () => {
  const engine = await startEngine();
  const watched = await watch(engine.socketPath, { timeoutMs: 5_000 });
  engine.answer = () => true;
  engine.run();
  const beganMs = performance.now();

  await watched.watcher.stop();
  await watched.watcher.stop();

  expect(performance.now() - beganMs).toBeLessThan(4_000);
  await eventually(() => engine.listenerCount === 0);
});
