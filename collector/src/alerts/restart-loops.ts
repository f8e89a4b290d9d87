import type { FailedEnd, LoopSettings } from '../conditions/restart-loop.ts';

/** Failed ends kept of one unit or container. */
const endsKept = 200;

/**
 * The failed ends of the last minutes by what failed, and which of them are loops, in memory: an ordinary end costs the
 * database nothing for it. Read back when the engine starts; what a transaction decides counts from its commit on.
 */
export class RestartLoops {
  readonly settings: LoopSettings;
  readonly #ends = new Map<string, FailedEnd[]>();
  readonly #firing = new Set<string>();

  constructor(settings: LoopSettings) {
    this.settings = settings;
  }

  /** Remembers an end, once however often it is told. Returns all that are remembered of the same thing, oldest first. */
  note(key: string, end: FailedEnd): readonly FailedEnd[] {
    const others = (this.#ends.get(key) ?? []).filter(({ taskId }) => taskId !== end.taskId);
    const ends = [...others, end].toSorted((a, b) => a.at - b.at).slice(-endsKept);
    this.#ends.set(key, ends);
    return ends;
  }

  endsOf(key: string): readonly FailedEnd[] {
    return this.#ends.get(key) ?? [];
  }

  get isAnyFiring(): boolean {
    return this.#firing.size > 0;
  }

  setFiring(key: string, isFiring: boolean): void {
    if (isFiring) this.#firing.add(key);
    else this.#firing.delete(key);
  }

  /** What one transaction sees and decides. */
  view(): LoopView {
    const decided = new Map<string, boolean>();
    return {
      loops: this,
      isFiring: (key) => decided.get(key) ?? this.#firing.has(key),
      decide: (key, isFiring) => decided.set(key, isFiring),
      commit: () => {
        for (const [key, isFiring] of decided) this.setFiring(key, isFiring);
      },
    };
  }

  /** Forgets what ended too long ago to matter. */
  prune(now: number): void {
    for (const [key, ends] of this.#ends) {
      const isOld = ends.every(({ seenAt }) => now - seenAt > this.settings.withinMs * 2);
      if (isOld && !this.#firing.has(key)) this.#ends.delete(key);
    }
  }
}

export interface LoopView {
  readonly loops: RestartLoops;
  isFiring(key: string): boolean;
  decide(key: string, isFiring: boolean): void;
  /** The transaction has committed. */
  commit(): void;
}
