import { isInside, parseAmount, parseFlatKeyed } from './cgroup.ts';
import { KeptKernelFile, readKernelFile } from './kernel-file.ts';

/**
 * What the kernel counts for one cgroup and all below it (cgroup-v2.rst, "Controllers"; psi.rst). Null: not counted here, or
 * not readable. Stalls are the `total` of the `some` line.
 */
export interface CgroupReading {
  readonly memoryBytes: number | null;
  /** `memory.peak`, since kernel 5.19. */
  readonly memoryPeakBytes: number | null;
  /** `memory.max`; null also for "max", no limit. */
  readonly memoryMaxBytes: number | null;
  /** The tightest `memory.max` of the cgroup and all around it. */
  readonly memoryLimitBytes: number | null;
  /** `oom_kill` of `memory.events`: processes that the OOM killer took. */
  readonly oomKills: number | null;
  readonly cpuUsec: number | null;
  /** Null without the cpu controller. */
  readonly throttledUsec: number | null;
  readonly cpuStallUsec: number | null;
  readonly memoryStallUsec: number | null;
  readonly ioStallUsec: number | null;
  /** All devices together. */
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly processes: number | null;
}

const fileNames = [
  'memory.current',
  'memory.peak',
  'memory.max',
  'memory.events',
  'cpu.stat',
  'cpu.pressure',
  'memory.pressure',
  'io.pressure',
  'io.stat',
  'pids.current',
] as const;
type FileName = (typeof fileNames)[number];
type Texts = Readonly<Record<FileName, string | null>>;

/** Cgroups whose files stay open, ten each; those of others are opened at every reading. */
const keptCgroups = 64;

/** Reads cgroups below a mount from `findCgroup2Root`, each once a second for as long as it lives. */
export class CgroupReader {
  readonly #root: string;
  readonly #kept = new Map<string, ReadonlyMap<FileName, KeptKernelFile>>();
  /** `memory.max` of the cgroups around those that are read, from this tick. */
  readonly #limits = new Map<string, number | null>();

  constructor(cgroupRoot: string) {
    this.#root = cgroupRoot;
  }

  /** A new tick: what cgroups have in common is read once in it. Those named are gone on with, all others let go. */
  begin(cgroups: ReadonlySet<string>): void {
    this.#limits.clear();
    for (const cgroup of this.#kept.keys()) if (!cgroups.has(cgroup)) this.close(cgroup);
  }

  /** The cgroup at a path such as `/system.slice/t1.scope`; null when it is gone, or nothing is counted in it. */
  read(cgroup: string): CgroupReading | null {
    if (!isInside(cgroup)) return null;
    const texts = this.#kept.size < keptCgroups || this.#kept.has(cgroup) ? this.#texts(cgroup) : this.#once(cgroup);
    const reading = parseReading(texts);
    if (Object.values(reading).some((value) => value !== null))
      return { ...reading, memoryLimitBytes: tightest(reading.memoryMaxBytes, this.#limitAround(cgroup)) };
    this.close(cgroup);
    return null;
  }

  /** `usage_usec` of it and all below it alone; null as with {@link read}. */
  readCpuUsec(cgroup: string): number | null {
    const kept = this.#kept.get(cgroup)?.get('cpu.stat');
    const text = kept === undefined ? readKernelFile(this.#path(cgroup), '/cpu.stat') : kept.read();
    return parseFlatKeyed(text, 'usage_usec');
  }

  close(cgroup: string): void {
    for (const file of this.#kept.get(cgroup)?.values() ?? []) file.close();
    this.#kept.delete(cgroup);
  }

  [Symbol.dispose](): void {
    for (const cgroup of this.#kept.keys()) this.close(cgroup);
  }

  #texts(cgroup: string): Texts {
    const files = this.#open(cgroup);
    const texts = readAll(files);
    if (![...files.values()].some(({ isGone }) => isGone)) return texts;
    // Another cgroup may have its path by now: a unit that was started again.
    this.close(cgroup);
    return readAll(this.#open(cgroup));
  }

  #open(cgroup: string): ReadonlyMap<FileName, KeptKernelFile> {
    const files = this.#kept.get(cgroup) ?? openAll(this.#path(cgroup));
    this.#kept.set(cgroup, files);
    return files;
  }

  #once(cgroup: string): Texts {
    const prefix = cgroup === '/' ? '' : cgroup;
    const read = (name: FileName) => [name, readKernelFile(this.#root, `${prefix}/${name}`)] as const;
    return { ...noTexts, ...Object.fromEntries(fileNames.map(read)) };
  }

  #limitAround(cgroup: string): number | null {
    const parent = cgroup.slice(0, cgroup.lastIndexOf('/'));
    if (parent === '') return null;
    const known = this.#limits.get(parent);
    if (known !== undefined) return known;
    const own = parseAmount(readKernelFile(this.#root, `${parent}/memory.max`));
    const limit = tightest(own, this.#limitAround(parent));
    this.#limits.set(parent, limit);
    return limit;
  }

  #path(cgroup: string): string {
    return cgroup === '/' ? this.#root : this.#root + cgroup;
  }
}

/** The `total` of a pressure file's `some` line, in microseconds. */
export function parseStall(text: string | null): number | null {
  const total = /^some .*\btotal=(\d+)$/m.exec(text ?? '')?.[1];
  return total === undefined ? null : Number(total);
}

/** Bytes of all devices in `io.stat`; an empty file means that nothing was read or written yet. */
export function parseIoStat(text: string | null): { readBytes: number | null; writtenBytes: number | null } {
  if (text === null) return { readBytes: null, writtenBytes: null };
  const sum = (pattern: RegExp) => [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0);
  return { readBytes: sum(/\brbytes=(\d+)/g), writtenBytes: sum(/\bwbytes=(\d+)/g) };
}

function parseReading(texts: Texts): Omit<CgroupReading, 'memoryLimitBytes'> {
  return {
    memoryBytes: parseAmount(texts['memory.current']),
    memoryPeakBytes: parseAmount(texts['memory.peak']),
    memoryMaxBytes: parseAmount(texts['memory.max']),
    oomKills: parseFlatKeyed(texts['memory.events'], 'oom_kill'),
    cpuUsec: parseFlatKeyed(texts['cpu.stat'], 'usage_usec'),
    throttledUsec: parseFlatKeyed(texts['cpu.stat'], 'throttled_usec'),
    cpuStallUsec: parseStall(texts['cpu.pressure']),
    memoryStallUsec: parseStall(texts['memory.pressure']),
    ioStallUsec: parseStall(texts['io.pressure']),
    ...parseIoStat(texts['io.stat']),
    processes: parseAmount(texts['pids.current']),
  };
}

const noTexts = Object.fromEntries(fileNames.map((name) => [name, null])) as Record<FileName, null>;

function readAll(files: ReadonlyMap<FileName, KeptKernelFile>): Texts {
  const texts: Record<FileName, string | null> = { ...noTexts };
  for (const [name, file] of files) texts[name] = file.read();
  return texts;
}

function openAll(path: string): ReadonlyMap<FileName, KeptKernelFile> {
  return new Map(fileNames.map((name) => [name, new KeptKernelFile(`${path}/${name}`)]));
}

function tightest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
