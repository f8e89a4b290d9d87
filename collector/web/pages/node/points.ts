import type { Node, NodeSample, Routes } from '../../data/api-types.ts';
import { fullestDisk, memoryPercent } from '../nodes/readings.ts';

export type Point = Routes['GET /nodes/{id}/samples']['answer']['items'][number];

/** As often as the collector keeps a reading. */
const keptEveryMs = 10_000;
const pointsMax = 24 * 360;

/** A reading of the live stream as a point of the past, by the collector's clock. */
export function pointOf(sample: NodeSample, { clock_skew_ms: skewMs }: Pick<Node, 'clock_skew_ms'>): Point {
  return {
    at: new Date(Date.parse(sample.at) - (skewMs ?? 0)).toISOString(),
    cpu_percent: sample.cpu_percent,
    load1: sample.load1,
    memory_used_percent: memoryPercent(sample),
    memory_available_bytes: sample.memory_available_bytes,
    disk_used_percent_max: fullestDisk(sample)?.used_percent ?? null,
    network_rx_bytes_per_s: sample.network_rx_bytes_per_s,
    network_tx_bytes_per_s: sample.network_tx_bytes_per_s,
    psi_memory_some: sample.psi_memory?.some_avg10 ?? null,
    psi_cpu_some: sample.psi_cpu?.some_avg10 ?? null,
    psi_io_some: sample.psi_io?.some_avg10 ?? null,
  };
}

/** The newest reading stands at the end; of those before it as many are kept as the collector keeps. */
export function keepLive(live: readonly Point[], point: Point): readonly Point[] {
  const newest = live.at(-1);
  if (newest !== undefined && point.at <= newest.at) return live;
  const before = live.at(-2);
  const isClose = before !== undefined && Date.parse(point.at) - Date.parse(before.at) <= keptEveryMs;
  return [...(isClose ? live.slice(0, -1) : live), point].slice(-pointsMax);
}

/** Past, then live. Where readings are missing stands a point without values, so that lines break there. */
export function joinPoints(past: readonly Point[], live: readonly Point[], stepMs: number): readonly Point[] {
  const pastEnd = past.at(-1)?.at ?? '';
  const joined: Point[] = [];
  for (const point of [...past, ...live.filter(({ at }) => at > pastEnd)]) {
    const before = joined.at(-1);
    if (before !== undefined && Date.parse(point.at) - Date.parse(before.at) > 3.5 * stepMs)
      joined.push({ ...unread, at: new Date(Date.parse(before.at) + stepMs).toISOString() });
    joined.push(point);
  }
  return joined;
}

const unread: Omit<Point, 'at'> = {
  cpu_percent: null,
  load1: null,
  memory_used_percent: null,
  memory_available_bytes: null,
  disk_used_percent_max: null,
  network_rx_bytes_per_s: null,
  network_tx_bytes_per_s: null,
  psi_memory_some: null,
  psi_cpu_some: null,
  psi_io_some: null,
};
