import type {
  CgroupOom,
  ContainerOom,
  ContainerSignalled,
  CoreDumped,
  GpuFault,
  KernelOom,
  UnitOom,
  UnitStartFailed,
} from '../watchers/watcher.ts';
import { keyOf } from './opening.ts';
import { handlesIn, type Run } from './run.ts';
import { xidOf } from './verdict/judge-xid.ts';

/** What a source says of a run besides its beginning and its end; it may come after the end. */
export type TaskFact =
  | UnitOom
  | UnitStartFailed
  | ContainerOom
  | ContainerSignalled
  | CgroupOom
  | KernelOom
  | GpuFault
  | CoreDumped;

/** By what a run is found. */
export interface Subject {
  /** What it may be called by, the best first. */
  readonly handles: readonly string[];
  /** Which of the runs of that name; null where the source does not say. */
  readonly key: string | null;
  /** A process of it. */
  readonly pid: number | null;
  readonly at: number;
}

export function subjectOf(fact: TaskFact): Subject {
  const { at } = fact;
  if ('unit' in fact) {
    const key = fact.invocationId === null ? null : keyOf('systemd', fact.invocationId);
    return { handles: [fact.unit], key, pid: null, at };
  }
  if ('containerId' in fact) return { handles: [fact.containerId], key: null, pid: null, at };
  const handles = fact.cgroup === null ? [] : handlesIn(fact.cgroup);
  return { handles, key: null, pid: 'pid' in fact ? fact.pid : null, at };
}

/** The source names another run than this one of the same unit. */
export function isOfAnother({ key, source }: Pick<Run, 'key' | 'source'>, subject: Pick<Subject, 'key'>): boolean {
  return subject.key !== null && source === 'systemd' && /^systemd:[0-9a-f]{32}$/.test(key) && key !== subject.key;
}

export function takeFact(run: Run, fact: TaskFact): void {
  switch (fact.kind) {
    case 'unit_oom':
      run.unitOomAt = fact.at;
      return;
    case 'unit_start_failed':
      if (run.startErrors.length < mostStartErrors) run.startErrors.push(fact);
      return;
    case 'container_oom':
      run.containerOomAt = fact.at;
      return;
    case 'container_signalled':
      run.signals.push({ signal: fact.signal, at: fact.at });
      return;
    case 'cgroup_oom':
      run.oomKills = Math.max(run.oomKills ?? 0, fact.oomKills);
      run.oomAt = fact.at;
      return;
    case 'kernel_oom':
      run.kernelOom = fact;
      return;
    case 'gpu_fault':
      run.gpuFault = graver(run.gpuFault, fact);
      return;
    case 'core_dumped':
      run.coreDump = fact;
      return;
    default:
      fact satisfies never;
  }
}

/** Whoever says more only wants to be heard. */
const mostStartErrors = 16;

/** One fault draws others after it, which say less: the first one counts, until it is long ago. */
function graver(before: GpuFault | null, now: GpuFault): GpuFault {
  if (before === null || xidOf(before.xid).blame === 'notice') return now;
  return xidOf(now.xid).blame !== 'notice' && now.at - before.at > sameFaultMs ? now : before;
}

const sameFaultMs = 10_000;
