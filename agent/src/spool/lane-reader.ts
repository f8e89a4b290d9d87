import type { FileHandle } from 'node:fs/promises';
import type { Gap, Lane } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Evicted } from './cursor.ts';
import { codeOf } from './files.ts';
import type { LaneFiles, Segment } from './lane-files.ts';
import type { ReportProblem } from './problem.ts';
import type { Quarantine } from './quarantine.ts';
import type { Piece } from './record.ts';
import { openSegment, segmentHeaderBytes, walk } from './segment.ts';

/** An event as it goes on the wire: JSON text of `{seq, at, body}`. */
export interface StoredEvent {
  readonly seq: number;
  readonly text: string;
}

export function storedEvent(seq: number, at: number, bodyText: string): StoredEvent {
  return { seq, text: `{"seq":${seq},"at":"${toInstant(at)}","body":${bodyText}}` };
}

interface ReaderOptions {
  readonly quarantine: Quarantine;
  readonly report: ReportProblem;
  /** The stretch that was given up and not yet acknowledged as gone. */
  readonly evicted: () => Evicted | null;
  /** Up to here records were removed after the collector had them. */
  readonly forgottenSeq: () => number;
  readonly now: () => number;
}

/**
 * Reads a lane in order. Numbers that cannot be read (given up, damaged, missing, no longer held) come as a gap event that carries
 * the last of them, in their place: the reader's numbers rise without holes, and asking again gives the same answer.
 */
export class LaneReader {
  readonly #files: LaneFiles;
  readonly #options: ReaderOptions;
  readonly #missing = new Set<number>();
  /** Where the record after the last one read begins. */
  #place: { path: string; seq: number; offset: number } | undefined;

