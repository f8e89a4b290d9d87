import { type NodeReading, unreadSample } from '@runnerwatch/shared/conditions/reading.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { readCurve } from '../../../test/support/curves.ts';
import { runningTask, taskReading } from '../../../test/support/running-task.ts';
import type { TaskReading } from '../recorder/reading.ts';
import type { Run } from '../tasks/run.ts';
import type { WarningSettings } from './settings.ts';
import { createWarnings } from './warnings.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const startedAt = Date.UTC(2026, 10, 22);

const settings: WarningSettings = {
  memoryExhaustion: { withinMs: 600_000, clearMs: 1_200_000, forMs: 30_000 },
  diskFull: { withinMs: 3_600_000, clearMs: 7_200_000, forMs: 300_000 },
  stalled: { forMs: 1_800_000, include: null },
  overrun: { threshold: 80 },
  unitFailed: { isTask: (unit) => unit.endsWith('.service'), isWatched: (unit) => unit.endsWith('.mount') },
};

interface Moment {
  runs: Run[];
  readings: Record<string, Partial<TaskReading>>;
  sample?: Partial<NodeReading['sample']>;
  reclaimable?: number | null;
}

/** The agent's part around the warnings: what is told, what is on disk, and lives that end without a word. */
class Node {
  told: ConditionReport[] = [];
  onDisk: ConditionReport[] = [];
  failed: string[] | null = [];
  /** When the log of a run last grew, by the second of the node; and who was asked when. */
  logGrew: (run: Run) => Promise<number | null> = async () => null;
  asked: { name: string; second: number; sinceSecond: number }[] = [];
  nowMs = 0;
  #warnings: ReturnType<typeof createWarnings>;
  #reclaimable: number | null = 0;
  readonly #settings: WarningSettings;

  constructor(more: Partial<WarningSettings> = {}) {
    this.#settings = { ...settings, ...more };
    this.#warnings = this.#create(this.#settings);
  }

  /** The agent dies, and another life begins on the same machine. */
  restart(more: Partial<WarningSettings> = {}): void {
    this.#warnings = this.#create({ ...this.#settings, ...more });
  }

  /** Ticks of a second each; what is measured may depend on the second. */
  async run(seconds: number, momentAt: (second: number) => Moment): Promise<ConditionReport[]> {
    const before = this.told.length;
    for (let tick = 0; tick < seconds; tick += 1) {
      const { runs, readings, sample = {}, reclaimable = 0 } = momentAt(this.nowMs / 1000);
      this.#reclaimable = reclaimable;
      const now = { wallMs: startedAt + this.nowMs, monotonicMs: this.nowMs };
      this.#warnings.take({
        runs,
        readings: new Map(runs.flatMap(({ key, identity }) => pair(key, readings[identity.name]))),
        sample: {
          sample: { ...unreadSample(new Date(now.wallMs).toISOString()), ...sample },
          unreadDisks: [],
          ruleProcesses: null,
        },
        now,
      });
      await Promise.resolve();
      this.nowMs += 1000;
    }
    return this.told.slice(before);
  }

  #create(chosen: WarningSettings) {
    return createWarnings({
      settings: chosen,
      firing: {
        load: () => this.onDisk,
        save: (firing) => {
          this.onDisk = [...firing];
        },
      },
      tell: (report) => this.told.push(report),
      readReclaimable: () => this.#reclaimable,
      logLinesOf: () => null,
      logGrewAt: async (run, sinceMs) => {
        const sinceSecond = Math.round((sinceMs - startedAt) / 1000);
        this.asked.push({ name: run.identity.name, second: this.nowMs / 1000, sinceSecond });
        const second = await this.logGrew(run);
        return second === null ? null : startedAt + second * 1000;
      },
      failedUnits: async () => this.failed,
      log: pino({ level: 'silent' }),
    });
  }
}

function pair(key: string, reading: Partial<TaskReading> | undefined): [string, TaskReading][] {
  return reading === undefined ? [] : [[key, taskReading(reading)]];
}

