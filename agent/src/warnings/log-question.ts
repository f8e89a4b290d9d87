import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { Run } from '../tasks/run.ts';

/** When the log of a run last grew, in milliseconds since the epoch; null: not since that instant, or nobody can say. */
export type LogGrewAt = (run: Run, sinceMs: number) => Promise<number | null>;

/** Of a task that goes on to show nothing; sooner where a shorter time already counts. */
const againEveryMs = 60_000;

/** The log of a task that shows no other sign of life. A question costs more than a counter, so it is put only then. */
export class LogQuestion {
  readonly #ask: LogGrewAt;
  readonly #everyMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  #grewMs = Number.NEGATIVE_INFINITY;

  /** `forMs`: how long a task must be still to be asked about. */
  constructor(ask: LogGrewAt, forMs: number) {
    this.#ask = ask;
    this.#everyMs = Math.min(againEveryMs, forMs);
  }

  /** By the monotonic clock; minus infinity while nobody knows of any growth. */
  get grewMs(): number {
    return this.#grewMs;
  }

  /** Asks of a run that has been still for so long; does nothing when that was done a moment ago. */
  put(run: Run, { stillMs, now }: { stillMs: number; now: Now }): void {
    if (this.#isOpen || now.monotonicMs - this.#askedMs < this.#everyMs) return;
    this.#isOpen = true;
    this.#askedMs = now.monotonicMs;
    const take = (grewAt: number | null) => {
      this.#isOpen = false;
      // A file server's clock may be ahead of ours.
      if (grewAt !== null) this.#grewMs = now.monotonicMs - Math.max(0, now.wallMs - grewAt);
    };
    this.#ask(run, now.wallMs - stillMs).then(take, () => take(null));
  }

  /** Whether the answer to a question put at this instant or later has come. */
  isAnsweredFrom(monotonicMs: number): boolean {
    return !this.#isOpen && this.#askedMs >= monotonicMs;
  }
}
