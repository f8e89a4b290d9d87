import type { PidStat } from '../../proc/pid-stat.ts';
import { NO_ROOM, type Pidfds } from './pidfd.ts';
import { isReported, type ProcessRecord } from './process-record.ts';

export interface PidfdSource {
  readonly pidfds: Pidfds;
  readStat(pid: number): PidStat | null;
  /** The pidfd of a main or followed process, to be told of its end without an EXIT. */
  watchEnd(fd: number): void;
}

/** The pidfds of the records: opened with them, given up and opened again as there is room, closed with them. */
export class HeldPidfds {
  readonly #source: PidfdSource;
  readonly #toWatch = new Set<ProcessRecord>();
  readonly #byFd = new Map<number, ProcessRecord>();
  #isShort = false;

  constructor(source: PidfdSource) {
    this.#source = source;
  }

  /** Somebody has none for want of descriptors. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** As {@link Pidfds.open}. */
  open(pid: number): number {
    const fd = this.#source.pidfds.open(pid);
    if (fd === NO_ROOM) this.#isShort = true;
    return fd;
  }

  /** Its pidfd is to tell of its end; one that has none yet, when it gets one. */
  watch(record: ProcessRecord): void {
    this.#toWatch.add(record);
    if (record.fd < 0 || this.#byFd.has(record.fd)) return;
    this.#byFd.set(record.fd, record);
    this.#source.watchEnd(record.fd);
  }

  watchedAt(fd: number): ProcessRecord | undefined {
    return this.#byFd.get(fd);
  }

  release(record: ProcessRecord): void {
    this.#toWatch.delete(record);
    this.#close(record, -1);
  }

  /**
   * Gives up those that there is no room for, and opens those that there is room for again: of main and followed processes
   * first, and for them those of others are given up. Returns how many processes go without.
   */
  refit(all: readonly ProcessRecord[]): number {
    for (const record of all)
      if (record.fd >= 0 && !this.#source.pidfds.hasRoom(record.fd)) this.#close(record, NO_ROOM);
    const reported = all.filter(isReported);
    const others = all.filter((record) => !isReported(record));
    const regainAll = (records: readonly ProcessRecord[]) => records.every((record) => this.#regain(record));
    if (!regainAll(reported)) {
      for (const record of others) if (record.fd >= 0) this.#close(record, NO_ROOM);
    }
    if (regainAll(reported)) regainAll(others);
    const without = all.filter(({ fd }) => fd === NO_ROOM).length;
    this.#isShort = without > 0;
    return without;
  }

  /** False when there is no room. */
  #regain(record: ProcessRecord): boolean {
    if (record.fd !== NO_ROOM) return true;
    record.fd = this.open(record.pid);
    if (record.fd < 0) return record.fd !== NO_ROOM;
    // Its number may be another process's by now.
    const isOther = record.startTicks !== null && this.#source.readStat(record.pid)?.startTicks !== record.startTicks;
    if (isOther) this.#close(record, -1);
    else if (this.#toWatch.has(record)) this.watch(record);
    return true;
  }

  #close(record: ProcessRecord, instead: number): void {
    if (record.fd < 0) return;
    this.#byFd.delete(record.fd);
    this.#source.pidfds.close(record.fd);
    record.fd = instead;
  }
}
