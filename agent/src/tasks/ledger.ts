import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { withoutSecrets } from '../logs/without-secrets.ts';
import type {
  ContainerEnded,
  ContainerFacts,
  ContainerNotStarted,
  EngineStopping,
  ProcessExited,
  RunEnded,
  Sighting,
  SystemStopping,
  UnitEnded,
  UnitStarted,
} from '../watchers/watcher.ts';
import { EarlyExits, handleOf } from './early-exits.ts';
import { EarlyFacts } from './early-facts.ts';
import { EndTeller } from './end-teller.ts';
import { EngineStops } from './engine-stops.ts';
import { EventWriter } from './event-writer.ts';
import { GpuFaults } from './gpu-faults.ts';
import { identify } from './identify.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { believedRuns, type EngineHeard, type LedgerState, storeRuns } from './ledger-state.ts';
import { OomWarnings } from './oom-warnings.ts';
import { OpenRuns } from './open-runs.ts';
import { isSameStart, keyOf, type Opening, openingOfCommand, openingOfContainer, openingOfUnit } from './opening.ts';
import { hasEnded, openRun, type Run, takeUnitEnd, takeUse } from './run.ts';
import { SecondLooks } from './second-looks.ts';
import { Shutdowns } from './shutdowns.ts';
import { StateKeeper } from './state-keeper.ts';
import { isOfAnother, subjectOf, type TaskFact, takeFact } from './task-facts.ts';
import { TaskOutputs } from './task-outputs.ts';
import { isFrom, type ToldEnds } from './told-ends.ts';
import { missingWitness, wait, waitMs } from './witnesses.ts';

/** journald takes what systemd says in its own time, and more of it on a busy node. */
const doubtMs = 2000;

