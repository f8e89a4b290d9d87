import { type FSWatcher, watch } from 'node:fs';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { parseFlatKeyed } from '../proc/cgroup.ts';
import { readKernelFile } from '../proc/kernel-file.ts';
import type { Report, Watcher } from './watcher.ts';

export interface CgroupOomOptions {
  /** The cgroup2 mount (`findCgroup2Root`); null when there is none. */
  readonly cgroupRoot: string | null;
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface CgroupOomWatcher extends Watcher {
  /** From now on kills in this cgroup and below are reported, also those it already counted. Again without harm. */
  watch(cgroup: string): void;
  unwatch(cgroup: string): void;
  /**
   * Looks once more and returns how many processes the OOM killer took: the last number seen when the cgroup is already
   * gone, null when it was never readable. For the end of a main process.
   */
  read(cgroup: string): number | null;
}

/** Hears the kernel's count of OOM kills grow: inotify on `memory.events` of each watched cgroup (cgroup-v2.rst). */
export function createCgroupOomWatcher(options: CgroupOomOptions): CgroupOomWatcher {
  return new CgroupOoms(options);
}

interface Watched {
  watcher: FSWatcher | null;
  oomKills: number | null;
}

/** Where inotify is refused or late, the files are looked at. */
const LOOK_MS = 1000;
const MAX_CGROUPS = 8192;

class CgroupOoms implements CgroupOomWatcher {
  readonly name = 'cgroup-oom';
  readonly #options: CgroupOomOptions;
  readonly #watched = new Map<string, Watched>();
  #state: Omit<SourceState, 'name'>;
  #timer: NodeJS.Timeout | undefined;
  #isInotifyRefused = false;
  #isStopped = false;

  constructor(options: CgroupOomOptions) {
    this.#options = options;
    this.#state = { ...judge(options.cgroupRoot), since: toInstant(options.clock.wallMs()) };
  }

  start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    // Without the memory controller there is no such file anywhere.
    if (this.#state.state === 'blind') return Promise.resolve();
    this.#timer = setInterval(() => {
      for (const [cgroup, watched] of this.#watched) if (watched.watcher === null) this.#look(cgroup, watched);
    }, LOOK_MS);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const { watcher } of this.#watched.values()) watcher?.close();
    this.#watched.clear();
    return Promise.resolve();
  }

  state(): SourceState {
    return { name: this.name, ...this.#state };
  }

  watch(cgroup: string): void {
    const { cgroupRoot } = this.#options;
    if (cgroupRoot === null || this.#isStopped || this.#watched.has(cgroup) || this.#watched.size >= MAX_CGROUPS)
      return;
    const watched: Watched = { watcher: null, oomKills: null };
    this.#watched.set(cgroup, watched);
    // Watched first and read second: a kill in between is counted by one of the two.
    watched.watcher = this.#inotify(cgroup, watched);
    this.#look(cgroup, watched);
  }

  unwatch(cgroup: string): void {
    this.#watched.get(cgroup)?.watcher?.close();
    this.#watched.delete(cgroup);
  }

  read(cgroup: string): number | null {
    const watched = this.#watched.get(cgroup);
    if (watched === undefined) return this.#oomKills(cgroup);
    this.#look(cgroup, watched);
    return watched.oomKills;
  }

  #inotify(cgroup: string, watched: Watched): FSWatcher | null {
    try {
      const watcher = watch(`${this.#options.cgroupRoot ?? ''}${cgroup}/memory.events`, () =>
        this.#look(cgroup, watched),
      );
      watcher.on('error', () => {
        watcher.close();
        watched.watcher = null;
      });
      return watcher;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (code !== 'ENOENT' && !this.#isInotifyRefused) {
        this.#isInotifyRefused = true;
        this.#options.log.warn({ code, every_ms: LOOK_MS }, 'memory.events cannot be watched, it is looked at');
      }
      return null;
    }
  }

  #look(cgroup: string, watched: Watched): void {
    const oomKills = this.#oomKills(cgroup);
    if (oomKills === null || this.#isStopped) return;
    const hasGrown = oomKills > (watched.oomKills ?? 0);
    watched.oomKills = oomKills;
    if (hasGrown) this.#options.report({ kind: 'cgroup_oom', cgroup, oomKills, at: this.#options.clock.wallMs() });
  }

  #oomKills(cgroup: string): number | null {
    const { cgroupRoot } = this.#options;
    if (cgroupRoot === null || cgroup.split('/').includes('..')) return null;
    return parseFlatKeyed(readKernelFile(cgroupRoot, `${cgroup}/memory.events`), 'oom_kill');
  }
}

function judge(cgroupRoot: string | null): Pick<SourceState, 'state' | 'reason'> {
  if (cgroupRoot === null)
    return { state: 'blind', reason: 'no cgroup2 tree here: OOM kills are not counted per task' };
  const controllers = readKernelFile(cgroupRoot, '/cgroup.controllers') ?? '';
  if (!controllers.split(/\s+/).includes('memory')) {
    return {
      state: 'blind',
      reason: 'the memory controller is not in cgroup2 here (cgroup v1): OOM kills are not counted per task',
    };
  }
  return { state: 'seeing', reason: null };
}
