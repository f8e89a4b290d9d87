import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventBody, eventBody, type Lane, laneOf, lanes } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { codeOf, isFull, lstatOrUndefined } from './files.ts';
import { fit, withoutLogTail } from './fit.ts';
import { LaneReader, type StoredEvent } from './lane-reader.ts';
import { type Draft, isEssential, LaneWriter, SpoolFullError } from './lane-writer.ts';
import { Losses } from './losses.ts';
import { Pruner } from './pruner.ts';
import { isLow, readRoom, shortOf } from './room.ts';
import { type Both, openFolder, type SpoolFolder } from './spool-folder.ts';
import { limitsOf, MiB, type SpoolOptions } from './spool-options.ts';
import { newStream, type Stream, writeStream } from './stream.ts';

export type { SpoolOptions } from './spool-options.ts';

export type Positions = Readonly<Record<Lane, number>>;

export interface SpoolStats {
  /** Written or waiting, not acknowledged. */
  readonly pendingRecords: number;
  readonly sizeBytes: number;
  /** Since the agent started, as the next three. */
  readonly evictedRecords: number;
  readonly damagedRecords: number;
  readonly shedLogTails: number;
  /** Turned away for want of room, before they were accepted. */
  readonly refusedRecords: Positions;
  /** False while accepted records only wait in memory. */
  readonly isDurable: boolean;
  readonly isFull: 'space' | 'inodes' | null;
}

/** An event that its own schema refuses: a mistake of the caller, who is told before it can block the lane. */
export class InvalidEventError extends Error {
  constructor(where: string) {
    super(`not an event: wrong at ${where === '' ? 'its root' : where}`);
    this.name = 'InvalidEventError';
  }
}

/** While all is calm. */
const beatsToALook = 5;

