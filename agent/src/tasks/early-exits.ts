import type { ProcessExited } from '../watchers/watcher.ts';
import { type CgroupUse, handlesIn } from './run.ts';

interface EarlyExit {
  readonly exit: ProcessExited | null;
  readonly use: CgroupUse | null;
  readonly at: number;
}

const keptMs = 60_000;
const keptCgroups = 5000;

/**
 * Ends of main processes whose unit or container nobody has spoken of yet: the kernel is quicker than bus and engine. Kept by
 * what its cgroup is called, for a minute, oldest first.
 */
export class EarlyExits {
  readonly #byHandle = new Map<string, EarlyExit[]>();

  keep(cgroup: string, found: { exit: ProcessExited | null; use: CgroupUse | null; now: number }): void {
    const handle = handleOf(cgroup);
    const waiting = this.#byHandle.get(handle) ?? [];
    // The reading comes just before the exit it belongs to.
    const last = waiting.at(-1);
    if (found.exit !== null && last !== undefined && last.exit === null)
      waiting[waiting.length - 1] = { ...last, exit: found.exit };
    else waiting.push({ exit: found.exit, use: found.use, at: found.now });
    this.#byHandle.delete(handle);
    this.#byHandle.set(handle, waiting);
    this.#forget(found.now);
  }

  /** The oldest one for this unit or container that is not from before its start. */
  take(handle: string, startedAt: number | null): EarlyExit | undefined {
    const waiting = this.#byHandle.get(handle);
    // Clocks of kernel, systemd and ours are read at slightly different moments.
    while (waiting?.[0] !== undefined && startedAt !== null && waiting[0].at < startedAt - 1000) waiting.shift();
    const found = waiting?.shift();
    if (waiting?.length === 0) this.#byHandle.delete(handle);
    return found;
  }

  #forget(now: number): void {
    for (const [handle, waiting] of this.#byHandle) {
      const newest = waiting.at(-1)?.at ?? 0;
      if (now - newest < keptMs && this.#byHandle.size <= keptCgroups) return;
      this.#byHandle.delete(handle);
    }
  }
}

/** What runs in a cgroup of its own is called by: a unit's name, a container's id. */
export function handleOf(cgroup: string): string {
  return handlesIn(cgroup)[0] ?? cgroup;
}
