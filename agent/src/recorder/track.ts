import type { RecordedSeries } from '@runnerwatch/shared/model/recording.ts';
import type { Column } from './columns.ts';
import { Ring } from './ring.ts';

/** Readings of one subject over time, counters told as rates: one ring, and the reading before, which the next rate needs. */
export class Track<Reading> {
  readonly #columns: readonly Column<Reading>[];
  readonly #ring: Ring;
  #before: Moment<Reading> | null = null;

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

  /** The same object as before says that nothing has changed for a while: its row is told again. */
  add(tick: number, reading: Reading, monotonicMs: number): void {
    const now = { reading, monotonicMs };
    if (reading === this.#before?.reading) this.#ring.repeat(tick);
    else this.#ring.write(tick, this.#rowOf(now));
    this.#before = now;
  }

  #rowOf(now: Moment<Reading>): (number | null)[] {
    const before = this.#before;
    return this.#columns.map(({ read, perMs, readAtMs }) => {
      const value = read(now.reading);
      if (perMs === undefined || value === null || before === null) return perMs === undefined ? value : null;
      const earlier = read(before.reading);
      const atMs = (moment: Moment<Reading>) => readAtMs?.(moment.reading) ?? moment.monotonicMs;
      const elapsedMs = atMs(now) - atMs(before);
      return earlier === null || elapsedMs <= 0 || value < earlier ? null : ((value - earlier) / elapsedMs) * perMs;
    });
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

interface Moment<Reading> {
  readonly reading: Reading;
  readonly monotonicMs: number;
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
