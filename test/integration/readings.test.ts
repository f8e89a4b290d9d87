import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { createSamplers } from '@runnerwatch/agent/samplers/catalogue.ts';
import { readInventory } from '@runnerwatch/agent/samplers/inventory.ts';
import { Judge } from '@runnerwatch/agent/samplers/judge.ts';
import { createPortableSampler } from '@runnerwatch/agent/samplers/portable.ts';
import { createScheduler } from '@runnerwatch/agent/samplers/scheduler.ts';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import { defaultSettings, parseProcessMatch, percentLevel } from '@runnerwatch/shared/conditions/settings.ts';
import { nodeSample } from '@runnerwatch/shared/model/sample.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import pino from 'pino';
import si from 'systeminformation';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { haveTool } from '../support/tool.ts';

// systeminformation reads processes with them.
const hasProcessList = [
  haveTool('ps', 'Debian: apt-get install procps'),
  haveTool('grep', 'Debian: apt-get install grep'),
].every(Boolean);
const log = pino({ level: 'silent' });

function matchesOf(...texts: string[]) {
  return texts.map((text) => parseProcessMatch(text)).filter((match) => match !== null);
}

/** Readings of this machine, ten a second. */
function startReading(...rules: string[]): NodeReading[] {
  const readings: NodeReading[] = [];
  const samplers = createSamplers({ root: '/', processMatches: matchesOf(...rules), ownProcess: process });
  const onSample = (reading: NodeReading) => void readings.push(reading);
  const scheduler = createScheduler({ clock: systemClock, intervalMs: 100, samplers, onSample, log });
  onTestFinished(() => scheduler.stop());
  scheduler.start();
  return readings;
}

/** The reading after those that are there, so that it is of this moment. */
function nextOf(readings: readonly NodeReading[]): Promise<NodeReading> {
  const count = readings.length;
  return eventually(() => readings[count]);
}

/** Keeps one core busy until the test ends. */
async function startSpinner(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child.pid ?? 0;
}

describe.runIf(process.platform === 'linux')('readings of this machine', () => {
  it.skipIf(!hasProcessList)('agree with those of systeminformation', async () => {
    const readings = startReading();
    await eventually(() => readings.length >= 3);
    const [load, disks, processes] = await Promise.all([si.currentLoad(), si.fsSize(), si.processes()]);
    const [memory, { sample }] = await Promise.all([si.mem(), nextOf(readings)]);

    expect(nodeSample.parse(sample)).toEqual(sample);
    expect(sample.memory_total_bytes).toBe(memory.total);
    expect(Math.abs((sample.memory_available_bytes ?? 0) - memory.available)).toBeLessThan(memory.total * 0.05);
    expect(sample.swap_total_bytes).toBe(memory.swaptotal);
    expect(sample.cpu_count).toBe(load.cpus.length);
    expect(Math.abs((sample.uptime_s ?? 0) - si.time().uptime)).toBeLessThan(5);
    expect(Math.abs((sample.load1 ?? 0) - (loadavg()[0] ?? 0))).toBeLessThan(1);
    const root = disks.find(({ mount }) => mount === '/');
    const ours = sample.disks?.find(({ mount }) => mount === '/');
    expect(ours?.total_bytes).toBe(root?.size);
    expect(Math.abs((ours?.used_percent ?? 0) - (root?.use ?? 0))).toBeLessThan(1);
    const self = processes.list.find(({ pid }) => pid === process.pid);
    expect(sample.self.rss_bytes).toBeGreaterThan((self?.memRss ?? 0) * 1024 * 0.5);
    expect(sample.self.rss_bytes).toBeLessThan((self?.memRss ?? 0) * 1024 * 2);
    expect(sample.processes?.length).toBeLessThanOrEqual(20);
  });

  it('name every real disk that df names', async () => {
    const readings = startReading();
    const { sample } = await eventually(() => readings[0]);

    const physical = (await si.fsSize()).filter(
      ({ fs, type }) => fs.startsWith('/dev/') && !/squashfs|iso9660/.test(type),
    );

    const devices = new Set(sample.disks?.map(({ device }) => device));
    expect(physical.map(({ fs }) => fs).filter((device) => !devices.has(device) && device !== '/dev/root')).toEqual([]);
  });

  it('see a busy process at once, in the sample and by its rule', async () => {
    const readings = startReading('command_line:for (;;);');
    const pid = await startSpinner();

    const found = await eventually(() =>
      readings.findLast(({ ruleProcesses }) =>
        ruleProcesses?.[0]?.processes.some((process) => process.pid === pid && (process.cpuPercent ?? 0) > 20),
      ),
    );

    expect(found.sample.processes?.some((process) => process.pid === pid)).toBe(true);
  });

  it('fire a condition with the first reading above its threshold', async () => {
    const readings = startReading();
    const judge = new Judge({ ...defaultSettings, memory: percentLevel({ threshold: 0.001 }) });
    const reading = await eventually(() => readings[0]);

    const reports = judge.take(reading, { wallMs: Date.now(), monotonicMs: performance.now() });

    expect(reports.find(({ condition }) => condition === 'MemoryPressure')).toMatchObject({ status: 'true' });
    expect(reports.filter(({ status }) => status === 'unknown')).toEqual([]);
  });
});

it('the inventory of this machine names its system, kernel and CPUs', async () => {
  const inventory = await readInventory();

  expect(inventory.kernel).not.toBeNull();
  expect(inventory.architecture).not.toBeNull();
  expect(inventory.cpu_count).toBeGreaterThan(0);
  expect(inventory.memory_total_bytes).toBeGreaterThan(0);
});

it.skipIf(!hasProcessList)('without /proc the library’s readings stand in', async () => {
  const sampler = createPortableSampler(matchesOf('node'));

  const { sample, ruleProcesses } = await sampler.sample({ wallMs: Date.now(), monotonicMs: 0 });

  expect(sample?.memory_total_bytes).toBeGreaterThan(0);
  expect(sample?.disks?.length).toBeGreaterThan(0);
  expect(sample?.processes?.length).toBeGreaterThan(0);
  expect(ruleProcesses?.[0]?.match).toBe('node');
});
