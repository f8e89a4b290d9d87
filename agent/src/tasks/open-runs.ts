import { isRunOfUnit, keyOf, type UnitRunName } from './opening.ts';
import { handlesIn, isMainProcess, type Run } from './run.ts';
import type { Subject } from './task-facts.ts';

/** The runs that go on, by whatever a sighting may call them. */
export class OpenRuns {
  readonly #byKey = new Map<string, Run>();
  readonly #byHandle = new Map<string, Run>();

  all(): Run[] {
    return [...this.#byKey.values()];
  }

  add(run: Run): void {
    this.#byKey.set(run.key, run);
    this.#byHandle.set(run.handle, run);
  }

  /** False when it was not open any more. */
  remove(run: Run): boolean {
    if (!this.has(run)) return false;
    this.#byKey.delete(run.key);
    if (this.#byHandle.get(run.handle) === run) this.#byHandle.delete(run.handle);
    return true;
  }

  has(run: Run): boolean {
    return this.#byKey.get(run.key) === run;
  }

  byKey(key: string): Run | undefined {
    return this.#byKey.get(key);
  }

  /** The latest of this name. */
  byHandle(handle: string): Run | undefined {
    return this.#byHandle.get(handle);
  }

  /** The run of a unit that a sighting speaks of. */
  ofUnit(name: UnitRunName): Run | undefined {
    const latest = this.#byHandle.get(name.unit);
    if (latest && (name.invocationId === null || isRunOfUnit(latest, name))) return latest;
    return name.invocationId === null ? undefined : this.#byKey.get(keyOf('systemd', name.invocationId));
  }

  /** The run whose cgroup this is, or lies in. */
  in(cgroup: string): Run | undefined {
    return this.of({ handles: handlesIn(cgroup), pid: null })[0];
  }

  /** Whose fact it is: a command's process, say, is one of its unit as well. */
  of({ handles, pid }: Pick<Subject, 'handles' | 'pid'>): Run[] {
    const handle = handles.find((one) => this.#byHandle.has(one));
    const named = handle === undefined ? undefined : this.#byHandle.get(handle);
    const byPid = pid === null ? [] : this.all().filter((run) => run !== named && isMainProcess(run, pid));
    return named ? [named, ...byPid] : byPid;
  }
}
