import type { GpuFault, ProcessExited, UnitEnded, UnitStartFailed } from '../watchers/watcher.ts';
import { hadOom, handlesIn, isMainProcess, largest, type Run } from './run.ts';
import { complaintOfNoSpace } from './verdict/judge-disk.ts';
import { isSkipped } from './verdict/judge-exit.ts';
import type { RunFacts } from './verdict/run-facts.ts';

/** What was known around a run at its end. */
export interface Surroundings {
  readonly now: number;
  readonly shuttingDown: boolean;
  /** The unit of its container engine, when that was being stopped. */
  readonly engineStopping: string | null;
  readonly logTail: readonly string[] | null;
  /** The last fault of a GPU of this node that befell no task we know. */
  readonly gpuFault: GpuFault | null;
}

/** What was heard, in the shape that verdict.ts judges. */
export function factsOf(run: Run, around: Surroundings): RunFacts {
  const { now, shuttingDown } = around;
  const ended = run.unitEnded ?? run.journalEnded;
  return {
    source: run.source,
    startedAt: run.startedAt,
    endedAt: endInstantOf(run, now),
    approximate: instantOf(run)?.approximate ?? true,
    unit: unitFacts(run, ended),
    container: containerFacts(run, around.engineStopping),
    process: processFacts(run),
    run:
      run.runEnded === null
        ? null
        : {
            waitStatus: run.runEnded.waitStatus,
            timedOut: run.runEnded.timedOut,
            startError: run.runEnded.startError,
            timeoutMs: run.timeoutMs,
          },
    memory: {
      peakBytes: peakOf(run, ended),
      limitBytes: run.memoryLimitBytes,
      oomKills: run.oomKills,
      oomAt: run.oomAt,
      kernelOom: kernelOomFacts(run),
      trend: run.memoryTrend,
    },
    gpu: gpuFacts(run, around.gpuFault),
    coreDump: run.coreDump === null ? null : { ...run.coreDump, isMain: isMainProcess(run, run.coreDump.pid) },
    disk: {
      fullest: run.disk,
      complaint: complaintOfNoSpace(around.logTail ?? []),
      isLogUnread: around.logTail === null,
    },
    shuttingDown,
    blindness: run.blindness,
  };
}

/** When it ended, as far as somebody told. */
export function endInstantOf(run: Run, now: number): number {
  return instantOf(run)?.at ?? now;
}

/** What an earlier life knew exactly stays as it is. */
function instantOf(run: Run): { readonly at: number; readonly approximate: boolean } | null {
  const { unitEnded, journalEnded, containerEnded, runEnded, exit, earlier } = run;
  if (earlier?.approximate === false) return earlier;
  const isFoundOut = containerEnded?.kind === 'container_ended' && containerEnded.approximate;
  if (isFoundOut && exit !== null && isExitOfContainer(run, exit)) return { at: exit.at, approximate: false };
  const ofContainer = containerEnded && { at: containerEnded.at, approximate: isFoundOut };
  return unitEnded ?? journalEnded ?? ofContainer ?? runEnded ?? earlier;
}

/** A peak from before the kill would speak against the limit that was reached. */
function peakOf(run: Run, ended: UnitEnded | null): number | null {
  const told = largest(ended?.memoryPeakBytes ?? null, run.runEnded?.memoryPeakBytes ?? null);
  return hadOom(run) && !run.isPeakFinal ? told : largest(run.memoryPeakBytes, told);
}

/** Two witnesses of a unit's end, bus and journal: each may know what the other does not, or an earlier life what neither does. */
function unitFacts(run: Run, ended: UnitEnded | null): RunFacts['unit'] {
  const { journalEnded: other, earlier, isScope } = run;
  if (ended === null && (earlier === null || run.source !== 'systemd')) return null;
  return {
    isScope,
    result: ended?.result ?? other?.result ?? null,
    execMain: ended?.execMain ?? other?.execMain ?? (isScope ? null : execMainOf(earlier?.waitStatus ?? null)),
    stopJob: ended?.stopJob ?? other?.stopJob ?? null,
    oomAt: run.unitOomAt,
    via: ended?.via ?? 'dbus',
    runtimeMaxMs: run.runtimeMaxMs,
    startError: genuineStartError(run),
  };
}

