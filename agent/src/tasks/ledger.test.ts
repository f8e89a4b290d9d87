import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type {
  ContainerEnded,
  ProcessExited,
  RunEnded,
  RunStarted,
  Sighting,
  UnitEnded,
  UnitStarted,
} from '../watchers/watcher.ts';
import { Ledger } from './ledger.ts';
import type { LedgerOptions, TasksOnDisk } from './ledger-options.ts';
import type { LedgerState } from './ledger-state.ts';

const invocation = 'a'.repeat(32);
const cgroup = '/system.slice/t1.scope';

/** One life of a ledger over a disk that outlives it. */
function life(disk: { state: LedgerState | null; written: EventBody[] }, more: Partial<LedgerOptions> = {}) {
  const clock = new ManualClock();
  const settled: string[] = [];
  const ledger = new Ledger({
    nodeId: 'node-1',
    bootId: 'boot-1',
    rules: [],
    write: async (body) => disk.written.push(body),
    readUse: () => null,
    takeRecording: () => null,
    readEnvironment: () => ({}),
    redact: (text) => text,
    outputs: { find: async () => [], named: async () => [], read: async () => null },
    tailOf: () => null,
    hurryJournal: () => {},
    state: {
      load: () => disk.state,
      save: async (state) => {
        disk.state = structuredClone(state);
      },
    },
    isSeeing: () => true,
    engines: () => [],
    onDisk: { ended: new Set(), begun: [], unproven: [] },
    exitsBlindness: () => null,
    directoryOf: () => null,
    mainPidOf: () => null,
    diskOf: () => null,
    watchCgroup: () => {},
    unwatchCgroup: () => {},
    settled: (source, handle) => settled.push(`${source} ${handle}`),
    clock,
    log: pino({ level: 'silent' }),
    ...more,
  });
  return { ledger, clock, settled };
}

const emptyDisk = () => ({ state: null as LedgerState | null, written: [] as EventBody[] });

function started(more: Partial<UnitStarted> = {}): UnitStarted {
  return {
    kind: 'unit_started',
    unit: 't1.scope',
    invocationId: invocation,
    description: null,
    cgroup,
    mainPid: 1,
    command: null,
    user: null,
    memoryMaxBytes: null,
    runtimeMaxMs: null,
    startedAt: Date.UTC(2026, 0, 1),
    ...more,
  };
}

function ended(more: Partial<UnitEnded> = {}): UnitEnded {
  return {
    kind: 'unit_ended',
    unit: 't1.scope',
    invocationId: invocation,
    result: 'success',
    execMain: null,
    mainPid: null,
    stopJob: false,
    cpuNs: null,
    memoryPeakBytes: null,
    startedAt: null,
    at: Date.UTC(2026, 0, 1, 0, 0, 5),
    approximate: false,
    via: 'dbus',
    ...more,
  };
}

function exited(waitStatus: number | null, more: Partial<ProcessExited> = {}): ProcessExited {
  return {
    kind: 'process_exited',
    pid: 1,
    startTicks: 1,
    cgroup,
    isMain: true,
    isInit: false,
    comm: 'sh',
    waitStatus,
    via: 'pidfd',
    blindReason: waitStatus === null ? 'it was gone' : null,
    at: Date.UTC(2026, 0, 1, 0, 0, 5),
    ...more,
  };
}

const box = {
  engine: 'docker',
  socketPath: '/run/docker.sock',
  containerId: 'c'.repeat(64),
  name: 'box',
  image: null,
  labels: {},
  command: null,
  cgroup: `/system.slice/docker-${'c'.repeat(64)}.scope`,
  pid: 5,
  memoryMaxBytes: 20 * 2 ** 20,
  startedAt: Date.UTC(2026, 0, 1),
} as const;

function boxEnded(more: Partial<ContainerEnded> = {}): ContainerEnded {
  return {
    ...box,
    kind: 'container_ended',
    exitCode: 7,
    oomKilled: false,
    error: null,
    at: Date.UTC(2026, 0, 1, 0, 0, 5),
    approximate: false,
    logTail: null,
    ...more,
  };
}

function runStarted(more: Partial<RunStarted> = {}): RunStarted {
  return {
    kind: 'run_started',
    runId: 'r1',
    name: more.runId ?? 'r1',
    job: null,
    project: null,
    owner: null,
    command: 'sleep 300',
    pid: 7,
    startTicks: 1,
    cgroup: null,
    timeoutMs: null,
    startedAt: Date.UTC(2026, 0, 1),
    ...more,
  };
}

function runEnded(more: Partial<RunEnded> = {}): RunEnded {
  return {
    kind: 'run_ended',
    runId: 'r1',
    waitStatus: 0,
    timedOut: false,
    startError: null,
    cpuMs: null,
    memoryPeakBytes: null,
    at: Date.UTC(2026, 0, 1, 0, 0, 5),
    approximate: false,
    logTail: null,
    ...more,
  };
}

function begunOnDisk(written: readonly EventBody[], at: number) {
  const begun = written.flatMap((body) => (body.kind === 'task_started' ? [{ identity: body.task, at }] : []));
  return { ended: new Set<string>(), begun, unproven: [] };
}

function ends(written: readonly EventBody[]) {
  return written.flatMap((body) =>
    body.kind === 'task_ended'
      ? [[body.task.name, body.ending.status, body.ending.exit_code, body.ending.verdict.cause]]
      : [],
  );
}

async function tell(of: ReturnType<typeof life>, ...sightings: Sighting[]) {
  for (const sighting of sightings) of.ledger.see(sighting);
  await of.clock.advance(0);
}

