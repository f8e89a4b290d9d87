import type { RecordedSeries } from '@runnerwatch/shared/model/recording.ts';
import type { Column } from './columns.ts';
import { Ring } from './ring.ts';

/** Readings of one subject over time, counters told as rates: one ring, and the reading before, which the next rate needs. */
export class Track<Reading> {
  readonly #columns: readonly Column<Reading>[];
  readonly #ring: Ring;
  #before: { readonly reading: Reading; readonly monotonicMs: number } | null = null;

  constructor(columns: readonly Column<Reading>[], capacity: number) {
    this.#columns = columns;
    this.#ring = new Ring({ columns: columns.length, capacity });
  }

  get lastTick(): number | null {
    return this.#ring.lastTick;
  }

  get sizeBytes(): number {
    return this.#ring.sizeBytes;
  }

  add(tick: number, reading: Reading, monotonicMs: number): void {
    const before = this.#before;
    const elapsedMs = before === null ? 0 : monotonicMs - before.monotonicMs;
    this.#ring.write(
      tick,
      this.#columns.map(({ read, perMs }) => {
        const value = read(reading);
        if (perMs === undefined || value === null) return value;
        const earlier = before === null ? null : read(before.reading);
        return earlier === null || elapsedMs <= 0 || value < earlier ? null : ((value - earlier) / elapsedMs) * perMs;
      }),
    );
    this.#before = { reading, monotonicMs };
  }

  /** Rows of an earlier life, the first at `fromTick`. */
  restore(fromTick: number, series: RecordedSeries): void {
    const columns = this.#columns.map(({ name }) => series[name] ?? []);
    const rows = Math.max(0, ...columns.map(({ length }) => length));
    for (let row = 0; row < rows; row += 1)
      this.#ring.write(
        fromTick + row,
        columns.map((column) => column[row] ?? null),
      );
  }

  /** Whether anything was read at that tick. */
  hasRow(tick: number): boolean {
    return this.#ring.hasRow(tick);
  }

  /** From tick to tick, both included, `step` of them told as one by their largest; a series without any value is left out. */
  series({ from, to, step }: { from: number; to: number; step: number }): RecordedSeries {
    const told: RecordedSeries = {};
    for (const [index, { name, decimals }] of this.#columns.entries()) {
      const values = coarser(this.#ring.column(index, from, to), step);
      if (values.some((value) => value !== null)) told[name] = values.map((value) => rounded(value, decimals));
    }
    return told;
  }
}

/** Steps end where the series ends, so that the last value stands for the last moment. */
function coarser(values: readonly (number | null)[], step: number): (number | null)[] {
  if (step === 1) return [...values];
  const told: (number | null)[] = [];
  for (let end = values.length; end > 0; end -= step) {
    const known = values.slice(Math.max(0, end - step), end).filter((value) => value !== null);
    told.push(known.length === 0 ? null : Math.max(...known));
  }
  return told.reverse();
}

function rounded(value: number | null, decimals: number): number | null {
  if (value === null) return null;
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}
