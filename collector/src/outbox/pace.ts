import type { Rate } from '../notifiers/notifier.ts';

/** More than most receivers take; a receiver's own answer (429) slows it further. */
const defaultRate: Rate = { count: 500, perMs: 1000 };

/** Keeps to a rate. Times are monotonic milliseconds. */
export class Pace {
  readonly #rate: Rate;
  #sentAt: number[] = [];

  constructor(rate: Rate = defaultRate) {
    this.#rate = rate;
  }

  /** How many may go out now. */
  left(now: number): number {
    const since = now - this.#rate.perMs;
    if ((this.#sentAt[0] ?? now) <= since) this.#sentAt = this.#sentAt.filter((at) => at > since);
    return this.#rate.count - this.#sentAt.length;
  }

  take(count: number, now: number): void {
    for (let taken = 0; taken < count; taken += 1) this.#sentAt.push(now);
  }
}