describe('the ledger', () => {
  it('F026 tells a scope that exited 3 as failed, though systemd calls it a success', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(3 << 8), ended());

    expect(disk.written.map(({ kind }) => kind)).toEqual(['task_started', 'task_ended']);
    expect(ends(disk.written)).toEqual([['t1', 'failed', 3, 'exit_code']]);
  });

  it('gives no duration to a service whose ExecCondition= kept it from running: it says nothing of its job', async () => {
    const disk = emptyDisk();
    const unit = 't1.service';
    const began = { unit, startedAt: Date.UTC(2026, 0, 1) };

    const one = life(disk);
    const skipping = { ...began, result: 'exec-condition' };

    await tell(one, started(began), ended(skipping), ended({ ...skipping, via: 'journal' }));
    await one.clock.advance(1000);

    const [skipped] = disk.written.flatMap((body) => (body.kind === 'task_ended' ? [body.ending] : []));
    expect(skipped).toMatchObject({ status: 'completed', duration_ms: null });
  });

  it('waits a moment for the exit status of a scope, then says that it was not seen', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), ended());
    expect(ends(disk.written)).toEqual([]);
    await one.clock.advance(1000);

    expect(ends(disk.written)).toEqual([['t1', 'unknown', null, 'unknown']]);
  });

  it('tells an end again, proven, when the kernel speaks late', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), ended());
    await one.clock.advance(1000);
    await tell(one, exited(3 << 8), exited(3 << 8));

    expect(ends(disk.written).map(([, status]) => status)).toEqual(['unknown', 'failed']);
    const ids = disk.written.flatMap((body) => (body.kind === 'task_ended' ? [body.task.id] : []));
    expect(new Set(ids).size).toBe(1);
  });

  it('F025 takes the end of a main process that was seen before its unit was', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, exited(1 << 8), ended());

    expect(ends(disk.written)).toEqual([['t1', 'failed', 1, 'exit_code']]);
  });

  it('F030 tells two runs of one unit name as two ends', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const second = 'b'.repeat(32);
    const later = Date.UTC(2026, 0, 1, 0, 0, 6);

    await tell(one, started(), exited(1 << 8), ended());
    await tell(
      one,
      started({ invocationId: second, startedAt: later }),
      exited(2 << 8, { at: later }),
      ended({ invocationId: second }),
    );

    expect(ends(disk.written).map(([, , code]) => code)).toEqual([1, 2]);
  });

  it('tells an end once, whoever says it again', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(0), ended(), ended(), ended({ via: 'journal' }));
    await one.clock.advance(1000);

    expect(ends(disk.written)).toHaveLength(1);
  });

  it('waits for the journal before it tells a service, because its last lines are there', async () => {
    const disk = emptyDisk();
    const lines: string[] = [];
    const one = life(disk, { tailOf: () => lines });
    const service = { unit: 's.service' };
    const main = { code: 'exited', status: 7 } as const;

    await tell(
      one,
      started({ ...service, cgroup: '/system.slice/s.service' }),
      ended({ ...service, result: 'exit-code', execMain: main }),
    );
    expect(ends(disk.written)).toEqual([]);
    lines.push('last words');
    await tell(one, ended({ ...service, via: 'journal', execMain: main }));

    expect(ends(disk.written)).toEqual([['s', 'failed', 7, 'exit_code']]);
    expect(disk.written.at(-1)).toMatchObject({ log_tail: ['last words'] });
  });

  it('F001 derives the end again after a death before it was on disk, with the same id', async () => {
    const disk = emptyDisk();
    const first = life(disk, { write: () => new Promise(() => {}) });
    await tell(first, started(), exited(3 << 8), ended());
    first.ledger.tick();

    const second = life(disk);
    await tell(second, ended({ via: 'journal', approximate: true }));
    second.ledger.reconcile();
    await second.clock.advance(0);

    const [end] = disk.written;
    expect(end).toMatchObject({ kind: 'task_ended', ending: { status: 'unknown' } });
    expect(end?.kind === 'task_ended' && end.task.id).toBe(
      first.ledger.open()[0]?.identity.id ?? disk.state?.runs[0]?.identity.id,
    );
  });

  it('F001 does not tell again what an earlier life has on disk, and lets its source forget it', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started());
    await first.ledger.save();
    await tell(first, exited(3 << 8), ended());
    const [id] = disk.written.flatMap((body) => (body.kind === 'task_ended' ? [body.task.id] : []));

    const second = life(disk, { onDisk: { ended: new Set([id ?? '']), begun: [], unproven: [] } });
    await tell(second, ended({ result: 'exit-code' }), ended({ via: 'journal' }));
    for (let ticks = 0; ticks < 5; ticks += 1) {
      second.ledger.tick();
      await second.clock.advance(1000);
    }

    expect(ends(disk.written)).toEqual([['t1', 'failed', 3, 'exit_code']]);
    expect(second.ledger.open()).toEqual([]);
    expect(disk.state?.runs).toEqual([]);
    await tell(second, runEnded());
    expect(second.settled).toEqual(['run r1']);
  });

  it('gives the journal a moment before it calls unseen what is gone since its last life', async () => {
    const disk = emptyDisk();
    const service = { unit: 's.service', cgroup: '/system.slice/s.service' };
    const first = life(disk);
    await tell(first, started(service));
    await first.ledger.save();

    const second = life(disk);
    second.ledger.reconcile();
    await second.clock.advance(1000);
    second.ledger.tick();
    const execMain = { code: 'killed', status: 15 } as const;
    await tell(second, ended({ ...service, via: 'journal', execMain, stopJob: true }));
    await second.clock.advance(1000);

    expect(ends(disk.written)).toEqual([['s', 'killed', null, 'stopped_by_user']]);
  });

  it('asks the journal who stopped a unit that was not heard from its start on', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(15), ended({ stopJob: null }));
    await one.clock.advance(1000);
    expect(ends(disk.written)).toEqual([]);
    await tell(one, ended({ stopJob: true, via: 'journal' }));

    expect(ends(disk.written)).toEqual([['t1', 'killed', null, 'stopped_by_user']]);
  });

  it('F015 hears what arrived while it stood still before it concludes', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), ended());
    await one.clock.advance(30_000);
    await tell(one, exited(3 << 8));

    expect(ends(disk.written)).toEqual([['t1', 'failed', 3, 'exit_code']]);
  });

  it('says of a scope that ended while the agent was away that it was away, not that it lacks rights', async () => {
    const disk = emptyDisk();
    const reason = 'it ended while the agent was not running';
    const one = life(disk, { exitsBlindness: () => ({ reason, wasAway: true }) });

    await tell(one, started(), ended({ via: 'journal' }));
    await one.clock.advance(1000);

    const [end] = disk.written.flatMap((body) => (body.kind === 'task_ended' ? [body.ending] : []));
    expect(end?.verdict.summary).toContain(reason);
    expect(end?.verdict.advice).toEqual([]);
  });

  it('leaves a unit alone that failed before anybody watched', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, ended({ result: 'exit-code', at: Date.UTC(2025, 11, 24) }));
    await one.clock.advance(1000);

    expect(disk.written).toEqual([]);
  });

  it('adopts what still runs after a restart, without telling it again', async () => {
    const disk = emptyDisk();
    await tell(life(disk), started());
    const first = life(disk);
    await tell(first, started());
    await first.ledger.save();
    const before = disk.written.length;

    const second = life(disk);
    await tell(second, started());
    second.ledger.reconcile();

    expect(disk.written).toHaveLength(before);
    expect(second.ledger.open()).toHaveLength(1);
  });

  it('F045 tells what ran before a reboot as lost, once', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started());
    await first.ledger.save();

    const second = life(disk, { bootId: 'boot-2' });
    second.ledger.reconcile();
    second.ledger.reconcile();
    await second.clock.advance(0);
    await second.ledger.save();
    const third = life(disk, { bootId: 'boot-2' });
    third.ledger.reconcile();

    expect(ends(disk.written)).toEqual([['t1', 'lost', null, 'node_lost']]);
  });

  it('F001 knows a container by its beginning on disk when a death came before what runs was saved', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started());
    await first.ledger.save();
    const savedAt = disk.state?.saved_at ?? 0;
    await tell(first, { ...box, kind: 'container_started' });
    const begun = begunOnDisk(disk.written, savedAt + 1);
    const [, id] = begun.begun.map(({ identity }) => identity.id);

    // The engine's events of the time between are of its end alone; its list tells of the beginning as well.
    const second = life(disk, { onDisk: begun });
    await tell(second, boxEnded({ startedAt: null }), boxEnded());

    const told = disk.written.flatMap((body) => (body.kind === 'task_ended' ? [body.task.id] : []));
    expect(told).toEqual([id]);
    expect(second.ledger.open().map(({ handle }) => handle)).toEqual(['t1.scope']);
  });

  it('F001 F039 asks an engine again for an end that was told and is not on disk yet', async () => {
    const disk = emptyDisk();
    let disks: (() => void) | undefined;
    const engine = { socket_path: '/run/docker.sock', key: 'an event', at: 9000 };
    const { ledger, clock } = life(disk, {
      engines: () => [engine],
      write: () => new Promise((resolve) => (disks = () => resolve(1))),
    });
    const ending = { exitCode: 1, oomKilled: false, error: null, at: 4000, approximate: false, logTail: null };

    ledger.see({ ...box, ...ending, kind: 'container_ended' });
    await ledger.save();
    const before = disk.state?.engines;
    disks?.();
    await clock.advance(3000);
    await ledger.save();

    expect(before).toEqual([{ ...engine, at: 4000 }]);
    expect(disk.state?.engines).toEqual([engine]);
  });

  it('F001 ends what had just begun and is gone, and believes in nothing that was saved as over', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started(), { ...box, kind: 'container_started' });
    const begun = begunOnDisk(disk.written, 0);
    disk.state = { boot_id: 'boot-1', saved_at: 0, stopping_since: null, gpu_faults: [], engines: [], runs: [] };

    const second = life(disk, { onDisk: begun });
    await second.clock.advance(1);
    second.ledger.reconcile();
    await second.clock.advance(2000);
    second.ledger.reconcile();
    await second.clock.advance(2000);
    const saved = { ...disk.state, saved_at: 1 };
    const third = life({ ...disk, state: saved }, { onDisk: begun });

    expect(ends(disk.written)).toEqual([
      ['t1', 'unknown', null, 'unknown'],
      ['box', 'unknown', null, 'unknown'],
    ]);
    expect(third.ledger.open()).toEqual([]);
  });

  it('F001 does not tell a container’s end again when its beginning becomes known afterwards', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, boxEnded({ startedAt: null }), boxEnded(), { ...box, kind: 'container_started' });
    expect(ends(disk.written)).toEqual([['box', 'failed', 7, 'exit_code']]);

    const again = { startedAt: box.startedAt + 60_000, at: box.startedAt + 61_000 };
    await tell(one, { ...box, ...again, kind: 'container_started' }, boxEnded({ ...again, exitCode: 8 }));
    expect(ends(disk.written).slice(1)).toEqual([['box', 'failed', 8, 'exit_code']]);
  });

  it('believes the engine about a container where the kernel saw only a helper of its runtime', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const { cgroup: boxCgroup } = box;

    await tell(
      one,
      { ...box, kind: 'container_started' },
      exited(0, { cgroup: boxCgroup }),
      boxEnded({ logTail: ['bye'] }),
    );

    expect(ends(disk.written)).toEqual([['box', 'failed', 7, 'exit_code']]);
  });

  it('believes the kernel about a container whose engine does not know how it ended', async () => {
    const at = Date.UTC(2026, 0, 1, 0, 0, 4);
    const unseen = boxEnded({ exitCode: null, oomKilled: null, approximate: true });
    const nameless = { ...box, pid: null, cgroup: null };
    const told = async (...sightings: Sighting[]) => {
      const disk = emptyDisk();
      await tell(life(disk), ...sightings);
      return [
        ends(disk.written),
        disk.written.flatMap((body) => (body.kind === 'task_ended' ? body.ending.ended_at : [])),
      ];
    };
    const [exactly, foundOut] = [at, unseen.at].map((instant) => new Date(instant).toISOString());
    const first = exited(7 << 8, { cgroup: box.cgroup, pid: box.pid, at });
    const init = exited(7 << 8, { cgroup: box.cgroup, pid: 77, isInit: true, at });
    const helper = exited(0, { cgroup: box.cgroup, pid: 77, at });
    const proven = [[['box', 'failed', 7, 'exit_code']], [exactly]];

    expect(await told({ ...box, kind: 'container_started' }, first, unseen)).toEqual(proven);
    expect(await told({ ...nameless, kind: 'container_started' }, init, unseen)).toEqual(proven);
    // The engine told of its start only afterwards.
    expect(await told(init, { ...nameless, kind: 'container_started' }, { ...unseen, ...nameless })).toEqual(proven);
    expect(await told({ ...nameless, kind: 'container_started' }, helper, { ...unseen, ...nameless })).toEqual([
      [['box', 'unknown', null, 'unknown']],
      [foundOut],
    ]);
  });

  it('asks the kernel’s log about a container killed for no reason that its engine knows', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const { cgroup: boxCgroup } = box;

    await tell(one, { ...box, kind: 'container_started' });
    await tell(one, boxEnded({ exitCode: 137, at: 1 }));
    expect(ends(disk.written)).toEqual([]);
    await tell(one, {
      kind: 'kernel_oom',
      pid: 5,
      comm: 'tail',
      cgroup: boxCgroup,
      scope: 'cgroup',
      limitedCgroup: boxCgroup,
      usageBytes: null,
      limitBytes: null,
      rssBytes: null,
      largest: null,
      at: 1,
    });

    expect(ends(disk.written)).toEqual([['box', 'killed_oom', null, 'oom_limit']]);
  });

  it('tells the last minutes of a failure, after its end, and of nothing else', async () => {
    const recording = {
      interval_ms: 1000,
      until: '2026-01-01T00:00:05.000Z',
      complete_until: '2026-01-01T00:00:05.000Z',
    };
    const disk = emptyDisk();
    const asked: [string, number][] = [];
    const one = life(disk, {
      takeRecording: (run, endedAt) => {
        asked.push([run.identity.name, endedAt]);
        return { ...recording, task: { processes: [1] }, node: {} };
      },
    });

    await tell(one, started(), exited(3 << 8), ended());
    const again = { invocationId: 'b'.repeat(32), startedAt: Date.UTC(2026, 0, 1, 0, 0, 6) };
    const at = Date.UTC(2026, 0, 1, 0, 0, 8);
    await tell(one, started(again), exited(0, { at }), ended({ ...again, at }));

    expect(asked).toEqual([
      ['t1', Date.UTC(2026, 0, 1, 0, 0, 5)],
      ['t1', at],
    ]);
    expect(disk.written.map(({ kind }) => kind)).toEqual([
      'task_started',
      'task_ended',
      'task_recording',
      'task_started',
      'task_ended',
    ]);
    const failed = disk.written.find((body) => body.kind === 'task_started');
    expect(disk.written.find((body) => body.kind === 'task_recording')).toMatchObject({ task_id: failed?.task.id });
  });

  it('keeps trying to write what could not be written, and forgets the run only then', async () => {
    const disk = emptyDisk();
    let isFull = true;
    const one = life(disk, {
      write: async (body) => {
        if (isFull) throw new Error('full');
        disk.written.push(body);
      },
    });
    await tell(one, started(), exited(3 << 8), ended());
    await one.clock.advance(0);
    expect(one.settled).toEqual([]);

    isFull = false;
    one.ledger.tick();
    await one.clock.advance(0);

    expect(ends(disk.written)).toEqual([['t1', 'failed', 3, 'exit_code']]);
    // Not before the file of what runs is without it.
    expect(one.settled).toEqual([]);
    one.ledger.tick();
    await one.clock.advance(0);
    expect(one.settled).toEqual(['systemd t1.scope']);
  });
});

