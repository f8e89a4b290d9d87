import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultUnitExclude, defaultUnitInclude } from '../../agent/src/watchers/systemd/unit-globs.ts';
import { createSystemdWatcher, type SystemdUnitsWatcher } from '../../agent/src/watchers/systemd.ts';
import type { Sighting } from '../../agent/src/watchers/watcher.ts';
import { eventually } from '../support/eventually.ts';
import { FakeSystemd } from '../support/fake-systemd.ts';
import { haveBus, PrivateBus } from '../support/private-bus.ts';

const log = pino({ level: 'silent' });

function spinFor(forMs: number): void {
  const until = performance.now() + forMs;
  while (performance.now() < until);
}

describe.skipIf(!haveBus())('the systemd watcher on a real message bus', () => {
  let bus: PrivateBus;
  let systemd: FakeSystemd;
  let watcher: SystemdUnitsWatcher;
  let abort: AbortController;
  let sightings: Sighting[];

  beforeEach(async () => {
    bus = new PrivateBus();
    await bus.start();
    systemd = new FakeSystemd(bus.address);
    await systemd.start();
    sightings = [];
    abort = new AbortController();
    watcher = createSystemdWatcher({
      report: (sighting) => sightings.push(sighting),
      include: defaultUnitInclude,
      exclude: defaultUnitExclude,
      clock: systemClock,
      log,
      busAddress: bus.address,
      isBooted: () => true,
    });
  });

  afterEach(async () => {
    abort.abort();
    await watcher.stop();
    systemd.stop();
    await bus.dispose();
  });

  const started = () => sightings.filter((sighting) => sighting.kind === 'unit_started');
  const ended = () => sightings.filter((sighting) => sighting.kind === 'unit_ended');
  const gaps = () => sightings.filter((sighting) => sighting.kind === 'gap');

  it('tells of units that already run, once, and not of the plumbing', async () => {
    const unit = systemd.makeUnit('hakuriver-task-1.scope');
    systemd.makeUnit('systemd-journald.service');
    systemd.makeUnit('session-1.scope');

    await watcher.start(abort.signal);

    expect(started()).toEqual([
      expect.objectContaining({
        unit: 'hakuriver-task-1.scope',
        invocationId: unit.invocationId,
        cgroup: '/system.slice/hakuriver-task-1.scope',
        description: '/bin/sh -c sleep 1; exit 3',
        memoryMaxBytes: 52_428_800,
        runtimeMaxMs: null,
        startedAt: unit.startedAt,
      }),
    ]);
    expect(watcher.state()).toMatchObject({ name: 'systemd', state: 'seeing', reason: null });
    expect(systemd.calls.some((call) => call.includes('journald'))).toBe(false);
  });

  it('takes the result from the signal and asks nothing about a unit that is gone', async () => {
    await watcher.start(abort.signal);
    const unit = systemd.startUnit('t2.scope');
    await eventually(() => started().length === 1);

    systemd.endUnit(unit, { result: 'oom-kill' });

    const [end] = await eventually(() => (ended().length === 1 ? ended() : undefined));
    expect(end).toMatchObject({
      unit: 't2.scope',
      invocationId: unit.invocationId,
      result: 'oom-kill',
      stopJob: false,
      approximate: false,
      via: 'dbus',
    });
    expect(sightings.map((sighting) => sighting.kind)).toContain('unit_oom');
    expect(systemd.blankLoads).toEqual([]);
  });

  it('tells how the main process of a service ended', async () => {
    await watcher.start(abort.signal);
    const unit = systemd.startUnit('train.service');
    await eventually(() => started().length === 1);

    systemd.endUnit(unit, { result: 'exit-code', execMainCode: 1, execMainStatus: 7 });

    const [end] = await eventually(() => (ended().length === 1 ? ended() : undefined));
    expect(end).toMatchObject({ result: 'exit-code', execMain: { code: 'exited', status: 7 } });
    expect(started()[0]).toMatchObject({ user: 'ml', mainPid: 4242, command: "/bin/sh -c 'sleep 1; exit 3'" });
  });

  it('F025 tells once of a unit that came and went in one turn of the manager, with its status', async () => {
    await watcher.start(abort.signal);

    const flash = systemd.flashUnit('flash.scope', { result: 'timeout', activeState: 'failed' });

    const [end] = await eventually(() => (ended().length === 1 ? ended() : undefined));
    expect(end).toMatchObject({ unit: 'flash.scope', invocationId: flash.invocationId, result: 'timeout' });
    expect(started()).toHaveLength(1);
    expect(systemd.blankLoads).toEqual([]);
  });

  it('F025 tells of a unit that ends before the question about it is answered, never as a success it did not see', async () => {
    await watcher.start(abort.signal);
    systemd.holdAnswers = true;
    const unit = systemd.startUnit('brief.scope');
    await eventually(() => systemd.calls.includes('GetAll brief.scope'));

    systemd.endUnit(unit, { result: 'oom-kill' });
    systemd.releaseAnswers();
    systemd.startUnit('after.scope');

    await eventually(() => started().length === 2);
    expect(ended()).toEqual([
      expect.objectContaining({ unit: 'brief.scope', invocationId: unit.invocationId, result: 'oom-kill' }),
    ]);
    // The question was on its way; the blank unit it loaded is neither told nor asked about again.
    expect(systemd.blankLoads).toEqual(['brief.scope']);
    expect(
      sightings.filter((sighting) => sighting.kind === 'unit_started' && sighting.unit === 'brief.scope'),
    ).toHaveLength(1);
  });

  it('F025 says unknown when the manager drops a live unit without a word on its end', async () => {
    await watcher.start(abort.signal);
    const unit = systemd.startUnit('mute.scope');
    await eventually(() => started().length === 1);

    systemd.removeUnit(unit);

    const [end] = await eventually(() => (ended().length === 1 ? ended() : undefined));
    expect(end).toMatchObject({ unit: 'mute.scope', result: null, approximate: true });
  });

  it('F030 tells two runs of one unit name apart', async () => {
    await watcher.start(abort.signal);

    const first = systemd.startUnit('again.scope');
    systemd.endUnit(first, { result: 'timeout' });
    const second = systemd.startUnit('again.scope');
    systemd.endUnit(second);

    await eventually(() => ended().length === 2);
    expect(ended().map((end) => [end.invocationId, end.result])).toEqual([
      [first.invocationId, 'timeout'],
      [second.invocationId, 'success'],
    ]);
    expect(started().map((start) => start.invocationId)).toEqual([first.invocationId, second.invocationId]);
  });

  it('tells the end of a service that waits for its restart, and the next run as another', async () => {
    await watcher.start(abort.signal);
    const first = systemd.startUnit('loop.service');
    await eventually(() => started().length === 1);

    systemd.endUnit(
      first,
      { activeState: 'activating', subState: 'auto-restart', result: 'exit-code', execMainCode: 1, execMainStatus: 1 },
      { keep: true },
    );
    const second = systemd.makeUnit('loop.service', { startedAt: first.startedAt, mainStartedAt: Date.now() + 5 });
    systemd.aboutToStart(second, { ...first, invocationId: second.invocationId });
    systemd.changed(second);

    await eventually(() => started().length === 2);
    expect(ended()).toEqual([
      expect.objectContaining({ invocationId: first.invocationId, execMain: { code: 'exited', status: 1 } }),
    ]);
    expect(started()[1]?.invocationId).toBe(second.invocationId);
  });

  it('does not take the moment before a start for a run, also when the unit ran long before', async () => {
    await watcher.start(abort.signal);
    const yesterday = Date.now() - 86_400_000;
    const nightly = systemd.makeUnit('nightly.service');

    systemd.aboutToStart(nightly, { startedAt: yesterday, endedAt: yesterday + 5_000, execMainCode: 1 });
    systemd.changed(nightly);

    await eventually(() => started().length === 1);
    expect(ended()).toEqual([]);
    systemd.endUnit(nightly, { result: 'exit-code', execMainCode: 1, execMainStatus: 2 });
    await eventually(() => ended().length === 1);
    expect(ended()[0]).toMatchObject({
      invocationId: nightly.invocationId,
      execMain: { code: 'exited', status: 2 },
      startedAt: nightly.startedAt,
    });
  });

  it('tells a stop job from an end by itself, and a shutdown from a person', async () => {
    await watcher.start(abort.signal);
    const first = systemd.startUnit('stopped.scope');
    const second = systemd.startUnit('downed.scope');
    const third = systemd.startUnit('reloaded.service');
    await eventually(() => started().length === 3);

    const reload = systemd.queueJob(third.name, 'reload');
    systemd.finishJob(reload, third.name);
    systemd.endUnit(third);
    const stop = systemd.queueJob(first.name, 'stop');
    systemd.endUnit(first);
    systemd.finishJob(stop, first.name);
    systemd.queueJob('shutdown.target', 'start');
    systemd.queueJob(second.name, 'stop');
    systemd.endUnit(second);

    await eventually(() => ended().length === 3);
    expect(ended().map((end) => [end.unit, end.stopJob, end.systemStopping ?? false])).toEqual([
      ['reloaded.service', false, false],
      ['stopped.scope', true, false],
      ['downed.scope', true, true],
    ]);
  });

  it('tells that the system goes down, once for all its targets, and that it does not after all', async () => {
    await watcher.start(abort.signal);
    const stopping = () => sightings.flatMap((seen) => (seen.kind === 'system_stopping' ? [seen.isStopping] : []));

    systemd.queueJob('reboot.target', 'start');
    const job = systemd.queueJob('shutdown.target', 'start');
    await eventually(() => stopping().length > 0);
    systemd.finishJob(job, 'shutdown.target', 'canceled');

    await eventually(() => stopping().length > 1);
    expect(stopping()).toEqual([true, false]);
  });

  it('tells from when to when a container engine is stopped, though it is no task', async () => {
    await watcher.start(abort.signal);
    const said = () => sightings.filter((seen) => seen.kind === 'engine_stopping');
    const docker = systemd.startUnit('docker.service');
    const at = docker.startedAt;
    const becomes = (activeState: string, endedAt: number) =>
      systemd.changed(Object.assign(docker, { activeState, endedAt }));

    becomes('active', at);
    becomes('deactivating', at + 1000);
    becomes('deactivating', at + 1500);
    becomes('inactive', at + 2000);
    becomes('active', at + 3000);

    await eventually(() => said().length > 1);
    expect(said().map(({ unit, isStopping, at: saidAt }) => [unit, isStopping, saidAt - at])).toEqual([
      ['docker.service', true, 1000],
      ['docker.service', false, 2000],
    ]);
    expect(started()).toEqual([]);
  });

  it('F028 finds a manager that says nothing while units come and go: blind since they last agreed, then all of them told', async () => {
    const goes = systemd.makeUnit('goes.scope');
    await watcher.start(abort.signal);
    const before = new Date().toISOString();
    expect(watcher.compareWith(new Set(['goes.scope']))).toBe(false);

    systemd.isMute = true;
    systemd.removeUnit(goes);
    systemd.startUnit('comes.scope');
    const now = new Set(['comes.scope', 'systemd-journald.service']);
    expect(watcher.compareWith(now)).toBe(true);
    expect(watcher.state().state).toBe('seeing');
    systemd.isMute = false;
    watcher.compareWith(now);

    await eventually(() => started().some(({ unit }) => unit === 'comes.scope') && watcher.state().state === 'seeing');
    expect(ended().map(({ unit, approximate }) => [unit, approximate])).toEqual([['goes.scope', true]]);
    const states = sightings.flatMap((seen) => (seen.kind === 'state_changed' ? [seen.state] : []));
    const blind = states.find(({ state }) => state === 'blind');
    expect(blind?.reason).toBe('systemd said nothing of comes.scope, goes.scope');
    expect(Date.parse(blind?.since ?? '') - Date.parse(before)).toBeLessThan(1000);
    expect(gaps()).toHaveLength(1);
    expect(watcher.compareWith(now)).toBe(false);
  });

  it('F028 comes back after the bus is lost, tells the gap, and finds who ended meanwhile', async () => {
    systemd.makeUnit('stays.scope');
    const goes = systemd.makeUnit('goes.scope');
    const fails = systemd.makeUnit('fails.service');
    await watcher.start(abort.signal);
    await eventually(() => started().length === 3);

    await bus.stop();
    await eventually(() => watcher.state().state === 'blind');
    systemd.units.delete(goes.name);
    Object.assign(fails, {
      activeState: 'failed',
      subState: 'failed',
      result: 'exit-code',
      execMainCode: 1,
      execMainStatus: 9,
      endedAt: Date.now(),
    });
    const fresh = systemd.makeUnit('fresh.scope');
    await bus.start();
    await systemd.start();

    await eventually(() => watcher.state().state === 'seeing');
    await eventually(() => started().length === 4 && ended().length === 2);
    expect(gaps()).toHaveLength(1);
    expect(gaps()[0]).toMatchObject({ gap: { source: 'systemd', lost: null, at_most: null } });
    expect(started()[3]?.invocationId).toBe(fresh.invocationId);
    expect(ended().find((end) => end.unit === 'goes.scope')).toMatchObject({
      result: null,
      approximate: true,
      stopJob: null,
    });
    expect(ended().find((end) => end.unit === 'fails.service')).toMatchObject({
      result: 'exit-code',
      execMain: { code: 'exited', status: 9 },
    });
    expect(systemd.blankLoads).toEqual([]);
  });

  it('lists the failed units of every kind, and says so when it cannot be asked', async () => {
    expect(await watcher.failedUnits()).toBeNull();
    await watcher.start(abort.signal);
    systemd.startUnit('good.service');
    systemd.makeUnit('data.mount', { activeState: 'failed', subState: 'failed' });
    systemd.makeUnit('ssh.service', { activeState: 'failed', subState: 'failed' });

    expect((await watcher.failedUnits())?.toSorted()).toEqual(['data.mount', 'ssh.service']);

    systemd.stop();
    await eventually(async () => (await watcher.failedUnits().catch(() => null)) === null);
  });

  it('F029 neither loses nor doubles an end over a daemon-reload', async () => {
    const stays = systemd.makeUnit('stays.scope');
    const goes = systemd.makeUnit('goes.scope');
    await watcher.start(abort.signal);

    systemd.reload(() => systemd.units.delete(goes.name));
    await eventually(() => ended().length === 1);
    systemd.endUnit(stays, { result: 'timeout' });

    await eventually(() => ended().length === 2);
    expect(ended().map((end) => [end.unit, end.result])).toEqual([
      ['goes.scope', null],
      ['stays.scope', 'timeout'],
    ]);
    expect(started()).toHaveLength(2);
  });

  it('F029 takes no unit for ended that began right after the listing that does not show it', async () => {
    const old = systemd.makeUnit('t1.service');
    await watcher.start(abort.signal);
    systemd.afterListing = () => {
      systemd.afterListing = null;
      systemd.endUnit(old, { result: 'exit-code', execMainCode: 1, execMainStatus: 7 });
      systemd.startUnit('t2.scope');
      // Until the bus has passed it all on: the watcher then hears the answer and the signals at once.
      spinFor(200);
    };

    systemd.reload();

    await eventually(() => started().some(({ unit }) => unit === 't2.scope') && ended().length > 0);
    await eventually(() => systemd.calls.filter((call) => call.startsWith('Get')).length >= 4);
    expect(ended()).toMatchObject([{ unit: 't1.service', execMain: { code: 'exited', status: 7 } }]);
    expect(started().map(({ unit }) => unit)).toEqual(['t1.service', 't2.scope']);
  });

  it('F001 tells how a unit failed before anybody listened, though it is spoken of while it is asked about', async () => {
    const failed = {
      activeState: 'failed',
      subState: 'failed',
      result: 'exit-code',
      execMainCode: 1,
      execMainStatus: 7,
    };
    const at = Date.now() - 5000;
    const unit = systemd.makeUnit('t1.service', { ...failed, startedAt: at, endedAt: at + 1000 });
    systemd.holdAnswers = true;
    const starting = watcher.start(abort.signal);
    await eventually(() => systemd.calls.some((call) => call.startsWith('GetAll')));

    systemd.changed(unit);
    systemd.releaseAnswers();
    await starting;

    expect(ended()).toMatchObject([{ unit: 't1.service', execMain: { code: 'exited', status: 7 } }]);
  });

  it('F029 goes on after a daemon-reexec, which changes the owner of the manager’s name', async () => {
    const stays = systemd.makeUnit('stays.scope');
    await watcher.start(abort.signal);

    await systemd.reexec();
    await eventually(() => systemd.isSubscribed);
    systemd.endUnit(stays, { result: 'oom-kill' });

    await eventually(() => ended().length === 1);
    expect(ended()[0]).toMatchObject({ result: 'oom-kill', invocationId: stays.invocationId });
    expect(started()).toHaveLength(1);
  });

  it('F027 counts 10,000 units that come and go in a burst, each once, and keeps its thread free', async () => {
    await watcher.start(abort.signal);
    let longestMs = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 20);

    try {
      for (let i = 0; i < 10_000; i += 1) {
        const unit = systemd.startUnit(`storm-${i}.scope`);
        systemd.endUnit(unit, i % 10 === 0 ? { result: 'oom-kill' } : {});
        if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      }
      await eventually(() => ended().length === 10_000, { timeoutMs: 60_000 });
    } finally {
      clearInterval(pulse);
    }

    expect(new Set(ended().map((end) => end.invocationId)).size).toBe(10_000);
    expect(ended().filter((end) => end.result === 'oom-kill')).toHaveLength(1_000);
    expect(started()).toHaveLength(10_000);
    expect(gaps()).toHaveLength(0);
    // Sender and receiver share this thread; it is never held for as long as a heartbeat would notice.
    expect(longestMs).toBeLessThan(2_000);
  });

  it('does not pay for 5,000 units that are none of ours', async () => {
    for (let i = 0; i < 5_000; i += 1) systemd.makeUnit(`systemd-thing@${i}.service`);
    const ours = systemd.makeUnit('ours.scope');

    await watcher.start(abort.signal);

    expect(started().map((start) => start.invocationId)).toEqual([ours.invocationId]);
    expect(systemd.calls.filter((call) => call.startsWith('GetAll'))).toEqual([
      'GetAll ours.scope',
      'GetAll ours.scope',
    ]);
  });

  it('says blind and why when there is no bus, and sees when it comes', async () => {
    systemd.stop();
    await bus.stop();

    await watcher.start(abort.signal);
    expect(watcher.state()).toMatchObject({
      state: 'blind',
      reason: expect.stringContaining('cannot hear systemd over D-Bus'),
    });

    await bus.start();
    await systemd.start();
    await eventually(() => watcher.state().state === 'seeing');
  });
});

it('is off where systemd is not PID 1, and does nothing', async () => {
  const sightings: Sighting[] = [];
  const watcher = createSystemdWatcher({
    report: (sighting) => sightings.push(sighting),
    include: ['*'],
    exclude: [],
    clock: systemClock,
    log,
    isBooted: () => false,
  });

  await watcher.start(new AbortController().signal);

  expect(watcher.state()).toMatchObject({ state: 'off', reason: 'PID 1 is not systemd' });
  await watcher.stop();
});
