/**
 * What the kernel counts for one task's cgroup at one instant (cgroup-v2.rst, "Controllers"; psi.rst). Null: not counted
 * here, or not readable. Counters are totals since the cgroup began; stalls are the `total` of the `some` line.
 */
export interface TaskReading {
  readonly memoryBytes: number | null;
  /** The tightest `memory.max` on the way to the root of the task's own cgroup; null for no limit. */
  readonly memoryLimitBytes: number | null;
  readonly cpuUsec: number | null;
  readonly throttledUsec: number | null;
  readonly cpuStallUsec: number | null;
  readonly memoryStallUsec: number | null;
  readonly ioStallUsec: number | null;
  /** All devices together, as `io.stat` counts them. */
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly processes: number | null;
  /**
   * When all of it but the CPU time was read, by the monotonic clock: that of a task that rests is carried over for some
   * ticks. Null: with its tick.
   */
  readonly wholeAtMs: number | null;
}

/** A task of which nothing was read. */
export const nothingRead: TaskReading = {
  memoryBytes: null,
  memoryLimitBytes: null,
  cpuUsec: null,
  throttledUsec: null,
  cpuStallUsec: null,
  memoryStallUsec: null,
  ioStallUsec: null,
  readBytes: null,
  writtenBytes: null,
  processes: null,
  wholeAtMs: null,
};

/** The readings of one tick, by the key of the run they are of. */
export type TaskReadings = ReadonlyMap<string, TaskReading>;

/** What is recorded of the node beside its tasks. Null: not read. */
export interface NodeGauges {
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly swapBytes: number | null;
  /** Of all cores together, 0…100. */
  readonly cpuPercent: number | null;
  readonly load1: number | null;
  /** `some avg10` of psi.rst. */
  readonly cpuStallPercent: number | null;
  readonly memoryStallPercent: number | null;
  readonly ioStallPercent: number | null;
  /** Totals of all devices; null where the root cgroup has no `io.stat`. */
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  /** Of the fullest disk. */
  readonly diskUsedPercent: number | null;
}

/** The instant of a tick. */
export interface TickInstant {
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  readonly monotonicMs: number;
}
