import { loadavg } from 'node:os';
import { matchesProcess } from '@runnerwatch/shared/conditions/process-match.ts';
import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import type { DiskUse, ProcessUse } from '@runnerwatch/shared/model/sample.ts';
import type { Systeminformation } from 'systeminformation';
import { largestBy } from './largest.ts';
import { hundredths } from './rounding.ts';
import type { Contribution, Sampler } from './sampler.ts';

const TOP = 10;
/** The library starts programs for these, so they are read more seldom than the rest; the last reading stands between. */
const SLOW_EVERY_MS = 10_000;

/** All readings by systeminformation, for systems without `/proc`. Pressure does not exist there. */
export function createPortableSampler(matches: readonly ProcessMatch[]): Sampler {
  let slow: { readAtMs: number; contribution: Contribution } | null = null;
  return {
    name: 'portable',
    async sample({ monotonicMs }) {
      const si = await loadLibrary();
      const quick = await readQuick(si);
      if (slow === null || monotonicMs - slow.readAtMs >= SLOW_EVERY_MS) {
        slow = { readAtMs: monotonicMs, contribution: await readSlow(si, matches) };
      }
      return { ...slow.contribution, sample: { ...slow.contribution.sample, ...quick } };
    },
  };
}

async function loadLibrary() {
  return (await import('systeminformation')).default;
}

type Library = Awaited<ReturnType<typeof loadLibrary>>;

async function readQuick(si: Library): Promise<NonNullable<Contribution['sample']>> {
  const [load, memory, network] = await Promise.all([si.currentLoad(), si.mem(), si.networkStats()]);
  const [load1, load5, load15] = loadavg();
  return {
    uptime_s: si.time().uptime,
    cpu_count: load.cpus.length > 0 ? load.cpus.length : null,
    cpu_percent: hundredths(load.currentLoad),
    load1: load1 ?? null,
    load5: load5 ?? null,
    load15: load15 ?? null,
    memory_total_bytes: memory.total,
    memory_available_bytes: memory.available,
    swap_total_bytes: memory.swaptotal,
    swap_free_bytes: memory.swapfree,
    network_rx_bytes_per_s: sumOrNull(network.map((found) => found.rx_sec)),
    network_tx_bytes_per_s: sumOrNull(network.map((found) => found.tx_sec)),
  };
}

async function readSlow(si: Library, matches: readonly ProcessMatch[]): Promise<Contribution> {
  const [disks, processes] = await Promise.all([si.fsSize(), si.processes()]);
  const uses = processes.list.map(toProcessUse);
  return {
    sample: {
      disks: disks.filter(({ size }) => size > 0).map(toDiskUse),
      processes: [
        ...new Set([
          ...largestBy(uses, (use) => use.rss_bytes, TOP),
          ...largestBy(uses, (use) => use.cpu_percent ?? 0, TOP),
        ]),
      ],
    },
    ruleProcesses: matches.map((match) => ({
      match: match.text,
      processes: processes.list
        .filter(({ name, command, params }) =>
          matchesProcess(match, { name, commandLine: `${command} ${params}`, cgroup: null }),
        )
        .map(toProcessUse)
        .map((use) => ({ pid: use.pid, name: use.name, rssBytes: use.rss_bytes, cpuPercent: use.cpu_percent })),
    })),
  };
}

function toDiskUse(disk: Systeminformation.FsSizeData): DiskUse {
  return {
    mount: disk.mount,
    device: disk.fs,
    fstype: disk.type,
    total_bytes: disk.size,
    used_bytes: disk.used,
    available_bytes: disk.available,
    used_percent: disk.use,
    inodes_used_percent: null,
  };
}

function toProcessUse(found: Systeminformation.ProcessesProcessData): ProcessUse {
  return {
    pid: found.pid,
    start_ticks: Math.floor(Date.parse(found.started) / 10) || 0,
    name: found.name,
    rss_bytes: found.memRss * 1024,
    cpu_percent: hundredths(found.cpu),
  };
}

/** The library gives null for a rate until its second reading. */
function sumOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : hundredths(known.reduce((sum, value) => sum + value, 0));
}
