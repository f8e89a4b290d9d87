import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Speaker } from './ending.ts';
import { Ghosts, type Presence } from './ghosts.ts';
import { type Encounter, join, meet, presenceOf } from './join.ts';
import { isFinal, isLaterId, type PollOutcome, type Scheduler, type SchedulerTask } from './scheduler.ts';
import { findRaised, insertFacts, loadRemembered, saveWatermark, saveWords, settleWords } from './store.ts';

export interface PollerOptions {
  /** As the configuration calls it. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly pollIntervalMs: number;
  readonly db: Database;
  /** What the collector says of its own sight. */
  readonly report: (reports: readonly ConditionReport[]) => Promise<void>;
  /** After a commit. `hasFacts`: the engine has something to judge. */
  readonly onJoined: (joined: { readonly changedTaskIds: readonly string[]; readonly hasFacts: boolean }) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SchedulerState {
  readonly name: string;
  readonly type: Scheduler['type'];
  readonly state: 'starting' | 'reading' | 'unreachable';
  /** Why it cannot be read; null while it can. */
  readonly reason: string | null;
  readonly lastReadAt: string | null;
  /** Tasks that it calls running; null before it was read. */
  readonly running: number | null;
}

/** Away for longer than this is told. */
const unreachableAfterMs = 30_000;
/** How long a failure that a watched node has not told may still come from there: a spool that catches up, an engine that is slow. */
const stillComingMs = 30_000;
const knownMax = 100_000;

/**
 * Reads one scheduler again and again. A look: read, remember what changed, join it to the tasks, see to the ghosts; each
 * step is written down before the next, and a look that fails anywhere is made again. Nothing else waits for it.
 *
 * What was over before the first look is history and told to nobody: ids grow with time, so the latest one of the look
 * before divides news from history, also across a restart.
 */
export class SchedulerPoller implements AsyncDisposable {
  readonly #options: PollerOptions;
  readonly #speaker: Speaker;
  readonly #ghosts: Ghosts;
  readonly #stopping = new AbortController();
  /** Every task met, and what was said of it last. */
  readonly #known = new Map<string, string>();
  readonly #open = new Map<string, SchedulerTask>();
  readonly #finalSince = new Map<string, number>();
  #watermark: string | null = null;
  #isLoaded = false;
  #loop: Promise<void> | undefined;
  #failingSince: number | null = null;
  #isAwayTold: boolean | null = null;
  #state: SchedulerState;
  #fault: string | null = null;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { name, scheduler } = options;
    this.#speaker = { name, type: scheduler.type };
    this.#ghosts = new Ghosts(name);
    this.#state = { ...this.#speaker, state: 'starting', reason: null, lastReadAt: null, running: null };
  }