it('learns from the environment which job a run is, also when its program is executed a moment after the start', async () => {
  const disk = emptyDisk();
  let environment: Record<string, string> = {};
  const { ledger } = life(disk, { readEnvironment: () => environment });

  ledger.see(started());
  environment = { SLURM_JOB_ID: '71', SLURM_JOB_NAME: 'train', SLURM_JOB_ACCOUNT: 'lm', SLURM_JOB_USER: 'ada' };
  ledger.tick();
  ledger.tick();
  ledger.see(ended());
  ledger.see(exited(0));
  await ledger.stop();

  const known = { task_id: '71', job: 'train', project: 'lm', owner: 'ada' };
  expect(disk.written).toMatchObject([
    { kind: 'task_started', task: { job: null } },
    { kind: 'task_started', task: known },
    { kind: 'task_ended', task: known },
  ]);
});

it('looks at the environment of a run that is known by its name only once', () => {
  const disk = emptyDisk();
  const looks: unknown[] = [];
  const { ledger } = life(disk, {
    readEnvironment: (of) => {
      looks.push(of);
      return {};
    },
  });

  ledger.see(
    started({ unit: 'hakuriver-task-5.scope', mainPid: null, cgroup: '/system.slice/hakuriver-task-5.scope' }),
  );
  ledger.tick();

  expect(looks).toEqual([{ pid: null, cgroup: '/system.slice/hakuriver-task-5.scope' }]);
  expect(disk.written).toMatchObject([{ kind: 'task_started', task: { task_id: '5' } }]);
});

