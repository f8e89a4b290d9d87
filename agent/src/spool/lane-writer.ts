import { type FileHandle, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventBody, laneOf } from '@runnerwatch/shared/model/event.ts';
import { codeOf, lstatOrUndefined, syncFolder, writeAll } from './files.ts';
import { withoutLogTail } from './fit.ts';
import type { LaneFiles, Segment } from './lane-files.ts';
import { type StoredEvent, storedEvent } from './lane-reader.ts';
import type { Quarantine } from './quarantine.ts';
import { encodeRecord } from './record.ts';
import { createSegment, encodeSegmentHeader, openSegment, segmentName } from './segment.ts';

/** The record was not kept: no room on the disk, nor in memory. The caller has not been promised anything. */
export class SpoolFullError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SpoolFullError';
  }
}

export interface Draft {
  readonly body: EventBody;
  readonly text: string;
  readonly at: number;
}

interface Waiting extends Draft {
  readonly resolve: (seq: number) => void;
  readonly reject: (error: Error) => void;
}

export interface WriterOptions {
  readonly segmentBytes: number;
  /** A segment older than this is not written on, so that it can be given up or forgotten by age. */
  readonly segmentMs: number;
  /** Records waiting for the disk, in bytes, before more are turned away. */
  readonly waitingBytes: number;
  readonly quarantine: Quarantine;
  readonly streamId: () => string;
  readonly now: () => number;
  /** Makes room under the size limit before bytes are added. */
  readonly beforeWrite: (sizeBytes: number) => Promise<void>;
  /** 'again': something was done about it. 'wait': keep the records and come back with `retry`. */
  readonly onFailure: (error: unknown) => Promise<'again' | 'wait'>;
  readonly onWritten: () => void;
  readonly onRefused: (draft: Draft) => void;
}

const groupBytes = 256 * 1024;

/**
 * Writes a lane. Everything that waits while one flush runs goes into the next one (group commit); a promise is kept when its record
 * is flushed. Numbers are given in the order of `append` and only when written: the n-th waiting record will be `lastSeq + n`.
 *
 * When the disk fails, the file is cut back to its last whole record and everything goes on waiting, in order. While that lasts,
 * waiting records may be read and even be acknowledged by the collector, which is as good as a flush.
 */
export class LaneWriter {
  readonly #files: LaneFiles;
  readonly #options: WriterOptions;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** How many of the waiting records somebody has read; they keep their numbers and contents. */
  #shown = 0;
  #handle: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #acknowledgedSeq = 0;
  #isDegraded = false;
  #isClosed = false;

