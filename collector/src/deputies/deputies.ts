import { randomUUID } from 'node:crypto';
import type {
  AllClearFrame,
  CollectorFrame,
  DeputyFrame,
  FallbackFrame,
  Hello,
} from '@runnerwatch/shared/protocol/frames.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';
import { type Candidate, deputiesMax, nameDeputies, type Places } from './naming.ts';
import type { DeputyRecord, Teller } from './store.ts';

export interface DeputyOptions {
  /** To the agent of a node; lost when it has no session. */
  readonly send: (nodeId: string, frame: Extract<CollectorFrame, DeputyFrame | AllClearFrame>) => void;
  /** What the collector fails to do, as a sentence; null while it works. Never rejects. */
  readonly obstacle: () => Promise<string | null>;
  readonly load: () => Promise<DeputyRecord>;
  readonly save: (record: DeputyRecord) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a deputy that went away is expected back: a restart of an agent or of its node is no reason to name another. */
  readonly expectedMs?: number;
  readonly tickMs?: number;
  /** How often the collector tries itself out, while there are deputies to hear of it. */
  readonly examineEveryMs?: number;
}

/** A deputy as it is shown. */
export interface DeputyState {
  readonly rank: number;
  readonly nodeId: string;
  readonly name: string;
  readonly isConnected: boolean;
}

/** An outage that nobody cleared in the time of so many others is not waited for any more. */
const tellersMax = 50;

/**
 * Who among the agents tells people that this collector is silent, and who of those that did tells that it is back.
 *
 * Deputies stay the same over restarts, so that a collector that comes and goes makes no more of them. Their key is of one outage:
 * another one begins with every start, and as soon as somebody says that the last was told under it.
 */
export class Deputies implements AsyncDisposable {
  readonly #options: Required<DeputyOptions>;
  #key = randomUUID();
  #places: Places = [];
  #tellers: readonly Teller[] = [];
  /** Those that can, in the order of their arrival. */
  readonly #here = new Map<string, Candidate>();
  readonly #leftAtMs = new Map<string, number>();
  readonly #asking = new Set<string>();
  #startedAtMs: number;
  #examinedAtMs = Number.NEGATIVE_INFINITY;
  #isExamining = false;
  #obstacle: string | null = null;
  #isUnsaved = false;
  #isSaveFailing = false;
  #working: Promise<void> = Promise.resolve();
  #loop: AsyncDisposable | undefined;

  constructor(options: DeputyOptions) {
    this.#options = { expectedMs: 120_000, tickMs: 5000, examineEveryMs: 30_000, ...options };
    this.#startedAtMs = options.clock.monotonicMs();
  }

  /** @throws DatabaseError */
  async start(): Promise<void> {
    const { load, clock, tickMs } = this.#options;
    const { places, tellers } = await load();
    this.#places = places;
    this.#tellers = tellers;
    this.#startedAtMs = clock.monotonicMs();
    this.#loop = repeat(() => this.#tick(), { clock, everyMs: tickMs, isFirstLater: true });
  }