/** Opens the folder, making it if need be. Rejects with `SpoolLockedError` or `SpoolFolderError` when a person must act. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  return new Spool(options, await openFolder(options));
}

/**
 * Events on disk until the collector has them. Two lanes, each with its own numbers; what `append` resolved is flushed, and is read
 * again and again until it is acknowledged, also after a kill -9. What cannot be kept is said, exactly, by gap events.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #parts: SpoolFolder;
  #stream: Stream;
  readonly #pruner: Pruner;
  readonly #losses: Losses;
  readonly #writers: Both<LaneWriter>;
  readonly #readers: Both<LaneReader>;
  /** The highest numbers that anybody may have been told of under this stream. */
  readonly #told: Record<Lane, number>;
  readonly #listeners = new Set<() => void>();
  #isCursorDirty = false;
  #full: 'space' | 'inodes' | null = null;
  #isDiskLow = false;
  #isShedding = false;
  #isLockLost = false;
  #isWrittenTo = false;
  #calmBeats = 0;
  readonly #notDurable = new Set<Lane | null>();
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SpoolOptions, parts: SpoolFolder) {
    const { files, quarantine, state } = parts;
    const { report, now } = options;
    this.#options = options;
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#told = { ends: files.ends.lastSeq, facts: files.facts.lastSeq };
    const limits = limitsOf(options);
    this.#pruner = new Pruner({ files, state, limits, report, now, saveCursor: () => this.#saveCursor() });
    this.#losses = new Losses();
    const writer = (lane: Lane) =>
      new LaneWriter(files[lane], {
        segmentBytes: options.segmentBytes ?? Math.min(4 * MiB, Math.ceil(limits.maxBytes / 16)),
        segmentMs: Math.min(limits.keepMs / 4, limits.maxAgeMs / 8),
        waitingBytes: options.waitingBytes ?? 4 * MiB,
        quarantine,
        streamId: () => this.#stream.stream_id,
        now,
        beforeWrite: (sizeBytes) => this.#pruner.makeRoom(sizeBytes),
        onFailure: (error) => this.#onFailure(lane, error),
        onWritten: () => this.#onWritten(lane),
        onRefused: (draft) => this.#losses.refuse(draft),
      });
    const reader = (lane: Lane) =>
      new LaneReader(files[lane], {
        quarantine,
        report,
        now,
        evicted: () => state.evicted[lane],
        forgottenSeq: () => state.forgotten[lane],
      });
    this.#writers = { ends: writer('ends'), facts: writer('facts') };
    this.#readers = { ends: reader('ends'), facts: reader('facts') };
    const tickMs = options.tickMs ?? 1000;
    if (tickMs > 0) this.#timer = setInterval(() => this.#beat(), tickMs).unref();
  }

  get streamId(): string {
    return this.#stream.stream_id;
  }

  /** Highest number written and lowest number still held, per lane. */
  get positions(): { readonly last: Positions; readonly oldest: Positions } {
    const { files } = this.#parts;
    const oldest = (lane: Lane) => Math.max(files[lane].oldestSeq, this.#stream.base[lane] + 1);
    return {
      last: { ends: files.ends.lastSeq, facts: files.facts.lastSeq },
      oldest: { ends: oldest('ends'), facts: oldest('facts') },
    };
  }

  /** Up to which number the collector has everything. */
  get acknowledged(): Positions {
    return this.#parts.state.acknowledged;
  }

  get stats(): SpoolStats {
    const { files, quarantine, state } = this.#parts;
    const writers = lanes.map((lane) => this.#writers[lane]);
    return {
      pendingRecords: lanes.reduce(
        (sum, lane) => sum + files[lane].lastSeq - state.acknowledged[lane] + this.#writers[lane].waiting.records,
        0,
      ),
      sizeBytes: this.#pruner.sizeBytes,
      evictedRecords: this.#pruner.evictedRecords,
      damagedRecords: quarantine.damagedRecords,
      shedLogTails: this.#losses.shedLogTails,
      refusedRecords: this.#losses.refusedRecords,
      isDurable: this.#notDurable.size === 0 && !writers.some((writer) => writer.isDegraded),
      isFull: this.#full,
    };
  }

  /**
   * Writes an event down. `at`: milliseconds since the epoch. Resolves with its number in its lane when it is flushed to disk, or,
   * while the disk refuses it, when the collector has it. Rejects with `InvalidEventError`, or with `SpoolFullError` when it was not kept.
   */
  async append(body: EventBody, at: number): Promise<number> {
    const checked = eventBody.safeParse(body);
    if (!checked.success) throw new InvalidEventError(checked.error.issues[0]?.path.join('.') ?? '');
    const draft = this.#draft(body, at);
    if (this.#full !== null && !isEssential(body)) {
      this.#losses.refuse(draft);
      throw new SpoolFullError('the disk is full');
    }
    const written = this.#writers[laneOf(body)].append(draft);
    if (this.#writers[laneOf(body)].isDegraded) this.#nudge();
    return written;
  }

  /** Events of a lane after a number, oldest first: as many as fit into `maxBytes`, at least one if there is one. */
  async read(lane: Lane, afterSeq: number, maxBytes: number): Promise<StoredEvent[]> {
    const events = await this.peek(lane, afterSeq, maxBytes);
    this.#told[lane] = Math.max(this.#told[lane], events.at(-1)?.seq ?? 0);
    return events;
  }

  /** {@link read} for this node's own use: no collector hears of it. */
  async peek(lane: Lane, afterSeq: number, maxBytes: number): Promise<StoredEvent[]> {
    const stored = await this.#readers[lane].read(afterSeq, maxBytes);
    const reached = stored.at(-1)?.seq ?? afterSeq;
    return reached < this.#parts.files[lane].lastSeq
      ? stored
      : [...stored, ...this.#writers[lane].readWaiting(reached, stored.length > 0 ? 0 : maxBytes)];
  }

  /** The collector has committed everything up to this number. Anything but progress is ignored. */
  acknowledge(lane: Lane, seq: number): void {
    const { state } = this.#parts;
    if (seq <= state.acknowledged[lane] || seq > this.#told[lane]) return;
    state.acknowledged[lane] = seq;
    if ((state.evicted[lane]?.to_seq ?? 0) <= seq) state.evicted[lane] = null;
    this.#writers[lane].acknowledge(seq);
    this.#isCursorDirty = true;
  }

  /**
   * Compares with what the collector says it has. `ready`: send what comes after these numbers (lower than acknowledged when the
   * collector came back from a backup). `renewed`: it has numbers that we never gave; `streamId` is new, say hello again.
   */
  async settle(committed: Positions): Promise<{ kind: 'ready'; after: Positions } | { kind: 'renewed' }> {
    const foreign = lanes.find((lane) => committed[lane] > this.#told[lane]);
    if (foreign !== undefined) {
      await this.#renew(
        `the collector has ${foreign} up to ${committed[foreign]}, this spool only gave ${this.#told[foreign]}`,
      );
      return { kind: 'renewed' };
    }
    for (const lane of lanes) this.#settleLane(lane, Math.max(committed[lane], this.#stream.base[lane]));
    return { kind: 'ready', after: { ...this.#parts.state.acknowledged } };
  }

  /** Calls back when there is something new to read. Returns the way to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks after itself: saves the cursor, tries again what failed, forgets what may go. Never rejects. */
  tick(): Promise<void> {
    this.#ticking ??= this.#lookAfter()
      .catch((error: unknown) => this.#noteNotDurable(null, error))
      .finally(() => {
        this.#ticking = undefined;
      });
    return this.#ticking;
  }

  /** Flushes what it can, saves the cursor and lets the folder go. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
    await Promise.all(lanes.map((lane) => this.#writers[lane].close()));
    this.#listeners.clear();
    try {
      await this.#saveCursor();
    } catch (error) {
      this.#noteNotDurable(null, error);
    }
    await this.#parts.lock.release();
  }

  #draft(body: EventBody, at: number): Draft {
    const kept = this.#mustShed() ? withoutLogTail(body) : body;
    if (kept !== body) this.#losses.shed(1);
    const { text, isCut } = fit(kept);
    if (isCut) this.#options.report({ kind: 'record_cut', sizeBytes: Buffer.byteLength(JSON.stringify(kept)) });
    return { body: kept, text, at };
  }

  #mustShed(): boolean {
    const isShedding =
      this.#full !== null || this.#isDiskLow || this.#pruner.pendingBytes > 0.7 * limitsOf(this.#options).maxBytes;
    if (isShedding && !this.#isShedding) this.#options.report({ kind: 'shedding_log_tails' });
    this.#isShedding = isShedding;
    return isShedding;
  }

  #settleLane(lane: Lane, committed: number): void {
    const { state } = this.#parts;
    const before = state.acknowledged[lane];
    if (committed >= before) return this.acknowledge(lane, committed);
    this.#options.report({ kind: 'rewound', lane, fromSeq: committed + 1, toSeq: before });
    state.acknowledged[lane] = committed;
    this.#isCursorDirty = true;
  }

  async #renew(why: string): Promise<void> {
    const { files, state } = this.#parts;
    const stream = newStream({ ...state.acknowledged });
    await writeStream(this.#options.folder, stream);
    this.#stream = stream;
    for (const lane of lanes) {
      files[lane].isTailSound = false;
      this.#told[lane] = files[lane].lastSeq;
    }
    this.#options.report({ kind: 'stream_renewed', why });
  }

  #onWritten(lane: Lane): void {
    this.#isWrittenTo = true;
    if (this.#notDurable.delete(lane)) this.#options.report({ kind: 'recovered', lane });
    this.#nudge();
  }

  #nudge(): void {
    for (const listener of this.#listeners) listener();
  }

  /** On a full disk, in this order: log tails, acknowledged records, new facts, the reserve, old facts. Ends wait. */
  async #onFailure(lane: Lane, error: unknown): Promise<'again' | 'wait'> {
    if (!isFull(error)) {
      this.#noteNotDurable(lane, error);
      return 'wait';
    }
    if (this.#full === null) {
      this.#full = shortOf(await readRoom(this.#options.folder));
      this.#options.report({ kind: 'full', what: this.#full });
    }
    const writer = this.#writers[lane];
    const shed = writer.shedLogTails();
    this.#losses.shed(shed);
    if (shed > 0 || (await this.#pruner.dropKept())) return 'again';
    if (lane === 'facts')
      writer.refuseWaiting(new SpoolFullError('the disk is full', error), (body) => !isEssential(body));
    if (writer.waiting.records === 0) return 'wait';
    if (await this.#parts.reserve.release()) return 'again';
    if (lane === 'ends' && (await this.#pruner.evictOldest('facts'))) return 'again';
    this.#noteNotDurable(lane, error);
    return 'wait';
  }

  #noteNotDurable(lane: Lane | null, error: unknown): void {
    if (this.#notDurable.has(lane)) return;
    this.#notDurable.add(lane);
    this.#options.report({ kind: 'not_durable', lane, reason: codeOf(error) ?? String(error) });
    this.#nudge();
  }

  /** Where nothing was written and nothing is wrong there is nothing to lose: then only every fifth time. */
  #beat(): void {
    const isCalm = !this.#isWrittenTo && !this.#isCursorDirty && !this.#isDiskLow && this.stats.isDurable;
    this.#calmBeats = isCalm && this.#full === null ? (this.#calmBeats + 1) % beatsToALook : 0;
    if (this.#calmBeats === 0) void this.tick();
  }

  async #lookAfter(): Promise<void> {
    this.#isWrittenTo = false;
    await this.#keepFolder();
    const room = await readRoom(this.#options.folder);
    this.#isDiskLow = room !== undefined && isLow(room);
    const hasReserve = !this.#isDiskLow && (await this.#parts.reserve.fill());
    if (this.#full !== null && hasReserve) {
      this.#full = null;
      this.#options.report({ kind: 'recovered', lane: null });
    }
    for (const lane of lanes) this.#writers[lane].retry();
    if (this.#full === null && this.stats.isDurable) this.#tellLosses();
    if (this.#isCursorDirty) await this.#saveCursor();
    await this.#pruner.makeRoom(0);
    this.#notDurable.delete(null);
  }

  /** The folder may have been removed, replaced or mounted over under a running agent; then it is made again. */
  async #keepFolder(): Promise<void> {
    const { folder, report } = this.#options;
    const { lock, files } = this.#parts;
    for (const lane of lanes) {
      if (!(await this.#writers[lane].isInPlace())) files[lane].isTailSound = false;
    }
    if (await lock.isHeld()) return;
    const path = join(folder, 'lock');
    if ((await lstatOrUndefined(path)) !== undefined) {
      if (!this.#isLockLost) report({ kind: 'lock_lost', file: path });
      this.#isLockLost = true;
      return;
    }
    for (const lane of lanes) await mkdir(files[lane].folder, { recursive: true, mode: 0o700 });
    await lock.renew();
    await writeStream(folder, this.#stream);
    await this.#saveCursor();
  }

  /** Not waited for: the gap is written when the disk takes it, and counted again when it does not. */
  #tellLosses(): void {
    for (const loss of this.#losses.take()) {
      const { lane, count, from, to } = loss;
      const gap = {
        source: 'spool',
        cause: 'no_room',
        lost: count,
        at_most: null,
        from: toInstant(from),
        to: toInstant(to),
        lane,
        from_seq: null,
        to_seq: null,
      };
      this.append({ kind: 'gap', gap }, this.#options.now()).catch(() => this.#losses.putBack(loss));
    }
  }

  async #saveCursor(): Promise<void> {
    this.#isCursorDirty = false;
    try {
      await this.#parts.cursor.write(this.#parts.state);
    } catch (error) {
      this.#isCursorDirty = true;
      throw error;
    }
  }
}