  constructor(files: LaneFiles, options: ReaderOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Events after `afterSeq`: as many as fit into `maxBytes`, at least one if there is one. */
  async read(afterSeq: number, maxBytes: number): Promise<StoredEvent[]> {
    const page = new Page({ lane: this.#files.lane, afterSeq, maxBytes, now: this.#options.now });
    const lastSeq = this.#files.lastSeq;
    this.#standInForTheOldest(page);
    for (const segment of this.#files.segments.slice()) {
      if (page.isFull) break;
      const lastOfSegment = Math.min(this.#files.lastSeqOf(segment), lastSeq);
      if (lastOfSegment < page.expected) continue;
      if ((await this.#readSegment(page, segment)) === 'gone') this.#files.forget(segment);
      if (!page.isFull) this.#standIn(page, lastOfSegment);
    }
    if (!page.isFull) this.#standIn(page, lastSeq);
    return page.events;
  }

  #standInForTheOldest(page: Page): void {
    const beforeOldest = this.#files.oldestSeq - 1;
    if (page.expected > beforeOldest) return;
    const evicted = this.#options.evicted();
    if (evicted !== null && evicted.to_seq >= page.expected) {
      this.#standInForUnheld(page, evicted.from_seq - 1);
      page.gap(evicted.to_seq, { cause: evicted.cause, isExact: true, from: evicted.from, to: evicted.to });
    }
    this.#standInForUnheld(page, beforeOldest);
  }

  #standInForUnheld(page: Page, toSeq: number): void {
    const forgottenSeq = Math.min(toSeq, this.#options.forgottenSeq());
    if (page.expected <= forgottenSeq) page.gap(forgottenSeq, { cause: 'no_longer_held', isExact: false });
    this.#standIn(page, toSeq);
  }

  #standIn(page: Page, toSeq: number): void {
    if (page.expected > toSeq) return;
    if (!page.isAfterDamage && !this.#missing.has(page.expected)) {
      this.#missing.add(page.expected);
      this.#options.report({ kind: 'missing', lane: this.#files.lane, fromSeq: page.expected, toSeq });
    }
    page.gap(toSeq, { cause: page.isAfterDamage ? 'damaged' : 'missing', isExact: false });
  }

  async #readSegment(page: Page, segment: Segment): Promise<'read' | 'gone'> {
    const toOffset = segment.sizeBytes;
    const place = this.#place;
    const fromOffset = place?.path === segment.path && place.seq === page.expected ? place.offset : segmentHeaderBytes;
    const handle = await openOrUndefined(segment.path);
    if (handle === undefined) return 'gone';
    try {
      for await (const piece of walk(handle, fromOffset, toOffset)) {
        const before = page.expected;
        await this.#take(page, piece, { segment, handle });
        if (page.expected > before)
          this.#place = { path: segment.path, seq: page.expected, offset: piece.offset + piece.sizeBytes };
        if (page.isFull) break;
      }
    } finally {
      await handle.close();
    }
    return 'read';
  }

  async #take(page: Page, piece: Piece, { segment, handle }: { segment: Segment; handle: FileHandle }): Promise<void> {
    if (piece.kind === 'record') {
      if (piece.seq < page.expected) {
        page.isAfterDamage = false;
        return;
      }
      if (piece.seq > page.expected) this.#standIn(page, piece.seq - 1);
      page.add(storedEvent(piece.seq, piece.at, piece.body.toString('utf8')), piece.at);
      return;
    }
    // A writer died here and another went on in the next segment: what is torn was never promised.
    if (piece.kind === 'torn') return;
    const { head, offset, sizeBytes } = piece;
    const { lane } = this.#files;
    if (head === undefined) page.isAfterDamage = true;
    await this.#options.quarantine.keep({ lane, file: segment.path, handle, offset, sizeBytes, records: 1 });
    if (head === undefined || head.seq < page.expected) return;
    this.#standIn(page, head.seq - 1);
    page.gap(head.seq, { cause: 'damaged', isExact: true, from: toInstant(head.at), to: toInstant(head.at) });
  }
}

interface GapCause {
  readonly cause: string;
  readonly isExact: boolean;
  readonly from?: string | null;
  readonly to?: string | null;
}

/** What one `read` has put together so far. */
class Page {
  readonly events: StoredEvent[] = [];
  expected: number;
  isAfterDamage = false;
  readonly #lane: Lane;
  readonly #now: () => number;
  #leftBytes: number;
  #lastAt: number | undefined;

  constructor({
    lane,
    afterSeq,
    maxBytes,
    now,
  }: { lane: Lane; afterSeq: number; maxBytes: number; now: () => number }) {
    this.expected = afterSeq + 1;
    this.#lane = lane;
    this.#now = now;
    this.#leftBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#leftBytes <= 0;
  }

  add(event: StoredEvent, at: number | undefined): void {
    const sizeBytes = Buffer.byteLength(event.text) + 1;
    // One event too many is not taken; the first one always is.
    if (sizeBytes > this.#leftBytes && this.events.length > 0) {
      this.#leftBytes = 0;
      return;
    }
    this.#leftBytes -= sizeBytes;
    this.events.push(event);
    this.expected = event.seq + 1;
    this.isAfterDamage = false;
    this.#lastAt = at ?? this.#lastAt;
  }

  gap(toSeq: number, { cause, isExact, from, to }: GapCause): void {
    if (this.isFull) return;
    const count = toSeq - this.expected + 1;
    const before = this.#lastAt === undefined ? null : toInstant(this.#lastAt);
    const gap: Gap = {
      source: 'spool',
      cause,
      lost: isExact ? count : null,
      at_most: isExact ? null : count,
      from: from ?? before,
      to: to ?? null,
      lane: this.#lane,
      from_seq: this.expected,
      to_seq: toSeq,
    };
    const at = to == null ? (this.#lastAt ?? this.#now()) : Date.parse(to);
    this.add(storedEvent(toSeq, at, JSON.stringify({ kind: 'gap', gap })), undefined);
  }
}

async function openOrUndefined(path: string): Promise<FileHandle | undefined> {
  try {
    return await openSegment(path, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ESTALE') return undefined;
    throw error;
  }
}
