import type { ProcessExited } from '../watchers/watcher.ts';
import type { CgroupUse } from './run.ts';

interface EarlyExit {
  readonly exit: ProcessExited | null;
  readonly use: CgroupUse | null;
  readonly at: number;
}

const keptMs = 60_000;
const keptCgroups = 5000;

/**
 * Ends of main processes whose unit nobody has spoken of yet: the kernel is quicker than the bus. Kept by the last part of
 * the cgroup's path, which is the unit's name, for a minute, oldest first.
 */
export class EarlyExits {
  readonly #byLeaf = new Map<string, EarlyExit[]>();

  keep(cgroup: string, found: { exit: ProcessExited | null; use: CgroupUse | null; now: number }): void {
    const leaf = leafOf(cgroup);
    const waiting = this.#byLeaf.get(leaf) ?? [];
    // The reading comes just before the exit it belongs to.
    const last = waiting.at(-1);
    if (found.exit !== null && last !== undefined && last.exit === null)
      waiting[waiting.length - 1] = { ...last, exit: found.exit };
    else waiting.push({ exit: found.exit, use: found.use, at: found.now });
    this.#byLeaf.delete(leaf);
    this.#byLeaf.set(leaf, waiting);
    this.#forget(found.now);
  }

  /** The oldest one for this unit that is not from before its start. */
  take(leaf: string, startedAt: number | null): EarlyExit | undefined {
    const waiting = this.#byLeaf.get(leaf);
    // Clocks of kernel, systemd and ours are read at slightly different moments.
    while (waiting?.[0] !== undefined && startedAt !== null && waiting[0].at < startedAt - 1000) waiting.shift();
    const found = waiting?.shift();
    if (waiting?.length === 0) this.#byLeaf.delete(leaf);
    return found;
  }

  #forget(now: number): void {
    for (const [leaf, waiting] of this.#byLeaf) {
      const newest = waiting.at(-1)?.at ?? 0;
      if (now - newest < keptMs && this.#byLeaf.size <= keptCgroups) return;
      this.#byLeaf.delete(leaf);
    }
  }
}

export function leafOf(cgroup: string): string {
  return cgroup.slice(cgroup.lastIndexOf('/') + 1);
}
