const failuresToOpen = 5;
const firstPauseMs = 2000;
const pauseMsMax = 60_000;

/**
 * Spares a receiver that does not answer. Closed: attempts go out freely. After five failures in a row, of
 * attempts that began after its last answer, it opens: for a pause that
 * doubles from 2 s to 1 min nothing goes out, then one attempt is the probe. An answer closes it, and the number of attempts at
 * once doubles from one with each that follows. Times are epoch milliseconds.
 */
export class Circuit {
  #failures = 0;
  #failingSince: number | null = null;
  #openUntil: number | null = null;
  #pauseMs = 0;
  #width = Number.POSITIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  get failures(): number {
    return this.#failures;
  }

  /** The first of the failures in a row. */
  get failingSince(): number | null {
    return this.#failingSince;
  }

  /** When the next probe may go out; null while it is closed. */
  get openUntil(): number | null {
    return this.#openUntil;
  }

  /** How many attempts there may be at once. */
  width(now: number): number {
    if (this.#openUntil === null) return this.#width;
    return now < this.#openUntil ? 0 : 1;
  }

  failed(now: number, startedAt: number): void {
    if (startedAt < this.#answeredAt) return;
    this.#failures += 1;
    this.#failingSince ??= now;
    const isEarlier = this.#openUntil !== null && now < this.#openUntil;
    if (this.#failures < failuresToOpen || isEarlier) return;
    this.#pauseMs = Math.min(pauseMsMax, Math.max(firstPauseMs, this.#pauseMs * 2));
    this.#openUntil = now + this.#pauseMs;
  }

  /** @returns whether that closes it */
  answered(now: number): boolean {
    this.#answeredAt = now;
    const wasOpen = this.#openUntil !== null;
    this.#width = wasOpen ? 1 : this.#width * 2;
    this.#failures = 0;
    this.#failingSince = null;
    this.#openUntil = null;
    this.#pauseMs = 0;
    return wasOpen;
  }
}