  constructor(files: LaneFiles, options: WriterOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Records wait because the disk refuses them. */
  get isDegraded(): boolean {
    return this.#isDegraded;
  }

  get waiting(): { records: number; sizeBytes: number } {
    return { records: this.#waiting.length, sizeBytes: this.#waitingBytes };
  }

  append(draft: Draft): Promise<number> {
    const { promise, resolve, reject } = promiseOf<number>();
    if (this.#isClosed) reject(new SpoolFullError('the spool is closed'));
    else if (this.#waitingBytes + draft.text.length > this.#options.waitingBytes) {
      this.#options.onRefused(draft);
      reject(new SpoolFullError('too many records wait for the disk'));
    } else {
      this.#waiting.push({ ...draft, resolve, reject });
      this.#waitingBytes += draft.text.length;
      if (!this.#isDegraded) this.retry();
    }
    return promise;
  }

  /** Tries to write what waits; does nothing while that is under way. */
  retry(): void {
    if (this.#waiting.length === 0 || this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (!this.#isDegraded && !this.#isClosed) this.retry();
    });
  }

  /** Waiting records after `afterSeq`, only while the disk refuses them. */
  readWaiting(afterSeq: number, maxBytes: number): StoredEvent[] {
    if (!this.#isDegraded || afterSeq < this.#files.lastSeq) return [];
    const events: StoredEvent[] = [];
    let leftBytes = maxBytes;
    for (let index = afterSeq - this.#files.lastSeq; leftBytes > 0; index++) {
      const item = this.#waiting[index];
      if (item === undefined) break;
      events.push(storedEvent(this.#files.lastSeq + index + 1, item.at, item.text));
      leftBytes -= item.text.length;
      this.#shown = Math.max(this.#shown, index + 1);
    }
    return events;
  }

  acknowledge(seq: number): void {
    this.#acknowledgedSeq = Math.max(this.#acknowledgedSeq, seq);
    if (this.#running === undefined) this.#settleAcknowledged();
  }

  /** Leaves out the log tails of what waits, unless somebody has read it. Returns how many. */
  shedLogTails(): number {
    let shed = 0;
    for (let index = this.#shown; index < this.#waiting.length; index++) {
      const item = this.#waiting[index];
      const body = item && withoutLogTail(item.body);
      if (item === undefined || body === undefined || body === item.body) continue;
      const lighter = { ...item, body, text: JSON.stringify(body) };
      this.#waiting[index] = lighter;
      this.#waitingBytes += lighter.text.length - item.text.length;
      shed++;
    }
    return shed;
  }

  /** Turns away the waiting records that nobody has read and `mayGo` does not hold back. */
  refuseWaiting(error: SpoolFullError, mayGo: (body: EventBody) => boolean): void {
    for (const item of this.#waiting.splice(this.#shown)) {
      if (mayGo(item.body)) {
        this.#waitingBytes -= item.text.length;
        this.#options.onRefused(item);
        item.reject(error);
      } else this.#waiting.push(item);
    }
  }

  /** True when the newest segment is still the file that its name leads to. */
  async isInPlace(): Promise<boolean> {
    const newest = this.#files.segments.at(-1);
    if (newest === undefined || this.#handle === undefined) return true;
    const [here, there] = [await this.#handle.stat(), await lstatOrUndefined(newest.path)];
    return there !== undefined && here.ino === there.ino && here.dev === there.dev;
  }

  /** Writes what waits, once more, and turns away what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.retry();
    await this.#running;
    await this.#leaveSegment();
    for (const item of this.#waiting.splice(0))
      item.reject(new SpoolFullError('the spool closed before the disk took the record'));
  }

  /** The next record begins a new segment. */
  async #leaveSegment(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#files.isTailSound = false;
    await handle?.close();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#write(group);
      } catch (error) {
        await this.#cutBack();
        this.#settleAcknowledged();
        if ((await this.#options.onFailure(error)) === 'again') continue;
        this.#isDegraded = this.#waiting.length > 0;
        return;
      }
      this.#isDegraded = false;
      this.#options.onWritten();
    }
  }

  #nextGroup(): Waiting[] {
    let sizeBytes = 0;
    const end = this.#waiting.findIndex((item) => (sizeBytes += item.text.length) > groupBytes);
    return this.#waiting.slice(0, end < 0 ? undefined : Math.max(1, end));
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { lastSeq } = this.#files;
    const records = group.map((item, index) =>
      encodeRecord({ seq: lastSeq + index + 1, at: item.at }, Buffer.from(item.text)),
    );
    const sizeBytes = records.reduce((sum, record) => sum + record.length, 0);
    await this.#options.beforeWrite(sizeBytes);
    const segment = this.#current();
    if (segment === undefined) await this.#begin(records);
    else {
      this.#handle ??= await openSegment(segment.path, 'write');
      await writeAll(this.#handle, Buffer.concat(records, sizeBytes), segment.sizeBytes);
      await this.#handle.datasync();
      segment.sizeBytes += sizeBytes;
    }
    this.#files.lastSeq = lastSeq + group.length;
    this.#release(group.length);
  }

  /** The segment to write on; undefined when a new one is due. */
  #current(): Segment | undefined {
    const newest = this.#files.segments.at(-1);
    if (newest === undefined || !this.#files.isTailSound || newest.sizeBytes >= this.#options.segmentBytes)
      return undefined;
    const ageMs = this.#options.now() - newest.createdAt;
    return ageMs > this.#options.segmentMs ? undefined : newest;
  }

  async #begin(records: readonly Buffer[]): Promise<void> {
    await this.#leaveSegment();
    const { lane, folder, lastSeq } = this.#files;
    const createdAt = this.#options.now();
    const header = encodeSegmentHeader({ lane, firstSeq: lastSeq + 1, createdAt, streamId: this.#options.streamId() });
    const path = join(folder, segmentName(lastSeq + 1));
    const handle = await this.#create(path);
    const bytes = Buffer.concat([header, ...records]);
    try {
      await writeAll(handle, bytes, 0);
      await handle.datasync();
      await syncFolder(folder);
    } catch (error) {
      await handle.close();
      await unlink(path);
      throw error;
    }
    this.#handle = handle;
    this.#files.segments.push({ path, firstSeq: lastSeq + 1, createdAt, sizeBytes: bytes.length });
    this.#files.isTailSound = true;
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await createSegment(path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || (await this.#options.quarantine.take(path)) === null) throw error;
      return createSegment(path);
    }
  }

  /** Nothing half written stays behind: the bytes after the last whole record go; when even that fails, the segment is left. */
  async #cutBack(): Promise<void> {
    const newest = this.#files.segments.at(-1);
    if (this.#handle === undefined || newest === undefined) return;
    try {
      await this.#handle.truncate(newest.sizeBytes);
      await this.#handle.datasync();
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      await this.#leaveSegment();
    }
  }

  #settleAcknowledged(): void {
    const records = Math.min(this.#acknowledgedSeq - this.#files.lastSeq, this.#shown);
    if (records <= 0) return;
    this.#files.lastSeq += records;
    this.#files.isTailSound = false;
    this.#release(records);
    if (this.#waiting.length === 0) this.#isDegraded = false;
  }

  /** The first waiting records are safe; their numbers end at `lastSeq`. */
  #release(records: number): void {
    const firstSeq = this.#files.lastSeq - records + 1;
    this.#shown = Math.max(0, this.#shown - records);
    for (const [index, item] of this.#waiting.splice(0, records).entries()) {
      this.#waitingBytes -= item.text.length;
      item.resolve(firstSeq + index);
    }
  }
}

/** Whether an event is worth the reserve: an end, a gap, or the word that the spool is full. */
export function isEssential(body: EventBody): boolean {
  return laneOf(body) === 'ends' || (body.kind === 'condition' && body.report.condition === 'SpoolOverflow');
}

function promiseOf<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
