import { existsSync } from 'node:fs';
import { pathBelow, readKernelFile } from './kernel-file.ts';

/** What the kernel counts for one cgroup (cgroup-v2.rst, "Controllers"). Null: not counted here or not readable. */
export interface CgroupUsage {
  /** `usage_usec` of `cpu.stat`: all descendants, also those that ended. */
  readonly cpuUsec: number | null;
  /** `memory.peak`, since kernel 5.19. */
  readonly memoryPeakBytes: number | null;
  readonly memoryCurrentBytes: number | null;
  /** `memory.max`; null also for "max", no limit. */
  readonly memoryMaxBytes: number | null;
  /** `oom_kill` of `memory.events`: processes of this cgroup or below that the OOM killer took. */
  readonly oomKills: number | null;
}

/**
 * Where cgroup2 is mounted below `root`: alone (`/sys/fs/cgroup`) or beside version 1 (`/sys/fs/cgroup/unified`), as a
 * path that already contains `root`; null when there is none.
 */
export function findCgroup2Root(root: string): string | null {
  const places = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((path) => pathBelow(root, path));
  return places.find((place) => existsSync(`${place}/cgroup.controllers`)) ?? null;
}

/** Usage of the cgroup at `cgroupPath` (`/system.slice/t1.scope`) below a mount from {@link findCgroup2Root}. */
export function readCgroupUsage(cgroupRoot: string, cgroupPath: string): CgroupUsage {
  const read = (file: string) =>
    isInside(cgroupPath) ? readKernelFile(cgroupRoot, `${cgroupPath === '/' ? '' : cgroupPath}/${file}`) : null;
  return {
    cpuUsec: parseFlatKeyed(read('cpu.stat'), 'usage_usec'),
    memoryPeakBytes: parseAmount(read('memory.peak')),
    memoryCurrentBytes: parseAmount(read('memory.current')),
    memoryMaxBytes: parseAmount(read('memory.max')),
    oomKills: parseFlatKeyed(read('memory.events'), 'oom_kill'),
  };
}

/** A file of one number; null for "max" and for anything else that is no number. */
export function parseAmount(text: string | null): number | null {
  return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null;
}

/** One value of a file of `key value` lines. */
export function parseFlatKeyed(text: string | null, key: string): number | null {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return line === undefined ? null : parseAmount(line.slice(key.length + 1));
}

/** A path with `..` comes from a cgroup namespace that does not contain the process; below our mount it would name another cgroup. */
function isInside(cgroupPath: string): boolean {
  return cgroupPath.startsWith('/') && !cgroupPath.split('/').includes('..');
}
