import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';

/** What is written down of one node. */
export interface NodeTouch {
  readonly nodeId: string;
  readonly heardAt: Date;
  /** When silence becomes unreachable, by this machine's clock: for people. Null after a goodbye. */
  readonly deadlineAt: Date | null;
  readonly clockSkewMs: number | null;
  /** Set: the agent left of its own will. */
  readonly goodbyeReason: string | null;
}

export interface LivenessOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Silence longer than this is unreachable. */
  readonly timeoutMs: number;
  readonly save: (touches: readonly NodeTouch[]) => Promise<void>;
  /** A node was heard again that had been overdue. */
  readonly onReturned?: (nodeId: string) => void;
  /** What nodes get on top of the timeout when the collector starts. */
  readonly returnMs?: number;
  readonly tickMs?: number;
  readonly saveEveryMs?: number;
}

interface Tracked {
  heardAtMs: number;
  /** On the listening clock; null after a goodbye. */
  deadlineMs: number | null;
  skewsMs: number[];
  goodbyeReason: string | null;
}

const skewReadings = 8;
const lagWorthSayingMs = 1000;

/** The longest wait of an agent's back-off, and a little (agent/src/uplink). */
const returnMsByDefault = 11_000;

/**
 * Who is alive.
 *
 * Time counts only while we listened: a clock of our own advances with each tick by at most two tick lengths, one tick late,
 * so that what arrived during a pause of ours (a blocked event loop, a stopped process) is heard before anyone is judged.
 * No node's clock and no step of ours plays a part. Who was online when we start has one fresh timeout from now on.
 */
export class Liveness implements AsyncDisposable {
  readonly #options: Required<LivenessOptions>;
  readonly #nodes = new Map<string, Tracked>();
  readonly #unsaved = new Set<string>();
  #loop: AsyncDisposable | undefined;
  #saving: Promise<void> | undefined;
  #isSaveFailing = false;
  #listenedMs = 0;
  #creditMs = 0;
  #tickedAtMs: number;
  #savedAtMs: number;
  #lagMs = 0;

  constructor(options: LivenessOptions) {
    this.#options = { onReturned: () => {}, returnMs: returnMsByDefault, tickMs: 500, saveEveryMs: 5000, ...options };
    this.#tickedAtMs = options.clock.monotonicMs();
    this.#savedAtMs = this.#tickedAtMs;
  }

