import type { ProcessRecord } from './process-record.ts';

interface Unit {
  main: ProcessRecord | null;
  /** Pids that were main before: their children are not newcomers. */
  readonly pastMains: number[];
  touchedAtMs: number;
}

const MAX_UNITS = 8192;
const MAX_PAST_MAINS = 8;
const REMEMBER_MS = 60_000;

/** Which process is the main one of each unit's cgroup. */
export class Units {
  readonly #units = new Map<string, Unit>();

  mainOf(path: string): ProcessRecord | null {
    return this.#units.get(path)?.main ?? null;
  }

  wasMain(path: string, pid: number): boolean {
    return this.#units.get(path)?.pastMains.includes(pid) ?? false;
  }

  hadMain(path: string): boolean {
    return (this.#units.get(path)?.pastMains.length ?? 0) > 0;
  }

  setMain(path: string, main: ProcessRecord, nowMs: number): void {
    this.#unit(path, nowMs).main = main;
  }

  /** Its main process ended or went elsewhere. */
  dropMain(path: string, pid: number, nowMs: number): void {
    const unit = this.#unit(path, nowMs);
    unit.main = null;
    unit.pastMains.push(pid);
    if (unit.pastMains.length > MAX_PAST_MAINS) unit.pastMains.shift();
  }

  /** Same name, new directory: the pids of the run before mean nothing now. */
  renewed(path: string): void {
    const unit = this.#units.get(path);
    if (unit !== undefined) unit.pastMains.length = 0;
  }

  /** Forgets units without a living main a minute after their last change. */
  prune(nowMs: number): void {
    for (const [path, unit] of this.#units) {
      if (unit.main === null && nowMs - unit.touchedAtMs > REMEMBER_MS) this.#units.delete(path);
    }
  }

  #unit(path: string, nowMs: number): Unit {
    const known = this.#units.get(path);
    if (known !== undefined) {
      known.touchedAtMs = nowMs;
      return known;
    }
    if (this.#units.size >= MAX_UNITS) this.#evictOldest();
    const unit: Unit = { main: null, pastMains: [], touchedAtMs: nowMs };
    this.#units.set(path, unit);
    return unit;
  }

  #evictOldest(): void {
    const idle = [...this.#units].find(([, unit]) => unit.main === null) ?? [...this.#units][0];
    if (idle !== undefined) this.#units.delete(idle[0]);
  }
}