const told = (written: readonly EventBody[]) =>
  written.flatMap((body) =>
    body.kind === 'condition'
      ? [[body.report.condition, body.report.subject, body.report.status, body.report.value]]
      : [],
  );
/** The only task that was told to begin. */
const idOf = (written: readonly EventBody[]) =>
  written.flatMap((body) => (body.kind === 'task_started' ? [body.task.id] : []))[0];
const endedAtMs = Date.UTC(2026, 0, 1, 0, 0, 5);

function kernelOom(more: Partial<Sighting & { kind: 'kernel_oom' }> = {}): Sighting {
  return {
    kind: 'kernel_oom',
    pid: 1,
    comm: 'train',
    cgroup,
    scope: 'cgroup',
    limitedCgroup: cgroup,
    usageBytes: 52_428_800,
    limitBytes: 52_428_800,
    rssBytes: 50_000_000,
    largest: null,
    at: endedAtMs,
    ...more,
  };
}

function gpuFault(more: Partial<Sighting & { kind: 'gpu_fault' }> = {}): Sighting {
  const text = 'NVRM: Xid (PCI:0000:3b:00): 31, pid=1, name=train';
  return { kind: 'gpu_fault', xid: 31, gpu: '0000:3b:00', pid: 1, comm: 'train', cgroup, text, at: endedAtMs, ...more };
}