  states(): DeputyState[] {
    return this.#places.flatMap((one, rank) =>
      one === null ? [] : [{ rank, nodeId: one.nodeId, name: one.name, isConnected: this.#here.has(one.nodeId) }],
    );
  }

  /** An agent has been welcomed. */
  welcomed({ node_id: nodeId, can_fall_back: can, node }: Hello): void {
    if (can !== true) return this.forget(nodeId);
    this.#here.delete(nodeId);
    this.#leftAtMs.delete(nodeId);
    this.#here.set(nodeId, { nodeId, name: plain(node.name), host: plain(node.boot_id ?? nodeId) });
    this.#name();
    this.#say(nodeId);
  }

  /** It has no session any more. */
  left(nodeId: string): void {
    if (this.#here.delete(nodeId)) this.#leftAtMs.set(nodeId, this.#options.clock.monotonicMs());
  }

  /** The node was removed, or its agent is not ours any more. Call it before its session ends: it hears that it is no deputy. */
  forget(nodeId: string): void {
    this.#here.delete(nodeId);
    this.#leftAtMs.set(nodeId, Number.NEGATIVE_INFINITY);
    if (!this.#places.some((one) => one?.nodeId === nodeId)) return;
    this.#options.send(nodeId, { kind: 'deputy', place: null, obstacle: null });
    this.#name();
  }

  /** What a deputy told while we were silent. */
  take(nodeId: string, { key, transition }: FallbackFrame): void {
    // Who asks again before the answer gets the one.
    if (!this.#here.has(nodeId) || this.#asking.has(nodeId)) return;
    this.#asking.add(nodeId);
    this.#working = this.#working.then(async () => {
      const teller = await this.#choose(nodeId, key, transition);
      this.#asking.delete(nodeId);
      this.#options.send(nodeId, { kind: 'all_clear', key, teller });
    });
    if (key !== this.#key) return;
    this.#key = randomUUID();
    for (const one of this.#places) if (one !== null) this.#say(one.nodeId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
    await this.#working;
  }

  /** Written down before it is said: two that are told "you" are two all-clears. */
  async #choose(
    nodeId: string,
    key: string,
    transition: FallbackFrame['transition'],
  ): Promise<AllClearFrame['teller']> {
    const { log } = this.#options;
    const chosen = this.#tellers.find((one) => one.key === key);
    if (chosen?.hasTold === true) return 'nobody';
    const isOver = transition === 'resolved';
    if (!isOver && this.#obstacle !== null) return 'other';
    if (!isOver && chosen !== undefined && chosen.nodeId !== nodeId && this.#isExpected(chosen.nodeId)) return 'other';
    const before = this.#tellers;
    const others = before.filter((one) => one.key !== key);
    this.#tellers = [...others, { key, nodeId, hasTold: isOver }].slice(-tellersMax);
    if (!(await this.#save())) {
      this.#tellers = before;
      return 'other';
    }
    if (isOver) log.info({ node_id: nodeId }, 'a deputy told that this collector is back');
    else log.info({ node_id: nodeId }, 'deputies told that this collector was silent; this one tells that it is back');
    return isOver ? 'nobody' : 'you';
  }

  /** There, or away for no longer than an agent may need to come back. */
  #isExpected(nodeId: string): boolean {
    if (this.#here.has(nodeId)) return true;
    const { clock, expectedMs } = this.#options;
    return clock.monotonicMs() - (this.#leftAtMs.get(nodeId) ?? this.#startedAtMs) < expectedMs;
  }

  async #tick(): Promise<void> {
    this.#name();
    this.#examine();
    if (this.#isUnsaved) await (this.#working = this.#working.then(async () => void (await this.#save())));
    this.#forgetWhoLeft();
  }

  /** Where nothing is known of a node it counts as gone from the start. */
  #forgetWhoLeft(): void {
    const { clock, expectedMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#startedAtMs < expectedMs) return;
    for (const [nodeId, atMs] of this.#leftAtMs) if (nowMs - atMs >= expectedMs) this.#leftAtMs.delete(nodeId);
  }

  #name(): void {
    const before = this.#places;
    if (this.#areAllWell()) return;
    this.#places = nameDeputies(before, {
      here: [...this.#here.values()],
      isExpected: (nodeId) => this.#isExpected(nodeId),
    });
    const idsOf = (places: Places) => places.flatMap((one) => one?.nodeId ?? []);
    const rankOf = (places: Places, nodeId: string) => places.findIndex((one) => one?.nodeId === nodeId);
    const changed = [...new Set([...idsOf(before), ...idsOf(this.#places)])].filter(
      (nodeId) => rankOf(before, nodeId) !== rankOf(this.#places, nodeId),
    );
    if (changed.length === 0) return;
    this.#isUnsaved = true;
    this.#options.log.info({ deputies: idsOf(this.#places) }, 'named who speaks when this collector is silent');
    for (const nodeId of changed) this.#say(nodeId);
  }

  /** As after every arrival but the first few: thousands that come at once are not gone through for each. */
  #areAllWell(): boolean {
    const held = this.#places.flatMap((one) => one ?? []);
    const areThere = held.every(
      ({ nodeId, host }) => (this.#here.get(nodeId)?.host ?? host) === host && this.#isExpected(nodeId),
    );
    return areThere && new Set(held.map(({ host }) => host)).size === deputiesMax;
  }

  /** Deputies of a collector that lives and does not work speak too. Not waited for: a database that hangs holds up nothing here. */
  #examine(): void {
    const { clock, examineEveryMs, obstacle } = this.#options;
    const nowMs = clock.monotonicMs();
    const isSomeoneThere = this.#places.some((one) => one !== null && this.#here.has(one.nodeId));
    if (!isSomeoneThere || this.#isExamining || nowMs - this.#examinedAtMs < examineEveryMs) return;
    this.#examinedAtMs = nowMs;
    this.#isExamining = true;
    void obstacle().then((found) => {
      this.#isExamining = false;
      if (found === this.#obstacle) return;
      this.#obstacle = found;
      for (const one of this.#places) if (one !== null) this.#say(one.nodeId);
    });
  }

  #say(nodeId: string): void {
    if (!this.#here.has(nodeId)) return;
    const rank = this.#places.findIndex((one) => one?.nodeId === nodeId);
    const place = rank === -1 ? null : { key: this.#key, rank };
    this.#options.send(nodeId, { kind: 'deputy', place, obstacle: this.#obstacle });
  }

  /** False when it could not be written; never rejects. */
  async #save(): Promise<boolean> {
    const { save, log } = this.#options;
    try {
      this.#isUnsaved = false;
      await save({ places: this.#places, tellers: this.#tellers });
      this.#isSaveFailing = false;
      return true;
    } catch (error) {
      this.#isUnsaved = true;
      if (!this.#isSaveFailing) log.warn({ err: error }, 'who speaks when this collector is silent could not be noted');
      this.#isSaveFailing = true;
      return false;
    }
  }
}

/** An agent's word as a database takes it. */
function plain(text: string): string {
  return text.replaceAll(/\p{C}/gu, '').slice(0, 200);
}
