import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { CloneSight } from '../conditions/agent-cloned.ts';
import type { FastFailSettings } from '../conditions/node-fails-fast.ts';
import type { LoopSettings } from '../conditions/restart-loop.ts';
import type { Commit, Database, Queries } from '../db/database.ts';
import { toDatabaseError } from '../db/errors.ts';
import { together } from '../db/together.ts';
import type { Acknowledgement, IncidentRow } from '../incidents/store.ts';
import type { Keeper } from '../outbox/outbox.ts';
import type { Policy } from '../routing/subscription.ts';
import { deleteEndedEscalations } from './escalation-store.ts';
import { forgetCalmGroups } from './group-failures.ts';
import { judgeAcknowledged } from './judge-acknowledged.ts';
import { judgeCondition } from './judge-condition.ts';
import { judgeEvents } from './judge-events.ts';
import { judgeExpectations } from './judge-expectations.ts';
import { judgeFiring } from './judge-firing.ts';
import { areTooMany, type Fleet, judgeFleetSilent } from './judge-fleet.ts';
import { judgeOverruns } from './judge-history.ts';
import { judgeLoops, restoreLoops } from './judge-loops.ts';
import { judgeSilent } from './judge-node.ts';
import { closeOldFailures } from './judge-task.ts';
import { RestartLoops } from './restart-loops.ts';
import { type Judging, leave, type Mirrors, type Touched } from './round.ts';
import { claimEvents, deleteStatesOfEnded, listOnline, markJudged, type UnjudgedEvent } from './store.ts';

export interface EngineOptions {
  readonly db: Database;
  /** Asked once for each transaction. */
  readonly policy: () => Policy;
  /** Receivers that keep an object of their own for each incident, or each alert. */
  readonly mirrors?: Mirrors;
  readonly publicUrl: string | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** Nodes past their deadline while this collector was listening. */
  readonly overdue: () => readonly string[];
  /** Every node that ought to be heard; without it each is judged for itself. */
  readonly fleet?: () => Fleet;
  /** Second agents of a node that were kept out, by node. */
  readonly clones?: () => ReadonlyMap<string, CloneSight>;
  /** Asked once for each transaction, to keep what it promises. */
  readonly keeper?: () => Keeper;
  /** After a commit: what has changed, for live readers. */
  readonly onTouched?: (touched: Touched) => void;
  /** Passed between the commit of an alert and anything that follows, for tests that die there. */
  readonly onStep?: (step: 'alert-written') => void;
  readonly tickMs?: number;
  readonly restartLoop?: LoopSettings;
  readonly fastFail?: FastFailSettings;
  /** Facts judged in one transaction. */
  readonly groupSize?: number;
}

/** How long a silent node waits for others that are late, when most are. */
const fleetWaitMs = 30_000;
const slowTickMs = 60_000;
const loopsEveryMs = 10_000;
const defaultRestartLoop: LoopSettings = { count: 5, withinMs: 10 * 60_000 };
const defaultFastFail: FastFailSettings = { count: 5, withinMs: 10 * 60_000 };
/** Facts judged before anything else gets its turn again. */
const factsPerRound = 500;
/** A fact that broke its judging this often, while the database was well, is set aside. */
const triesPerFact = 2;

/**
 * The loop that turns facts into alerts, incidents and promises. A round:
 *   1. unjudged facts, oldest first, in groups; each group is one transaction with all that follows from it
 *   2. every tick: nodes that fell silent, then what time changes about firing alerts; now and then loops of restarts, runs
 *      that take too long, and failures that nobody looked at
 * Everything it remembers is in the database, or read back from there; it can die between any two statements and be built anew.
 * A nudge makes it look at new facts at once; the tick is what it relies on.
 */