describe('a word that comes after the end was told', () => {
  it('F043 amends a SIGKILL by unknown to what the kernel log says of it, once', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(9), ended());
    await one.clock.advance(3000);
    await tell(one, kernelOom(), kernelOom());

    expect(ends(disk.written)).toEqual([
      ['t1', 'killed', null, 'signal'],
      ['t1', 'killed_oom', null, 'oom_limit'],
    ]);
  });

  it('amends an exit code to the fault of a GPU of its main process, although that process is gone', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(1 << 8), ended());
    await one.clock.advance(500);
    await tell(one, gpuFault({ cgroup: null }));

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['exit_code', 'gpu_fault']);
  });

  it('amends a signal by nobody to the stop that the journal tells of late', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(15), ended({ stopJob: null }));
    await one.clock.advance(3000);
    await tell(one, ended({ via: 'journal', stopJob: true }));

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['signal', 'stopped_by_user']);
  });

  it('amends a stop by a person to one by the system when the shutdown is heard of a moment later', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(15), ended({ stopJob: true }));
    await tell(one, { kind: 'system_stopping', isStopping: true, at: endedAtMs + 100 });

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['stopped_by_user', 'stopped_by_system']);
  });

  it('amends a stop by a person to one by the system when the stop of its engine is heard of a moment later', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const { containerId } = box;
    const stop = { kind: 'engine_stopping', unit: 'docker.service', isStopping: true, at: endedAtMs - 500 } as const;

    await tell(
      one,
      { ...box, kind: 'container_started' },
      { kind: 'container_signalled', engine: 'docker', containerId, signal: 15, at: endedAtMs - 200 },
      boxEnded({ exitCode: 143, at: endedAtMs }),
    );
    await tell(one, stop);

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['stopped_by_user', 'stopped_by_system']);
  });

  it('says nothing new eleven seconds later, and nothing that changes no verdict', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), exited(0), ended());
    await tell(one, gpuFault());
    await one.clock.advance(11_000);
    await tell(one, kernelOom());

    expect(ends(disk.written)).toEqual([['t1', 'completed', 0, 'success']]);
  });

  it('is about the run that ended, not about the next of that name', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const next = started({ invocationId: 'b'.repeat(32), startedAt: endedAtMs + 200 });

    await tell(one, started(), exited(9), ended(), next, kernelOom());
    await one.clock.advance(2000);

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['signal', 'oom_limit']);
    expect(told(disk.written)).toEqual([]);
    expect(one.ledger.open().map(({ kernelOom: account }) => account)).toEqual([null]);
  });
});

