import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { readPidCgroup } from '../proc/pid-stat.ts';
import { CreatedContainers } from './containers-created.ts';
import type { LogTail } from './containers-log-tail.ts';
import type { ContainerEvent, InspectedContainer, ListedContainer } from './containers-model.ts';
import { type EngineAccess, EngineQuestions } from './containers-questions.ts';
import type { ContainerEnded, ContainerFacts, ContainerRunTimes, Report } from './watcher.ts';

export interface RunsOptions {
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where `/proc` is: `/`. */
  readonly root: string;
  readonly logLines: number;
  readonly isWanted: (name: string) => boolean;
  /** Containers that this socket spoke of and that ran when the agent last looked. */
  readonly known: readonly ContainerFacts[];
  /** The last run of each container whose end earlier lives have told, oldest end first. */
  readonly told: ReadonlyMap<string, ContainerRunTimes>;
  /** Ends before this instant are none of ours. */
  readonly sinceMs: number;
}

interface LiveRun {
  facts: ContainerFacts;
  isAutoRemoved: boolean;
  hasTerminal: boolean;
  tail: LogTail | null;
  /** Seen running over the connection that stands. */
  isConfirmed: boolean;
}

const nothingKnown = {
  image: null,
  labels: {},
  command: null,
  cgroup: null,
  pid: null,
  memoryMaxBytes: null,
  startedAt: null,
};
const unseenRun = { isAutoRemoved: false, hasTerminal: false, tail: null, isConfirmed: false };

/** How far a start told by an event and one told by inspection may lie apart and still be one. */
const SAME_START_MS = 2_000;
/** The engine notes the start before it tells of it. */
const START_EVENT_LEAD_MS = 50;
/** How long a start waits to be inspected, and an end for its inspection and its last lines. An engine under load, or one that is stopping, does not answer about a container for many seconds, and the news must not wait so long. */
const START_WAIT_MS = 2_000;
const END_WAIT_MS = 1_000;
/** `podman stop` waits ten seconds before it kills. */
const SIGNAL_TAKES_MS = 15_000;
const MAX_REMEMBERED_ENDS = 4_096;
/**
 * What is known of the containers of one engine, and the one place that says what happened to them. Events, lists and
 * inspections of one container are handled one after the other, in the order they came; different containers do not
 * wait for each other. A run is a container's time from start to end: the same container may run again.
 */
