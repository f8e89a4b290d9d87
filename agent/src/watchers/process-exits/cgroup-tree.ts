import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { sparing } from '../../proc/descriptors.ts';
import { pathBelow, readKernelFile } from '../../proc/kernel-file.ts';
import { type UnitCgroup, unitCgroupOf } from './unit-cgroup.ts';

/** A cgroup as its id finds it: the id is the inode of its directory and is never given twice in one boot. */
export interface KnownCgroup {
  readonly id: number;
  readonly path: string;
  readonly unit: UnitCgroup | null;
}

export interface CgroupTreeOptions {
  /** Where cgroup2 is mounted. */
  readonly cgroupRoot: string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** A directory not seen before; what waits for its id can go on. */
  readonly onAdded: (cgroup: KnownCgroup) => void;
  /** Someone was attached to a unit's cgroup, or it became populated or empty. Forks inside say nothing. */
  readonly onAttached: (cgroup: KnownCgroup) => void;
  readonly onUnwatched: (reason: string) => void;
}

/** A removed directory's id is still asked for by exits that come late. */
const REMEMBER_REMOVED_MS = 60_000;
const MAX_DEPTH = 16;
const MAX_CGROUPS = 8192;

interface Entry extends KnownCgroup {
  watcher: FSWatcher | null;
  removedAtMs: number | null;
}

/**
 * The names behind cgroup ids, kept by inotify (mkdir and rmdir below each directory, writes to `cgroup.procs`) and by
 * {@link CgroupTree.walk}, which is the guarantee where inotify is lost or refused.
 */
export class CgroupTree {
  readonly #options: CgroupTreeOptions;
  readonly #byId = new Map<number, Entry>();
  readonly #byPath = new Map<string, Entry>();
  #isUnwatched = false;
  #closed = false;

  constructor(options: CgroupTreeOptions) {
    this.#options = options;
  }

  byId(id: number): KnownCgroup | undefined {
    return this.#byId.get(id);
  }

  /** Learns a name from a process that was just seen there, which may be sooner than inotify tells. */
  learn(path: string): void {
    if (!this.#closed) this.#note(path);
  }

  /** Living directories that are a unit's own. */
  *units(): Generator<KnownCgroup> {
    for (const entry of this.#byPath.values()) if (entry.unit?.path === entry.path) yield entry;
  }

  /** Processes directly in a cgroup. */
  pidsOf(path: string): number[] {
    const text = readKernelFile(this.#options.cgroupRoot, childOf(path, 'cgroup.procs'));
    return text === null ? [] : text.split('\n').filter(Boolean).map(Number);
  }

  /** Takes in every directory below `path` that is not known yet. */
  walk(path = '/', depth = 0): void {
    if (this.#closed || depth > MAX_DEPTH) return;
    this.#note(path);
    for (const name of directoriesIn(this.#onDisk(path))) this.walk(childOf(path, name), depth + 1);
  }

  /** Drops what was removed longer ago than a minute, and notices removals inotify did not tell. */
  prune(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const entry of this.#byId.values()) {
      if (entry.removedAtMs === null && inodeOf(this.#onDisk(entry.path)) !== entry.id) this.#remove(entry);
      if (entry.removedAtMs !== null && nowMs - entry.removedAtMs > REMEMBER_REMOVED_MS) this.#byId.delete(entry.id);
    }
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#byId.values()) entry.watcher?.close();
    this.#byId.clear();
    this.#byPath.clear();
  }

  #note(path: string): void {
    const id = inodeOf(this.#onDisk(path));
    const known = this.#byPath.get(path);
    if (id === null || known?.id === id) return;
    if (known !== undefined) this.#remove(known);
    if (this.#byId.size >= MAX_CGROUPS) return this.#unwatched(`more than ${MAX_CGROUPS} cgroups`);
    const entry: Entry = { id, path, unit: unitCgroupOf(path), watcher: null, removedAtMs: null };
    this.#byId.set(id, entry);
    this.#byPath.set(path, entry);
    // Watched before it is listed by the caller: a child made in between is seen by one of the two.
    entry.watcher = this.#watch(entry);
    this.#options.onAdded(entry);
  }

  #watch(entry: Entry): FSWatcher | null {
    if (this.#isUnwatched) return null;
    try {
      const watcher = watch(this.#onDisk(entry.path), (event, name) => this.#onChange(entry, event, name));
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (code !== 'ENOENT') this.#unwatched(`inotify on the cgroup tree: ${code}`);
      return null;
    }
  }

  #onChange(entry: Entry, event: string, name: string | null): void {
    if (this.#closed) return;
    if (name === 'cgroup.procs' || name === 'cgroup.events') {
      if (entry.unit !== null && entry.removedAtMs === null) this.#options.onAttached(entry);
      return;
    }
    if (event !== 'rename' || name === null) return;
    const path = childOf(entry.path, name);
    const child = this.#byPath.get(path);
    if (child !== undefined && inodeOf(this.#onDisk(path)) !== child.id) this.#remove(child);
    this.walk(path, path.split('/').length);
  }

  #onDisk(path: string): string {
    return pathBelow(this.#options.cgroupRoot, path);
  }

  #remove(entry: Entry): void {
    entry.watcher?.close();
    entry.watcher = null;
    entry.removedAtMs = this.#options.clock.monotonicMs();
    if (this.#byPath.get(entry.path) === entry) this.#byPath.delete(entry.path);
  }

  #unwatched(reason: string): void {
    if (this.#isUnwatched) return;
    this.#isUnwatched = true;
    this.#options.onUnwatched(reason);
  }
}

function childOf(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

function inodeOf(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
  } catch {
    // ENODEV from a directory that is just being removed, or closed to us.
    return null;
  }
}

function directoriesIn(path: string): string[] {
  try {
    return sparing(() => readdirSync(path, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // Removed since it was named: nothing is in it any more.
    return [];
  }
}