describe('a word on an end that the life before told', () => {
  /** What a spool says of it, as tasks-on-disk.ts reads it. */
  function onDisk(written: readonly EventBody[]): TasksOnDisk {
    const last = new Map(
      written.flatMap((body) => (body.kind === 'task_ended' ? [[body.task.id, body] as const] : [])),
    );
    const unproven = [...last.values()].filter(({ ending }) => ending.verdict.confidence !== 'proven');
    return { ended: new Set(last.keys()), begun: [], unproven };
  }
  const nextLife = (disk: ReturnType<typeof emptyDisk>, more: Partial<LedgerOptions> = {}) =>
    life(disk, { onDisk: onDisk(disk.written), ...more });
  const endIds = (written: readonly EventBody[]) =>
    new Set(written.flatMap((body) => (body.kind === 'task_ended' ? [body.task.id] : [])));
  /** One life that tells this, and is gone. */
  async function before(sightings: readonly Sighting[], more: Partial<LedgerOptions> = {}) {
    const disk = emptyDisk();
    const one = life(disk, more);
    await tell(one, ...sightings);
    for (let seconds = 0; seconds < 3; seconds += 1) await one.clock.advance(1000);
    await one.ledger.save();
    return disk;
  }
  const limit = 50 * 2 ** 20;

  it('F001 amends an unknown end to what the journal says of it, under the same id, once in all lives', async () => {
    const disk = await before([started({ memoryMaxBytes: limit }), ended({ result: null })]);
    expect(ends(disk.written)).toEqual([['t1', 'unknown', null, 'unknown']]);
    const word = ended({ via: 'journal', result: 'oom-kill' });

    const two = nextLife(disk);
    await tell(two, word, word);
    await two.clock.advance(3000);
    await tell(nextLife(disk), word);

    expect(ends(disk.written).map(([, ...end]) => end)).toEqual([
      ['unknown', null, 'unknown'],
      ['killed_oom', null, 'oom_limit'],
    ]);
    expect(endIds(disk.written).size).toBe(1);
    expect(two.ledger.open()).toEqual([]);
  });

  it('F001 keeps what the life before knew of it: its instant, its use, its last lines', async () => {
    const service = { unit: 's.service', cgroup: '/system.slice/s.service' };
    const tailOf = () => ['last words'];
    const disk = await before([started({ ...service, memoryMaxBytes: limit }), ended({ ...service, result: null })], {
      tailOf,
    });

    const execMain = { code: 'exited', status: 1 } as const;
    await tell(
      nextLife(disk),
      ended({ ...service, via: 'journal', result: 'exit-code', execMain, at: endedAtMs + 40 }),
    );

    expect(disk.written.at(-1)).toMatchObject({
      ending: {
        status: 'failed',
        exit_code: 1,
        ended_at: new Date(endedAtMs).toISOString(),
        ended_at_approximate: false,
        duration_ms: 5000,
        memory_limit_bytes: limit,
        verdict: { cause: 'exit_code', confidence: 'proven' },
      },
      log_tail: ['last words'],
    });
  });

  it('F001 prefers an exact instant to one that was only a bound', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started({ unit: 's.service' }));
    await first.ledger.save();
    const second = nextLife(disk);
    second.ledger.reconcile();
    await second.clock.advance(2500);
    second.ledger.reconcile();
    await second.clock.advance(0);
    expect(ends(disk.written)).toEqual([['s', 'unknown', null, 'unknown']]);

    const execMain = { code: 'exited', status: 1 } as const;
    await tell(nextLife(disk), ended({ unit: 's.service', via: 'journal', result: 'exit-code', execMain }));

    expect(disk.written.at(-1)).toMatchObject({
      ending: { exit_code: 1, ended_at: new Date(endedAtMs).toISOString(), ended_at_approximate: false },
    });
  });

  it('F001 F043 amends a likely OOM kill to what the kernel log says of it', async () => {
    const count: Sighting = { kind: 'cgroup_oom', cgroup, oomKills: 1, at: endedAtMs };
    const disk = await before([started(), count, exited(9), ended()]);

    const two = nextLife(disk);
    await tell(two, kernelOom(), kernelOom());

    expect(ends(disk.written).map(([, ...end]) => end)).toEqual([
      ['killed_oom', null, 'oom_host'],
      ['killed_oom', null, 'oom_limit'],
    ]);
    expect(disk.written.at(-1)).toMatchObject({ ending: { signal: 'SIGKILL', verdict: { confidence: 'proven' } } });
  });

  it("F001 amends a container's ambiguous code to what the engine's inspection says", async () => {
    const disk = await before([{ ...box, kind: 'container_started' }, boxEnded({ exitCode: 137, oomKilled: null })]);

    await tell(nextLife(disk), boxEnded({ exitCode: 137, oomKilled: true }));

    expect(ends(disk.written).map(([, ...end]) => end)).toEqual([
      ['failed', 137, 'exit_code'],
      ['killed_oom', null, 'oom_limit'],
    ]);
  });

  it("F001 amends a command's unknown end when its wrapper's word arrives, and only then lets it go", async () => {
    const begun = runStarted();
    const over = (waitStatus: number | null) => runEnded({ waitStatus, approximate: waitStatus === null });
    const disk = await before([begun, over(null)]);
    const settledWith: number[] = [];

    const two = nextLife(disk, { settled: () => settledWith.push(disk.written.length) });
    await tell(two, begun, over(5 << 8));

    expect(ends(disk.written)).toEqual([
      ['r1', 'unknown', null, 'unknown'],
      ['r1', 'failed', 5, 'exit_code'],
    ]);
    expect(settledWith).toEqual([disk.written.length]);
  });

  it('F001 tells a shutdown that the journal knows of as its cause, not a person', async () => {
    const disk = await before([started(), ended({ result: null, stopJob: null })]);

    await tell(nextLife(disk), ended({ via: 'journal', stopJob: true, systemStopping: true }));

    expect(ends(disk.written).at(-1)).toEqual(['t1', 'killed', null, 'stopped_by_system']);
  });

  it('F001 is heard also when that unit runs anew, and is not taken for the new run', async () => {
    const disk = await before([started(), ended({ result: null })]);
    const next = { invocationId: 'b'.repeat(32), startedAt: endedAtMs + 200 };

    const two = nextLife(disk);
    await tell(two, started(next), ended({ via: 'journal', result: 'oom-kill' }), kernelOom());

    expect(ends(disk.written).map(([, , , cause]) => cause)).toEqual(['unknown', 'oom_host', 'oom_limit']);
    expect(two.ledger.open().map(({ key, kernelOom: account }) => [key, account])).toEqual([
      [`systemd:${next.invocationId}`, null],
    ]);
  });

  it('F001 tells nothing when it says no better, speaks of another run, or comes after many minutes', async () => {
    const disk = await before([started(), ended({ result: null })]);

    const two = nextLife(disk);
    await tell(two, ended({ via: 'journal', result: 'success' }), gpuFault());
    await tell(two, ended({ invocationId: 'b'.repeat(32), via: 'journal', result: 'oom-kill', at: endedAtMs - 9000 }));
    await tell(two, kernelOom({ at: endedAtMs + 60_000 }), kernelOom({ at: endedAtMs - 60_000 }));
    const late = nextLife(disk);
    await late.clock.advance(11 * 60_000);
    late.ledger.tick();
    await tell(late, ended({ via: 'journal', result: 'oom-kill' }));

    expect(ends(disk.written)).toEqual([['t1', 'unknown', null, 'unknown']]);
  });

  it('F045 does not take an engine for a witness of what was lost with its node', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    await tell(one, { ...box, kind: 'container_started' });
    await one.ledger.save();
    const rebooted = nextLife(disk, { bootId: 'boot-2' });
    rebooted.ledger.reconcile();
    await rebooted.clock.advance(0);

    await tell(nextLife(disk, { bootId: 'boot-2' }), boxEnded({ exitCode: 0 }));

    expect(ends(disk.written)).toEqual([['box', 'lost', null, 'node_lost']]);
  });

  it('F001 is heard as well when this life itself had given up on it', async () => {
    const disk = emptyDisk();
    const first = life(disk);
    await tell(first, started());
    await first.ledger.save();

    const two = nextLife(disk);
    two.ledger.reconcile();
    await two.clock.advance(2500);
    two.ledger.reconcile();
    await two.clock.advance(0);
    await tell(two, ended({ via: 'journal', result: 'oom-kill' }));

    expect(ends(disk.written).map(([, status]) => status)).toEqual(['unknown', 'killed_oom']);
  });
});

