import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import type { ProcessUse } from '@runnerwatch/shared/model/sample.ts';
import { KeptKernelFile, pathBelow, readKernelRecord, StandingKernelFile } from '../proc/kernel-file.ts';
import { parseNewestPid } from '../proc/loadavg.ts';
import { listPids } from '../proc/pids.ts';
import type { TickTime } from './sampler.ts';

/** A process, from the tick at which it was found to its end. */
export interface Known {
  readonly pid: number;
  readonly file: KeptKernelFile | null;
  /** The stat line as last read, '' before: that of a process which did nothing is the same again. */
  line: string;
  idleReadings: number;
  listedAtMs: number;
  cpuTicks: number;
  readAtMs: number;
  matched: readonly ProcessMatch[];
  matchedAtMs: number;
  use: ProcessUse;
}

/** Nothing begins without a new pid; this is for pids that were chosen, not dealt (CRIU), and for what ended while it rested. */
const LIST_EVERY_MS = 5_000;
/** Stat files that stay open: each costs the kernel a page. Those of further processes are opened at every reading. */
const MAX_KEPT = 512;

/** Which processes there are: `/proc` is listed only when a pid was given away since it last was. */
export class ProcessList {
  readonly #root: string;
  readonly #load: StandingKernelFile;
  readonly #known = new Map<number, Known>();
  #listed: { newestPid: number | null; atMs: number } | null = null;
  #kept = 0;

  constructor(root: string) {
    this.#root = root;
    this.#load = new StandingKernelFile(root, '/proc/loadavg', 'one');
  }

  get size(): number {
    return this.#known.size;
  }

  /** An iterator would make an object for each process, hundreds at every tick. */
  forEach(visit: (entry: Known) => void): void {
    this.#known.forEach(visit);
  }

  /** False when it cannot be told which there are. */
  refresh({ monotonicMs }: TickTime): boolean {
    const newestPid = this.#load.read(parseNewestPid);
    const before = this.#listed;
    const isSame = newestPid !== null && newestPid === before?.newestPid;
    if (isSame && monotonicMs - before.atMs < LIST_EVERY_MS) return true;
    const names = listPids(this.#root);
    if (names === null) return false;
    this.#listed = { newestPid, atMs: monotonicMs };
    for (const name of names) {
      const pid = Number(name);
      const entry = this.#known.get(pid) ?? this.begin(pid);
      entry.listedAtMs = monotonicMs;
    }
    this.forEach((entry) => {
      if (entry.listedAtMs !== monotonicMs) this.end(entry);
    });
    return true;
  }

  begin(pid: number): Known {
    const file = this.#kept < MAX_KEPT ? new KeptKernelFile(pathBelow(this.#root, `/proc/${pid}/stat`)) : null;
    if (file !== null) this.#kept += 1;
    const entry = { ...unread, pid, file };
    this.#known.set(pid, entry);
    return entry;
  }

  /** Null when it is gone, or hidden. */
  readLine({ pid, file }: Known): string | null {
    return file === null ? readKernelRecord(this.#root, `/proc/${pid}/stat`) : file.read();
  }

  end({ pid, file }: Known): void {
    this.#known.delete(pid);
    if (file === null) return;
    file.close();
    this.#kept -= 1;
  }

  close(): void {
    this.forEach((entry) => this.end(entry));
    this.#load.close();
  }
}

const unread: Omit<Known, 'pid' | 'file'> = {
  line: '',
  idleReadings: 0,
  listedAtMs: 0,
  cpuTicks: 0,
  readAtMs: 0,
  matched: [],
  matchedAtMs: -Infinity,
  use: { pid: 0, start_ticks: 0, name: '', rss_bytes: 0, cpu_percent: null },
};
