import { expect, it } from 'vitest';
import { joinPoints, keepLive, type Point, pointOf } from './points.ts';

const sample = {
  at: '2026-11-22T04:00:05.000Z',
  uptime_s: 1,
  cpu_count: 4,
  cpu_percent: 12,
  load1: 0.5,
  load5: null,
  load15: null,
  memory_total_bytes: 100,
  memory_available_bytes: 25,
  swap_total_bytes: null,
  swap_free_bytes: null,
  network_rx_bytes_per_s: 1,
  network_tx_bytes_per_s: null,
  psi_cpu: null,
  psi_memory: { some_avg10: 7, full_avg10: null },
  psi_io: null,
  disks: null,
  processes: null,
  self: { rss_bytes: null, cpu_percent: null },
};

function at(second: number): Point {
  return { ...pointOf(sample, { clock_skew_ms: null }), at: new Date(second * 1000).toISOString() };
}

it('puts a live reading at its time by the collector’s clock, and leaves unknown what was not read', () => {
  expect(pointOf(sample, { clock_skew_ms: 5000 })).toMatchObject({
    at: '2026-11-22T04:00:00.000Z',
    memory_used_percent: 75,
    psi_memory_some: 7,
    disk_used_percent_max: null,
    network_tx_bytes_per_s: null,
  });
});

it('keeps the newest reading, and one in ten seconds of those before', () => {
  const seconds = Array.from({ length: 26 }, (_, second) => second);

  const kept = seconds.reduce<readonly Point[]>((live, second) => keepLive(live, at(second)), []);

  expect(kept.map((point) => Date.parse(point.at) / 1000)).toEqual([0, 10, 20, 25]);
});

it('breaks the lines where readings are missing, and takes live ones only after the past', () => {
  const joined = joinPoints([at(0), at(10), at(100)], [at(90), at(103)], 10_000);

  expect(joined.map((point) => [Date.parse(point.at) / 1000, point.cpu_percent])).toEqual([
    [0, 12],
    [10, 12],
    [20, null],
    [100, 12],
    [103, 12],
  ]);
});