describe('a run of a unit that the bus tells of without its invocation id', () => {
  const nameless = { invocationId: null, startedAt: Date.UTC(2026, 0, 1) + 300 };

  it('is the one that the journal names, whichever of the two speaks first', async () => {
    for (const sightings of [
      [started(nameless), started(), exited(0), ended()],
      [started(), started(nameless), exited(0), ended(nameless), ended({ via: 'journal' })],
      [started(nameless), exited(0), ended(nameless), ended({ via: 'journal' }), started()],
      [started(), exited(0), ended(), started(nameless), ended(nameless)],
    ]) {
      const disk = emptyDisk();
      const one = life(disk);

      await tell(one, ...sightings);
      await one.clock.advance(5000);

      expect(ends(disk.written)).toEqual([['t1', 'completed', 0, 'success']]);
      expect(one.ledger.open()).toEqual([]);
    }
  });

  it('is another one when it began at another time', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const later = { invocationId: null, startedAt: Date.UTC(2026, 0, 1, 0, 0, 8) };

    await tell(one, started(), exited(0), ended());
    await tell(one, started(later), exited(3 << 8), ended({ ...later, at: later.startedAt + 1000 }));
    await one.clock.advance(5000);

    expect(ends(disk.written).map(([, status]) => status)).toEqual(['completed', 'failed']);
  });
});

describe('a word that comes before its unit is heard of', () => {
  const unit = 'job.service';
  const endedWith203 = ended({ unit, result: 'exit-code', execMain: { code: 'exited', status: 203 }, via: 'dbus' });
  const words = 'Failed at step EXEC spawning /tmp/x: Permission denied';
  const startFailed = (invocationId: string | null, by = { pid: 1, isOfUnit: true }): Sighting => ({
    kind: 'unit_start_failed',
    unit,
    invocationId,
    ...by,
    words,
    at: Date.UTC(2026, 0, 1),
  });
  const proofs = (written: readonly EventBody[]) =>
    written.flatMap((body) =>
      body.kind === 'task_ended' ? [[body.ending.verdict.cause, body.ending.verdict.confidence]] : [],
    );

  it('is taken when the unit begins', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, startFailed(invocation), started({ unit }), endedWith203, { ...endedWith203, via: 'journal' });

    expect(proofs(disk.written)).toEqual([['start_failed', 'proven']]);
  });

  it('is true from the process that should have become the unit, also when its unit was not seen; from another it is not', async () => {
    const said = async (pid: number) => {
      const disk = emptyDisk();
      const one = life(disk);
      await tell(one, startFailed(invocation, { pid, isOfUnit: false }), started({ unit }));
      await tell(one, { ...endedWith203, mainPid: 41 }, { ...endedWith203, via: 'journal' });
      return proofs(disk.written);
    };

    expect(await said(41)).toEqual([['start_failed', 'proven']]);
    expect(await said(42)).toEqual([['start_failed', 'likely']]);
  });

  it('is not taken by another run of the unit, neither the one before nor the one after', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started({ unit }), endedWith203, { ...endedWith203, via: 'journal' });
    await tell(one, startFailed('b'.repeat(32)));
    const third = 'c'.repeat(32);
    await tell(one, started({ unit, invocationId: third, startedAt: Date.UTC(2026, 0, 1, 0, 0, 6) }));
    await tell(one, { ...endedWith203, invocationId: third }, { ...endedWith203, invocationId: third, via: 'journal' });

    expect(proofs(disk.written)).toEqual([
      ['start_failed', 'likely'],
      ['start_failed', 'likely'],
    ]);
  });

  it('is of an earlier run when it names none and was said before the start', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, startFailed(null), started({ unit, startedAt: Date.UTC(2026, 0, 1, 0, 0, 1) }));
    await tell(one, endedWith203, { ...endedWith203, via: 'journal' });

    expect(proofs(disk.written)).toEqual([['start_failed', 'likely']]);
  });
});