function execMainOf(waitStatus: number | null): UnitEnded['execMain'] {
  if (waitStatus === null) return null;
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { code: 'exited', status: waitStatus >> 8 } : { code: 'killed', status: signal };
}

/** Anybody may log such words in a unit's name: they count from a process of the unit, or from the one that should have become it. */
function genuineStartError({ startErrors, unitEnded }: Run): UnitStartFailed | null {
  const isMain = (pid: number | null) => pid !== null && pid === unitEnded?.mainPid;
  return startErrors.findLast(({ pid, isOfUnit }) => isOfUnit || isMain(pid)) ?? null;
}

function kernelOomFacts(run: Run): RunFacts['memory']['kernelOom'] {
  const { kernelOom, cgroup, handle } = run;
  if (kernelOom === null) return null;
  const { at, scope, limitedCgroup, usageBytes, limitBytes, pid, comm, rssBytes, largest } = kernelOom;
  const isOwn = limitedCgroup === null || limitedCgroup === cgroup || handlesIn(limitedCgroup).includes(handle);
  return {
    at,
    isGlobal: scope === 'host',
    group: isOwn ? null : limitedCgroup,
    usageBytes,
    limitBytes,
    victim: { pid, comm, rssBytes, isMain: isMainProcess(run, pid) },
    largest,
  };
}

function gpuFacts(run: Run, other: GpuFault | null): RunFacts['gpu'] {
  if (run.gpuFault === null) return other === null ? null : { ...other, whose: 'none' };
  const isMain = run.gpuFault.pid !== null && isMainProcess(run, run.gpuFault.pid);
  return { ...run.gpuFault, whose: isMain ? 'main' : 'member' };
}

function containerFacts(run: Run, engineStopping: string | null): RunFacts['container'] {
  const { containerEnded: ended, earlier, identity } = run;
  const isEarlier = earlier !== null && identity.container_id !== null;
  if (ended === null && !isEarlier) return null;
  const told = earlier?.waitStatus ?? null;
  return {
    exitCode: ended?.exitCode ?? (told === null ? null : engineCodeOf(told)),
    oomKilled: ended?.kind === 'container_ended' ? ended.oomKilled : null,
    oomAt: run.containerOomAt,
    signals: run.signals,
    engineStopping,
    notStarted: ended?.kind === 'container_not_started',
    error: ended?.error ?? null,
  };
}

/** As an engine says it. */
function engineCodeOf(waitStatus: number): number {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal;
}

/** The kernel's word on the main process; of a container it adds what the engine cannot say, code or signal. */
function processFacts(run: Run): RunFacts['process'] {
  const { exit, source, isScope, earlier } = run;
  if (exit === null)
    return earlier?.waitStatus != null && isScope ? { ...earlier, via: null, blindReason: null } : null;
  if ((source === 'docker' || source === 'podman') && !isExitOfContainer(run, exit)) return null;
  return { waitStatus: exit.waitStatus, via: exit.via, blindReason: exit.blindReason, at: exit.at };
}

/**
 * In a container's cgroup the runtime's own helpers come and go: an end there is the container's where it agrees with the
 * engine. Of an engine that does not know, nothing is believed but what the kernel alone can tell.
 */
function isExitOfContainer({ mainPid, containerEnded }: Run, { pid, isInit, waitStatus }: ProcessExited): boolean {
  if (waitStatus === null || containerEnded?.kind !== 'container_ended') return false;
  if (containerEnded.exitCode === null) return isInit || pid === mainPid;
  return engineCodeOf(waitStatus) === containerEnded.exitCode;
}

/** How long it ran, if it did, and what it used: what the ending carries beside the verdict. */
export function useOf(run: Run, facts: RunFacts): { durationMs: number | null; cpuMs: number | null } {
  const cpuNs = run.unitEnded?.cpuNs ?? run.journalEnded?.cpuNs ?? null;
  const cpuMs = cpuNs === null ? (run.runEnded?.cpuMs ?? run.cpuMs) : cpuNs / 1e6;
  return {
    durationMs: run.startedAt === null || isSkipped(facts.unit) ? null : Math.max(0, facts.endedAt - run.startedAt),
    cpuMs: cpuMs === null ? null : Math.round(cpuMs),
  };
}
