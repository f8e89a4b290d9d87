import { matchesProcess } from '@runnerwatch/shared/conditions/process-match.ts';
import type { JudgedProcess, RuleProcesses } from '@runnerwatch/shared/conditions/reading.ts';
import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import type { ProcessUse } from '@runnerwatch/shared/model/sample.ts';
import { KeptKernelFile, pathBelow, readKernelRecord } from '../proc/kernel-file.ts';
import { readNewestPid } from '../proc/loadavg.ts';
import { readPageSizeBytes } from '../proc/page-size.ts';
import { parsePidStat, readPidCgroup, TICKS_PER_SECOND } from '../proc/pid-stat.ts';
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
/** Nothing begins without a new pid; this is for pids that were chosen, not dealt (CRIU), and for the kernel threads that ended. */
const LIST_EVERY_MS = 5_000;
/** Stat files that stay open: each costs the kernel a page. Those of further processes are opened at every reading. */
const MAX_KEPT = 512;

interface Known {
  readonly pid: number;
  readonly file: KeptKernelFile | null;
  /** The stat line as last read: that of a process which did nothing is the same again. */
  line: string;
  listedAtMs: number;
  isKernelThread: boolean;
  cpuTicks: number;
  readAtMs: number;
  matched: readonly ProcessMatch[];
  matchedAtMs: number;
  use: ProcessUse;
}

/** Every process at every tick: those of the rules, and the largest for the sample. */
export function createProcessesSampler(root: string, matches: readonly ProcessMatch[]): Sampler {
  const known = new Map<number, Known>();
  let pageSizeBytes: number | null = null;
  let listed: { newestPid: number | null; atMs: number } | null = null;
  let kept = 0;

  /** False when it cannot be told which processes there are. */
  function list({ monotonicMs }: TickTime): boolean {
    const newestPid = readNewestPid(root);
    const isCurrent = newestPid !== null && newestPid === listed?.newestPid;
    if (isCurrent && listed !== null && monotonicMs - listed.atMs < LIST_EVERY_MS) return true;
    const names = listPids(root);
    if (names === null) return false;
    listed = { newestPid, atMs: monotonicMs };
    for (const name of names) {
      const pid = Number(name);
      const entry = known.get(pid) ?? begin(pid);
      entry.listedAtMs = monotonicMs;
    }
    for (const entry of known.values()) if (entry.listedAtMs !== monotonicMs) end(entry);
    return true;
  }

  function begin(pid: number): Known {
    const file = kept < MAX_KEPT ? new KeptKernelFile(pathBelow(root, `/proc/${pid}/stat`)) : null;
    if (file !== null) kept += 1;
    const entry = { ...unread, pid, file };
    known.set(pid, entry);
    return entry;
  }

  function end({ pid, file }: Known): void {
    known.delete(pid);
    if (file === null) return;
    file.close();
    kept -= 1;
  }

  /** False when it is gone, or hidden. */
  function read(entry: Known, pageBytes: number, { monotonicMs }: TickTime): boolean {
    if (entry.isKernelThread && monotonicMs - entry.readAtMs < KERNEL_THREADS_EVERY_MS) return true;
    const line = entry.file === null ? readKernelRecord(root, `/proc/${entry.pid}/stat`) : entry.file.read();
    if (line === null) return false;
    if (line === entry.line) {
      if (entry.use.cpu_percent !== 0) entry.use = { ...entry.use, cpu_percent: 0 };
      entry.readAtMs = monotonicMs;
    } else if (!take(entry, line, { pageBytes, monotonicMs })) return false;
    if (matches.length > 0 && monotonicMs - entry.matchedAtMs >= MATCH_AGAIN_MS) rematch(entry, monotonicMs);
    return true;
  }

  function rematch(entry: Known, monotonicMs: number): void {
    const traits = {
      name: entry.use.name,
      commandLine: readCommandLine(root, entry.pid),
      cgroup: readPidCgroup(root, entry.pid),
    };
    entry.matched = matches.filter((match) => matchesProcess(match, traits));
    entry.matchedAtMs = monotonicMs;
  }

  return {
    name: 'processes',
    sample(now) {
      pageSizeBytes ??= readPageSizeBytes(root);
      if (pageSizeBytes === null || !list(now)) return {};
      for (const entry of known.values()) {
        if (read(entry, pageSizeBytes, now)) continue;
        end(entry);
        // Its number may belong to another one by now.
        if (entry.line === '') continue;
        const successor = begin(entry.pid);
        if (!read(successor, pageSizeBytes, now)) end(successor);
      }
      // /proc without a single process in it was not read, whatever the listing said: we are one ourselves.
      if (known.size === 0) return {};
      return {
        sample: { processes: largest(known) },
        ruleProcesses: matches.map((match) => processesOf(match, known)),
      };
    },
    close() {
      for (const entry of known.values()) end(entry);
    },
  };
}

const unread: Omit<Known, 'pid' | 'file'> = {
  line: '',
  listedAtMs: 0,
  isKernelThread: false,
  cpuTicks: 0,
  readAtMs: 0,
  matched: [],
  matchedAtMs: -Infinity,
  use: { pid: 0, start_ticks: 0, name: '', rss_bytes: 0, cpu_percent: null },
};

/** A line unlike the last. False when it is not whole: of a process that vanished meanwhile. */
function take(
  entry: Known,
  line: string,
  { pageBytes, monotonicMs }: { pageBytes: number; monotonicMs: number },
): boolean {
  const stat = parsePidStat(line);
  if (stat === null) return false;
  const before = entry.use;
  const isSame = entry.line !== '' && before.start_ticks === stat.startTicks;
  const elapsedMs = isSame ? monotonicMs - entry.readAtMs : 0;
  entry.use = {
    pid: stat.pid,
    start_ticks: stat.startTicks,
    name: stat.comm,
    rss_bytes: stat.rssPages * pageBytes,
    cpu_percent: elapsedMs > 0 ? cpuPercent(stat.cpuTicks - entry.cpuTicks, elapsedMs) : null,
  };
  // Another program runs in it.
  if (!isSame || before.name !== stat.comm) entry.matchedAtMs = -Infinity;
  entry.isKernelThread = stat.pid === KTHREADD || stat.ppid === KTHREADD;
  entry.cpuTicks = stat.cpuTicks;
  entry.readAtMs = monotonicMs;
  entry.line = line;
  return true;
}

function cpuPercent(ticks: number, elapsedMs: number): number {
  return hundredths((ticks * 100_000) / TICKS_PER_SECOND / elapsedMs);
}

function largest(known: ReadonlyMap<number, Known>): ProcessUse[] {
  const uses: ProcessUse[] = [];
  for (const { use } of known.values()) if (use.rss_bytes > 0 || use.cpu_percent !== 0) uses.push(use);
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