describe('an OOM kill in a task that goes on', () => {
  const counted = (oomKills: number): Sighting => ({ kind: 'cgroup_oom', cgroup, oomKills, at: endedAtMs });

  it('is told after a second, and told again when there are more', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started({ startedAt: null }), counted(1), kernelOom());
    expect(told(disk.written)).toEqual([]);
    await one.clock.advance(1000);
    await tell(one, counted(3));
    await one.clock.advance(1000);
    await tell(one, exited(0), ended());

    const values = told(disk.written).map(([, , status, value]) => [status, value]);
    expect(told(disk.written)[0]).toEqual(['TaskOomKill', idOf(disk.written), 'true', 1]);
    expect(values.at(0)).toEqual(['true', 1]);
    expect(values.at(-1)).toEqual(['true', 3]);
  });

  it('is no warning when the task ended of it', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started(), counted(1), kernelOom(), exited(9), ended());
    await one.clock.advance(2000);

    expect(told(disk.written)).toEqual([]);
    expect(ends(disk.written).map(([, status]) => status)).toEqual(['killed_oom']);
  });

  it('is no news when it was counted before the agent knew the task', async () => {
    const disk = emptyDisk();
    const one = life(disk);

    await tell(one, started({ startedAt: 0 }), counted(2));
    await one.clock.advance(2000);
    expect(told(disk.written)).toEqual([]);
    await tell(one, counted(3));
    await one.clock.advance(2000);

    expect(told(disk.written)).toEqual([['TaskOomKill', idOf(disk.written), 'true', 3]]);
  });

  it("is not told anew by the agent's next life", async () => {
    const disk = emptyDisk();
    const one = life(disk);
    await tell(one, started({ startedAt: null }), counted(1));
    await one.clock.advance(1000);
    await one.ledger.save();

    const two = life(disk);
    await tell(two, started({ startedAt: null }), counted(1));
    await two.clock.advance(2000);

    expect(told(disk.written)).toHaveLength(1);
  });
});

describe('a shutdown', () => {
  it('explains the end of a run that is found only after the restart, not of one before it or after it', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const wall = one.clock.wallMs();
    await tell(one, { kind: 'system_stopping', isStopping: true, at: wall });
    const begun = (runId: string) => runStarted({ runId, startedAt: wall - 60_000 });
    const over = (runId: string, at: number) => runEnded({ runId, waitStatus: 15, at });
    await one.ledger.stop();

    const clock = new ManualClock();
    await clock.advance(60_000);
    const two = life(disk, { bootId: 'boot-2', clock });
    for (const [runId, at] of [
      ['before', wall - 30_000],
      ['during', wall + 500],
      ['after', wall + 61_000],
    ] as const)
      await tell(two, begun(runId), over(runId, at));

    expect(ends(disk.written).map(([name, , , cause]) => [name, cause])).toEqual([
      ['before', 'signal'],
      ['during', 'stopped_by_system'],
      ['after', 'signal'],
    ]);
  });
});

it('takes the growth of memory from the recording, and the disk from the newest reading', async () => {
  const disk = emptyDisk();
  const one = life(disk, {
    takeRecording: () => ({
      interval_ms: 1000,
      until: '2026-01-01T00:00:05.000Z',
      complete_until: '2026-01-01T00:00:05.000Z',
      task: { memory_bytes: Array.from({ length: 61 }, (_, second) => second * 1024 ** 2) },
      node: {},
    }),
  });

  await tell(one, started({ memoryMaxBytes: 64 * 1024 ** 2 }), exited(9), kernelOom(), ended());

  const end = disk.written.find((body) => body.kind === 'task_ended');
  expect(end?.ending.verdict.advice[0]).toContain('grew 1.0 MiB/s for the last 1m');
});

it('asks for the working directory of a run a moment after its start', async () => {
  const disk = emptyDisk();
  const { ledger } = life(disk, {
    directoryOf: ({ pid }) => `/of/${pid}`,
    diskOf: ({ directory }) => ({ mount: directory ?? '?', of: 'space', usedPercent: 100, at: 0 }),
    tailOf: () => ['write failed: No space left on device'],
  });

  ledger.see(started({ mainPid: 7 }));
  ledger.tick();
  ledger.see(exited(1 << 8));
  ledger.see(ended());
  await ledger.stop();

  expect(disk.written.at(-1)).toMatchObject({
    ending: { status: 'failed', exit_code: 1, verdict: { cause: 'disk_full', confidence: 'proven' } },
  });
  expect(JSON.stringify(disk.written.at(-1))).toContain('/of/7 was 100% full');
});
