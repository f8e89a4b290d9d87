/**
 * The newest `capacity` rows of a few columns, in one block of 32-bit floats: a number of bytes stays exact up to 64 GiB, as
 * the kernel counts whole pages. Rows are numbered by their tick; a tick without a row, and a value not read, is NaN inside
 * and null outside.
 */
export class Ring {
  readonly #cells: Float32Array;
  readonly #columns: number;
  readonly #capacity: number;
  #lastTick: number | null = null;

  constructor({ columns, capacity }: { columns: number; capacity: number }) {
    this.#columns = columns;
    this.#capacity = capacity;
    this.#cells = new Float32Array(columns * capacity).fill(Number.NaN);
  }

  /** Of the newest row; null when there is none. */
  get lastTick(): number | null {
    return this.#lastTick;
  }

  get sizeBytes(): number {
    return this.#cells.byteLength;
  }

  /** Rows come in the order of their ticks; one that does not follow the last is left out. */
  write(tick: number, row: readonly (number | null)[]): void {
    if (this.#lastTick !== null && tick <= this.#lastTick) return;
    const skippedFrom = Math.max(this.#lastTick === null ? tick : this.#lastTick + 1, tick - this.#capacity);
    for (let skipped = skippedFrom; skipped < tick; skipped += 1) this.#set(skipped, []);
    this.#set(tick, row);
    this.#lastTick = tick;
  }

  /** The newest row once more, as that of a later tick. */
  repeat(tick: number): void {
    const last = this.#lastTick;
    if (last === null) return;
    if (tick !== last + 1) {
      this.write(tick, this.#row(last));
      return;
    }
    const from = this.#at(0, last);
    this.#cells.copyWithin(this.#at(0, tick), from, from + this.#columns);
    this.#lastTick = tick;
  }

  /** One column from tick to tick, both included; null for what is not held. */
  column(index: number, from: number, to: number): (number | null)[] {
    const values: (number | null)[] = [];
    for (let tick = from; tick <= to; tick += 1) values.push(this.#get(index, tick));
    return values;
  }

  hasRow(tick: number): boolean {
    for (let index = 0; index < this.#columns; index += 1) if (this.#get(index, tick) !== null) return true;
    return false;
  }

  #row(tick: number): (number | null)[] {
    return Array.from({ length: this.#columns }, (_, index) => this.#get(index, tick));
  }

  #set(tick: number, row: readonly (number | null)[]): void {
    for (let index = 0; index < this.#columns; index += 1)
      this.#cells[this.#at(index, tick)] = row[index] ?? Number.NaN;
  }

  #get(index: number, tick: number): number | null {
    if (this.#lastTick === null || tick > this.#lastTick || tick <= this.#lastTick - this.#capacity) return null;
    const value = this.#cells[this.#at(index, tick)];
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  #at(index: number, tick: number): number {
    return (tick % this.#capacity) * this.#columns + index;
  }
}
