import type { Rate } from '../notifiers/notifier.ts';

/** More than most receivers take; a receiver's own answer (429) slows it further. */
const defaultRate: Rate = { count: 500, perMs: 1000 };

/**
 * Keeps to a rate as the receiver counts it, by arrivals. When a request arrives is known only to lie between the claim and the
 * answer, so an attempt counts from the one until the time of the rate has passed since the other. Times are monotonic milliseconds.
 */
export class Pace {
  readonly #rate: Rate;
  #underWay = 0;
  #endedAt: number[] = [];

  constructor(rate: Rate = defaultRate) {
    this.#rate = rate;
  }

  /** How many may go out now. */
  left(now: number): number {
    const since = now - this.#rate.perMs;
    if ((this.#endedAt[0] ?? now) <= since) this.#endedAt = this.#endedAt.filter((at) => at > since);
    return Math.max(0, this.#rate.count - this.#underWay - this.#endedAt.length);
  }

  begin(count: number): void {
    this.#underWay += count;
  }

  end(now: number): void {
    this.#underWay -= 1;
    this.#endedAt.push(now);
  }

  /** As many never went out. */
  withdraw(count: number): void {
    this.#underWay -= count;
  }

  /** Attempts of a life before this one, oldest first. */
  remember(endedAt: readonly number[]): void {
    this.#endedAt = [...endedAt, ...this.#endedAt];
  }
}
