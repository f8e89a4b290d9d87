import { join } from 'node:path';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { AgentConfig } from './config.ts';
import { type CgroupReading, parseIoStat } from './proc/cgroup-reading.ts';
import { KeptKernelFile } from './proc/kernel-file.ts';
import { readProcessTree } from './proc/process-tree.ts';
import { TickReader } from './proc/tick-reader.ts';
import {
  type NodeGauges,
  nothingRead,
  type TaskReading,
  type TaskReadings,
  type TickInstant,
} from './recorder/reading.ts';
import { Recorder } from './recorder/recorder.ts';
import { RecorderFile } from './recorder/recorder-file.ts';
import { createScheduler, type Scheduler } from './samplers/scheduler.ts';
import { fullestDiskOf } from './tasks/disk-of-run.ts';
import { type Run, takeUse } from './tasks/run.ts';

export interface MeasuringOptions {
  readonly config: AgentConfig['recorder'];
  /** The agent's own folder. */
  readonly folder: string;
  /** The cgroup2 mount; null when there is none. */
  readonly cgroupRoot: string | null;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One tick: what runs, what was read of it by the run's key, and the node's newest reading. */
export interface MeasuredTick {
  readonly runs: readonly Run[];
  readonly readings: TaskReadings;
  readonly sample: NodeReading;
  readonly now: TickInstant;
}

/** Runs read in one tick. Where more go on, the newest are read at each and the others in turn. */
const readsPerTick = 200;
const inTurn = 50;
const flushEveryMs = 10_000;

/**
 * Reads what each running task uses, once a tick, and hands the same reading to all who want it: the ledger's account of
 * the run, the flight recorder, and whoever else is given.
 */
export class Measuring {
  readonly #options: MeasuringOptions;
  readonly #cgroups: TickReader | null;
  readonly #nodeIo: KeptKernelFile | null;
  readonly #recorder: Recorder | null;
  readonly #file: RecorderFile | null;
  #sample: NodeReading | null = null;
  #beat: Scheduler | null = null;
  #nextTurn = 0;
  #flushedMs: number | null = null;
  #flushing: Promise<void> | null = null;
  #flushFailure: string | null = null;

  constructor(options: MeasuringOptions) {
    const { config, cgroupRoot, folder } = options;
    this.#options = options;
    this.#cgroups = cgroupRoot === null ? null : new TickReader(cgroupRoot);
    this.#nodeIo = cgroupRoot === null ? null : new KeptKernelFile(`${cgroupRoot}/io.stat`);
    const isOn = config.window > 0;
    this.#recorder = isOn ? new Recorder({ windowMs: config.window, intervalMs: config.interval }) : null;
    this.#file = isOn ? new RecorderFile({ folder: join(folder, 'recorder'), windowMs: config.window }) : null;
  }

  /** Takes up what the last life of the agent recorded of the runs it left open. */
  restore(runs: readonly Run[]): void {
    const open = new Set(runs.map(({ key }) => key));
    try {
      this.#recorder?.restore(this.#file?.load() ?? [], (key) => open.has(key));
    } catch (error) {
      this.#options.log.warn({ err: error }, 'what was recorded before this start cannot be read');
    }
  }

  /** A cgroup whose main process has just ended. */
  readEnd(cgroup: string): CgroupReading | null {
    const reading = this.#cgroups?.readWhole(cgroup) ?? null;
    if (reading !== null) this.#recorder?.part(cgroup, { ...reading, wholeAtMs: null });
    return reading;
  }

  /** The recording of a run that has ended, told once; null when there is nothing to tell, or the recorder is off. */
  takeRecording({ key, cgroup, startedAt }: Run, endedAt: number): TaskRecording | null {
    return this.#recorder?.close({ key, cgroup, startedAt, endedAt }) ?? null;
  }

  /** The fullest of the disks of a run, by the node's newest reading. */
  diskOf(run: Run): ReturnType<typeof fullestDiskOf> {
    const sample = this.#sample?.sample;
    return sample === undefined ? null : fullestDiskOf(run, sample.disks ?? [], Date.parse(sample.at));
  }

  /** The node's newest reading: it is recorded with the next tick. */
  setSample(sample: NodeReading): void {
    this.#sample = sample;
  }

