import type { EarlierEnd } from './earlier-ends.ts';
import type { TaskEnded } from './ending.ts';
import { isRunOfUnit, keyOf, type Opening, type UnitRunName } from './opening.ts';
import { isMainProcess, type Run } from './run.ts';
import { isOfAnother, type Subject } from './task-facts.ts';

/** An end as it was last told. */
export interface ToldEnd {
  readonly run: Run;
  readonly body: TaskEnded;
  readonly atMs: number;
  /** Another run of its name has begun. */
  isSuperseded: boolean;
}

/** Whatever else there is to say of an end is said within this time. */
const keptMs = 10_000;
const mostKept = 500;
const idsRemembered = 20_000;

/**
 * The ends told last: a word that comes after may prove them, or give another cause. The end of a scope without an exit
 * status is kept for longer, for the kernel's word on it. Instants are of the monotonic clock.
 */
export class ToldEnds {
  readonly #told = new Map<string, ToldEnd>();
  /** By the name of their run, while no other has taken it. */
  readonly #latest = new Map<string, ToldEnd>();
  readonly #ids = new Set<string>();

  /** Whether the end of this task was told. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  remember(id: string): void {
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > idsRemembered && oldest !== undefined) this.#ids.delete(oldest);
  }

  keep(run: Run, body: ToldEnd['body'], nowMs: number): void {
    const isSuperseded = this.#told.get(run.key)?.isSuperseded ?? false;
    const told = { run, body, atMs: nowMs, isSuperseded };
    this.#told.delete(run.key);
    this.#told.set(run.key, told);
    if (!isSuperseded) this.#latest.set(run.handle, told);
    this.#forget(nowMs);
  }

  /** Takes over an end of an earlier life; another run of its name may have ended since. */
  recall({ run, body }: EarlierEnd, nowMs: number): ToldEnd {
    const told = { run, body, atMs: nowMs, isSuperseded: this.#latest.has(run.handle) };
    this.#told.set(run.key, told);
    if (!told.isSuperseded) this.#latest.set(run.handle, told);
    return told;
  }

  supersede(handle: string): void {
    const told = this.#latest.get(handle);
    if (told) told.isSuperseded = true;
    this.#latest.delete(handle);
  }

  /**
   * Whose fact this may be, besides `open`: runs that ended, by their main process, or by their name if it was said before
   * another run took that over.
   */
  find(subject: Subject, { open, nowMs }: { open: readonly Run[]; nowMs: number }): ToldEnd[] {
    const { handles, pid, at } = subject;
    const isNext = (handle: string) => open.some((run) => run.handle === handle && !isFrom(run, at));
    return this.fresh(nowMs).filter(({ run, isSuperseded }) => {
      if (isOfAnother(run, subject)) return false;
      if (pid !== null && isMainProcess(run, pid)) return true;
      return handles.includes(run.handle) && (!isSuperseded || subject.key !== null || isNext(run.handle));
    });
  }

  /** The end of the run of a unit that a sighting speaks of. */
  ofUnit(name: UnitRunName, nowMs: number): ToldEnd | undefined {
    const named = name.invocationId === null ? undefined : this.#told.get(keyOf('systemd', name.invocationId));
    const told = named ?? this.#latest.get(name.unit);
    return told && nowMs - told.atMs <= keptMs && isRunOfUnit(told.run, name) ? told : undefined;
  }

  /** Whether this is a container's run whose end was told before its start was known. */
  isStartOfTold({ source, handle, names: { startedAt } }: Pick<Opening, 'source' | 'handle' | 'names'>): boolean {
    const told = source === 'systemd' ? undefined : this.#latest.get(handle);
    if (told === undefined || !isFirstHand(told) || told.run.startedAt !== null || startedAt === null) return false;
    return startedAt <= Date.parse(told.body.ending.ended_at);
  }

  /** The scope of this name whose end nobody could see so far. */
  findUnseen(handle: string): ToldEnd | undefined {
    return [...this.#told.values()].find((told) => told.run.handle === handle && !told.isSuperseded && isUnseen(told));
  }

  fresh(nowMs: number): ToldEnd[] {
    return [...this.#told.values()].filter(({ atMs }) => nowMs - atMs <= keptMs);
  }

  #forget(nowMs: number): void {
    // In the order they were told.
    for (const [key, told] of this.#told) {
      if (this.#told.size <= mostKept && nowMs - told.atMs <= keptMs) return;
      const isOld = told.isSuperseded || !isUnseen(told);
      if (isOld || this.#told.size > mostKept) this.#drop(key, told);
    }
  }

  #drop(key: string, told: ToldEnd): void {
    this.#told.delete(key);
    if (this.#latest.get(told.run.handle) === told) this.#latest.delete(told.run.handle);
  }
}

/** The instant is not before the run. */
export function isFrom({ startedAt }: Run, at: number): boolean {
  return startedAt === null || at >= startedAt;
}

function isUnseen(told: ToldEnd): boolean {
  return told.run.isScope && told.run.exit === null && isFirstHand(told);
}

/** Heard of in this life: of what ended while nobody was there the kernel does not speak any more, and the instant is only a bound. */
function isFirstHand({ run }: ToldEnd): boolean {
  return !run.isBelieved && run.earlier === null;
}
