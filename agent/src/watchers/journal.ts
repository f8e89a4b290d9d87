import { setTimeout as later } from 'node:timers';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { describeFailure } from '../proc/descriptors.ts';
import { readPageSizeBytes } from '../proc/page-size.ts';
import { readPidCgroup } from '../proc/pid-stat.ts';
import { judgeResumption, readCursor, readPlace, type SavedPlace, writePlace } from './journal/cursor.ts';
import { type JournalEntry, parseEntry } from './journal/entry.ts';
import { JournalHurry } from './journal/hurry.ts';
import { runJournalctl } from './journal/journalctl.ts';
import { foreignMessageIds, type KernelReading, LifecycleReader } from './journal/lifecycle.ts';
import { LogTails, rawField } from './journal/log-tails.ts';
import { unitMatcher } from './systemd/unit-globs.ts';
import { isSystemdBooted } from './systemd.ts';
import type { Report, Watcher } from './watcher.ts';

export interface JournalWatcherOptions {
  readonly report: Report;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Log lines kept for each run. */
  readonly logLines: number;
  /** Where the reading place is kept over restarts; `load` gives null when there is none. */
  readonly cursor: { load(): Promise<string | null>; save(text: string): Promise<void> };
  readonly clock: Clock;
  readonly log: Logger;
  /** The program to run, for tests; `journalctl` when absent. */
  readonly command?: readonly string[];
  readonly isBooted?: () => boolean;
  /** `/`, or where a captured machine lies. */
  readonly root?: string;
}

export interface JournalWatcher extends Watcher {
  /** Last log lines of a run by its invocation id (or unit), oldest first; null when there are none. */
  tailOf(key: string): readonly string[] | null;
  /** How many log lines of a run were seen, by the same keys. */
  linesOf(key: string): number | null;
  /** Something has just ended whose last lines are wanted: read on without journald's usual delay. */
  hurry(): void;
}

/**
 * Reads systemd's journal through journalctl: the log tails of running units, the kernel's OOM lines, and, as a second
 * source beside D-Bus, what systemd writes about units. At start it goes back to where it was before and tells what ended
 * since; following live begins first, so that catching up delays nothing.
 */
export function createJournalWatcher(options: JournalWatcherOptions): JournalWatcher {
  return new Journal(options);
}

/** The place saved is one period old, so that whatever was told since is read again after a crash; tellers know runs by id. */
const saveEveryMs = 5_000;
/** A unit's line on resources follows its end within this time. */
const holdEndMs = 2;
/** A follower that misses what a fresh journalctl shows is stuck. */
const checkEveryMs = 30_000;
const stuckAfterMs = 5_000;
const longestLookMs = 5_000;
/** More than these are not kept waiting for what came before them. */
const mostBacklog = 1000;
const blindAfterFailures = 3;
/** A follower that lives this long has found its place. One that may read nothing ends by itself, on a busy node only after a while. */
const settledAfterMs = 300;
const settledAfterRefusalMs = 10_000;
const catchUpMatches = [
  '_PID=1',
  '+',
  '_TRANSPORT=kernel',
  ...[...foreignMessageIds].flatMap((id) => ['+', `MESSAGE_ID=${id}`]),
];

class Journal implements JournalWatcher {
  readonly name = 'journal';
  readonly #options: JournalWatcherOptions;
  readonly #command: readonly string[];
  readonly #tails: LogTails;
  readonly #hurry: JournalHurry;
  readonly #live: LifecycleReader;
  readonly #kernel: KernelReading;
  readonly #matches: (unit: string) => boolean;
  readonly #stopping = new AbortController();
  #state: SourceState;
  #running: Promise<unknown> = Promise.resolve();
  #last: string | null = null;
  #toSave: string | null = null;
  #follower: AbortController | null = null;
  #heardAt: number;
  /** Heard live, not read yet: null when there is nothing to catch up with. */
  #backlog: JournalEntry[] | null = null;
  #holdTimer: NodeJS.Timeout | undefined;
  #saved: string | null = null;
  /** What journalctl says it may not show us. */
  #blindSpot: string | null = null;