  start(open: () => readonly Run[], consumers: readonly ((tick: MeasuredTick) => void)[]): void {
    const { clock, config, log } = this.#options;
    this.#beat = createScheduler({
      clock,
      intervalMs: config.interval,
      samplers: [],
      onSample: (unread, now) => {
        const runs = open();
        const tick = { runs, readings: this.#read(runs, now.monotonicMs), sample: this.#sample ?? unread, now };
        this.#recorder?.take(tick.readings, this.#gauges(tick.sample.sample), now);
        if (now.monotonicMs - (this.#flushedMs ??= now.monotonicMs) >= flushEveryMs) this.#flush(now.monotonicMs);
        for (const consume of consumers) consume(tick);
      },
      log,
    });
    this.#beat.start();
  }

  /** What was read so far is on disk when it resolves. */
  async stop(): Promise<void> {
    await this.#beat?.stop();
    await this.#flushing;
    this.#flush(0);
    await this.#flushing;
    this.#cgroups?.[Symbol.dispose]();
    this.#nodeIo?.close();
  }

  #read(runs: readonly Run[], nowMs: number): TaskReadings {
    const chosen = this.#choose(runs.filter(isMeasured));
    this.#cgroups?.begin(new Set(chosen.flatMap(({ cgroup }) => cgroup ?? [])), nowMs);
    const readings = new Map<string, TaskReading>();
    for (const run of chosen) {
      const reading = run.process === null ? this.#readCgroup(run) : readTree(run.process);
      if (reading !== null) readings.set(run.key, reading);
    }
    return readings;
  }

  #choose(runs: readonly Run[]): readonly Run[] {
    if (runs.length <= readsPerTick) return runs;
    const others = runs.slice(0, runs.length - readsPerTick + inTurn);
    const turn = Array.from({ length: inTurn }, (_, index) => others[(this.#nextTurn + index) % others.length]);
    this.#nextTurn = (this.#nextTurn + inTurn) % others.length;
    return [...turn.flatMap((run) => run ?? []), ...runs.slice(others.length)];
  }

  #readCgroup(run: Run): TaskReading | null {
    const reading = run.cgroup === null ? null : (this.#cgroups?.read(run.cgroup) ?? null);
    if (reading !== null) takeUse(run, reading);
    return reading;
  }

  #gauges(sample: NodeSample): NodeGauges {
    return gaugesOf(sample, parseIoStat(this.#nodeIo?.read() ?? null));
  }

  #flush(nowMs: number): void {
    if (this.#flushing !== null) return;
    this.#flushedMs = nowMs;
    const part = this.#recorder?.takePart() ?? null;
    if (part === null || this.#file === null) return;
    this.#flushing = this.#file
      .append(part)
      .then(
        () => this.#tellFlush(null),
        (error: unknown) => this.#tellFlush(error),
      )
      .finally(() => {
        this.#flushing = null;
      });
  }

  #tellFlush(error: unknown): void {
    const { log } = this.#options;
    const failure = error === null ? null : error instanceof Error ? error.message : String(error);
    if (failure === this.#flushFailure) return;
    if (failure === null) log.info('readings of tasks are kept on disk again');
    else log.warn({ err: error }, 'readings of tasks cannot be kept on disk; they are lost if the agent dies');
    this.#flushFailure = failure;
  }
}

/** What is only believed to run may have a name that belongs to another by now. */
function isMeasured({ cgroup, process, isBelieved }: Run): boolean {
  return !isBelieved && (cgroup !== null || process !== null);
}

/** A command under `run` shares its cgroup with others, so its processes are counted. */
function readTree({ pid, startTicks }: NonNullable<Run['process']>): TaskReading | null {
  const tree = readProcessTree('/', pid, startTicks);
  return tree === null ? null : { ...nothingRead, ...tree };
}

function gaugesOf(sample: NodeSample, io: Pick<NodeGauges, 'readBytes' | 'writtenBytes'>): NodeGauges {
  const used = sample.disks?.map(({ used_percent: percent }) => percent) ?? [];
  return {
    memoryBytes: difference(sample.memory_total_bytes, sample.memory_available_bytes),
    memoryLimitBytes: sample.memory_total_bytes,
    swapBytes: difference(sample.swap_total_bytes, sample.swap_free_bytes),
    cpuPercent: sample.cpu_percent,
    load1: sample.load1,
    cpuStallPercent: sample.psi_cpu?.some_avg10 ?? null,
    memoryStallPercent: sample.psi_memory?.some_avg10 ?? null,
    ioStallPercent: sample.psi_io?.some_avg10 ?? null,
    ...io,
    diskUsedPercent: used.length === 0 ? null : Math.max(...used),
  };
}

function difference(total: number | null, rest: number | null): number | null {
  return total === null || rest === null ? null : total - rest;
}
