import type { Hearing } from './hearing.ts';
import { pidsIn } from './proc/environment.ts';
import { processTree } from './proc/process-tree.ts';
import type { RedirectedOutput } from './redirected-output.ts';
import type { Run } from './tasks/run.ts';
import type { LogGrewAt } from './warnings/log-question.ts';

export interface LogGrowthOptions {
  /** The cgroup2 mount; null when there is none. */
  readonly cgroupRoot: string | null;
  readonly output: Pick<RedirectedOutput, 'lastWrittenAt'>;
  readonly hearing: () => {
    readonly containers: Hearing['containers'];
    readonly inbox: Pick<Hearing['inbox'], 'outputAt'>;
  };
}

/** Of a task with very many processes so many are looked at. */
const processesMax = 64;

/** Asks everybody who may know when a run last said something: who passes its output on, and the kernel of where it writes itself. */
export function createLogGrowth({ cgroupRoot, output, hearing }: LogGrowthOptions): LogGrewAt {
  const pidsOf = ({ process, cgroup }: Run) => {
    if (process !== null) return processTree('/', process.pid);
    return cgroup === null || cgroupRoot === null ? [] : pidsIn(cgroupRoot, cgroup);
  };
  return async (run, sinceMs) => {
    const { containers, inbox } = hearing();
    const answers = await Promise.all([
      output.lastWrittenAt(pidsOf(run).slice(0, processesMax)),
      ...containers.map((watcher) => watcher.logGrewAt(run.handle, sinceMs)),
    ]);
    const passedOnAt = run.source === 'run' ? inbox.outputAt(run.handle) : null;
    const known = [...answers, passedOnAt].filter((at) => at !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
}
