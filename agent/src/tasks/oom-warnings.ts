import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { formatSize } from '@runnerwatch/shared/runtime/size.ts';
import { hasEnded, type Run } from './run.ts';
import type { TaskFact } from './task-facts.ts';

export interface OomWarningOptions {
  readonly tell: (report: ConditionReport) => void;
  /** Kills counted in a run from before this instant, when it is first looked at, are no news. */
  readonly since: number;
  readonly clock: Clock;
}

/** A task whose own process was killed ends within this time. */
const goesOnAfterMs = 1000;

/** TaskOomKill: a process of a task was killed for want of memory, and the task goes on without it. It ends with the task, which the collector knows by itself. */
export class OomWarnings {
  readonly #options: OomWarningOptions;
  readonly #stopping = new AbortController();

  constructor(options: OomWarningOptions) {
    this.#options = options;
  }

  /** Resolves when it is clear whether the task goes on. */
  async see(run: Run, fact: TaskFact): Promise<void> {
    if (!this.#isNews(run, fact)) return;
    await this.#options.clock.sleep(goesOnAfterMs, this.#stopping.signal);
    if (this.#stopping.signal.aborted || hasEnded(run)) return;
    run.isOomWarned = true;
    this.#report(run);
  }

  stop(): void {
    this.#stopping.abort();
  }

  #isNews(run: Run, fact: TaskFact): boolean {
    if (fact.kind === 'kernel_oom' || fact.kind === 'container_oom') return !run.isOomWarned;
    if (fact.kind !== 'cgroup_oom') return false;
    const isOldCount = run.oomKillsTold === null && run.startedAt !== null && run.startedAt < this.#options.since;
    const isNews = !isOldCount && fact.oomKills > (run.oomKillsTold ?? 0);
    run.oomKillsTold = Math.max(run.oomKillsTold ?? 0, fact.oomKills);
    return isNews;
  }

  #report(run: Run): void {
    this.#options.tell({
      condition: 'TaskOomKill',
      component: 'agent',
      subject: run.identity.id,
      status: 'true',
      severity: 'warning',
      reason: describe(run),
      value: run.oomKills,
      threshold: null,
      since: toInstant(this.#options.clock.wallMs()),
    });
  }
}

function describe({ kernelOom, oomKills, memoryLimitBytes }: Run): string {
  const count = (oomKills ?? 0) > 1 ? `${oomKills} processes of it were` : 'a process of it was';
  const limitBytes = kernelOom?.limitBytes ?? memoryLimitBytes;
  const where =
    kernelOom?.scope === 'host'
      ? ', the node had run out'
      : limitBytes === null
        ? ''
        : `, its limit is ${formatSize(limitBytes)}`;
  const rss = kernelOom?.rssBytes == null ? '' : ` with ${formatSize(kernelOom.rssBytes)}`;
  const last = kernelOom === null ? '' : ` (last ${kernelOom.comm ?? 'one'}, pid ${kernelOom.pid}${rss})`;
  return `${count} killed for want of memory${last}${where}; the task goes on`;
}
