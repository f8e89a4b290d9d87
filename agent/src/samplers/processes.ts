import { matchesProcess } from '@runnerwatch/shared/conditions/process-match.ts';
import type { JudgedProcess, RuleProcesses } from '@runnerwatch/shared/conditions/reading.ts';
import type { ProcessMatch } from '@runnerwatch/shared/conditions/settings.ts';
import type { ProcessUse } from '@runnerwatch/shared/model/sample.ts';
import { readPageSizeBytes } from '../proc/page-size.ts';
import { parsePidStat, readPidCgroup, TICKS_PER_SECOND } from '../proc/pid-stat.ts';
import { readCommandLine } from '../proc/pids.ts';
import { largestBy } from './largest.ts';
import { type Known, ProcessList } from './process-list.ts';
import { hundredths } from './rounding.ts';
import type { Sampler, TickTime } from './sampler.ts';

/** The largest by memory, and as many by CPU. */
const TOP = 10;
/** A process may be moved to another cgroup after its start, so what it matches is asked again after this time. */
const MATCH_AGAIN_MS = 10_000;
/**
 * Most processes sleep. One that did nothing for a few readings, is not among the largest and concerns no rule is read
 * every three to five seconds, not all in the same tick, until it does something again. The kernel's own threads are such.
 */
const IDLE_READINGS = 3;
const REST_MS = 3_000;
const REST_SPREAD = 3;
/** The parent of all kernel threads, which rest from the start. */
const KTHREADD = 2;

/** Every process: those of the rules, and the largest for the sample. */
export function createProcessesSampler(root: string, matches: readonly ProcessMatch[]): Sampler {
  const list = new ProcessList(root);
  let pageBytes = 0;
  let shown: ReadonlySet<number> = new Set();

  /** False when it is gone, or hidden. */
  function read(entry: Known, { monotonicMs }: TickTime): boolean {
    if (entry.readAtMs === monotonicMs && entry.line !== '') return true;
    if (isResting(entry, monotonicMs) && !shown.has(entry.pid)) return true;
    const line = list.readLine(entry);
    if (line === null) return false;
    if (line === entry.line) idle(entry, monotonicMs);
    else if (!take(entry, line, { pageBytes, monotonicMs })) return false;
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

  /** The number of a process that is gone may belong to another one by now. */
  function lookForSuccessor(entry: Known, now: TickTime): void {
    list.end(entry);
    if (entry.line === '') return;
    const successor = list.begin(entry.pid);
    if (!read(successor, now)) list.end(successor);
  }

  return {
    name: 'processes',
    sample(now) {
      pageBytes ||= readPageSizeBytes(root) ?? 0;
      if (pageBytes === 0 || !list.refresh(now)) return {};
      list.forEach((entry) => {
        if (!read(entry, now)) lookForSuccessor(entry, now);
      });
      // /proc without a single process in it was not read, whatever the listing said: we are one ourselves.
      if (list.size === 0) return {};
      const processes = largest(list);
      shown = new Set(processes.map(({ pid }) => pid));
      return { sample: { processes }, ruleProcesses: matches.map((match) => processesOf(match, list)) };
    },
    close: () => list.close(),
  };
}

function isResting({ pid, idleReadings, matched, readAtMs }: Known, nowMs: number): boolean {
  const isIdle = idleReadings >= IDLE_READINGS && matched.length === 0;
  return isIdle && nowMs - readAtMs < REST_MS + (pid % REST_SPREAD) * 1000;
}

/** A line like the last. */
function idle(entry: Known, monotonicMs: number): void {
  if (entry.use.cpu_percent !== 0) entry.use = { ...entry.use, cpu_percent: 0 };
  entry.idleReadings += 1;
  entry.readAtMs = monotonicMs;
}

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
  entry.idleReadings = !isSame && (stat.pid === KTHREADD || stat.ppid === KTHREADD) ? IDLE_READINGS : 0;
  entry.cpuTicks = stat.cpuTicks;
  entry.readAtMs = monotonicMs;
  entry.line = line;
  return true;
}

function cpuPercent(ticks: number, elapsedMs: number): number {
  return hundredths((ticks * 100_000) / TICKS_PER_SECOND / elapsedMs);
}

function largest(list: ProcessList): ProcessUse[] {
  const uses: ProcessUse[] = [];
  list.forEach(({ use }) => {
    if (use.rss_bytes > 0 || use.cpu_percent !== 0) uses.push(use);
  });
  const byMemory = largestBy(uses, (use) => use.rss_bytes, TOP);
  const byCpu = largestBy(uses, (use) => use.cpu_percent ?? 0, TOP);
  return [...new Set([...byMemory, ...byCpu])];
}

function processesOf(match: ProcessMatch, list: ProcessList): RuleProcesses {
  const processes: JudgedProcess[] = [];
  list.forEach(({ matched, use }) => {
    if (!matched.includes(match)) return;
    processes.push({ pid: use.pid, name: use.name, rssBytes: use.rss_bytes, cpuPercent: use.cpu_percent });
  });
  return { match: match.text, processes };
}
