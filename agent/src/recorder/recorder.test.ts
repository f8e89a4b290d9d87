import { taskRecording } from '@runnerwatch/shared/model/recording.ts';
import { describe, expect, it } from 'vitest';
import { type NodeGauges, nothingRead, type TaskReading } from './reading.ts';
import { Recorder } from './recorder.ts';
import type { RecordedPart } from './recorder-file.ts';

const noon = Date.UTC(2026, 0, 1, 12);
const MiB = 1024 * 1024;

const nodeUnread: NodeGauges = {
  memoryBytes: null,
  memoryLimitBytes: null,
  swapBytes: null,
  cpuPercent: null,
  load1: null,
  cpuStallPercent: null,
  memoryStallPercent: null,
  ioStallPercent: null,
  readBytes: null,
  writtenBytes: null,
  diskUsedPercent: null,
};

/** A recorder that is given a reading a second. */
function taped({ windowMs = 300_000, intervalMs = 1000 } = {}) {
  const recorder = new Recorder({ windowMs, intervalMs });
  let wallMs = noon;
  let monotonicMs = 5000;
  return {
    recorder,
    get wallMs() {
      return wallMs;
    },
    tick(readings: Record<string, Partial<TaskReading>> = {}, node: Partial<NodeGauges> = {}) {
      wallMs += intervalMs;
      monotonicMs += intervalMs;
      const full = Object.entries(readings).map(([key, reading]) => [key, { ...nothingRead, ...reading }] as const);
      recorder.take(new Map(full), { ...nodeUnread, cpuPercent: 50, ...node }, { wallMs, monotonicMs });
    },
    skip(ms: number, { of = 'both' }: { of?: 'both' | 'wall' } = {}) {
      wallMs += ms;
      if (of === 'both') monotonicMs += ms;
    },
    close(key: string, more: { cgroup?: string; startedAt?: number | null; endedAt?: number } = {}) {
      return recorder.close({ key, cgroup: null, startedAt: noon, endedAt: wallMs, ...more });
    },
  };
}

