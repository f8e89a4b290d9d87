import type { Point } from '../recorder/slope.ts';

/** The last readings of one amount: instants by the monotonic clock in milliseconds, values in the amount's own unit. */
export class Window {
  readonly #rows: Float64Array;
  readonly #points: number;
  readonly #peakKeptMs: number;
  #next = 0;
  #count = 0;
  #peak: { readonly value: number; readonly atMs: number } | null = null;

  /** `peakKeptMs`: how long the highest value that has left the window is remembered. */
  constructor({ points, peakKeptMs }: { points: number; peakKeptMs: number }) {
    this.#points = points;
    this.#rows = new Float64Array(points * 2);
    this.#peakKeptMs = peakKeptMs;
  }

  push(atMs: number, value: number): void {
    if (this.#count === this.#points) this.#notePeak(this.#at(0), atMs);
    this.#rows[this.#next * 2] = atMs;
    this.#rows[this.#next * 2 + 1] = value;
    this.#next = (this.#next + 1) % this.#points;
    this.#count = Math.min(this.#count + 1, this.#points);
  }

  /** Oldest first. */
  rows(): readonly Point[] {
    return Array.from({ length: this.#count }, (_, index) => this.#at(index));
  }

  get oldest(): Point | null {
    return this.#count === 0 ? null : this.#at(0);
  }

  get latest(): Point | null {
    return this.#count === 0 ? null : this.#at(this.#count - 1);
  }

  /** The highest value before this window; null when none is remembered. */
  get peakBefore(): number | null {
    return this.#peak?.value ?? null;
  }

  #at(index: number): Point {
    const row = (this.#next - this.#count + index + this.#points) % this.#points;
    return { atMs: this.#rows[row * 2] ?? 0, value: this.#rows[row * 2 + 1] ?? 0 };
  }

  #notePeak(left: Point, nowMs: number): void {
    const kept = this.#peak !== null && nowMs - this.#peak.atMs <= this.#peakKeptMs ? this.#peak : null;
    this.#peak = kept === null || left.value >= kept.value ? left : kept;
  }
}
