import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Sighting } from '../watcher.ts';
import { parseEntry } from './entry.ts';
import { type KernelReading, LifecycleReader, messageIds } from './lifecycle.ts';

const lines = readFileSync(new URL('../../../../test/fixtures/journal/units.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');

function readAll(): Sighting[] {
  const reader = new LifecycleReader(() => true);
  const sightings = lines.flatMap((line) => {
    const entry = parseEntry(line);
    return entry === null ? [] : reader.read(entry);
  });
  return [...sightings, ...reader.flush()];
}

const ends = () => readAll().filter((sighting) => sighting.kind === 'unit_ended');
const endOf = (invocation: string) => ends().filter((end) => end.invocationId === invocation.padStart(32, '0'));

describe('what systemd wrote about units', () => {
  it('is an end without a status for a scope, whatever its command exited with', () => {
    expect(endOf('a1')).toEqual([
      expect.objectContaining({
        unit: 't1.scope',
        result: 'success',
        execMain: null,
        stopJob: null,
        via: 'journal',
        approximate: false,
      }),
    ]);
  });

  it('has the OOM result, CPU time and peak of a scope over its limit, and the kernel’s line with the process', () => {
    expect(endOf('a2')).toEqual([
      expect.objectContaining({ result: 'oom-kill', cpuNs: 1_810_000_000, memoryPeakBytes: 52_428_800 }),
    ]);
    expect(readAll()).toContainEqual(expect.objectContaining({ kind: 'unit_oom', unit: 't2.scope' }));
    expect(readAll()).toContainEqual(
      expect.objectContaining({
        kind: 'kernel_oom',
        pid: 812,
        comm: 'stress,vm',
        cgroup: '/system.slice/t2.scope',
        scope: 'cgroup',
        limitedCgroup: '/system.slice/t2.scope',
      }),
    );
  });

  it('has the exit of a service’s main process, not that of a helper command, and each run apart', () => {
    expect(endOf('b1')).toEqual([
      expect.objectContaining({ result: 'exit-code', execMain: { code: 'exited', status: 7 } }),
    ]);
    expect(endOf('b2')).toEqual([
      expect.objectContaining({ result: 'core-dump', execMain: { code: 'dumped', status: 11 } }),
    ]);
    expect(endOf('b1')[0]?.startedAt).not.toBeNull();
  });

  it('tells a time limit and a stop job', () => {
    expect(endOf('a3')).toEqual([expect.objectContaining({ result: 'timeout', stopJob: null })]);
    expect(endOf('a4')).toEqual([expect.objectContaining({ result: 'success', stopJob: true })]);
    expect(endOf('a4')[0]).not.toHaveProperty('systemStopping');
  });

  it('tells a stop by the system from one by a person', () => {
    expect(endOf('a6')).toEqual([expect.objectContaining({ stopJob: true, systemStopping: true })]);
  });

  it('does not start a oneshot service after its end', () => {
    const once = readAll().filter((sighting) => 'unit' in sighting && sighting.unit === 'once.service');

    expect(once.map((sighting) => sighting.kind)).toEqual(['unit_ended']);
  });

  it('believes message ids only of PID 1, and OOM lines only of the kernel', () => {
    expect(readAll().filter((sighting) => JSON.stringify(sighting).includes('victim'))).toEqual([]);
  });

  it('tells a machine out of memory from a limit reached', () => {
    expect(readAll()).toContainEqual(
      expect.objectContaining({ kind: 'kernel_oom', pid: 901, scope: 'host', limitedCgroup: null }),
    );
  });

  it('leaves out units that are none of ours', () => {
    const reader = new LifecycleReader((unit) => unit === 't1.scope');
    const sightings = lines.flatMap((line) => {
      const entry = parseEntry(line);
      return entry === null ? [] : reader.read(entry);
    });

    const units = new Set(
      [...sightings, ...reader.flush()].flatMap((sighting) => ('unit' in sighting ? [sighting.unit] : [])),
    );
    expect([...units]).toEqual(['t1.scope']);
  });
});

describe('a container engine that is stopped', () => {
  const at = 1_795_320_000_001;
  const read = (messageId: string, fields: Record<string, string> = {}) => {
    const text = { MESSAGE_ID: messageId, UNIT: 'docker.service', INVOCATION_ID: 'd1', _PID: '1', ...fields };
    const entry = parseEntry(
      JSON.stringify({ __CURSOR: 's=1;i=1', __REALTIME_TIMESTAMP: `${at}000`, _BOOT_ID: 'b', ...text }),
    );
    const reader = new LifecycleReader((unit) => unit !== 'docker.service');
    return entry === null ? [] : [...reader.read(entry), ...reader.flush()];
  };
  const stopping = { kind: 'engine_stopping', unit: 'docker.service', at };

  it('is told although it is no task, until it is over', () => {
    expect(read(messageIds.stopping)).toEqual([{ ...stopping, isStopping: true }]);
    for (const over of [messageIds.succeeded, messageIds.failed])
      expect(read(over)).toEqual([{ ...stopping, isStopping: false }]);
    expect(read(messageIds.started, { JOB_RESULT: 'done' })).toEqual([]);
  });

  it('is believed of PID 1 alone', () => {
    expect(read(messageIds.stopping, { _PID: '4711' })).toEqual([]);
  });
});

describe('what others than PID 1 wrote', () => {
  const at = 1_795_320_000_001;
  const read = (fields: Record<string, string>, kernel: KernelReading = {}) => {
    const reader = new LifecycleReader(() => true, kernel);
    const entry = parseEntry(
      JSON.stringify({ __CURSOR: 's=1;i=1', __REALTIME_TIMESTAMP: `${at}000`, _BOOT_ID: 'b', ...fields }),
    );
    return entry === null ? [] : [...reader.read(entry), ...reader.flush()];
  };
  const coreDump = {
    MESSAGE_ID: messageIds.coreDump,
    MESSAGE: 'Process 77 (train) of user 0 dumped core.',
    _SYSTEMD_UNIT: 'systemd-coredump@3-78-0.service',
    COREDUMP_PID: '77',
    COREDUMP_COMM: 'train',
    COREDUMP_SIGNAL: '11',
    COREDUMP_CGROUP: '/system.slice/t1.scope',
    COREDUMP_FILENAME: '/var/lib/systemd/coredump/core.train.0.zst',
  };
  const spawnFailed = {
    MESSAGE_ID: messageIds.spawnFailed,
    MESSAGE: 'job.service: Failed at step EXEC spawning /no/such: No such file or directory',
    UNIT: 'job.service',
    INVOCATION_ID: 'c1',
    _SYSTEMD_UNIT: 'job.service',
    _PID: '4711',
  };

  it('is a core dump, with its process and its place', () => {
    expect(read(coreDump)).toEqual([
      {
        kind: 'core_dumped',
        pid: 77,
        comm: 'train',
        signal: 11,
        cgroup: '/system.slice/t1.scope',
        file: '/var/lib/systemd/coredump/core.train.0.zst',
        at,
      },
    ]);
  });

  it('is no core dump when anybody else says so', () => {
    expect(read({ ...coreDump, _SYSTEMD_UNIT: 'user@1000.service' })).toEqual([]);
    expect(read({ ...coreDump, COREDUMP_PID: 'x' })).toEqual([]);
  });

  it("is systemd's reason why a program could not be executed, said within its unit or by PID 1", () => {
    const words = 'Failed at step EXEC spawning /no/such: No such file or directory';
    const told = { kind: 'unit_start_failed', unit: 'job.service', invocationId: 'c1', isOfUnit: true, words, at };

    expect(read(spawnFailed)).toMatchObject([told]);
    expect(read({ ...spawnFailed, _SYSTEMD_UNIT: 'init.scope', _PID: '1' })).toEqual([{ ...told, pid: 1 }]);
    const { _SYSTEMD_UNIT: _, ...gone } = spawnFailed;
    expect(read(gone)).toEqual([{ ...told, pid: 4711, isOfUnit: false }]);
    expect(read({ ...spawnFailed, _SYSTEMD_UNIT: 'other.service' })).toEqual([]);
  });

  it('is the fault of a GPU, of the task its process belongs to', () => {
    const line = {
      _TRANSPORT: 'kernel',
      MESSAGE: 'NVRM: Xid (PCI:0000:3b:00): 31, pid=79749, name=python3, Ch 0000000a',
    };

    expect(read(line, { cgroupOf: (pid) => `/of/${pid}` })).toMatchObject([
      { kind: 'gpu_fault', xid: 31, pid: 79_749, cgroup: '/of/79749' },
    ]);
    expect(read(line)).toMatchObject([{ kind: 'gpu_fault', cgroup: null }]);
    expect(read({ ...line, _TRANSPORT: 'syslog' })).toEqual([]);
  });

  it("is logind's word that the system goes down", () => {
    const shutdown = { MESSAGE_ID: messageIds.shutdown, _SYSTEMD_UNIT: 'systemd-logind.service' };

    expect(read(shutdown)).toEqual([{ kind: 'system_stopping', isStopping: true, at }]);
    expect(read({ ...shutdown, _SYSTEMD_UNIT: 'user@1000.service' })).toEqual([]);
  });
});
