import { createHash } from 'node:crypto';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';

const GiB = 1024 ** 3;
const minuteMs = 60_000;

/** A machine as its agent knows it. */
export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly cpuCount: number;
  readonly memoryBytes: number;
}

export const machines: readonly Machine[] = [
  ...machinesOf('gpu-a', 16, { labels: { rack: 'a', gpu: 'a100' }, cpuCount: 64, memoryGiB: 512 }),
  ...machinesOf('gpu-h', 8, { labels: { rack: 'h', gpu: 'h100' }, cpuCount: 96, memoryGiB: 1024 }),
  ...machinesOf('cpu', 16, { labels: { rack: 'c' }, cpuCount: 48, memoryGiB: 256 }),
];

function machinesOf(
  prefix: string,
  count: number,
  { labels, cpuCount, memoryGiB }: { labels: Record<string, string>; cpuCount: number; memoryGiB: number },
): Machine[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${prefix}${prefix === 'cpu' ? '-' : ''}${String(index + 1).padStart(2, '0')}`;
    return { id: uuidOf(name), name, labels, cpuCount, memoryBytes: memoryGiB * GiB };
  });
}

/** The same id for the same text, in the shape of a UUID. */
export function uuidOf(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex');
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `4${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}

export const fleetSize = machines.length;
export const stormed = machines.findIndex(({ name }) => name === 'gpu-a07');
export const full = machines.findIndex(({ name }) => name === 'cpu-03');
export const away = machines.findIndex(({ name }) => name === 'cpu-14');

export function fullDisk(nowMs: number): EventBody {
  return {
    kind: 'condition',
    report: {
      condition: 'DiskPressure',
      component: 'agent',
      subject: '',
      status: 'true',
      severity: 'warning',
      reason: '/scratch 94% used (threshold 90%)',
      value: 94,
      threshold: 90,
      since: toInstant(nowMs - 40 * minuteMs),
    },
  };
}

/** What a machine reads at a moment: busy ones wander, full ones stay full. */
export function reading({ name, cpuCount, memoryBytes }: Machine, nth: number, nowMs: number): NodeSample {
  const isGpu = name.startsWith('gpu');
  const wave = (periodMs: number, phase: number) => (1 + Math.sin(nowMs / periodMs + nth * phase)) / 2;
  const busy = 0.25 + 0.6 * wave(190_000, 2.3) * (0.8 + 0.2 * wave(21_000, 1.1));
  const memoryUsed = 0.3 + 0.5 * wave(700_000, 1.7);
  const scratch = nth === full ? 94 : 35 + ((nth * 37) % 45);
  const disk = (mount: string, totalGiB: number, percent: number) => ({
    mount,
    device: mount === '/' ? '/dev/nvme0n1p2' : '/dev/md0',
    fstype: mount === '/' ? 'ext4' : 'xfs',
    total_bytes: totalGiB * GiB,
    used_bytes: (totalGiB * GiB * percent) / 100,
    available_bytes: (totalGiB * GiB * (100 - percent)) / 100,
    used_percent: percent,
    inodes_used_percent: 4,
  });
  const processUse = (pid: number, program: string, share: number) => ({
    pid,
    start_ticks: 120_000 + pid,
    name: program,
    rss_bytes: memoryBytes * memoryUsed * share,
    cpu_percent: busy * cpuCount * 100 * share,
  });
  return {
    at: toInstant(nowMs),
    uptime_s: 1_870_000 + nth * 3600,
    cpu_count: cpuCount,
    cpu_percent: busy * 100,
    load1: busy * cpuCount * 1.05,
    load5: busy * cpuCount,
    load15: 0.55 * cpuCount,
    memory_total_bytes: memoryBytes,
    memory_available_bytes: memoryBytes * (1 - memoryUsed),
    swap_total_bytes: 0,
    swap_free_bytes: 0,
    network_rx_bytes_per_s: 4e7 * wave(45_000, 3.1),
    network_tx_bytes_per_s: 1.5e7 * wave(60_000, 0.7),
    psi_cpu: { some_avg10: 6 * busy, full_avg10: 0 },
    psi_memory: { some_avg10: 0.4 * memoryUsed, full_avg10: 0.1 },
    psi_io: { some_avg10: 3 * wave(80_000, 1.9), full_avg10: 1 },
    disks: [disk('/', 440, 31 + (nth % 9)), disk('/scratch', isGpu ? 14_000 : 7000, scratch)],
    processes: [
      processUse(4121, isGpu ? 'python' : 'ensemble', 0.62),
      processUse(4377, isGpu ? 'pt_data_worker' : 'python', 0.12),
      processUse(1204, 'dockerd', 0.004),
      processUse(1, 'systemd', 0.0003),
    ],
    self: { rss_bytes: 38_000_000, cpu_percent: 0.4 },
  };
}
