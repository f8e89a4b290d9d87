import { constants } from 'node:os';
import { isEngineUnit } from '../engine-units.ts';
import type { Sighting, UnitEnded } from '../watcher.ts';
import type { JournalEntry } from './entry.ts';
import { parseGpuFault } from './kernel-gpu.ts';
import { KernelOomReader } from './kernel-oom.ts';

/** systemd's message ids (`journalctl --list-catalog`). */
export const messageIds = {
  started: '39f53479d3a045ac8e11786248231fbf',
  succeeded: '7ad2d189f7e94e70a38c781354912448',
  failed: 'd9b373ed55a64feb8242e02dbe79a49c',
  outOfMemory: 'fe6faa94e7774663a0da52717891d8ef',
  resources: 'ae8f7b866b0347b9af31fe1c80b127c0',
  processExit: '98e322203f7a4ed290d09fe03c09fe15',
  stopping: 'de5b426a63be47a7b6ac3eaac82e2f6f',
  shutdown: '98268866d1d54a499c4e98921d93bc40',
  spawnFailed: '641257651c1b4ec9a8624d7a40a9e1e7',
  coreDump: 'fc2e22bc6ee647b6b90729ab34a250b1',
} as const;

/** Ids whose entries come from others than PID 1, and are read all the same. */
export const foreignMessageIds: ReadonlySet<string> = new Set([
  messageIds.shutdown,
  messageIds.spawnFailed,
  messageIds.coreDump,
]);

/**
 * What systemd and the kernel write about units, told as sightings. A unit's end is held until the line on its
 * resources, which follows it, or the next {@link flush}. Only entries of PID 1 and of the kernel count (both fields are set
 * by journald itself): anybody may log the same message ids.
 */
export class LifecycleReader {
  readonly #matches: (unit: string) => boolean;
  readonly #runs = new Map<string, RunSoFar>();
  readonly #held = new Map<string, UnitEnded>();
  readonly #ended = new Set<string>();
  readonly #kernelOom: KernelOomReader;
  readonly #cgroupOf: (pid: number) => string | null;
  #bootId: string | null = null;
  #isSystemStopping = false;

  constructor(matches: (unit: string) => boolean, { pageBytes, cgroupOf = () => null }: KernelReading = {}) {
    this.#matches = matches;
    this.#kernelOom = new KernelOomReader(pageBytes);
    this.#cgroupOf = cgroupOf;
  }

  get isHolding(): boolean {
    return this.#held.size > 0 || this.#kernelOom.isHolding;
  }

  read(entry: JournalEntry): Sighting[] {
    if (entry.bootId !== this.#bootId) {
      this.#bootId = entry.bootId;
      this.#isSystemStopping = false;
    }
    if (entry.field('_TRANSPORT') === 'kernel')
      return entry.message === null ? [] : this.#kernelSays(entry, entry.message);
    const messageId = entry.field('MESSAGE_ID');
    if (messageId === messageIds.shutdown && entry.field('_SYSTEMD_UNIT') === 'systemd-logind.service') {
      this.#isSystemStopping = true;
      return [{ kind: 'system_stopping', isStopping: true, at: entry.at }];
    }
    if (messageId === messageIds.coreDump) return coreDump(entry);
    const unit = entry.field('UNIT');
    if (messageId === null || unit === null) return [];
    const isOfManager = entry.field('_PID') === '1';
    const engine = isOfManager && isEngineUnit(unit) ? engineStopping(messageId, unit, entry) : [];
    if (!this.#matches(unit)) return engine;
    if (messageId === messageIds.spawnFailed) return spawnFailure(unit, entry);
    return isOfManager ? [...engine, ...this.#unitSays(messageId, unit, entry)] : [];
  }

  /** Ends that still wait for a line on resources, and an OOM kill for its last line. */
  flush(): Sighting[] {
    const held = [...this.#held.values()];
    this.#held.clear();
    const oom = this.#kernelOom.flush();
    return oom === null ? held : [...held, oom];
  }

  #kernelSays({ at }: JournalEntry, message: string): Sighting[] {
    const oom = this.#kernelOom.read(message, at);
    if (oom !== null) return [oom];
    const fault = parseGpuFault(message, at);
    return fault === null ? [] : [{ ...fault, cgroup: fault.pid === null ? null : this.#cgroupOf(fault.pid) }];
  }

  #unitSays(messageId: string, unit: string, entry: JournalEntry): Sighting[] {
    const invocationId = entry.field('INVOCATION_ID');
    const key = invocationId ?? unit;
    switch (messageId) {
      case messageIds.started:
        return this.#started(key, { unit, invocationId, entry });
      case messageIds.stopping:
        this.#run(key).stopJob = true;
        return [];
      case messageIds.processExit:
        if ((entry.field('COMMAND') ?? 'ExecStart') === 'ExecStart') this.#run(key).execMain = readExit(entry);
        return [];
      case messageIds.outOfMemory:
        return [{ kind: 'unit_oom', unit, invocationId, at: entry.at }];
      case messageIds.succeeded:
        return this.#over(key, { unit, invocationId, entry, result: 'success' });
      case messageIds.failed:
        return this.#over(key, { unit, invocationId, entry, result: entry.field('UNIT_RESULT') });
      case messageIds.resources:
        return this.#resources(key, entry);
      default:
        return [];
    }
  }

  #started(key: string, { unit, invocationId, entry }: UnitLine): Sighting[] {
    // A oneshot service has "started" when it has ended.
    if (entry.field('JOB_RESULT') !== 'done' || this.#ended.has(key)) return [];
    this.#run(key).startedAt = entry.at;
    return [
      {
        kind: 'unit_started',
        unit,
        invocationId,
        description: null,
        cgroup: null,
        mainPid: null,
        command: null,
        user: null,
        memoryMaxBytes: null,
        runtimeMaxMs: null,
        startedAt: entry.at,
      },
    ];
  }

  #over(key: string, { unit, invocationId, entry, result }: UnitLine & { result: string | null }): Sighting[] {
    const run = this.#run(key);
    const before = this.#takeHeld(key);
    this.#runs.delete(key);
    this.#remember(key);
    this.#held.set(key, {
      kind: 'unit_ended',
      unit,
      invocationId,
      result,
      execMain: run.execMain,
      mainPid: null,
      // Not having read of a stop job proves nothing: reading may have begun after it.
      stopJob: run.stopJob ? true : null,
      ...(this.#isSystemStopping ? { systemStopping: true } : {}),
      cpuNs: null,
      memoryPeakBytes: null,
      startedAt: run.startedAt,
      at: entry.at,
      approximate: false,
      via: 'journal',
    });
    return before;
  }

  #resources(key: string, entry: JournalEntry): Sighting[] {
    return this.#takeHeld(key).map((end) => ({
      ...end,
      cpuNs: amount(entry.field('CPU_USAGE_NSEC')),
      memoryPeakBytes: amount(entry.field('MEMORY_PEAK')),
    }));
  }

  #takeHeld(key: string): UnitEnded[] {
    const held = this.#held.get(key);
    this.#held.delete(key);
    return held === undefined ? [] : [held];
  }

  #run(key: string): RunSoFar {
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    dropOldest(this.#runs, mostRuns);
    const run: RunSoFar = { startedAt: null, execMain: null, stopJob: false };
    this.#runs.set(key, run);
    return run;
  }

  #remember(key: string): void {
    dropOldest(this.#ended, mostRuns);
    this.#ended.add(key);
  }
}