  /**
   * Starts to listen and to judge; the nodes are those that were online when last written down. They get the time their agents
   * may wait between two tries to connect on top of the timeout: it was us who were away.
   */
  start(onlineNodeIds: readonly string[]): void {
    const { clock, tickMs, timeoutMs, returnMs } = this.#options;
    this.#tickedAtMs = clock.monotonicMs();
    for (const nodeId of onlineNodeIds) {
      this.#nodes.set(nodeId, {
        heardAtMs: clock.wallMs(),
        deadlineMs: this.#listenedMs + timeoutMs + returnMs,
        skewsMs: [],
        goodbyeReason: null,
      });
    }
    this.#loop = repeat(() => this.tick(), { clock, everyMs: tickMs, isFirstLater: true });
  }

  /** Milliseconds we have listened since the start. */
  get listenedMs(): number {
    return this.#listenedMs;
  }

  /** By how much the last tick came late: how long the event loop was blocked. */
  get lagMs(): number {
    return this.#lagMs;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** Something came from the node's agent. `nodeClockMs`: what it says the time is. */
  heard(nodeId: string, nodeClockMs?: number): void {
    const nowMs = this.#options.clock.wallMs();
    const node = this.#nodes.get(nodeId);
    const wasOverdue = node !== undefined && this.#isOverdue(node);
    const skewsMs = node?.skewsMs ?? [];
    if (nodeClockMs !== undefined) skewsMs.splice(0, Math.max(0, skewsMs.length - skewReadings + 1));
    if (nodeClockMs !== undefined) skewsMs.push(nodeClockMs - nowMs);
    const deadlineMs = this.#listenedMs + this.#options.timeoutMs;
    this.#nodes.set(nodeId, { heardAtMs: nowMs, deadlineMs, skewsMs, goodbyeReason: null });
    this.#unsaved.add(nodeId);
    if (!wasOverdue) return;
    void this.saveNow().then(() => this.#options.onReturned(nodeId));
  }

  /** The agent said goodbye: silence is expected now. Written down by the next save, or as soon as the database is back. */
  left(nodeId: string, reason: string): void {
    const node = this.#nodes.get(nodeId);
    const heardAtMs = this.#options.clock.wallMs();
    this.#nodes.set(nodeId, { heardAtMs, deadlineMs: null, skewsMs: node?.skewsMs ?? [], goodbyeReason: reason });
    this.#unsaved.add(nodeId);
  }

  /** The node was removed. */
  forget(nodeId: string): void {
    this.#nodes.delete(nodeId);
    this.#unsaved.delete(nodeId);
  }

  /** Nodes whose silence has lasted longer than the timeout, until they are heard or forgotten. */
  overdue(): string[] {
    return [...this.#nodes].filter(([, node]) => this.#isOverdue(node)).map(([nodeId]) => nodeId);
  }

  /** How many nodes ought to be heard, and which of them were not for more than half of the timeout. */
  fleet(): { watched: number; late: string[] } {
    const watched = [...this.#nodes].filter(([, { deadlineMs }]) => deadlineMs !== null);
    const halfMs = this.#options.timeoutMs / 2;
    const late = watched.filter(([, { deadlineMs }]) => deadlineMs !== null && this.#listenedMs > deadlineMs - halfMs);
    return { watched: watched.length, late: late.map(([nodeId]) => nodeId) };
  }

  /** How far the node's clock is ahead of ours; null while not known. The reading with the shortest way counts: delay only subtracts. */
  clockSkewMs(nodeId: string): number | null {
    const readings = this.#nodes.get(nodeId)?.skewsMs ?? [];
    return readings.length === 0 ? null : Math.round(Math.max(...readings));
  }

  /** One step of the listening clock. The loop calls it; exported for tests that have no loop. */
  tick(): void {
    const { clock, tickMs, saveEveryMs, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const elapsedMs = nowMs - this.#tickedAtMs;
    this.#tickedAtMs = nowMs;
    this.#listenedMs += this.#creditMs;
    this.#creditMs = Math.min(elapsedMs, 2 * tickMs);
    this.#lagMs = Math.max(0, elapsedMs - tickMs);
    if (this.#lagMs >= lagWorthSayingMs)
      log.warn({ lag_ms: Math.round(this.#lagMs) }, 'was not listening for a while; no node is judged for it');
    if (nowMs - this.#savedAtMs < saveEveryMs) return;
    this.#savedAtMs = nowMs;
    void this.saveNow();
  }

  /** Writes down what changed; never rejects: what could not be written is written with the next save. */
  saveNow(): Promise<void> {
    this.#saving = (this.#saving ?? Promise.resolve()).then(() => this.#save());
    return this.#saving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
    await this.saveNow();
  }

  #isSilent(nodeId: string): boolean {
    const node = this.#nodes.get(nodeId);
    return node !== undefined && this.#isOverdue(node);
  }

  #isOverdue({ deadlineMs }: Tracked): boolean {
    return deadlineMs !== null && this.#listenedMs > deadlineMs;
  }

  async #save(): Promise<void> {
    // A node that fell silent since is not written down as heard: that would bring it back to life.
    const nodeIds = [...this.#unsaved].filter((nodeId) => !this.#isSilent(nodeId));
    if (nodeIds.length === 0) return;
    const { log, save } = this.#options;
    this.#unsaved.clear();
    try {
      await save(nodeIds.flatMap((nodeId) => this.#touchOf(nodeId)));
      if (this.#isSaveFailing) log.info('heartbeats are written down again');
      this.#isSaveFailing = false;
    } catch (error) {
      for (const nodeId of nodeIds) if (this.#nodes.has(nodeId)) this.#unsaved.add(nodeId);
      if (!this.#isSaveFailing)
        log.warn({ err: error }, 'heartbeats cannot be written down; they are kept and written later');
      this.#isSaveFailing = true;
    }
  }

  #touchOf(nodeId: string): NodeTouch[] {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) return [];
    const { clock } = this.#options;
    const deadlineAt = node.deadlineMs === null ? null : new Date(clock.wallMs() + node.deadlineMs - this.#listenedMs);
    return [
      {
        nodeId,
        heardAt: new Date(node.heardAtMs),
        deadlineAt,
        clockSkewMs: this.clockSkewMs(nodeId),
        goodbyeReason: node.goodbyeReason,
      },
    ];
  }
}