export class AlertEngine implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #stopping = new AbortController();
  readonly #failedTries = new Map<number, number>();
  #loop: Promise<void> | undefined;
  #wake: () => void = () => {};
  #wasNudged = false;
  #lastTickAt = Number.NEGATIVE_INFINITY;
  #lastSlowTickAt = Number.NEGATIVE_INFINITY;
  #lastLoopsAt = Number.NEGATIVE_INFINITY;
  readonly #loops: RestartLoops;
  #areLoopsRestored = false;
  readonly #startedAt: number;
  #failure: string | null = null;
  #roundedAtMs: number;
  #silenceSeenAt: number | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#startedAt = options.clock.wallMs();
    this.#roundedAtMs = options.clock.monotonicMs();
    this.#loops = new RestartLoops(options.restartLoop ?? defaultRestartLoop);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** New facts are committed. */
  nudge(): void {
    this.#wasNudged = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.nudge();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, tickMs = 1000 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      this.#wasNudged = false;
      const isTick = clock.monotonicMs() - this.#lastTickAt >= tickMs;
      if (isTick) this.#lastTickAt = clock.monotonicMs();
      await this.#guarded(() => this.round({ isTick }));
      if (this.#failure === null) this.#roundedAtMs = clock.monotonicMs();
      if (this.#wasNudged) continue;
      const waking = new AbortController();
      this.#wake = () => waking.abort();
      const untilTickMs = Math.max(0, this.#lastTickAt + tickMs - clock.monotonicMs());
      await clock.sleep(this.#failure === null ? untilTickMs : tickMs, waking.signal);
    }
  }

  /** For how long no round has ended well. */
  get sinceRoundMs(): number {
    return this.#options.clock.monotonicMs() - this.#roundedAtMs;
  }

  /** What one of our own programs says of itself, not through an agent. `subjectId` stands where a node's id would. */
  async takeOwn(subjectId: string, reports: readonly ConditionReport[]): Promise<void> {
    if (reports.length === 0) return;
    await this.#inTransaction(async (judging) => {
      for (const report of reports) {
        await judgeCondition(judging, {
          nodeId: subjectId,
          node: null,
          report: { ...report, since: new Date(report.since) },
        });
      }
    });
  }

  /** A person is on an incident. Null: there is none of that id. */
  acknowledge(acknowledgement: Acknowledgement): Promise<IncidentRow | null> {
    return this.#inTransaction((judging) => judgeAcknowledged(judging, acknowledgement));
  }

  /** One round; for tests and the loop. Rejects when the database fails it. */
  async round({ isTick = true }: { isTick?: boolean } = {}): Promise<void> {
    await this.#restoreLoops();
    await this.#judgeFacts();
    if (!isTick || this.#stopping.signal.aborted) return;
    const { clock, overdue, clones = () => new Map() } = this.#options;
    await this.#judgeSilence();
    const seen = { overdue: new Set(overdue()), clones: clones(), since: this.#startedAt };
    await this.#inTransaction((judging) => judgeFiring(judging, seen));
    await this.#judgeSlowly(clock.monotonicMs());
  }

  async #judgeSilence(): Promise<void> {
    const { db, overdue, fleet, clock } = this.#options;
    const past = overdue();
    const silent = await listOnline(db.drizzle, past);
    if (silent.length === 0) {
      this.#silenceSeenAt = null;
      return;
    }
    const { watched, late } = fleet?.() ?? { watched: Number.POSITIVE_INFINITY, late: past };
    // What was silent before is neither news nor a witness.
    const wasSilent = past.length - silent.length;
    const merelyLate = late.filter((nodeId) => !past.includes(nodeId));
    const alive = watched - wasSilent;
    this.#silenceSeenAt ??= clock.monotonicMs();
    const isWaiting = merelyLate.length > 0 && clock.monotonicMs() - this.#silenceSeenAt < fleetWaitMs;
    if (isWaiting && areTooMany(silent.length + merelyLate.length, alive)) return;
    this.#silenceSeenAt = null;
    const isOneOfMany = areTooMany(silent.length, alive);
    if (isOneOfMany)
      await this.#inTransaction((judging) => judgeFleetSilent(judging, { nodeIds: silent, watched: alive }));
    for (const nodeId of silent) {
      const isStillOverdue = () => overdue().includes(nodeId);
      await this.#inTransaction((judging) => judgeSilent(judging, nodeId, { isStillOverdue, isOneOfMany }));
    }
  }

  async #judgeSlowly(nowMs: number): Promise<void> {
    if (nowMs - this.#lastLoopsAt >= loopsEveryMs && this.#loops.isAnyFiring) {
      this.#lastLoopsAt = nowMs;
      await this.#inTransaction(judgeLoops);
    }
    if (nowMs - this.#lastSlowTickAt < slowTickMs) return;
    this.#lastSlowTickAt = nowMs;
    this.#loops.prune(this.#options.clock.wallMs());
    await this.#inTransaction(async (judging) => {
      await closeOldFailures(judging);
      await judgeExpectations(judging, this.#startedAt);
      await judgeOverruns(judging);
      await deleteStatesOfEnded(judging.tx);
      await forgetCalmGroups(judging);
      await deleteEndedEscalations(judging.tx);
    });
  }

  async #restoreLoops(): Promise<void> {
    if (this.#areLoopsRestored) return;
    const { db, clock } = this.#options;
    await restoreLoops(db.drizzle, this.#loops, new Date(clock.wallMs()));
    this.#areLoopsRestored = true;
  }

  async #judgeFacts(): Promise<void> {
    const { groupSize = 50 } = this.#options;
    for (let judged = 0; judged < factsPerRound && !this.#stopping.signal.aborted; judged += groupSize) {
      const taken = await this.#judgeGroup(groupSize);
      if (taken < groupSize) return;
    }
    this.#wasNudged = true;
  }

  /** Returns how many facts there were. When a group fails for its own sake, its facts are judged one by one. */
  async #judgeGroup(size: number): Promise<number> {
    try {
      return await this.#judgeNext(size);
    } catch (error) {
      if (toDatabaseError(error).retryable) throw error;
      this.#options.log.warn({ err: error }, 'a group of facts could not be judged together; judging them one by one');
      return this.#judgeSingly(size);
    }
  }

  async #judgeSingly(size: number): Promise<number> {
    for (let count = 0; count < size; count += 1) {
      const current: { event?: UnjudgedEvent } = {};
      try {
        if ((await this.#judgeNext(1, current)) === 0) return count;
      } catch (error) {
        if (toDatabaseError(error).retryable || current.event === undefined) throw error;
        await this.#blame(current.event, error);
      }
    }
    return size;
  }

  async #judgeNext(size: number, current: { event?: UnjudgedEvent } = {}): Promise<number> {
    return this.#inTransaction(async (judging) => {
      const events = await claimEvents(judging.tx, size);
      if (events[0] !== undefined) current.event = events[0];
      if (events.length === 0) return 0;
      const ids = events.map(({ id }) => id);
      leave(judging, markJudged(judging.tx, ids, judging.now));
      await judgeEvents(judging, events);
      return events.length;
    });
  }

  /** A fact that cannot be judged must not hold up those behind it for ever. It stays stored; only its judgment is given up. */
  async #blame(event: UnjudgedEvent, error: unknown): Promise<void> {
    const { log, db, clock } = this.#options;
    const tries = (this.#failedTries.get(event.id) ?? 0) + 1;
    this.#failedTries.set(event.id, tries);
    const facts = { err: error, event_id: event.id, node_id: event.nodeId, kind: event.body.kind };
    if (tries < triesPerFact) {
      log.warn(facts, 'a fact could not be judged; it is tried again');
      return;
    }
    this.#failedTries.delete(event.id);
    await markJudged(db.drizzle, [event.id], new Date(clock.wallMs()));
    log.error(facts, 'a fact was set aside unjudged: nobody is told about it; please report this');
  }

  /** One transaction of judging, which begins with locks, reads, or what may be said twice: see `Database.transaction`. */
  async #inTransaction<T>(work: (judging: Judging) => Promise<T>): Promise<T> {
    const { db, policy, publicUrl, clock, onTouched, onStep } = this.#options;
    const { fastFail = defaultFastFail, mirrors = new Map() } = this.#options;
    const keeper = this.#options.keeper?.();
    const touched: Touched[] = [];
    const receivers = new Set<string>();
    const loops = this.#loops.view();
    const judge = async (tx: Queries, commit: Commit) => {
      const now = new Date(clock.wallMs());
      const judging: Judging = {
        tx,
        now,
        policy: policy(),
        publicUrl,
        touched,
        loops,
        fastFail,
        mirrors,
        receivers,
        underway: [],
      };
      const value = await work(judging).catch(async (error: unknown) => {
        await together(...judging.underway);
        throw error;
      });
      const claims = [...receivers].map(async (receiver) => keeper?.claim(tx, receiver));
      await together(...judging.underway, ...claims, commit());
      return value;
    };
    const result = await db.transaction(judge).catch((error: unknown) => {
      keeper?.rolledBack();
      throw error;
    });
    loops.commit();
    if (receivers.size > 0) onStep?.('alert-written');
    keeper?.committed();
    for (const one of touched) onTouched?.(one);
    return result;
  }

  /** The loop outlives what fails in it: said once, again when it changes, and when it is over. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (this.#failure !== null) this.#options.log.info('alerts are judged again');
      this.#failure = null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.#failure !== message)
        this.#options.log.error({ err: error }, 'a round of judging failed; it is tried again');
      this.#failure = message;
    }
  }
}