/**
 * Puts together what the watchers saw of each run of work, and writes its beginning and its end down: once each.
 *
 * A run is opened by its first sighting, whichever that is, and kept on disk while it is open, so that a later life of the
 * agent knows what to ask about. Its end is judged when every source that should speak has spoken, or a short time after.
 * It is forgotten only when the end is on disk; a death before that derives the same end, with the same id, again.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #runs = new OpenRuns();
  readonly #early = new EarlyExits();
  readonly #earlyFacts = new EarlyFacts();
  readonly #writer: EventWriter;
  readonly #waiting = new Map<Run, AbortController>();
  readonly #secondLooks: SecondLooks;
  readonly #ends: EndTeller;
  readonly #told: ToldEnds;
  readonly #outputs: TaskOutputs;
  readonly #oomWarnings: OomWarnings;
  readonly #gpuFaults: GpuFaults;
  readonly #shutdowns: Shutdowns;
  readonly #engineStops = new EngineStops();
  readonly #previous: LedgerState | null;
  /** Ends from before this instant are told already, or were before our time. */
  readonly #tellFrom: number;
  readonly #keeper: StateKeeper;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#previous = options.state.load();
    this.#writer = new EventWriter(options);
    this.#keeper = new StateKeeper({
      ...options,
      save: (state) => options.state.save(state),
      take: () => this.#state(),
    });
    const startedAt = options.clock.wallMs();
    this.#tellFrom = this.#previous?.saved_at ?? startedAt;
    this.#shutdowns = new Shutdowns({ since: this.#previous?.stopping_since ?? null, startedAt });
    const { clock, bootId } = options;
    this.#outputs = new TaskOutputs({ reading: options.outputs, clock, known: () => this.#keeper.changed() });
    this.#secondLooks = new SecondLooks({
      ...options,
      identify: (opening) => this.#identify(opening),
      isOpen: (run) => this.#runs.has(run),
      changed: () => this.#keeper.changed(),
      write: (body) => this.#write(body),
    });
    const tell = (report: ConditionReport) => {
      this.#keeper.changed();
      this.#write({ kind: 'condition', report });
    };
    this.#oomWarnings = new OomWarnings({ tell, since: this.#tellFrom, clock });
    this.#gpuFaults = new GpuFaults({ tell, known: this.#previous?.gpu_faults ?? [], bootId, clock });
    const believed = this.#previous ? believedRuns(this.#previous, options.onDisk.begun) : [];
    this.#ends = new EndTeller({
      ...options,
      saved: believed,
      runsAnew: (handle) => this.#runs.byHandle(handle) !== undefined,
      linesOf: (run) => this.#outputs.linesOf(run),
      around: (run, endedAt) => ({
        isShuttingDown: this.#shutdowns.explains(endedAt),
        engineStopping: this.#engineStops.behind(run, endedAt),
        wasLost: this.wasRebooted && run.isBelieved && !hasEnded(run),
        gpuFault: this.#gpuFaults.unclaimedAt(endedAt),
      }),
      write: (body, after) => this.#write(body, after),
      over: (run) => this.#keeper.over(run),
    });
    this.#told = this.#ends.told;
    for (const run of believed) {
      if (this.#told.has(run.identity.id)) this.#keeper.changed();
      else this.#add(run);
    }
  }

  /** The node was started anew since the last life of this agent. */
  get wasRebooted(): boolean {
    return this.#previous !== null && this.#previous.boot_id !== this.#options.bootId;
  }

  /** When the last life of this agent last wrote down what runs; null at the very first start. */
  get lastSavedAt(): number | null {
    return this.#previous?.saved_at ?? null;
  }

  /** Up to where the last life had heard each container engine by then. */
  get enginesHeard(): readonly EngineHeard[] {
    return this.#previous?.engines ?? [];
  }

  open(): readonly Run[] {
    return this.#runs.all();
  }

  see(sighting: Sighting): void {
    this.#options.crashPoint?.('seen');
    switch (sighting.kind) {
      case 'unit_started':
        return this.#unitStarted(sighting);
      case 'unit_ended':
        return this.#unitEnded(sighting);
      case 'unit_oom':
      case 'unit_start_failed':
      case 'container_oom':
      case 'container_signalled':
      case 'cgroup_oom':
      case 'kernel_oom':
      case 'core_dumped':
      case 'gpu_fault':
        return this.#fact(sighting);
      case 'system_stopping':
      case 'engine_stopping':
        return this.#stopping(sighting);
      case 'container_started':
        return void this.#containerRun(sighting);
      case 'container_ended':
      case 'container_not_started':
        return this.#containerEnded(sighting);
      case 'process_exited':
        return this.#processExited(sighting);
      case 'run_started':
        return void this.#commandRun(sighting);
      case 'run_ended':
        return this.#commandEnded(sighting);
      case 'gap':
        return this.#write({ kind: 'gap', gap: sighting.gap });
      case 'state_changed':
        return this.#write({ kind: 'source', source: sighting.state });
    }
  }

  /** Reads a cgroup's accounting while it is still there: its main process has just ended. */
  measure(cgroup: string): void {
    const use = this.#options.readUse(cgroup);
    if (use === null) return;
    const run = this.#runs.in(cgroup);
    if (run) {
      takeUse(run, use);
      run.isPeakFinal ||= use.memoryPeakBytes !== null;
    } else this.#early.keep(cgroup, { exit: null, use, now: this.#options.clock.wallMs() });
  }

  /** Once a second: tries again what could not be written, and keeps the state on disk. */
  tick(): void {
    this.#secondLooks.tick();
    this.#outputs.tick();
    this.#writer.retry();
    this.reconcile();
    this.#gpuFaults.tick();
    this.#ends.tick();
    void this.save();
  }

  /**
   * Ends what was believed to run and is not there: asked when the sources have told all they know, and again each tick.
   * The journal's word on an end comes a moment after the unit is gone, so a doubt is slept on.
   */
  reconcile(): void {
    const now = this.#options.clock.monotonicMs();
    for (const run of this.#runs.all().filter(({ isBelieved }) => isBelieved)) {
      if (!this.wasRebooted && !this.#options.isSeeing(run.source, run.socketPath)) continue;
      run.doubtedAtMs ??= now;
      if (!this.wasRebooted && now - run.doubtedAtMs < doubtMs) {
        this.#options.hurryJournal();
        continue;
      }
      run.blindness ??= { reason: 'it ended while the agent was not running', wasAway: true };
      // Asked again at the next tick.
      if (!this.#outputs.isReading(run, () => {})) this.#end(run);
    }
  }

  /** Writes the set of open runs down when it has changed. */
  save(): Promise<void> {
    return this.#keeper.save();
  }

  /** Ends that wait for a witness are judged now; resolves when everything is on disk. */
  async stop(): Promise<void> {
    for (const waiting of this.#waiting.values()) waiting.abort();
    this.#oomWarnings.stop();
    await this.#writer.settled();
    await this.save();
  }

  #state(): LedgerState {
    const { bootId, clock, engines } = this.#options;
    const node = { bootId, stoppingSince: this.#shutdowns.since, gpuFaults: this.#gpuFaults.known() };
    const heard = { engines: engines(), now: clock.wallMs() };
    return storeRuns([...this.#runs.all(), ...this.#ends.unsettled()], { ...node, ...heard });
  }

  #unitStarted(sighting: UnitStarted): void {
    const run = this.#unitRun(sighting);
    if (!run) return;
    run.cgroup = sighting.cgroup ?? run.cgroup;
    run.mainPid = sighting.mainPid ?? run.mainPid;
    run.runtimeMaxMs = sighting.runtimeMaxMs ?? run.runtimeMaxMs;
    run.memoryLimitBytes = sighting.memoryMaxBytes ?? run.memoryLimitBytes;
    if (run.cgroup !== null) this.#options.watchCgroup(run.cgroup);
    this.#takeEarly(run);
  }

  #unitEnded(sighting: UnitEnded): void {
    // systemd keeps failed units loaded and shows them at every start: what ended before anybody watched is not news.
    const { unit, invocationId, startedAt, at } = sighting;
    const key = invocationId === null ? null : keyOf('systemd', invocationId);
    const isOpen = this.#runs.ofUnit(sighting) !== undefined;
    if (!isOpen) this.#ends.recall({ handles: [unit], key, startedAt, at });
    const told = isOpen ? undefined : this.#told.ofUnit(sighting, this.#options.clock.monotonicMs());
    if (told) return this.#ends.amend(told, (run) => takeUnitEnd(run, sighting));
    if (!this.#runs.byHandle(unit) && at < this.#tellFrom) return;
    this.#note(this.#unitRun(sighting), (run) => {
      takeUnitEnd(run, sighting);
      if (run.exit === null) this.#takeEarly(run);
    });
  }

  /** The run a unit's sighting speaks of: opened when it is not known, undefined when its end is already told. */
  #unitRun(sighting: UnitStarted | UnitEnded): Run | undefined {
    const known = this.#runs.ofUnit(sighting);
    if (known) return this.#confirm(known);
    const { clock } = this.#options;
    if (this.#told.ofUnit(sighting, clock.monotonicMs())) return undefined;
    return this.#begin(openingOfUnit(sighting, clock.wallMs()));
  }

  #containerRun(facts: ContainerFacts): Run | undefined {
    const current = this.#runs.byHandle(facts.containerId);
    const isSame = current !== undefined && isSameStart(current.startedAt, facts.startedAt);
    const run = isSame ? this.#confirm(current) : this.#begin(openingOfContainer(facts));
    if (!run) return undefined;
    run.socketPath = facts.socketPath;
    run.memoryLimitBytes ??= facts.memoryMaxBytes;
    run.mainPid = facts.pid ?? run.mainPid;
    if (facts.cgroup !== null && run.cgroup === null) {
      run.cgroup = facts.cgroup;
      this.#options.watchCgroup(facts.cgroup);
    }
    this.#takeEarly(run);
    return run;
  }

  #containerEnded(ended: ContainerEnded | ContainerNotStarted): void {
    const take = (run: Run) => {
      run.containerEnded = ended;
      run.logTail = ended.kind === 'container_ended' ? ended.logTail : null;
    };
    const { containerId, startedAt, at } = ended;
    const [earlier] = this.#ends.recall({ handles: [containerId], key: null, startedAt, at });
    if (earlier) this.#ends.amend(earlier, take);
    else this.#note(this.#containerRun(ended), take);
  }

  #commandRun(started: Sighting & { kind: 'run_started' }): Run | undefined {
    const current = this.#runs.byHandle(started.runId);
    const run = current ? this.#confirm(current) : this.#begin(openingOfCommand(started));
    if (!run) return undefined;
    run.timeoutMs = started.timeoutMs;
    run.process = { pid: started.pid, startTicks: started.startTicks };
    return run;
  }

  #commandEnded(ended: RunEnded): void {
    const { runId, at } = ended;
    const take = (run: Run) => {
      run.runEnded = ended;
      run.logTail = ended.logTail;
      if (ended.blindReason !== undefined) run.blindness ??= { reason: ended.blindReason, wasAway: true };
    };
    const open = this.#runs.byHandle(runId);
    if (open) return this.#note(open, take);
    // One whose end is told is open no more; only its source does not know that yet.
    const settle = () => this.#options.settled('run', runId);
    const [earlier] = this.#ends.recall({ handles: [], key: keyOf('run', runId), at });
    if (earlier) this.#ends.amend(earlier, take, settle);
    else settle();
  }

  #begin(opening: Opening): Run | undefined {
    const { source, runKey, handle, names } = opening;
    const identity = this.#identify(opening);
    if (this.#told.has(identity.id) || this.#told.isStartOfTold(opening)) return undefined;
    const run = openRun({
      key: keyOf(source, runKey),
      source,
      identity,
      handle,
      isScope: handle.endsWith('.scope'),
      startedAt: names.startedAt,
    });
    run.cgroup = source === 'run' ? null : (names.cgroup ?? null);
    run.mainPid = opening.pid;
    this.#supersede(handle);
    this.#told.supersede(handle);
    this.#add(run);
    for (const fact of this.#earlyFacts.take(run)) this.#take(run, fact);
    this.#secondLooks.begun(run, opening);
    void this.#outputs.begin(run);
    this.#write({ kind: 'task_started', task: identity });
    return run;
  }

  #identify({ source, runKey, pid, names }: Opening): TaskIdentity {
    const { nodeId, rules, readEnvironment, redact } = this.#options;
    const environment = readEnvironment({ pid, cgroup: names.cgroup ?? null });
    return withoutSecrets(identify({ ...names, source, runKey, environment }, { nodeId, rules }), redact);
  }

  /** A unit or container that starts again has ended before, even when nobody said so yet: it gets until the next tick. */
  #supersede(handle: string): void {
    const earlier = this.#runs.byHandle(handle);
    if (!earlier || hasEnded(earlier)) return;
    earlier.isBelieved = true;
    earlier.blindness = { reason: 'it was started again before its end was heard', wasAway: true };
  }

  #add(run: Run): void {
    this.#runs.add(run);
    this.#keeper.changed();
  }

  #confirm(run: Run): Run {
    run.isBelieved = false;
    run.doubtedAtMs = null;
    return run;
  }

  #processExited(sighting: ProcessExited): void {
    if (!sighting.isMain) return;
    const run = this.#runs.in(sighting.cgroup);
    if (!run && this.#ends.prove(sighting)) return;
    // A service has a main process for each of its commands, one after the other; the last one counts.
    if (!run || (run.exit !== null && run.isScope) || run.isBelieved) {
      this.#early.keep(sighting.cgroup, { exit: sighting, use: null, now: sighting.at });
      return;
    }
    this.#note(run, () => {
      run.exit = sighting;
    });
  }

  /** Of runs that go on, and of those whose end was told a moment ago: a unit may hold a container's or a command's processes. */
  #fact(fact: TaskFact): void {
    const subject = subjectOf(fact);
    const nowMs = this.#options.clock.monotonicMs();
    this.#ends.recall(subject);
    const open = this.#runs.of(subject).filter((run) => !isOfAnother(run, subject));
    const told = this.#told.find(subject, { open, nowMs });
    for (const end of told) this.#ends.amend(end, (run) => takeFact(run, fact));
    for (const run of open.filter(
      (one) => isFrom(one, subject.at) || !told.some((end) => end.run.handle === one.handle),
    )) {
      this.#note(run, (one) => this.#take(one, fact));
    }
    const isClaimed = open.length + told.length > 0;
    if (fact.kind === 'gpu_fault') this.#gpuFaults.see(fact, { isClaimed });
    else if (!isClaimed) this.#earlyFacts.keep(fact, nowMs);
  }

  #take(run: Run, fact: TaskFact): void {
    takeFact(run, fact);
    if (!hasEnded(run)) this.#writer.track(this.#oomWarnings.see(run, fact));
  }

  #stopping(sighting: SystemStopping | EngineStopping): void {
    if (sighting.kind === 'engine_stopping') this.#engineStops.see(sighting);
    else this.#shutdowns.see(sighting);
    this.#keeper.changed();
    void this.save();
    this.#ends.review();
  }

  #takeEarly(run: Run): void {
    if (run.exit !== null || run.source === 'run') return;
    const handle = run.cgroup === null ? run.handle : handleOf(run.cgroup);
    const early = this.#early.take(handle, run.startedAt);
    if (!early) return;
    run.exit = early.exit;
    if (early.use) {
      takeUse(run, early.use);
      run.isPeakFinal ||= early.use.memoryPeakBytes !== null;
    }
  }

  /** Takes what a sighting adds, then sees whether the end can be told. */
  #note(run: Run | undefined, take: (run: Run) => void): void {
    if (!run) return;
    take(run);
    if (!hasEnded(run)) return;
    const isReading = this.#outputs.isReading(run, () => this.#note(run, () => {}));
    const missing = missingWitness(run, this.#options.isSeeing) ?? (isReading ? 'output' : null);
    const waiting = this.#waiting.get(run);
    if (missing === null) {
      waiting?.abort();
      if (!waiting) this.#end(run);
      return;
    }
    if (waiting) return;
    if (missing !== 'exit') this.#options.hurryJournal();
    const cut = new AbortController();
    this.#waiting.set(run, cut);
    const { clock } = this.#options;
    this.#writer.track(wait(waitMs[missing], { clock, signal: cut.signal }).then(() => this.#end(run)));
  }

  #end(run: Run): void {
    if (!this.#runs.remove(run)) return;
    this.#waiting.delete(run);
    if (run.cgroup !== null) this.#options.unwatchCgroup(run.cgroup);
    this.#ends.tell(run);
  }

  #write(body: EventBody, after?: () => void): void {
    this.#writer.write({ body, atMs: this.#options.clock.wallMs(), after });
  }
}
