import { matchesProcess } from '@runnerwatch/shared/conditions/process-match.ts';
import type { JudgedProcess, RuleProcesses } from '@runnerwatch/shared/conditions/reading.ts';
import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import type { ProcessUse } from '@runnerwatch/shared/model/sample.ts';
import { readPageSizeBytes } from '../proc/page-size.ts';
import { type PidStat, readPidCgroup, readPidStat, TICKS_PER_SECOND } from '../proc/pid-stat.ts';
import { listPids, readCommandLine } from '../proc/pids.ts';
import { largestBy } from './largest.ts';
import { hundredths } from './rounding.ts';
import type { Sampler, TickTime } from './sampler.ts';

/** The largest by memory, and as many by CPU. */
const TOP = 10;
/** A process may be moved to another cgroup after its start, so what it matches is asked again after this time. */
const MATCH_AGAIN_MS = 10_000;

/** Two processes of three are the kernel's own threads, which hold no memory and seldom work: they are read this often. */
const KERNEL_THREADS_EVERY_MS = 5_000;
/** The parent of all kernel threads. */
const KTHREADD = 2;

interface Known {
  readonly startTicks: number;
  readonly isKernelThread: boolean;
  /** The last tick at which it was there. */
  seenAtMs: number;
  cpuTicks: number;
  readAtMs: number;
  comm: string;
  matched: readonly ProcessMatch[];
  matchedAtMs: number;
  use: ProcessUse;
}

/** Every process at every tick: those of the rules, and the largest for the sample. */
export function createProcessesSampler(root: string, matches: readonly ProcessMatch[]): Sampler {
  const known = new Map<number, Known>();
  let pageSizeBytes: number | null = null;

  function observe(stat: PidStat, pageBytes: number, { monotonicMs }: TickTime): void {
    const before = known.get(stat.pid);
    const isSame = before !== undefined && before.startTicks === stat.startTicks;
    const elapsedMs = isSame ? monotonicMs - before.readAtMs : 0;
    const entry: Known = isSame
      ? before
      : {
          startTicks: stat.startTicks,
          isKernelThread: stat.pid === KTHREADD || stat.ppid === KTHREADD,
          seenAtMs: 0,
          cpuTicks: 0,
          readAtMs: 0,
          comm: '',
          matched: [],
          matchedAtMs: -Infinity,
          use: unused,
        };
    entry.use = {
      pid: stat.pid,
      start_ticks: stat.startTicks,
      name: stat.comm,
      rss_bytes: stat.rssPages * pageBytes,
      cpu_percent: elapsedMs > 0 ? cpuPercent(stat.cpuTicks - entry.cpuTicks, elapsedMs) : null,
    };
    entry.cpuTicks = stat.cpuTicks;
    entry.readAtMs = monotonicMs;
    entry.seenAtMs = monotonicMs;
    if (matches.length > 0) rematch(entry, stat, monotonicMs);
    entry.comm = stat.comm;
    if (!isSame) known.set(stat.pid, entry);
  }

  /** A new name means another program runs in the process. */
  function rematch(entry: Known, stat: PidStat, nowMs: number): void {
    if (entry.comm === stat.comm && nowMs - entry.matchedAtMs < MATCH_AGAIN_MS) return;
    const traits = {
      name: stat.comm,
      commandLine: readCommandLine(root, stat.pid),
      cgroup: readPidCgroup(root, stat.pid),
    };
    entry.matched = matches.filter((match) => matchesProcess(match, traits));
    entry.matchedAtMs = nowMs;
  }

  return {
    name: 'processes',
    sample(now) {
      pageSizeBytes ??= readPageSizeBytes(root);
      const pids = listPids(root);
      if (pids === null || pageSizeBytes === null) return {};
      for (const name of pids) {
        const pid = Number(name);
        if (isRested(known.get(pid), now)) continue;
        const stat = readPidStat(root, pid);
        if (stat !== null) observe(stat, pageSizeBytes, now);
      }
      forget(known, now);
      // /proc without a single process in it was not read, whatever the listing said: we are one ourselves.
      if (known.size === 0) return {};
      return {
        sample: { processes: largest(known) },
        ruleProcesses: matches.map((match) => processesOf(match, known)),
      };
    },
  };
}

const unused: ProcessUse = { pid: 0, start_ticks: 0, name: '', rss_bytes: 0, cpu_percent: null };

function cpuPercent(ticks: number, elapsedMs: number): number {
  return hundredths((ticks * 100_000) / TICKS_PER_SECOND / elapsedMs);
}

/** A kernel thread that was read of late, and is still listed. */
function isRested(entry: Known | undefined, { monotonicMs }: TickTime): boolean {
  if (!entry?.isKernelThread || monotonicMs - entry.readAtMs >= KERNEL_THREADS_EVERY_MS) return false;
  entry.seenAtMs = monotonicMs;
  return true;
}

/** Those that were not there at this tick are gone. */
function forget(known: Map<number, Known>, { monotonicMs }: TickTime): void {
  for (const [pid, entry] of known) if (entry.seenAtMs !== monotonicMs) known.delete(pid);
}

function largest(known: ReadonlyMap<number, Known>): ProcessUse[] {
  const uses: ProcessUse[] = [];
  for (const entry of known.values()) uses.push(entry.use);
  const byMemory = largestBy(uses, (use) => use.rss_bytes, TOP);
  const byCpu = largestBy(uses, (use) => use.cpu_percent ?? 0, TOP);
  return [...new Set([...byMemory, ...byCpu])];
}

function processesOf(match: ProcessMatch, known: ReadonlyMap<number, Known>): RuleProcesses {
  const processes: JudgedProcess[] = [];
  for (const { matched, use } of known.values()) {
    if (!matched.includes(match)) continue;
    processes.push({ pid: use.pid, name: use.name, rssBytes: use.rss_bytes, cpuPercent: use.cpu_percent });
  }
  return { match: match.text, processes };
}