export class Runs {
  readonly #options: RunsOptions;
  readonly #engine: EngineQuestions;
  readonly #live = new Map<string, LiveRun>();
  readonly #ended = new Map<string, ContainerRunTimes>();
  /** Signals that were sent through the engine without a word which, and when. */
  readonly #unnamedSignals = new Map<string, number>();
  readonly #early = new Map<string, LogTail>();
  readonly #created: CreatedContainers;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #untold = new Map<Promise<void>, number>();
  #known: readonly ContainerFacts[];
  #sinceMs: number;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#sinceMs = options.sinceMs;
    const { report, clock, log } = options;
    this.#engine = new EngineQuestions(options);
    this.#created = new CreatedContainers({ report, clock, log, inspect: (id) => this.#engine.inspect(id) });
    this.#known = options.known;
    for (const [id, run] of options.told) this.#remember(id, run);
  }

  /** When the earliest event that is not wholly told yet happened; null: all are told. */
  get oldestUntoldMs(): number | null {
    return this.#untold.size === 0 ? null : Math.min(...this.#untold.values());
  }

  /** A connection stands; until {@link detach} the engine can be asked. Which engine answers is only known now: another one's containers are not gone because this one has never heard of them. */
  attach(access: EngineAccess): void {
    this.#engine.access = access;
    for (const facts of this.#known) {
      if (facts.engine === access.engine) this.#live.set(facts.containerId, { facts, ...unseenRun });
    }
    this.#known = [];
  }

  /** The connection is gone: whatever ends from `sinceMs` on will be told at the next one. */
  detach(sinceMs: number): void {
    this.#engine.access = null;
    this.#sinceMs = Math.max(this.#sinceMs, sinceMs);
    for (const run of this.#live.values()) {
      run.tail?.close();
      run.tail = null;
      run.isConfirmed = false;
    }
    for (const tail of this.#early.values()) tail.close();
    this.#early.clear();
    this.#created.clear();
  }

  /** Resolves when everything handed in so far has been handled. */
  async settled(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  handle(event: ContainerEvent): void {
    if (!this.#options.isWanted(event.facts.name)) return;
    const told = this.#take(event);
    if (told === undefined) return;
    this.#untold.set(told, event.at);
    void told.finally(() => this.#untold.delete(told));
  }

  /** Resolves, never rejects, when what the event means is told. */
  #take(event: ContainerEvent): Promise<void> | undefined {
    switch (event.action) {
      case 'create':
        return this.#created.created(event.facts, event.at, this.#sinceMs);
      case 'start':
        this.#followEarly(event);
        return this.#inTurn(event.id, () => this.#onStarted(event));
      case 'die':
        return this.#inTurn(event.id, () => this.#onDied(event));
      case 'destroy':
        return this.#inTurn(event.id, () => this.#onDestroyed(event));
      case 'oom':
        return this.#inTurn(event.id, async () => {
          const { engine } = event.facts;
          this.#options.report({ kind: 'container_oom', engine, containerId: event.id, at: event.at });
        });
      case 'kill':
        return this.#inTurn(event.id, async () => this.#onSignalled(event));
      case 'cleanup':
        return this.#inTurn(event.id, () => this.#created.cleanedUp(event));
      default:
        return undefined;
    }
  }

  /** Holds what is known against a list of all containers that was asked for when `liveBefore` were running. */
  reconcile(listed: readonly ListedContainer[], liveBefore: readonly string[]): void {
    const present = new Set(listed.map(({ id }) => id));
    for (const { id, name, state } of listed) {
      if (!this.#options.isWanted(name)) continue;
      if (['created', 'initialized', 'configured'].includes(state)) this.#onFoundCreated(id, name);
      else void this.#inTurn(id, () => this.#onFound(id));
    }
    for (const id of liveBefore) {
      if (!present.has(id)) void this.#inTurn(id, () => this.#onGone(id));
    }
  }

  /** Containers that were created and not started: those that could not start say so only here. */
  lookAtCreated(listed: readonly ListedContainer[]): void {
    for (const { id, name } of listed) {
      if (this.#options.isWanted(name)) void this.#inTurn(id, async () => void (await this.#created.look(id)));
    }
  }

  #onFoundCreated(id: string, name: string): void {
    if (this.#engine.access === null) return;
    const { engine, socketPath } = this.#engine.access;
    void this.#created.created({ ...nothingKnown, engine, socketPath, containerId: id, name }, null, this.#sinceMs);
  }

  liveNames(): Set<string> {
    return new Set([...this.#live.values()].map(({ facts }) => facts.name));
  }

  wantedNames(listed: readonly ListedContainer[]): Set<string> {
    return new Set(listed.flatMap(({ name }) => (this.#options.isWanted(name) ? [name] : [])));
  }

  liveIds(): string[] {
    return [...this.#live.keys()];
  }

  #inTurn(id: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(id) ?? Promise.resolve())
      .then(act)
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, container: id }, 'a container event could not be handled'),
      )
      .finally(() => {
        if (this.#turns.get(id) === turn) this.#turns.delete(id);
      });
    this.#turns.set(id, turn);
    return turn;
  }

  // ── starts ──

  async #onStarted(event: ContainerEvent): Promise<void> {
    await this.#takeStart(event);
    // What the start did not need: told before, or the log of one that stays.
    this.#early.get(event.id)?.close();
    this.#early.delete(event.id);
  }

  async #takeStart(event: ContainerEvent): Promise<void> {
    this.#created.started(event.id);
    const found = await this.#engine.inspect(event.id, START_WAIT_MS);
    // An inspection that speaks of a later start than the event saw a later run of the same container.
    const isThisRun = found?.facts.startedAt != null && found.facts.startedAt <= event.at + START_EVENT_LEAD_MS;
    const facts = isThisRun ? found.facts : { ...event.facts, startedAt: event.at };
    const before = this.#live.get(event.id);
    if (before !== undefined && isSameStart(before.facts.startedAt, facts.startedAt)) return;
    if (before === undefined && this.#isStartOfTold(event.id, event.at)) return;
    if (before !== undefined) this.#tellUnseenEnd(before, facts.startedAt ?? event.at);
    this.#begin(facts, isThisRun ? found : null);
  }

  #begin(facts: ContainerFacts, found: InspectedContainer | null): void {
    const cgroup = facts.pid === null ? null : readPidCgroup(this.#options.root, facts.pid);
    const run: LiveRun = {
      facts: { ...facts, cgroup },
      isAutoRemoved: found?.isAutoRemoved ?? false,
      hasTerminal: found?.hasTerminal ?? false,
      tail: null,
      isConfirmed: true,
    };
    this.#live.set(facts.containerId, run);
    this.#options.report({ kind: 'container_started', ...run.facts });
    this.#followOn(run, found);
  }

  /** From the start's event on, before anything is asked: a short `--rm` container is gone, log and all, when the answer comes. */
  #followEarly(event: ContainerEvent): void {
    const tail = this.#follow({ facts: event.facts, ...unseenRun });
    this.#early.get(event.id)?.close();
    if (tail !== null) this.#early.set(event.id, tail);
  }

  /** Keeps following what will be removed, or may have been already. */
  #followOn(run: LiveRun, found: InspectedContainer | null): void {
    const early = this.#early.get(run.facts.containerId);
    if (early !== undefined && (found === null || (run.isAutoRemoved && !run.hasTerminal))) {
      this.#early.delete(run.facts.containerId);
      run.tail = early;
    } else if (run.isAutoRemoved) {
      run.tail = this.#follow(run);
    }
  }

  #follow(run: LiveRun): LogTail | null {
    const tail = this.#engine.tail(run.facts.containerId, run.hasTerminal);
    tail?.open({ follow: true }).catch((error: unknown) => {
      const facts = { err: error, container: run.facts.containerId };
      this.#options.log.debug(facts, 'the log of a container cannot be followed');
    });
    return tail;
  }

  // ── ends ──

  /** Podman does not say which signal it sent; an exit code of its number and 128 soon will. */
  #onSignalled({ id, facts, signal, at }: ContainerEvent): void {
    if (signal === null) this.#unnamedSignals.set(id, at);
    else this.#options.report({ kind: 'container_signalled', engine: facts.engine, containerId: id, signal, at });
  }

  #nameSignal({ id, facts, exitCode, at }: Pick<ContainerEvent, 'id' | 'facts' | 'exitCode' | 'at'>): void {
    const sentAt = this.#unnamedSignals.get(id);
    this.#unnamedSignals.delete(id);
    if (sentAt === undefined || exitCode === null || exitCode <= 128 || exitCode > 192) return;
    if (at - sentAt > SIGNAL_TAKES_MS) return;
    const signal = exitCode - 128;
    this.#options.report({ kind: 'container_signalled', engine: facts.engine, containerId: id, signal, at: sentAt });
  }

  async #onDied(event: ContainerEvent): Promise<void> {
    const run = this.#live.get(event.id);
    if (run?.facts.startedAt != null && event.at < run.facts.startedAt - SAME_START_MS) return;
    // Also of an end that is told: the list can be quicker than the events.
    this.#nameSignal(event);
    if (run === undefined && !(await this.#isUnheardRun(event))) return;
    const logTail = this.#lastLines(run ?? { facts: event.facts, ...unseenRun });
    const found = await this.#engine.inspect(event.id, END_WAIT_MS);
    const facts = run?.facts ?? { ...event.facts, ...found?.facts };
    const isThisRun =
      found !== null && found.status !== 'running' && isSameStart(facts.startedAt, found.facts.startedAt);
    this.#end({
      facts,
      exitCode: event.exitCode ?? (isThisRun ? found.exitCode : null),
      oomKilled: isThisRun ? found.oomKilled : null,
      error: isThisRun ? found.error : null,
      at: event.at,
      approximate: false,
      logTail: await logTail,
    });
  }

  /** Listed as existing, in whatever state but created. */
  async #onFound(id: string): Promise<void> {
    const found = await this.#engine.inspect(id);
    if (found === null) return;
    const run = this.#live.get(id);
    const isRunning = found.status === 'running' || found.status === 'paused';
    if (run !== undefined && isRunning && isSameStart(run.facts.startedAt, found.facts.startedAt)) {
      if (!run.isConfirmed) this.#refresh(run, found);
    } else if (isRunning) {
      const startedAt = found.facts.startedAt ?? this.#options.clock.wallMs();
      if (run !== undefined) this.#tellUnseenEnd(run, startedAt);
      if (!this.#isStartOfTold(id, startedAt)) this.#begin({ ...found.facts, startedAt }, found);
    } else if (
      run !== undefined ||
      (found.finishedAt !== null &&
        this.#isNews(id, { endedAtMs: found.finishedAt, startedAtMs: found.facts.startedAt }))
    ) {
      await this.#tellFoundEnd(found, run ?? null);
    }
  }

  /** What ran before the connection and still runs: told again as found, under the start it was first told with. */
  #refresh(run: LiveRun, found: InspectedContainer): void {
    this.#begin({ ...found.facts, startedAt: run.facts.startedAt ?? found.facts.startedAt }, found);
  }

  async #tellFoundEnd(found: InspectedContainer, run: LiveRun | null): Promise<void> {
    const isSameRun = run === null || isSameStart(run.facts.startedAt, found.facts.startedAt);
    if (!isSameRun) this.#tellUnseenEnd(run, found.facts.startedAt ?? this.#options.clock.wallMs());
    const facts = { ...found.facts, pid: null, cgroup: run?.facts.cgroup ?? null };
    const isOver = found.finishedAt !== null && found.finishedAt >= (facts.startedAt ?? 0);
    const at = isOver && found.finishedAt !== null ? found.finishedAt : this.#options.clock.wallMs();
    this.#nameSignal({ id: facts.containerId, facts, exitCode: found.exitCode, at });
    this.#end({
      facts: { ...facts, startedAt: (isSameRun ? run?.facts.startedAt : null) ?? facts.startedAt },
      exitCode: found.exitCode,
      oomKilled: found.oomKilled,
      error: found.error,
      at,
      approximate: true,
      logTail: await this.#lastLines({ facts, ...unseenRun, hasTerminal: found.hasTerminal }),
    });
  }

  /** It ran when we last looked and the engine has never heard of it: removed meanwhile. Only its events have the exit code. */
  async #onGone(id: string): Promise<void> {
    const run = this.#live.get(id);
    if (run === undefined || (await this.#engine.inspect(id)) !== null) return;
    // Its death may be on its way still: a list can be quicker than the stream of events.
    const death = await this.#engine.deathOf(id, run.facts.startedAt ?? this.#sinceMs);
    if (death !== null) return this.#onDied(death);
    this.#tellUnseenEnd(run, this.#options.clock.wallMs());
  }

  #tellUnseenEnd(run: LiveRun, atMs: number): void {
    run.tail?.close();
    const unseen = { exitCode: null, oomKilled: null, error: null, logTail: null };
    this.#end({ facts: run.facts, ...unseen, at: atMs, approximate: true });
  }

  #end({ facts, ...ending }: Omit<ContainerEnded, keyof ContainerFacts | 'kind'> & { facts: ContainerFacts }): void {
    this.#live.get(facts.containerId)?.tail?.close();
    this.#live.delete(facts.containerId);
    this.#remember(facts.containerId, { endedAtMs: ending.at, startedAtMs: facts.startedAt });
    this.#options.report({ kind: 'container_ended', ...facts, ...ending });
  }

  #remember(id: string, run: ContainerRunTimes): void {
    this.#ended.delete(id);
    this.#ended.set(id, run);
    const oldest = this.#ended.keys().next().value;
    if (this.#ended.size > MAX_REMEMBERED_ENDS && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** A start of the run that was told. An end that was only found out may be noted later than the next start. */
  #isStartOfTold(id: string, startedAt: number): boolean {
    const told = this.#ended.get(id);
    if (told === undefined || startedAt > told.endedAtMs) return false;
    return told.startedAtMs === null || startedAt <= told.startedAtMs + SAME_START_MS;
  }

  /** Of a run whose start we did not see: not told yet, and within the time we answer for. */
  #isNews(id: string, run: ContainerRunTimes): boolean {
    const told = this.#ended.get(id);
    if (told === undefined) return run.endedAtMs >= this.#sinceMs;
    // A daemon that is stopped writes a later end over the true one of a container that waited for its restart.
    if (told.startedAtMs !== null && run.startedAtMs !== null)
      return run.startedAtMs > told.startedAtMs + SAME_START_MS;
    return run.endedAtMs > told.endedAtMs + SAME_START_MS;
  }

  /** A death after a told end, and no start between them, is that end again with the engine's other clock: unless the engine knows of a start that we do not. */
  async #isUnheardRun({ id, at }: ContainerEvent): Promise<boolean> {
    if (!this.#ended.has(id)) return at >= this.#sinceMs;
    const startedAt = (await this.#engine.inspect(id, END_WAIT_MS))?.facts.startedAt ?? null;
    return startedAt !== null && at >= startedAt && !this.#isStartOfTold(id, startedAt);
  }

  async #lastLines(run: LiveRun): Promise<string[] | null> {
    const followed = await run.tail?.finish(END_WAIT_MS);
    if (followed != null || run.isAutoRemoved) return followed ?? null;
    const tail = this.#engine.tail(run.facts.containerId, run.hasTerminal);
    if (tail === null) return null;
    const opened = tail.open({ follow: false }).catch((error: unknown) => {
      this.#options.log.debug(
        { err: error, container: run.facts.containerId },
        'the log of a container could not be read',
      );
    });
    const lines = await tail.finish(END_WAIT_MS);
    if (lines !== null) await opened;
    return lines;
  }

  async #onDestroyed(event: ContainerEvent): Promise<void> {
    await this.#created.destroyed(event);
    const run = this.#live.get(event.id);
    if (run !== undefined) this.#tellUnseenEnd(run, event.at);
  }

  async logGrewAt(containerId: string, sinceMs: number): Promise<number | null> {
    return this.#live.has(containerId) ? this.#engine.logGrewAt(containerId, sinceMs) : null;
  }
}

/** A start that is not known may be any. */
function isSameStart(a: number | null, b: number | null): boolean {
  return a === null || b === null || Math.abs(a - b) <= SAME_START_MS;
}
