import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { ContainerEnded, ProcessExited, Sighting, UnitEnded, UnitStarted } from '../watchers/watcher.ts';
import { Ledger, type LedgerOptions } from './ledger.ts';
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
    tailOf: () => null,
    hurryJournal: () => {},
    state: {
      load: () => disk.state,
      save: (state) => {
        disk.state = structuredClone(state);
      },
    },
    isSeeing: () => true,
    exitsBlindReason: () => null,
    isShuttingDown: () => false,
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
    comm: 'sh',
    waitStatus,
    via: 'pidfd',
    blindReason: waitStatus === null ? 'it was gone' : null,
    at: Date.UTC(2026, 0, 1, 0, 0, 5),
    ...more,
  };
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
    first.ledger.save();
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
    first.ledger.save();

    const second = life(disk, { bootId: 'boot-2' });
    second.ledger.reconcile();
    second.ledger.reconcile();
    await second.clock.advance(0);
    second.ledger.save();
    const third = life(disk, { bootId: 'boot-2' });
    third.ledger.reconcile();

    expect(ends(disk.written)).toEqual([['t1', 'lost', null, 'node_lost']]);
  });

  it('believes the engine about a container where the kernel saw only a helper of its runtime', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const containerId = 'c'.repeat(64);
    const facts = {
      engine: 'docker',
      containerId,
      name: 'box',
      image: null,
      labels: {},
      command: null,
      cgroup: `/system.slice/docker-${containerId}.scope`,
      pid: 5,
      memoryMaxBytes: null,
      startedAt: Date.UTC(2026, 0, 1),
    } as const;
    const over: ContainerEnded = {
      ...facts,
      kind: 'container_ended',
      exitCode: 7,
      oomKilled: false,
      error: null,
      at: 1,
      approximate: false,
      logTail: ['bye'],
    };

    await tell(one, { ...facts, kind: 'container_started' }, exited(0, { cgroup: facts.cgroup }), over);

    expect(ends(disk.written)).toEqual([['box', 'failed', 7, 'exit_code']]);
  });

  it('asks the kernel’s log about a container killed for no reason that its engine knows', async () => {
    const disk = emptyDisk();
    const one = life(disk);
    const containerId = 'd'.repeat(64);
    const cgroup = `/system.slice/docker-${containerId}.scope`;
    const facts = {
      engine: 'docker',
      containerId,
      name: 'box',
      image: null,
      labels: {},
      command: null,
      cgroup,
      pid: 5,
      memoryMaxBytes: 20 * 2 ** 20,
      startedAt: Date.UTC(2026, 0, 1),
    } as const;

    await tell(one, { ...facts, kind: 'container_started' });
    const over = { exitCode: 137, oomKilled: false, error: null, at: 1, approximate: false, logTail: null };
    await tell(one, { ...facts, ...over, kind: 'container_ended' });
    expect(ends(disk.written)).toEqual([]);
    await tell(one, {
      kind: 'kernel_oom',
      pid: 5,
      comm: 'tail',
      cgroup,
      scope: 'cgroup',
      limitedCgroup: cgroup,
      at: 1,
    });

    expect(ends(disk.written)).toEqual([['box', 'killed_oom', null, 'oom_limit']]);
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
    expect(one.settled).toEqual(['systemd t1.scope']);
  });
});