  constructor(options: JournalWatcherOptions) {
    this.#options = options;
    this.#heardAt = options.clock.wallMs();
    this.#command = options.command ?? ['journalctl'];
    this.#matches = unitMatcher(options);
    this.#hurry = new JournalHurry(options.root ?? '/');
    this.#tails = new LogTails({ matches: this.#matches, lines: options.logLines });
    const root = options.root ?? '/';
    this.#kernel = { pageBytes: readPageSizeBytes(root) ?? 4096 };
    // A pid in old lines may be somebody else's by now.
    const cgroupOf = (pid: number) => (this.#backlog === null ? readPidCgroup(root, pid) : null);
    this.#live = new LifecycleReader(this.#matches, { ...this.#kernel, cgroupOf });
    this.#state = this.#stateOf('blind', 'not started');
  }

  state(): SourceState {
    return this.#state;
  }

  tailOf(key: string): readonly string[] | null {
    return this.#tails.tailOf(key);
  }

  linesOf(key: string): number | null {
    return this.#tails.seenOf(key);
  }

  hurry(): void {
    if (this.#state.state !== 'off') this.#hurry.hurry();
  }

  async start(signal: AbortSignal): Promise<void> {
    if (!(this.#options.isBooted ?? isSystemdBooted)()) return this.#become('off', 'PID 1 is not systemd');
    signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    if (signal.aborted) return;
    const saved = await this.#loadPlace();
    const newest = await this.#newest();
    this.#last = newest ?? saved?.cursor ?? null;
    if (newest !== null) this.#hearing();
    if (saved !== null) this.#backlog = [];
    this.#running = Promise.all([this.#follow(), this.#savePlaces(), this.#check()]);
    if (saved === null) await this.#save(newest);
    else await this.#catchUp(saved, newest);
    this.#endBacklog();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#holdTimer);
    this.#hurry.stop();
    await this.#running;
  }

  /** One journalctl after the other; each goes on after the last entry read. */
  async #follow(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    let isRefused = false;
    while (!signal.aborted) {
      const follower = new AbortController();
      const stop = () => follower.abort();
      signal.addEventListener('abort', stop, { once: true });
      this.#follower = follower;
      const place = this.#last === null ? ['--lines=0'] : [`--after-cursor=${this.#last}`];
      const settled = later(
        () => {
          failures = 0;
          this.#hearing();
        },
        isRefused ? settledAfterRefusalMs : settledAfterMs,
      );
      const { reason } = await this.#run(['--follow', ...place], {
        onLine: (line) => this.#hear(line),
        signal: follower.signal,
      });
      clearTimeout(settled);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return;
      failures += 1;
      isRefused = /permission/i.test(reason);
      this.#become(isRefused || failures >= blindAfterFailures ? 'blind' : 'degraded', `journalctl ended: ${reason}`);
      if (failures === 1 || failures === blindAfterFailures)
        log.warn({ reason, failures }, 'journalctl ended, starting it again');
      // A place that cannot be sought would fail forever; by time it can be found again.
      if (/seek|cursor/i.test(reason)) this.#last = null;
      await clock.sleep(backoffMs(failures, { baseMs: 200, capMs: 30_000 }), signal);
    }
  }

  #hear(line: string): void {
    const isOfManager = rawField(line, '_PID') === '1';
    const isOfKernel = !isOfManager && rawField(line, '_TRANSPORT') === 'kernel';
    this.#last = rawField(line, '__CURSOR') ?? this.#last;
    this.#heardAt = this.#options.clock.wallMs();
    if (!isOfManager && !isOfKernel) {
      this.#tails.add(line);
      if (!foreignMessageIds.has(rawField(line, 'MESSAGE_ID') ?? '')) return;
    }
    const entry = parseEntry(line);
    if (entry === null) return;
    if (this.#backlog === null) return this.#read(entry);
    this.#backlog.push(entry);
    if (this.#backlog.length >= mostBacklog) this.#endBacklog();
  }

  /** What was heard live while catching up comes after it: a unit's `Stopping` may lie before the place where following began, its end behind it. */
  #endBacklog(): void {
    const backlog = this.#backlog ?? [];
    this.#backlog = null;
    for (const entry of backlog) this.#read(entry);
  }

  #read(entry: JournalEntry): void {
    for (const sighting of this.#live.read(entry)) this.#options.report(sighting);
    if (!this.#live.isHolding) return;
    clearTimeout(this.#holdTimer);
    this.#holdTimer = later(() => {
      for (const sighting of this.#live.flush()) this.#options.report(sighting);
    }, holdEndMs);
  }

  /** Tells what systemd and the kernel wrote between the saved place and `until`, where following began. */
  async #catchUp(saved: SavedPlace, until: string | null): Promise<void> {
    const { clock, log, report } = this.#options;
    const found = await this.#firstAt(saved.cursor);
    const resumption = judgeResumption(saved, found, clock.wallMs());
    if (resumption.kind === 'removed') {
      this.#tellGap('journal entries were removed before they were read', {
        lost: resumption.lost,
        from: saved.savedAt,
      });
    } else if (resumption.kind === 'foreign') {
      this.#tellGap(`${resumption.reason}; reading goes on by time`, { lost: null, from: saved.savedAt });
    }
    const since = Math.floor(Math.min(saved.savedAt, clock.wallMs()) / 1000);
    const place = resumption.kind === 'foreign' ? `--since=@${since}` : `--after-cursor=${saved.cursor}`;
    const end = until === null ? null : readCursor(until);
    let entries = 0;
    const { reason } = await this.#run([place, ...catchUpMatches], {
      onLine: (line) => {
        const entry = parseEntry(line);
        const here = entry === null ? null : readCursor(entry.cursor);
        // What follows is heard live.
        if (entry === null || (here !== null && end !== null && here.sequence > end.sequence)) return;
        entries += 1;
        for (const sighting of this.#live.read(entry)) report(sighting);
      },
      signal: this.#stopping.signal,
    });
    for (const sighting of this.#live.flush()) report(sighting);
    log.info({ entries, resumption: resumption.kind, reason }, 'journal caught up');
  }

  /** Finds a follower that hangs: a fresh journalctl sees an entry that the follower still does not have. */
  async #check(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(checkEveryMs, signal);
      if (signal.aborted) return;
      const newest = readCursor((await this.#newest()) ?? '');
      await clock.sleep(stuckAfterMs, signal);
      const last = readCursor(this.#last ?? '');
      if (signal.aborted || newest === null || last === null || last.sequenceId !== newest.sequenceId) continue;
      if (last.sequence >= newest.sequence) continue;
      log.warn({ behind: newest.sequence - last.sequence }, 'journalctl hangs, starting it again');
      this.#become('blind', 'journalctl shows nothing new, although there is', this.#heardAt);
      this.#follower?.abort();
    }
  }

  async #savePlaces(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(saveEveryMs, signal);
      // At a clean stop everything told has been written by its owner.
      await this.#save(signal.aborted ? this.#last : this.#toSave);
      this.#toSave = this.#last;
    }
  }

  async #save(cursor: string | null): Promise<void> {
    if (cursor === null || cursor === this.#saved) return;
    try {
      await this.#options.cursor.save(writePlace({ cursor, savedAt: this.#options.clock.wallMs() }));
      this.#saved = cursor;
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'reading place in the journal not saved; more is read again after a crash',
      );
    }
  }

  async #loadPlace(): Promise<SavedPlace | null> {
    try {
      const text = await this.#options.cursor.load();
      const place = text === null ? null : readPlace(text);
      if (text !== null && place === null)
        this.#tellGap('the saved reading place is damaged', { lost: null, from: null });
      return place;
    } catch (error) {
      this.#options.log.warn({ err: error }, 'saved reading place in the journal not readable');
      this.#tellGap('the saved reading place is not readable', { lost: null, from: null });
      return null;
    }
  }

  #hearing(): void {
    if (this.#blindSpot === null) this.#become('seeing', null);
    else this.#become('degraded', this.#blindSpot);
  }

  /** Cursor of the newest entry; null when there is none or journalctl fails (following will tell why). */
  async #newest(): Promise<string | null> {
    const { cursor, reason } = await this.#firstOf(['--lines=1']);
    // The hint that journalctl(1) gives a user who is in none of the groups that may read everything.
    const isPartial = reason.includes('not seeing messages');
    this.#blindSpot = isPartial
      ? "no right to read the system's journal: run as root or join the group systemd-journal"
      : null;
    return cursor;
  }

  /** Cursor of the entry at a place, or of the next one when it is gone. */
  async #firstAt(cursor: string): Promise<string | null> {
    return (await this.#firstOf([`--cursor=${cursor}`, '--lines=1'])).cursor;
  }

  async #firstOf(args: readonly string[]): Promise<{ cursor: string | null; reason: string }> {
    const cursors: string[] = [];
    const { reason } = await this.#run(args, {
      onLine: (line) => {
        const cursor = rawField(line, '__CURSOR');
        if (cursor !== null) cursors.push(cursor);
      },
      signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(longestLookMs)]),
    });
    return { cursor: cursors[0] ?? null, reason };
  }

  /** Runs journalctl to its end and says why it ended. */
  async #run(
    args: readonly string[],
    { onLine, signal }: { onLine: (line: string) => void; signal: AbortSignal },
  ): Promise<{ reason: string }> {
    try {
      const { exitCode, complaint } = await runJournalctl({ command: this.#command, args, onLine, signal });
      return { reason: complaint === '' ? `exit code ${exitCode ?? 'none, killed'}` : complaint };
    } catch (error) {
      return { reason: describeFailure(error) };
    }
  }

  #tellGap(cause: string, { lost, from }: { lost: number | null; from: number | null }): void {
    this.#options.report({
      kind: 'gap',
      gap: {
        source: this.name,
        cause,
        lost,
        at_most: null,
        from: from === null ? null : toInstant(from),
        to: toInstant(this.#options.clock.wallMs()),
        lane: null,
        from_seq: null,
        to_seq: null,
      },
    });
  }

  #become(state: SourceState['state'], reason: string | null, since = this.#options.clock.wallMs()): void {
    if (this.#state.state === state && this.#state.reason === reason) return;
    this.#state = { ...this.#stateOf(state, reason), since: toInstant(since) };
    this.#options.report({ kind: 'state_changed', state: this.#state });
  }

  #stateOf(state: SourceState['state'], reason: string | null): SourceState {
    return { name: this.name, state, reason, since: toInstant(this.#options.clock.wallMs()) };
  }
}
