import { type Lane, lanes } from '@runnerwatch/shared/model/event.ts';
import { type Instant, toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { CursorState } from './cursor.ts';
import { codeOf } from './files.ts';
import type { LaneFiles, Segment } from './lane-files.ts';
import type { ReportProblem } from './problem.ts';
import { decideRemovals, type Removal, type RetentionLimits, type SegmentView } from './retention.ts';
import { openSegment, segmentHeaderBytes, walk } from './segment.ts';

interface PrunerOptions {
  readonly files: Readonly<Record<Lane, LaneFiles>>;
  readonly state: CursorState;
  readonly limits: RetentionLimits;
  readonly report: ReportProblem;
  readonly now: () => number;
  readonly saveCursor: () => Promise<void>;
}

/**
 * Removes whole segments, one after another. Before unacknowledged records go, the stretch given up is written into the cursor
 * (one stretch per lane: it grows while it stays contiguous), so that a crash in between can neither hide nor double it.
 */
export class Pruner {
  readonly #options: PrunerOptions;
  #last: Promise<unknown> = Promise.resolve();
  #evictedRecords = 0;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** Since the agent started. */
  get evictedRecords(): number {
    return this.#evictedRecords;
  }

  get sizeBytes(): number {
    const { ends, facts } = this.#options.files;
    return ends.sizeBytes + facts.sizeBytes;
  }

  /** Bytes of segments that hold something unacknowledged. */
  get pendingBytes(): number {
    const { acknowledged } = this.#options.state;
    return this.#views().reduce(
      (sum, view) => (view.lastSeq > acknowledged[view.lane] ? sum + view.sizeBytes : sum),
      0,
    );
  }

  /** Makes `wantedBytes` fit under the limit, and forgets what has been kept long enough. */
  makeRoom(wantedBytes: number): Promise<void> {
    return this.#alone(async () => {
      const { state, limits, now } = this.#options;
      const situation = { segments: this.#views(), acknowledged: state.acknowledged, wantedBytes, now: now() };
      for (const removal of decideRemovals(situation, limits)) await this.#remove(removal.segment, removal.why);
    });
  }

  /** Removes acknowledged segments that are kept only in case; false when there are none. */
  dropKept(): Promise<boolean> {
    return this.#alone(async () => {
      const { acknowledged } = this.#options.state;
      const kept = this.#views().filter(
        (view) => view.endedAt !== undefined && view.lastSeq <= acknowledged[view.lane],
      );
      for (const view of kept) await this.#remove(view, 'kept');
      return kept.length > 0;
    });
  }

  /** Gives up the oldest closed segment of a lane for the disk's sake; false when there is none. */
  evictOldest(lane: Lane): Promise<boolean> {
    return this.#alone(async () => {
      const oldest = this.#views().find((view) => view.lane === lane && view.endedAt !== undefined);
      if (oldest === undefined) return false;
      await this.#remove(oldest, 'disk_full');
      return true;
    });
  }

  #alone<T>(action: () => Promise<T>): Promise<T> {
    const run = this.#last.then(action);
    // Whoever asked hears of a failure through `run`; the next in line only waits for the end.
    this.#last = run.catch(() => undefined);
    return run;
  }

  #views(): SegmentView[] {
    return lanes.flatMap((lane) => {
      const files = this.#options.files[lane];
      return files.segments.map((segment, index) => {
        const next = files.segments[index + 1];
        return {
          lane,
          firstSeq: segment.firstSeq,
          lastSeq: next === undefined ? files.lastSeq : next.firstSeq - 1,
          sizeBytes: segment.sizeBytes,
          endedAt: next?.createdAt,
        };
      });
    });
  }

  async #remove(view: SegmentView, why: Removal['why'] | 'disk_full'): Promise<void> {
    const { files, state, report, saveCursor } = this.#options;
    const lane = files[view.lane];
    const segment = lane.segments.find((one) => one.firstSeq === view.firstSeq);
    if (segment === undefined) return;
    const fromSeq = Math.max(view.firstSeq, state.acknowledged[view.lane] + 1);
    if (why !== 'kept' && fromSeq <= view.lastSeq) {
      await this.#noteEvicted(segment, { lane: view.lane, fromSeq, toSeq: view.lastSeq, why });
      report({ kind: 'evicted', lane: view.lane, fromSeq, toSeq: view.lastSeq, why });
    }
    if (why === 'kept') {
      state.forgotten[view.lane] = Math.max(state.forgotten[view.lane], view.lastSeq);
      await saveCursor();
    }
    await lane.remove(segment);
  }

  async #noteEvicted(
    segment: Segment,
    { lane, fromSeq, toSeq, why }: { lane: Lane; fromSeq: number; toSeq: number; why: string },
  ): Promise<void> {
    const { state, saveCursor } = this.#options;
    const before = state.evicted[lane];
    const times = await timesOf(segment, fromSeq);
    const isContiguous = before !== null && before.to_seq === fromSeq - 1;
    state.evicted[lane] = {
      from_seq: isContiguous ? before.from_seq : fromSeq,
      to_seq: toSeq,
      from: (isContiguous ? before.from : null) ?? times.from,
      to: times.to ?? (isContiguous ? before.to : null),
      cause: why,
    };
    this.#evictedRecords += toSeq - fromSeq + 1;
    await saveCursor();
  }
}

/** The instants of a segment's first record from a number on, and of its last; null when it cannot be read any more. */
async function timesOf(segment: Segment, fromSeq: number): Promise<{ from: Instant | null; to: Instant | null }> {
  let from: number | undefined;
  let to: number | undefined;
  try {
    const handle = await openSegment(segment.path, 'read');
    try {
      for await (const piece of walk(handle, segmentHeaderBytes, segment.sizeBytes)) {
        if (piece.kind !== 'record' || piece.seq < fromSeq) continue;
        from ??= piece.at;
        to = piece.at;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
  return { from: from === undefined ? null : toInstant(from), to: to === undefined ? null : toInstant(to) };
}
