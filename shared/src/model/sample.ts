import * as z from 'zod/mini';
import { instant } from './instant.ts';

const pressure = z.object({ some_avg10: z.number(), full_avg10: z.nullable(z.number()) });

export const diskUse = z.object({
  mount: z.string(),
  device: z.string(),
  fstype: z.string(),
  total_bytes: z.number(),
  used_bytes: z.number(),
  available_bytes: z.number(),
  /** Used of what an ordinary user can have, as `df` says it. */
  used_percent: z.number(),
  /** Null where the file system counts no inodes (btrfs, vfat). */
  inodes_used_percent: z.nullable(z.number()),
});
export type DiskUse = z.infer<typeof diskUse>;

export const processUse = z.object({
  pid: z.int(),
  /** Clock ticks after boot (field 22 of /proc/PID/stat): with boot id and pid, the identity of a process. */
  start_ticks: z.number(),
  name: z.string(),
  rss_bytes: z.number(),
  /** Of one core, over the last interval; null at the first sight. */
  cpu_percent: z.nullable(z.number()),
});
export type ProcessUse = z.infer<typeof processUse>;

/** One reading of a node. Null: could not be read, never 0. */
export const nodeSample = z.object({
  at: instant,
  uptime_s: z.nullable(z.number()),
  cpu_count: z.nullable(z.int()),
  /** Of all cores together, 0…100. */
  cpu_percent: z.nullable(z.number()),
  load1: z.nullable(z.number()),
  load5: z.nullable(z.number()),
  load15: z.nullable(z.number()),
  memory_total_bytes: z.nullable(z.number()),
  memory_available_bytes: z.nullable(z.number()),
  swap_total_bytes: z.nullable(z.number()),
  swap_free_bytes: z.nullable(z.number()),
  network_rx_bytes_per_s: z.nullable(z.number()),
  network_tx_bytes_per_s: z.nullable(z.number()),
  psi_cpu: z.nullable(pressure),
  psi_memory: z.nullable(pressure),
  psi_io: z.nullable(pressure),
  disks: z.nullable(z.array(diskUse)),
  /** The largest by memory and by CPU, at most 20. */
  processes: z.nullable(z.array(processUse)),
  /** Our own process. */
  self: z.object({ rss_bytes: z.nullable(z.number()), cpu_percent: z.nullable(z.number()) }),
});
export type NodeSample = z.infer<typeof nodeSample>;
