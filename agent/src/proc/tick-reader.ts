import { CgroupReader, type CgroupReading } from './cgroup-reading.ts';

/** What was read at a tick. The same object as at the tick before: the task rests, and its reading is carried over. */
export interface TickReading extends CgroupReading {
  /** When it was read, by the monotonic clock. */
  readonly wholeAtMs: number;
}

/**
 * A cgroup that counted nothing new for a few readings rests: of its files only `cpu.stat` is read, until it has used CPU
 * again, and all of them every five seconds. Whatever it does itself costs it CPU first (it reads, writes, allocates,
 * is killed); what others do to it (they reclaim its memory, write out its pages) is seen at most that much later.
 */
const restAfterReadings = 3;
const restMs = 5_000;

/** Reads the cgroups of running tasks once a tick. */
export class TickReader {
  readonly #cgroups: CgroupReader;
  readonly #known = new Map<string, { readonly reading: TickReading; readonly sameReadings: number }>();
  #nowMs = 0;

  constructor(cgroupRoot: string) {
    this.#cgroups = new CgroupReader(cgroupRoot);
  }

  /** A new tick, by the monotonic clock. Those named are gone on with, all others let go. */
  begin(cgroups: ReadonlySet<string>, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#cgroups.begin(cgroups);
    for (const cgroup of this.#known.keys()) if (!cgroups.has(cgroup)) this.#known.delete(cgroup);
  }

  /** Null when it is gone, or nothing is counted in it. */
  read(cgroup: string): TickReading | null {
    const known = this.#known.get(cgroup);
    const isResting =
      known !== undefined &&
      known.sameReadings >= restAfterReadings &&
      this.#nowMs - known.reading.wholeAtMs < restMs &&
      this.#cgroups.readCpuUsec(cgroup) === known.reading.cpuUsec;
    if (isResting) return known.reading;
    const whole = this.readWhole(cgroup);
    this.#known.delete(cgroup);
    if (whole === null) return null;
    const reading = { ...whole, wholeAtMs: this.#nowMs };
    const isSame = whole.cpuUsec !== null && known !== undefined && isEqual(known.reading, whole);
    this.#known.set(cgroup, { reading, sameReadings: isSame ? known.sameReadings + 1 : 0 });
    return reading;
  }

  /** At any time, whether it rests or not. */
  readWhole(cgroup: string): CgroupReading | null {
    return this.#cgroups.read(cgroup);
  }

  [Symbol.dispose](): void {
    this.#cgroups[Symbol.dispose]();
  }
}

function isEqual(one: CgroupReading, other: CgroupReading): boolean {
  return (Object.keys(other) as (keyof CgroupReading)[]).every((name) => one[name] === other[name]);
}