/** What reading the kernel's lines takes from the machine. */
export interface KernelReading {
  readonly pageBytes?: number;
  /** Where a process lives now; of use only for lines read as they come. */
  readonly cgroupOf?: (pid: number) => string | null;
}

/** A container engine's service that is being stopped, until it is over. */
function engineStopping(messageId: string, unit: string, { at }: JournalEntry): Sighting[] {
  const isOver = messageId === messageIds.succeeded || messageId === messageIds.failed;
  if (messageId !== messageIds.stopping && !isOver) return [];
  return [{ kind: 'engine_stopping', unit, isStopping: !isOver, at }];
}

/** Anybody may log this id; the unit that logs is set by journald itself (systemd-coredump(8), "Information about the crashed process"). */
function coreDump(entry: JournalEntry): Sighting[] {
  const [pid, signal] = ['COREDUMP_PID', 'COREDUMP_SIGNAL'].map((name) => amount(entry.field(name)));
  const cgroup = entry.field('COREDUMP_CGROUP');
  const isGenuine = entry.field('_SYSTEMD_UNIT')?.startsWith('systemd-coredump@') === true;
  if (!isGenuine || pid == null || signal == null || cgroup === null) return [];
  const [comm, file] = [entry.field('COREDUMP_COMM'), entry.field('COREDUMP_FILENAME')];
  return [{ kind: 'core_dumped', pid, comm, signal, cgroup, file, at: entry.at }];
}

/**
 * Said by systemd in the process that should have become the unit's, so already from within the unit: of itself it may say
 * what it wants. That process is short-lived: when journald reads its words only after it is gone, their unit is not known.
 */
function spawnFailure(unit: string, entry: JournalEntry): Sighting[] {
  const speaker = entry.field('_SYSTEMD_UNIT');
  const pid = amount(entry.field('_PID'));
  const isOfUnit = pid === 1 || speaker === unit;
  if ((!isOfUnit && speaker !== null) || entry.message === null) return [];
  const words = entry.message.replace(`${unit}: `, '');
  const invocationId = entry.field('INVOCATION_ID');
  return [{ kind: 'unit_start_failed', unit, invocationId, pid, isOfUnit, words, at: entry.at }];
}

interface UnitLine {
  readonly unit: string;
  readonly invocationId: string | null;
  readonly entry: JournalEntry;
}

interface RunSoFar {
  startedAt: number | null;
  execMain: UnitEnded['execMain'];
  stopJob: boolean;
}

const mostRuns = 20_000;

function dropOldest(collection: Map<string, unknown> | Set<string>, most: number): void {
  if (collection.size < most) return;
  for (const oldest of collection.keys()) {
    collection.delete(oldest);
    return;
  }
}

/** EXIT_CODE is exited, killed or dumped; EXIT_STATUS a number, or for signals in some versions a name without SIG. */
function readExit(entry: JournalEntry): UnitEnded['execMain'] {
  const code = entry.field('EXIT_CODE');
  const text = entry.field('EXIT_STATUS') ?? '';
  const status = /^\d+$/.test(text) ? Number(text) : signalNumbers.get(`SIG${text.replace(/^SIG/, '')}`);
  if (status === undefined || (code !== 'exited' && code !== 'killed' && code !== 'dumped')) return null;
  return { code, status };
}

const signalNumbers = new Map<string, number>(Object.entries(constants.signals));

function amount(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