  get state(): SchedulerState {
    return this.#state;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, pollIntervalMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#guarded(() => this.look());
      const soonest = this.#ghosts.nextLookMs(clock.wallMs()) ?? pollIntervalMs;
      await clock.sleep(Math.min(pollIntervalMs, soonest), signal);
    }
  }

  /** One look; for tests and the loop. Rejects when the database fails it. */
  async look(): Promise<void> {
    if (!this.#isLoaded) await this.#load();
    const { scheduler, clock } = this.#options;
    const outcome = await scheduler.poll(
      { isKnown: (taskId) => this.#known.has(taskId), open: () => [...this.#open.keys()] },
      { signal: this.#stopping.signal },
    );
    if (this.#stopping.signal.aborted) return;
    await this.#tellSight(outcome);
    if (outcome.kind === 'failed') return;
    await this.#remember(outcome.tasks);
    await settleWords(this.#options.db.drizzle, this.#speaker.name, outcome.gone);
    for (const taskId of outcome.gone) this.#open.delete(taskId);
    const encounters = await meet(this.#options.db.drizzle, [...this.#open.values()], {
      name: this.#speaker.name,
      runsIn: scheduler.runsIn,
    });
    await this.#join(encounters);
    await this.#judgeGhosts(encounters);
    const running = encounters.filter(({ task }) => task.status === 'running').length;
    this.#state = { ...this.#state, lastReadAt: toInstant(clock.wallMs()), running };
  }

  async #load(): Promise<void> {
    const { db, name } = this.#options;
    const { watermark, open, settled } = await loadRemembered(db.drizzle, name);
    this.#watermark = watermark;
    for (const task of [...settled, ...open]) this.#known.set(task.taskId, markOf(task));
    for (const task of open) this.#open.set(task.taskId, task);
    for (const { nodeId, condition, subject } of await findRaised(db.drizzle))
      if (condition === 'TaskGhost' && subject.startsWith(`${name}/`))
        this.#ghosts.restore(subject.slice(name.length + 1), nodeId);
    this.#isLoaded = true;
  }

  /** Writes down what is new or has changed; what was over before anybody watched is only noted. */
  async #remember(listed: readonly SchedulerTask[]): Promise<void> {
    const { db, name, clock } = this.#options;
    // An early HakuRiver that is asked for a single task leaves its node out.
    const tasks = listed.map((task) => ({
      ...task,
      nodeName: task.nodeName ?? this.#open.get(task.taskId)?.nodeName ?? null,
    }));
    const watermark = this.#watermark;
    const isNews = (task: SchedulerTask) =>
      !isFinal(task) || this.#known.has(task.taskId) || (watermark !== null && isLaterId(task.taskId, watermark));
    const changed = tasks.filter((task) => this.#known.get(task.taskId) !== markOf(task) && isNews(task));
    // One look behind: two tasks may be listed in another order than they were numbered in.
    const next =
      watermark === null ? latestOf(tasks.map(({ taskId }) => taskId)) : latestOf(this.#known.keys(), watermark);
    const isMoved = next !== watermark;
    if (changed.length > 0 || isMoved)
      await db.drizzle.transaction(async (transaction) => {
        await saveWords(transaction, name, { words: changed, now: new Date(clock.wallMs()) });
        if (isMoved) await saveWatermark(transaction, name, next);
      });
    this.#watermark = next;
    for (const task of changed) this.#open.set(task.taskId, task);
    for (const task of tasks) {
      this.#known.set(task.taskId, markOf(task));
      if (isFinal(task) && this.#open.has(task.taskId) && !this.#finalSince.has(task.taskId))
        this.#finalSince.set(task.taskId, clock.monotonicMs());
    }
    this.#forgetOldest();
  }

  async #join(encounters: readonly Encounter[]): Promise<void> {
    const { db, clock, onJoined } = this.#options;
    const joined = await join(encounters, {
      db: db.drizzle,
      speaker: this.#speaker,
      now: new Date(clock.wallMs()),
      mayStillCome: (taskId) => clock.monotonicMs() - (this.#finalSince.get(taskId) ?? 0) < stillComingMs,
    });
    for (const taskId of joined.settled) {
      this.#open.delete(taskId);
      this.#finalSince.delete(taskId);
    }
    if (joined.changedTaskIds.length > 0) onJoined(joined);
  }

  async #judgeGhosts(encounters: readonly Encounter[]): Promise<void> {
    const { db, clock, name, onJoined } = this.#options;
    const running = encounters.filter(({ task }) => task.status === 'running');
    const presences = new Map<string, Presence>(running.map((one) => [one.task.taskId, presenceOf(one)]));
    const reports = this.#ghosts.judge(presences, clock.wallMs());
    if (reports.length === 0) return;
    const facts = reports.map(({ nodeId, report }) => ({ nodeId, body: { kind: 'condition' as const, report } }));
    await db.drizzle.transaction((transaction) =>
      insertFacts(transaction, name, { facts, now: new Date(clock.wallMs()) }),
    );
    for (const report of reports) this.#ghosts.told(report);
    onJoined({ changedTaskIds: [], hasFacts: true });
  }

  /** Whether the scheduler can be read: in the state at once, as a condition when it has been away for a while. */
  async #tellSight(outcome: PollOutcome): Promise<void> {
    const { clock, log } = this.#options;
    const before = this.#state.reason;
    const reason = outcome.kind === 'failed' ? outcome.reason : null;
    this.#state = { ...this.#state, state: reason === null ? 'reading' : 'unreachable', reason };
    if (reason !== null && reason !== before)
      log.warn({ scheduler: this.#speaker.name, reason }, 'a scheduler cannot be read');
    if (reason === null && before !== null) log.info({ scheduler: this.#speaker.name }, 'the scheduler is read again');
    if (reason === null) this.#failingSince = null;
    else this.#failingSince ??= clock.monotonicMs();
    const isAway = this.#failingSince !== null && clock.monotonicMs() - this.#failingSince >= unreachableAfterMs;
    if (this.#failingSince !== null && !isAway) return;
    if (this.#isAwayTold === isAway) return;
    await this.#options.report([this.#sightReport(isAway, reason ?? 'it is read again')]);
    this.#isAwayTold = isAway;
  }

  #sightReport(isAway: boolean, reason: string): ConditionReport {
    return {
      condition: 'SchedulerUnreachable',
      component: 'collector',
      subject: this.#speaker.name,
      status: isAway ? 'true' : 'false',
      severity: 'warning',
      reason,
      value: null,
      threshold: null,
      since: toInstant(this.#options.clock.wallMs()),
    };
  }

  #forgetOldest(): void {
    for (const taskId of this.#known.keys()) {
      if (this.#known.size <= knownMax) return;
      if (!this.#open.has(taskId)) this.#known.delete(taskId);
    }
  }

  /** The loop outlives what fails in it: said once, and when it is over. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    const { log } = this.#options;
    try {
      await work();
      if (this.#fault !== null)
        log.info({ scheduler: this.#speaker.name }, 'what a scheduler says is written down again');
      this.#fault = null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#fault)
        log.error(
          { err: error, scheduler: this.#speaker.name },
          'what a scheduler says could not be written down; it is read again',
        );
      this.#fault = message;
    }
  }
}

/** Of what is said of a task, that from which something follows. */
function markOf({ status, exitCode, nodeName }: Pick<SchedulerTask, 'status' | 'exitCode' | 'nodeName'>): string {
  return `${status} ${exitCode ?? ''} ${nodeName ?? ''}`;
}

function latestOf(ids: Iterable<string>, than = ''): string {
  let latest = than;
  for (const id of ids) if (isLaterId(id, latest)) latest = id;
  return latest;
}
