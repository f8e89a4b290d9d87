import { chmodSync, type FSWatcher, mkdirSync, readdirSync, renameSync, rmSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { readBootId } from '../proc/boot-id.ts';
import { describeFailure, sparing } from '../proc/descriptors.ts';
import { readKernelFile } from '../proc/kernel-file.ts';
import { isPidThere, readPidStat } from '../proc/pid-stat.ts';
import type { FactFile } from './inbox/fact-file.ts';
import { readFactFile } from './inbox/read-fact-file.ts';
import type { ProcessExited, Report, RunEnded, RunStarted, Watcher } from './watcher.ts';

export interface InboxOptions {
  /** `/`, or where a captured machine lies. */
  readonly root: string;
  /** The agent's own; the inbox is `agent/inbox` in it. */
  readonly dataDir: string;
  /** So many of its last lines are kept of a run, of those that its wrapper kept. */
  readonly logLines: number;
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
  /** To hear how a command ends whose wrapper was killed. */
  readonly follow: (pid: number, startTicks: number | null, onExit: (exit: ProcessExited) => void) => void;
  readonly unfollow: (pid: number) => void;
}

export interface InboxWatcher extends Watcher {
  /** The run's end is safe elsewhere: its files may go. Until then they are reported again after every start. */
  settle(runId: string): void;
  /** When output of the run last passed through its wrapper, in milliseconds since the epoch; null when it left no word. */
  outputAt(runId: string): number | null;
}

/**
 * Picks up what `runnerwatch run` leaves: reports each run's beginning and end. A run whose wrapper was killed is ended
 * here: with the command's own end when that was seen, else as unknown.
 */
export function createInboxWatcher(options: InboxOptions): InboxWatcher {
  return new Inbox(options);
}

interface OpenRun {
  readonly file: FactFile;
  /** What process events told of the command, before or instead of the wrapper's word. */
  exit: ProcessExited | null;
  isEnded: boolean;
  /** Since when wrapper and command were both seen gone. */
  goneSinceMs: number | null;
}

const SCAN_MS = 1000;
/** The wrapper writes the end before it goes, but the two are seen in any order. */
const GONE_GRACE_MS = 500;
const MAX_OPEN_RUNS = 10_000;
const FILES_AT_ONCE = 25;
const MAX_REFUSED = 100;

class Inbox implements InboxWatcher {
  readonly name = 'inbox';
  readonly #options: InboxOptions;
  readonly #directory: string;
  readonly #refusedDirectory: string;
  readonly #runs = new Map<string, OpenRun>();
  /** Names that could be neither read nor moved; said once. */
  readonly #stuck = new Set<string>();
  readonly #bootId: string | null;
  #state: Omit<SourceState, 'name'>;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | undefined;
  readonly #arrived = new Set<string>();
  /** Something lies here that could not be read this time. */
  #isUnread = false;
  #taking: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#directory = join(options.dataDir, 'agent', 'inbox');
    this.#refusedDirectory = join(options.dataDir, 'agent', 'inbox-refused');
    this.#bootId = readBootId(options.root);
    this.#state = { state: 'blind', reason: 'not started', since: toInstant(options.clock.wallMs()) };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    this.#prepare();
    await this.#look();
    if (!this.#isStopped) this.#timer = setInterval(() => this.#onTick(), SCAN_MS);
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
    for (const { file, isEnded } of this.#runs.values()) if (!isEnded) this.#options.unfollow(file.begun.pid);
    return Promise.resolve();
  }

  state(): SourceState {
    return { name: this.name, ...this.#state };
  }

  settle(runId: string): void {
    const run = this.#runs.get(runId);
    if (run !== undefined && !run.isEnded) return;
    try {
      for (const kind of ['begin', 'end']) rmSync(join(this.#directory, `${runId}.${kind}.json`), { force: true });
      this.#runs.delete(runId);
    } catch (error) {
      // It stays known as ended, so it is not taken for a new one.
      this.#options.log.warn({ err: error, run_id: runId }, 'files of a settled run cannot be removed from the inbox');
    }
  }

  /** The wrapper touches its first file for that. */
  outputAt(runId: string): number | null {
    return statSync(join(this.#directory, `${runId}.begin.json`), { throwIfNoEntry: false })?.mtimeMs ?? null;
  }

  /** Everybody may put a file in, nobody may list or touch what others put there. */
  #prepare(): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o711 });
      chmodSync(this.#directory, 0o1733);
      mkdirSync(this.#refusedDirectory, { recursive: true, mode: 0o700 });
      this.#watcher ??= this.#watch();
      this.#say('seeing', this.#unreachableFor());
    } catch (error) {
      this.#say('blind', `${this.#directory} cannot be used: ${describeFailure(error)}`);
    }
  }

  #watch(): FSWatcher | null {
    try {
      // By its name alone: to list the whole inbox for each of many files that come at once would take all our time.
      const watcher = watch(this.#directory, (event, name) => {
        if (event === 'rename' && name !== null && !this.#isKnown(name)) void this.#takeSoon([name]);
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = null;
      });
      return watcher;
    } catch (error) {
      this.#options.log.warn({ err: error, every_ms: SCAN_MS }, 'inbox cannot be watched, it is looked into');
      return null;
    }
  }

  /** Why others could not get there, though the inbox is open to all; null when they can. */
  #unreachableFor(): string | null {
    for (const path of [this.#options.dataDir, join(this.#options.dataDir, 'agent')]) {
      if ((statSync(path).mode & 0o001) === 0) return `other users cannot record runs: chmod o+x ${path}`;
    }
    return null;
  }

  #say(state: SourceState['state'], reason: string | null): void {
    const judged = state === 'seeing' && reason !== null ? 'degraded' : state;
    if (this.#state.state === judged && this.#state.reason === reason) return;
    this.#state = { state: judged, reason, since: toInstant(this.#options.clock.wallMs()) };
    if (reason !== null) this.#options.log.warn({ reason }, 'inbox');
  }

  #onTick(): void {
    if (this.#state.state === 'blind' || this.#watcher === null) this.#prepare();
    void this.#look();
  }

  /** Only when all that lies here is read can a run be missing its end. */
  async #look(): Promise<void> {
    const names = this.#newNames();
    if (names === null) return;
    this.#isUnread = false;
    await this.#takeSoon(names);
    if (this.#isStopped || this.#isUnread) return;
    for (const run of this.#runs.values()) if (!run.isEnded) this.#check(run);
  }

  /** In the order they came; the event loop gets its turn between so many. Resolves when all are taken. */
  #takeSoon(names: readonly string[]): Promise<void> {
    for (const name of names) this.#arrived.add(name);
    this.#taking ??= this.#takeAll().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeAll(): Promise<void> {
    let taken = 0;
    for (const name of this.#arrived) {
      this.#arrived.delete(name);
      if (taken++ % FILES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#isStopped) return;
      if (!this.#isKnown(name)) this.#take(name);
    }
  }

  /** What nobody told of, and all of it at the start; null when it cannot be known. */
  #newNames(): string[] | null {
    let names: string[];
    try {
      names = sparing(() => readdirSync(this.#directory));
    } catch (error) {
      this.#say('blind', `${this.#directory} cannot be read: ${describeFailure(error)}`);
      return null;
    }
    // Beginnings sort before ends of the same run.
    return names.filter((name) => !this.#isKnown(name)).sort();
  }

  #isKnown(name: string): boolean {
    // Files still being written begin with a dot.
    if (name.startsWith('.') || this.#stuck.has(name)) return true;
    const [, runId, kind] = /^([0-9a-zA-Z-]+)\.(begin|end)\.json$/.exec(name) ?? [];
    const run = runId === undefined ? undefined : this.#runs.get(runId);
    return run !== undefined && (kind === 'begin' || run.isEnded);
  }

  #take(name: string): void {
    const read = readFactFile(this.#directory, name);
    if (read.kind === 'unread') this.#isUnread = true;
    if (read.kind === 'gone' || read.kind === 'unread') return;
    if (read.kind === 'refused') return this.#refuse(name, read.reason);
    const { file } = read;
    const known = this.#runs.get(file.run_id);
    if (known === undefined && this.#runs.size >= MAX_OPEN_RUNS) return;
    const run = known ?? this.#begin(file);
    if (file.ended !== null)
      this.#end(run, endedBy(file.ended, { runId: file.run_id, logLines: this.#options.logLines }));
  }

  #begin(file: FactFile): OpenRun {
    const run: OpenRun = { file, exit: null, isEnded: false, goneSinceMs: null };
    this.#runs.set(file.run_id, run);
    this.#options.report(startedBy(file));
    if (file.ended === null && this.#isThisBoot(file)) {
      this.#options.follow(file.begun.pid, file.begun.start_ticks, (exit) => {
        run.exit = exit;
      });
    }
    return run;
  }

  #end(run: OpenRun, ended: RunEnded): void {
    if (run.isEnded) return;
    run.isEnded = true;
    this.#options.unfollow(run.file.begun.pid);
    this.#options.report(ended);
  }

  /** A run without an end whose wrapper is gone will not get one from it. */
  #check(run: OpenRun): void {
    const { root, clock } = this.#options;
    const { file } = run;
    if (!this.#isThisBoot(file)) {
      return this.#end(run, this.#unseenEnd(run, 'the machine was restarted while it ran', this.#overBy(file)));
    }
    const isGone =
      !lives(root, file.wrapper_pid, file.wrapper_start_ticks) && !lives(root, file.begun.pid, file.begun.start_ticks);
    if (!isGone) {
      run.goneSinceMs = null;
      return;
    }
    run.goneSinceMs ??= clock.monotonicMs();
    if (clock.monotonicMs() - run.goneSinceMs < GONE_GRACE_MS) return;
    const seen = run.exit?.waitStatus ?? null;
    const reason = `runnerwatch run was killed${seen === null ? `, and of the command's end: ${run.exit?.blindReason ?? 'nothing was seen'}` : ''}`;
    this.#end(run, this.#unseenEnd(run, reason, run.exit?.at ?? clock.wallMs()));
  }

  #unseenEnd({ file, exit }: OpenRun, blindReason: string, at: number): RunEnded {
    return {
      kind: 'run_ended',
      runId: file.run_id,
      waitStatus: exit?.waitStatus ?? null,
      timedOut: false,
      startError: null,
      cpuMs: null,
      memoryPeakBytes: null,
      at,
      approximate: true,
      logTail: null,
      blindReason,
    };
  }

  #isThisBoot({ boot_id: bootId }: FactFile): boolean {
    return bootId === null || this.#bootId === null || bootId === this.#bootId;
  }

  /** By when it was over at the latest: when the machine started anew. Never before the run began, whatever the clocks say. */
  #overBy({ begun }: FactFile): number {
    const upMs = Number.parseFloat(readKernelFile(this.#options.root, '/proc/uptime') ?? '') * 1000;
    const nowMs = this.#options.clock.wallMs();
    return Number.isNaN(upMs) ? nowMs : Math.max(Math.round(nowMs - upMs), Date.parse(begun.started_at));
  }

  /** Kept aside for whoever wants to know, never deleted unread while there are few. Its content is not logged. */
  #refuse(name: string, reason: string): void {
    const path = join(this.#directory, name);
    try {
      const isFull = sparing(() => readdirSync(this.#refusedDirectory)).length >= MAX_REFUSED;
      if (isFull) rmSync(path, { recursive: true, force: true });
      else renameSync(path, join(this.#refusedDirectory, `${this.#options.clock.wallMs()}-${name.slice(0, 128)}`));
      this.#options.log.warn({ file: name, reason, kept: !isFull }, 'file in the inbox refused');
    } catch (error) {
      if (this.#stuck.size < MAX_OPEN_RUNS) this.#stuck.add(name);
      this.#options.log.warn(
        { err: error, file: name, reason },
        'file in the inbox refused, and it cannot be moved away',
      );
    }
  }
}

function lives(root: string, pid: number, startTicks: number | null): boolean {
  const stat = readPidStat(root, pid);
  if (stat === null) return isPidThere(root, pid);
  return stat.state !== 'Z' && stat.state !== 'X' && (startTicks === null || stat.startTicks === startTicks);
}

function startedBy({ run_id: runId, begun }: FactFile): RunStarted {
  return {
    kind: 'run_started',
    runId,
    name: begun.name,
    job: begun.job,
    project: begun.project,
    owner: begun.owner,
    command: begun.command,
    pid: begun.pid,
    startTicks: begun.start_ticks,
    cgroup: begun.cgroup,
    timeoutMs: begun.timeout_ms,
    startedAt: Date.parse(begun.started_at),
  };
}

function endedBy(
  ended: NonNullable<FactFile['ended']>,
  { runId, logLines }: { runId: string; logLines: number },
): RunEnded {
  const lines = ended.log_tail;
  return {
    kind: 'run_ended',
    runId,
    waitStatus: ended.wait_status,
    timedOut: ended.timed_out,
    startError: ended.start_error,
    cpuMs: ended.cpu_ms,
    memoryPeakBytes: ended.memory_peak_bytes,
    at: Date.parse(ended.at),
    approximate: false,
    logTail: lines && lines.slice(Math.max(0, lines.length - logLines)),
  };
}