describe('the recorder', () => {
  it('tells of a task that rests its last reading again, and then what grew meanwhile as its mean', () => {
    const { recorder, close } = taped();
    const take = (second: number, reading: TaskReading) =>
      recorder.take(new Map([['a', reading]]), nodeUnread, {
        wallMs: noon + second * 1000,
        monotonicMs: second * 1000,
      });
    const resting = { ...nothingRead, memoryBytes: MiB, cpuUsec: 500_000, writtenBytes: 0 };
    take(1, { ...resting, wholeAtMs: 1000 });
    const carriedOver = { ...resting, wholeAtMs: 2000 };
    for (const second of [2, 3, 4, 5]) take(second, carriedOver);
    take(6, { ...resting, cpuUsec: 1_000_000, writtenBytes: 8192, wholeAtMs: 6000 });

    const recording = close('a', { endedAt: noon + 6000 });

    expect(recording?.task).toEqual({
      memory_bytes: [MiB, MiB, MiB, MiB, MiB, MiB],
      cpu_percent: [null, 0, 0, 0, 0, 50],
      written_bytes_per_s: [null, 0, 0, 0, 0, 2048],
    });
  });

  it('tells a gauge as read, and a counter as what it grew by', () => {
    const tape = taped();
    tape.tick({ a: { memoryBytes: 100 * MiB, memoryLimitBytes: 512 * MiB, cpuUsec: 1_000_000, readBytes: 0 } });
    tape.tick({ a: { memoryBytes: 200 * MiB, memoryLimitBytes: 512 * MiB, cpuUsec: 2_500_000, readBytes: 4096 } });
    tape.tick({ a: { memoryBytes: null, memoryLimitBytes: 512 * MiB, cpuUsec: 2_600_000, readBytes: 100 } });

    const recording = tape.close('a');

    expect(recording).toMatchObject({
      interval_ms: 1000,
      until: '2026-01-01T12:00:03.000Z',
      complete_until: '2026-01-01T12:00:03.000Z',
      task: {
        memory_bytes: [100 * MiB, 200 * MiB, null],
        memory_limit_bytes: [512 * MiB, 512 * MiB, 512 * MiB],
        cpu_percent: [null, 150, 10],
        read_bytes_per_s: [null, 4096, null],
      },
      node: { cpu_percent: [50, 50, 50] },
    });
    expect(Object.keys(recording?.task ?? {})).not.toContain('processes');
    expect(taskRecording.parse(recording)).toEqual(recording);
  });

  it('ends where the task ended, though the readings of its empty cgroup went on', () => {
    const tape = taped();
    for (const memoryBytes of [10, 20, 30]) tape.tick({ a: { memoryBytes } });
    const endedAt = tape.wallMs + 300;
    for (let late = 0; late < 3; late += 1) tape.tick({ a: { memoryBytes: 0 } });

    expect(tape.close('a', { endedAt })).toMatchObject({
      until: '2026-01-01T12:00:03.000Z',
      task: { memory_bytes: [10, 20, 30] },
    });
  });

  it('begins with the node ten seconds before the task, and reaches back no further than the window', () => {
    const tape = taped({ windowMs: 60_000 });
    for (let second = 0; second < 30; second += 1) tape.tick();
    const startedAt = tape.wallMs;
    for (let second = 0; second < 5; second += 1) tape.tick({ a: { processes: 1 }, b: { processes: 2 } });
    const short = tape.close('a', { startedAt });
    for (let second = 0; second < 100; second += 1) tape.tick({ b: { processes: 2 } });
    const long = tape.close('b', { startedAt });

    expect(short?.node['cpu_percent']).toHaveLength(16);
    expect(short?.task['processes']).toEqual([...Array<null>(11).fill(null), 1, 1, 1, 1, 1]);
    expect(long?.node['cpu_percent']).toHaveLength(60);
    expect(long?.task['processes']).toEqual(Array(60).fill(2));
  });

  it('has only the node of a task that was never read, and its last reading when its cgroup was still there', () => {
    const tape = taped();
    tape.tick();
    tape.recorder.part('/b.scope', { ...nothingRead, memoryBytes: 7 * MiB, cpuUsec: 900 });

    expect(tape.close('a')).toMatchObject({ task: {}, node: { cpu_percent: [50] } });
    expect(tape.close('b', { cgroup: '/b.scope' })).toMatchObject({ task: { memory_bytes: [7 * MiB] } });
    expect(tape.close('b', { cgroup: '/b.scope' })?.task).toEqual({});
  });

  it('says nothing of an end before all it remembers', () => {
    const tape = taped({ windowMs: 5000 });
    for (let second = 0; second < 20; second += 1) tape.tick({ a: { processes: 1 } });

    expect(tape.close('a', { endedAt: noon + 2000 })).toBeNull();
    expect(
      new Recorder({ windowMs: 5000, intervalMs: 1000 }).close({
        key: 'a',
        cgroup: null,
        startedAt: null,
        endedAt: noon,
      }),
    ).toBeNull();
  });

  it('tells a long window in coarser steps by their largest values, and the last moment as it was', () => {
    const tape = taped({ windowMs: 1_200_000 });
    for (let second = 1; second <= 1200; second += 1) tape.tick({ a: { memoryBytes: second === 600 ? 9999 : second } });

    const recording = tape.close('a', { startedAt: null });

    expect(recording?.interval_ms).toBe(3000);
    expect(recording?.task['memory_bytes']).toHaveLength(400);
    expect(recording?.task['memory_bytes']?.slice(-2)).toEqual([1197, 1200]);
    expect(recording?.task['memory_bytes']).toContain(9999);
  });

  it('leaves a hole for a suspend, and none for a clock that was set back', () => {
    const tape = taped();
    tape.tick({ a: { processes: 1 } });
    tape.skip(3000, { of: 'wall' });
    tape.tick({ a: { processes: 2 } });
    tape.skip(-3_600_000, { of: 'wall' });
    tape.tick({ a: { processes: 3 } });

    expect(tape.close('a', { startedAt: null })?.task['processes']?.slice(-6)).toEqual([1, null, null, null, 2, 3]);
  });

  it('keeps what is read late within its tick', () => {
    const tape = taped();
    for (const lateMs of [0, 400, -390, 300, -310]) {
      tape.skip(lateMs);
      tape.tick({ a: { processes: 1 } });
    }

    expect(tape.close('a', { startedAt: null })?.task['processes']?.slice(-5)).toEqual([1, 1, 1, 1, 1]);
  });

  it('costs under 3 MiB for 50 tasks and five minutes', () => {
    const tape = taped();
    const readings = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`task-${index}`, { processes: 1 }]));
    for (let second = 0; second < 310; second += 1) tape.tick(readings);

    expect(tape.recorder.sizeBytes).toBe((50 * 10 + 11) * 300 * 4);
    expect(tape.recorder.sizeBytes).toBeLessThan(3 * MiB);
  });

  it('has a bound however many tasks run, and prefers those that are read at every tick', () => {
    const tape = taped({ windowMs: 10_000 });
    const steady = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`s${index}`, { processes: 1 }]));
    for (let second = 0; second < 100; second += 1) {
      const turn = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${second * 50 + i}`, { processes: 1 }]));
      tape.tick({ ...turn, ...steady });
    }

    expect(tape.recorder.sizeBytes).toBeLessThanOrEqual((256 * 10 + 11) * 10 * 4);
    expect(tape.close('s199')?.task['processes']).toEqual(Array(10).fill(1));
  });
});

describe('a later life of the recorder', () => {
  function died(): { parts: RecordedPart[]; until: number } {
    const tape = taped();
    const parts: RecordedPart[] = [];
    for (let second = 1; second <= 25; second += 1) {
      tape.tick({ a: { memoryBytes: second * MiB }, gone: { memoryBytes: 1 } });
      if (second % 10 === 0) parts.push(tape.recorder.takePart() as RecordedPart);
    }
    return { parts, until: noon + 20_000 };
  }

  it('tells of a task that ended meanwhile what had reached the disk, and how far that is', () => {
    const { parts, until } = died();
    const tape = taped();
    tape.recorder.restore(parts, (key) => key === 'a');

    const recording = tape.close('a', { endedAt: noon + 30_000 });

    expect(recording).toMatchObject({
      until: new Date(until).toISOString(),
      complete_until: new Date(until).toISOString(),
    });
    expect(recording?.task['memory_bytes']).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * MiB));
    expect(tape.close('gone', { endedAt: noon + 30_000 })?.task).toEqual({});
  });

  it('goes on with a task that still runs, with the hole between', () => {
    const { parts, until } = died();
    const tape = taped();
    tape.recorder.restore(parts, () => true);
    tape.skip(30_000);
    for (let second = 0; second < 3; second += 1) tape.tick({ a: { memoryBytes: 50 * MiB } });

    const recording = tape.close('a');

    expect(recording?.complete_until).toBe(new Date(until).toISOString());
    expect(recording?.until).toBe(new Date(noon + 33_000).toISOString());
    expect(recording?.task['memory_bytes']?.slice(18)).toEqual([
      19 * MiB,
      20 * MiB,
      ...Array<null>(10).fill(null),
      50 * MiB,
      50 * MiB,
      50 * MiB,
    ]);
  });

  it('has nothing to keep when nothing runs, and begins anew after another interval was configured', () => {
    const idle = taped();
    idle.tick();
    const slower = new Recorder({ windowMs: 300_000, intervalMs: 5000 });
    slower.restore(died().parts, () => true);

    expect(idle.recorder.takePart()).toBeNull();
    expect(slower.close({ key: 'a', cgroup: null, startedAt: noon, endedAt: noon + 30_000 })).toBeNull();
  });
});