const words = (reports: readonly ConditionReport[]) =>
  reports.map(
    ({ condition, subject, status, severity }) => `${condition} ${subject} ${status === 'true' ? severity : status}`,
  );

const train = runningTask('train-7', { startedAt });
const growing = (second: number, more: Partial<Moment> = {}): Moment => ({
  runs: [train],
  readings: {
    'train-7': { memoryBytes: (200 + second * 2) * MiB, memoryLimitBytes: 1000 * MiB, cpuUsec: second * 1e6 },
  },
  ...more,
});

describe('early warnings', () => {
  it('speak of a recorded leak once before it is too late, once when little time is left, and never of its end', async () => {
    const node = new Node();
    const curve = readCurve('leak').slice(0, -1);

    for (const [index, { atMs, memoryBytes, reclaimableBytes, cpuUsec }] of curve.entries()) {
      const nextMs = curve[index + 1]?.atMs ?? atMs + 5000;
      await node.run(Math.round((nextMs - atMs) / 1000), () => ({
        runs: [train],
        readings: { 'train-7': { memoryBytes, memoryLimitBytes: 900 * MiB, cpuUsec } },
        reclaimable: reclaimableBytes,
      }));
    }
    await node.run(60, () => ({ runs: [], readings: {} }));

    const subject = train.identity.id;
    const severities = node.told.map(({ status, severity, subject: of }) => `${of} ${status} ${severity}`);
    expect([...new Set(severities)]).toEqual([`${subject} true warning`, `${subject} true critical`]);
    expect(node.told[0]?.reason).toMatch(/^task train-7: limit 900 MiB reached in about \d min at [12]\.\d MiB\/s/);
    // Apart from the rise in severity no more than one a minute, for the reason's sake.
    expect(node.told.length).toBeLessThanOrEqual(8);
    expect(node.onDisk).toEqual([]);
  });

  it('F082 are not told twice, and not taken back, when the agent is killed and starts again', async () => {
    const node = new Node();
    expect(words(await node.run(120, growing))).toEqual([`MemoryExhaustionPredicted ${train.identity.id} warning`]);

    node.restart();
    const after = await node.run(50, growing);
    const later = await node.run(60, growing);

    expect(after).toEqual([]);
    expect(later.every(({ status }) => status === 'true')).toBe(true);
  });

  it('end after a restart as they would have before it', async () => {
    const node = new Node();
    await node.run(120, growing);

    node.restart();
    const after = await node.run(180, () => growing(120));

    expect(words(after).at(-1)).toBe(`MemoryExhaustionPredicted ${train.identity.id} false`);
    expect(node.onDisk).toEqual([]);
  });

  it('are forgotten without a word when their task has ended, also while the agent was dead', async () => {
    const node = new Node();
    await node.run(120, growing);

    node.restart();
    const after = await node.run(30, () => ({ runs: [], readings: {} }));

    expect(after).toEqual([]);
    expect(node.onDisk).toEqual([]);
  });

  it('that a new configuration does not make any more are ended by it', async () => {
    const node = new Node();
    await node.run(120, growing);

    node.restart({ memoryExhaustion: null });
    const after = await node.run(5, growing);

    expect(after).toMatchObject([{ status: 'false', reason: 'not judged any more: the configuration was changed' }]);
  });

  it('name the task, not the node, when a task without a limit uses up the memory of the node', async () => {
    const node = new Node();

    const told = await node.run(140, (second) =>
      growing(second, {
        readings: { 'train-7': { memoryBytes: (200 + second * 20) * MiB, cpuUsec: second * 1e6 } },
        sample: { memory_total_bytes: 8 * GiB, memory_available_bytes: 7 * GiB - second * 20 * MiB },
      }),
    );

    expect(words(told)).toEqual([`MemoryExhaustionPredicted ${train.identity.id} warning`]);
    expect(told[0]?.reason).toContain('the end of the memory of the node reached in about');
  });

  it('speak of the node when many together use up its memory', async () => {
    const node = new Node();

    const told = await node.run(140, (second) => ({
      runs: [],
      readings: {},
      sample: { memory_total_bytes: 8 * GiB, memory_available_bytes: 7 * GiB - second * 20 * MiB },
    }));

    expect(words(told)).toEqual(['MemoryExhaustionPredicted  warning']);
  });

  it('speak of a disk with the tasks that write, and of its end when it is no longer mounted', async () => {
    const node = new Node();
    const disk = (second: number) => ({
      mount: '/data',
      device: '/dev/sdb1',
      fstype: 'ext4',
      total_bytes: 100 * GiB,
      used_bytes: (20 + second * 0.03) * GiB,
      available_bytes: (80 - second * 0.03) * GiB,
      used_percent: 20 + second * 0.03,
      inodes_used_percent: 1,
    });
    const moment = (second: number): Moment => ({
      runs: [train],
      readings: { 'train-7': { memoryBytes: MiB, cpuUsec: second * 1e6, writtenBytes: second * 15 * MiB } },
      sample: { disks: [disk(second)] },
    });

    const told = await node.run(640, moment);
    const unmounted = await node.run(20, () => ({ runs: [], readings: {}, sample: { disks: [] } }));

    expect(words(told)).toEqual(['DiskFullPredicted /data warning']);
    expect(told[0]?.reason).toContain('task train-7 writes 15.0 MiB/s');
    expect(unmounted).toMatchObject([{ status: 'false', reason: '/data is not mounted any more' }]);
  });

  it('speak of a scope that stands still and of a service only when it is named', async () => {
    const still = (runs: Run[]) => () => ({ runs, readings: { 'train-7': { cpuUsec: 5 }, api: { cpuUsec: 5 } } });
    const runs = [train, runningTask('api', { unit: 'api.service' })];

    const byDefault = await new Node().run(1850, still(runs));
    const named = await new Node({ stalled: { forMs: 1_800_000, include: ['api*'] } }).run(1850, still(runs));

    expect(words(byDefault)).toEqual([`TaskStalled ${train.identity.id} warning`]);
    expect(byDefault[0]?.reason).toBe('task train-7: no CPU, IO or log for 30 min (threshold 30 min)');
    expect(words(named)).toEqual(['TaskStalled id-of-api warning']);
  });

  it('take a task for alive whose only sign of life is its log, and ask for it only when nothing else shows', async () => {
    const node = new Node();
    const chatty = runningTask('chatty', { startedAt });
    const silent = runningTask('silent', { startedAt });
    const still = { runs: [train, chatty, silent], readings: { chatty: { cpuUsec: 5 }, silent: { cpuUsec: 5 } } };
    // It says something every 20 minutes, and nothing any more after two hours.
    node.logGrew = async ({ identity }) =>
      identity.name === 'chatty' ? Math.floor(Math.min(node.nowMs / 1000, 7200) / 1200) * 1200 : null;

    const told = await node.run(10_000, (second) => ({
      ...still,
      readings: { ...still.readings, 'train-7': { cpuUsec: second * 1e6 } },
    }));

    expect(words(told.filter(({ subject }) => subject === silent.identity.id))[0]).toBe(
      `TaskStalled ${silent.identity.id} warning`,
    );
    const chattyTold = told.filter(({ subject }) => subject === chatty.identity.id);
    expect(words(chattyTold)[0]).toBe(`TaskStalled ${chatty.identity.id} warning`);
    expect(Date.parse(chattyTold[0]?.since ?? '')).toBeGreaterThan(startedAt + (7200 + 1800) * 1000);
    expect(Date.parse(chattyTold[0]?.since ?? '')).toBeLessThan(startedAt + (7200 + 1900) * 1000);
    expect(node.asked.filter(({ name }) => name === 'train-7')).toEqual([]);
    expect(node.asked.filter(({ name, second }) => name === 'chatty' && second < 7200)).toHaveLength(5);
    expect(node.asked[0]?.second).toBeGreaterThan(1800);
    expect(node.asked[0]?.sinceSecond).toBeLessThan(6);
  });

  it('wait for the word of a log before they call a task stalled, end at its next line, and do without one that cannot be read', async () => {
    const node = new Node();
    let answer: (second: number | null) => void = () => {};
    node.logGrew = () => new Promise((resolve) => (answer = resolve));
    const still: Moment = { runs: [train], readings: { 'train-7': { cpuUsec: 5 } } };

    const unanswered = await node.run(2400, () => still);
    answer(null);
    const silent = await node.run(120, () => still);
    answer(node.nowMs / 1000);
    const said = await node.run(70, () => still);
    node.logGrew = () => Promise.reject(new Error('nobody knows'));
    answer(null);
    const unreadable = await node.run(2400, () => still);

    expect(unanswered).toEqual([]);
    expect(words(silent)[0]).toBe(`TaskStalled ${train.identity.id} warning`);
    expect(words(said).at(-1)).toBe(`TaskStalled ${train.identity.id} false`);
    expect(words(unreadable)[0]).toBe(`TaskStalled ${train.identity.id} warning`);
  });

  it('ask for a log in time where a short silence already counts', async () => {
    const node = new Node({ stalled: { forMs: 12_000, include: null } });
    node.logGrew = async () => Math.min(node.nowMs / 1000, 60);

    const told = await node.run(100, () => ({ runs: [train], readings: { 'train-7': { cpuUsec: 5 } } }));

    expect(words(told)).toEqual([`TaskStalled ${train.identity.id} warning`]);
    expect(Date.parse(told[0]?.since ?? '') - startedAt).toBeGreaterThan(72_000);
    expect(Date.parse(told[0]?.since ?? '') - startedAt).toBeLessThan(92_000);
  });

  it('F082 keep a task that stands still as such over a restart of the agent, until it works again', async () => {
    const node = new Node();
    await node.run(1900, () => ({ runs: [train], readings: { 'train-7': { cpuUsec: 5 } } }));

    node.restart();
    const still = await node.run(300, () => ({ runs: [train], readings: { 'train-7': { cpuUsec: 5 } } }));
    const works = await node.run(10, () => ({ runs: [train], readings: { 'train-7': { cpuUsec: 9e6 } } }));

    expect(still.every(({ status }) => status === 'true')).toBe(true);
    expect(words(works)).toEqual([`TaskStalled ${train.identity.id} false`]);
  });

  it('speak of a time limit at 80 and at 90 percent of it, whatever the wall clock does after the start', async () => {
    const node = new Node();
    const limited = runningTask('limited', { startedAt, timeoutMs: 100_000 });

    const told = await node.run(100, () => ({ runs: [limited], readings: {} }));

    expect(words(told)).toEqual(['TaskOverrun id-of-limited info', 'TaskOverrun id-of-limited warning']);
    expect(told[0]).toMatchObject({
      threshold: 80,
      reason: expect.stringContaining('of its time limit of 2 min') as string,
    });
  });

  it('speak of units that systemd holds as failed, and of nothing while it cannot be asked', async () => {
    const node = new Node();
    const nothing = () => ({ runs: [], readings: {} });
    node.failed = ['data.mount', 'api.service', 'session-1.scope'];
    const failed = await node.run(20, nothing);
    node.failed = null;
    const silent = await node.run(40, nothing);
    node.failed = ['api.service'];

    const again = await node.run(40, nothing);

    expect(words(failed).toSorted()).toEqual(['UnitFailed api.service info', 'UnitFailed data.mount warning']);
    expect(silent).toEqual([]);
    expect(words(again)).toEqual(['UnitFailed data.mount false']);
  });

  it('say nothing of what cannot be read', async () => {
    const told = await new Node().run(300, (second) => ({ ...growing(second), reclaimable: null }));

    expect(told).toEqual([]);
  });

  it('cost little for hundreds of tasks', async () => {
    const runs = Array.from({ length: 500 }, (_, index) => runningTask(`t${index}`, { startedAt }));
    const node = new Node();
    const began = process.cpuUsage();

    await node.run(60, (second) => ({
      runs,
      readings: Object.fromEntries(
        runs.map(({ identity }) => [
          identity.name,
          { memoryBytes: (100 + second) * MiB, memoryLimitBytes: GiB, cpuUsec: second * 1e6 },
        ]),
      ),
    }));

    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000 / 60).toBeLessThan(50);
  });
});
