import type { Lane } from '@runnerwatch/shared/model/event.ts';
import { encodeBatch } from '@runnerwatch/shared/protocol/codec.ts';
import type { Spool } from '../spool/spool.ts';

/** Batches on their way at most, and bytes in one, unless a single event is larger. */
export const maxBatches = 4;
export const maxBatchBytes = 256 * 1024;

/** One lane within one session: what has been sent and not acknowledged. Starts again from the cursor with every session. */
export class LaneSender {
  readonly #lane: Lane;
  readonly #spool: Spool;
  readonly #underway: { readonly lastSeq: number; sentAt: number }[] = [];
  #sentSeq: number;
  #acknowledgedSeq: number;

  constructor(lane: Lane, spool: Spool, afterSeq: number) {
    this.#lane = lane;
    this.#spool = spool;
    this.#sentSeq = afterSeq;
    this.#acknowledgedSeq = afterSeq;
  }

  get isWindowFull(): boolean {
    return this.#underway.length >= maxBatches;
  }

  get isIdle(): boolean {
    return this.#underway.length === 0;
  }

  /** Since when the oldest unacknowledged batch could have been, in monotonic milliseconds. */
  get waitingSince(): number | undefined {
    return this.#underway[0]?.sentAt;
  }

  /** The next batch as text of a frame, with events of at most `limitBytes` or a single one; undefined when there is nothing to send. */
  async next(now: number, limitBytes: number): Promise<string | undefined> {
    const events = await this.#spool.read(this.#lane, this.#sentSeq, limitBytes);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    this.#sentSeq = last.seq;
    this.#underway.push({ lastSeq: last.seq, sentAt: now });
    return encodeBatch(
      this.#lane,
      events.map((event) => event.text),
    );
  }

  /** `old`: said before, no effect. `ahead`: the collector claims what was not sent, which must not move the cursor. */
  acknowledge(seq: number, now: number): 'moved' | 'old' | 'ahead' {
    if (seq > this.#sentSeq) return 'ahead';
    if (seq <= this.#acknowledgedSeq) return 'old';
    this.#acknowledgedSeq = seq;
    while ((this.#underway[0]?.lastSeq ?? Number.POSITIVE_INFINITY) <= seq) this.#underway.shift();
    // On a slow way those behind it could not arrive before it did.
    const [next] = this.#underway;
    if (next !== undefined) next.sentAt = now;
    this.#spool.acknowledge(this.#lane, seq);
    return 'moved';
  }
}
