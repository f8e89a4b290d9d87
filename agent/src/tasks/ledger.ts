import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskSource } from '@runnerwatch/shared/model/task.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { ContainerFacts, ProcessExited, Sighting, UnitEnded, UnitStarted } from '../watchers/watcher.ts';
import { EarlyExits, leafOf } from './early-exits.ts';
import { endingOf } from './ending.ts';
import { type IdentifyRule, identify } from './identify.ts';
import { believedRuns, type LedgerState, storeRuns } from './ledger-state.ts';
import { keyOf, type Opening, openingOfCommand, openingOfContainer, openingOfUnit } from './opening.ts';
import { type CgroupUse, hadOom, hasEnded, isUnexplainedKill, openRun, type Run, takeUse } from './run.ts';

export interface LedgerOptions {
  readonly nodeId: string;
  readonly bootId: string | null;
  /** `tasks.identify` of the configuration. */
  readonly rules: readonly IdentifyRule[];
  /** The spool's append: resolves when the event is on disk. */
  readonly write: (body: EventBody, atMs: number) => Promise<unknown>;
  readonly readUse: (cgroup: string) => CgroupUse | null;
  /** The last lines of a unit's run; null when nobody reads its log. */
  readonly tailOf: (run: { unit: string; invocationId: string | null }) => readonly string[] | null;
  /** The journal's word on an end is waited for. */
  readonly hurryJournal: () => void;
  readonly state: { load(): LedgerState | null; save(state: LedgerState): void };
  /** Whether the source can be heard at this moment: an absent word from it then means something. */
  readonly isSeeing: (source: 'systemd' | 'journal' | 'process-exits' | TaskSource) => boolean;
  /** Why the kernel's process events are not seen, when they are not. */
  readonly exitsBlindReason: () => string | null;
  readonly isShuttingDown: () => boolean;
  readonly watchCgroup: (cgroup: string) => void;
  readonly unwatchCgroup: (cgroup: string) => void;
  /** The end of this run is on disk: its source may forget it. */
  readonly settled: (source: TaskSource, handle: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Named moments, for tests that die there. */
  readonly crashPoint?: (name: 'seen' | 'before-write' | 'written') => void;
}

/**
 * How long an end waits for the other witness of it, by what is still missing. The kernel speaks within a millisecond; on a
 * node that is out of breath it takes longer, and `unknown` is a poor answer where a moment's patience has a proven one.
 */
const waitMs = { exit: 800, journal: 400, kernelLog: 800 } as const;
/** Ends told as unknown that a later word of the kernel can still prove. */
const unprovenKept = 500;
const rememberedEnds = 20_000;
/** Cgroups read in one tick; the others have their turn in the next. */
const readsPerTick = 100;

/**
 * Puts together what the watchers saw of each run of work, and writes its beginning and its end down: once each.
 *
 * A run is opened by its first sighting, whichever that is, and kept on disk while it is open, so that a later life of the
 * agent knows what to ask about. Its end is judged when every source that should speak has spoken, or a short time after.
 * It is forgotten only when the end is on disk; a death before that derives the same end, with the same id, again.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #runs = new Map<string, Run>();
  readonly #byHandle = new Map<string, Run>();
  readonly #early = new EarlyExits();
  /** Task ids whose end is told. */
  readonly #ended = new Set<string>();
  /** Ended, but not yet on disk: a later life must still ask about them. */
  readonly #unsettled = new Set<Run>();
  readonly #settling = new Set<Promise<void>>();
  readonly #waiting = new Map<Run, AbortController>();
  readonly #unwritten: { body: EventBody; atMs: number; after?: () => void }[] = [];
  /** Scopes whose end was told without an exit status, by unit. */
  readonly #unproven = new Map<string, Run>();
  readonly #previous: LedgerState | null;
  /** Ends from before this instant are told already, or were before our time. */
  readonly #tellFrom: number;
  /** Ended and on disk, but perhaps still open in the file of what runs. */
  readonly #written: Run[] = [];
  #isDirty = false;
  #nextRead = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#previous = options.state.load();
    this.#tellFrom = this.#previous?.saved_at ?? options.clock.wallMs();
    if (this.#previous) for (const run of believedRuns(this.#previous)) this.#add(run);
  }

  /** The node was started anew since the last life of this agent. */
  get wasRebooted(): boolean {
    return this.#previous !== null && this.#previous.boot_id !== this.#options.bootId;
  }

  /** When the last life of this agent last wrote down what runs; null at the very first start. */
  get lastSavedAt(): number | null {
    return this.#previous?.saved_at ?? null;
  }

  open(): readonly Run[] {
    return [...this.#runs.values()];
  }

  see(sighting: Sighting): void {
    this.#options.crashPoint?.('seen');
    switch (sighting.kind) {
      case 'unit_started':
        return this.#unitStarted(sighting);
      case 'unit_ended':
        return this.#unitEnded(sighting);
      case 'unit_oom':
        return this.#note(this.#byHandle.get(sighting.unit), (run) => {
          run.unitOomAt ??= sighting.at;
        });
      case 'container_started':
        return void this.#containerRun(sighting);
      case 'container_oom':
        return this.#note(this.#byHandle.get(sighting.containerId), (run) => {
          run.containerOomAt ??= sighting.at;
        });
      case 'container_signalled':
        return this.#note(this.#byHandle.get(sighting.containerId), (run) => {
          run.signals.push({ signal: sighting.signal, at: sighting.at });
        });
      case 'container_ended':
      case 'container_not_started':
        return this.#note(this.#containerRun(sighting), (run) => {
          run.containerEnded = sighting;
          run.logTail = sighting.kind === 'container_ended' ? sighting.logTail : null;
        });
      case 'process_exited':
        return this.#processExited(sighting);
      case 'cgroup_oom':
        return this.#note(this.#runIn(sighting.cgroup), (run) => {
          run.oomKills = Math.max(run.oomKills ?? 0, sighting.oomKills);
          run.oomAt ??= sighting.at;
        });
      case 'kernel_oom':
        return this.#note(this.#runIn(sighting.cgroup), (run) => {
          run.kernelLine ??= {
            at: sighting.at,
            isGlobal: sighting.scope === 'host',
            text: `the OOM killer took process ${sighting.pid}${sighting.comm === null ? '' : ` (${sighting.comm})`}: ${sighting.scope === 'host' ? 'the node had run out of memory' : 'a memory limit was reached'}`,
          };
        });
      case 'run_started':
        return void this.#commandRun(sighting);
      case 'run_ended':
        return this.#note(this.#byHandle.get(sighting.runId), (run) => {
          run.runEnded = sighting;
          run.logTail = sighting.logTail;
          run.blindReason ??= sighting.blindReason ?? null;
        });
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
    const run = this.#runIn(cgroup);
    if (run) {
      takeUse(run, use);
      run.isPeakFinal ||= use.memoryPeakBytes !== null;
    } else this.#early.keep(cgroup, { exit: null, use, now: this.#options.clock.wallMs() });
  }

  /** Once a second: reads the use of what runs, tries again what could not be written, and keeps the state on disk. */
  tick(): void {
    const measured = [...this.#runs.values()].filter((run) => run.cgroup !== null && run.source !== 'run');
    for (let count = 0; count < Math.min(readsPerTick, measured.length); count += 1) {
      const run = measured[(this.#nextRead + count) % measured.length];
      const use = run?.cgroup == null ? null : this.#options.readUse(run.cgroup);
      if (run && use) takeUse(run, use);
    }
    this.#nextRead += readsPerTick;
    for (const { body, atMs, after } of this.#unwritten.splice(0)) this.#write(body, { atMs, after });
    this.reconcile();
    this.save();
  }

  /** Ends what was believed to run and is not there: asked when the sources have told all they know, and again each tick. */
  reconcile(): void {
    for (const run of [...this.#runs.values()].filter(({ isBelieved }) => isBelieved)) {
      if (!this.wasRebooted && !this.#options.isSeeing(run.source)) continue;
      run.blindReason ??= 'it ended while the agent was not running';
      this.#end(run);
    }
  }

  /** Writes the set of open runs down when it has changed. */
  save(): void {
    if (!this.#isDirty) return;
    const { state, bootId, clock, settled } = this.#options;
    state.save(storeRuns([...this.#runs.values(), ...this.#unsettled], { bootId, now: clock.wallMs() }));
    this.#isDirty = false;
    // Only now may a source forget them: a next life would believe that what it reads of here still runs.
    for (const { source, handle } of this.#written.splice(0)) settled(source, handle);
  }

  /** Ends that wait for a witness are judged now; resolves when everything is on disk. */
  async stop(): Promise<void> {
    for (const waiting of this.#waiting.values()) waiting.abort();
    while (this.#settling.size > 0) await Promise.all(this.#settling);
    this.save();
  }

  #unitStarted(sighting: UnitStarted): void {
    const run = this.#unitRun(sighting, sighting);
    if (!run) return;
    run.cgroup = sighting.cgroup ?? run.cgroup;
    run.runtimeMaxMs = sighting.runtimeMaxMs ?? run.runtimeMaxMs;
    run.memoryLimitBytes = sighting.memoryMaxBytes ?? run.memoryLimitBytes;
    if (run.cgroup !== null) this.#options.watchCgroup(run.cgroup);
    this.#takeEarly(run);
  }

  #unitEnded(sighting: UnitEnded): void {
    // systemd keeps failed units loaded and shows them at every start: what ended before anybody watched is not news.
    const isKnown = this.#runs.has(keyOf('systemd', sighting.invocationId ?? '')) || this.#byHandle.has(sighting.unit);
    if (!isKnown && sighting.at < this.#tellFrom) return;
    this.#note(this.#unitRun(sighting), (run) => {
      if (sighting.via === 'journal') run.journalEnded ??= sighting;
      else run.unitEnded ??= sighting;
      run.startedAt ??= sighting.startedAt;
      if (run.exit === null) this.#takeEarly(run);
    });
  }

  /** The run a unit's sighting speaks of: opened when it is not known, undefined when its end is already told. */
  #unitRun(
    { unit, invocationId }: { unit: string; invocationId: string | null },
    started?: UnitStarted,
  ): Run | undefined {
    const current = this.#byHandle.get(unit);
    if (current && (invocationId === null || current.key === keyOf('systemd', invocationId)))
      return this.#confirm(current);
    const runId = invocationId ?? `${unit}@${started?.startedAt ?? this.#options.clock.wallMs()}`;
    const known = this.#runs.get(keyOf('systemd', runId));
    if (known) return this.#confirm(known);
    return this.#begin(openingOfUnit(unit, runId, started));
  }

  #containerRun(facts: ContainerFacts): Run | undefined {
    const current = this.#byHandle.get(facts.containerId);
    const isSame = current !== undefined && isSameStart(current.startedAt, facts.startedAt);
    const run = isSame ? this.#confirm(current) : this.#begin(openingOfContainer(facts));
    if (!run) return undefined;
    run.memoryLimitBytes ??= facts.memoryMaxBytes;
    if (facts.cgroup !== null && run.cgroup === null) {
      run.cgroup = facts.cgroup;
      this.#options.watchCgroup(facts.cgroup);
    }
    this.#takeEarly(run);
    return run;
  }

  #commandRun(started: Sighting & { kind: 'run_started' }): Run | undefined {
    const current = this.#byHandle.get(started.runId);
    if (current) return this.#confirm(current);
    const run = this.#begin(openingOfCommand(started));
    if (run) run.timeoutMs = started.timeoutMs;
    return run;
  }

  #begin({ source, runKey, handle, names }: Opening): Run | undefined {
    const { nodeId, rules } = this.#options;
    const identity = identify({ ...names, source, runKey }, { nodeId, rules });
    if (this.#ended.has(identity.id)) return undefined;
    const run = openRun({
      key: keyOf(source, runKey),
      source,
      identity,
      handle,
      isScope: handle.endsWith('.scope'),
      startedAt: names.startedAt,
    });
    run.cgroup = source === 'run' ? null : (names.cgroup ?? null);
    this.#supersede(handle);
    this.#unproven.delete(handle);
    this.#add(run);
    this.#write({ kind: 'task_started', task: identity });
    return run;
  }

  /** A unit or container that starts again has ended before, even when nobody said so yet: it gets until the next tick. */
  #supersede(handle: string): void {
    const earlier = this.#byHandle.get(handle);
    if (!earlier || hasEnded(earlier)) return;
    earlier.isBelieved = true;
    earlier.blindReason = 'it was started again before its end was heard';
  }

  #add(run: Run): void {
    this.#runs.set(run.key, run);
    this.#byHandle.set(run.handle, run);
    this.#isDirty = true;
  }

  #confirm(run: Run): Run {
    run.isBelieved = false;
    return run;
  }

  #processExited(sighting: ProcessExited): void {
    if (!sighting.isMain) return;
    const run = this.#runIn(sighting.cgroup);
    if (!run && this.#prove(sighting)) return;
    // A service has a main process for each of its commands, one after the other; the last one counts.
    if (!run || (run.exit !== null && run.isScope) || run.isBelieved) {
      this.#early.keep(sighting.cgroup, { exit: sighting, use: null, now: sighting.at });
      return;
    }
    this.#note(run, () => {
      run.exit = sighting;
    });
  }

  /** The kernel's word came after an end was told as unknown: the end is told again, proven. */
  #prove(sighting: ProcessExited): boolean {
    const run = this.#unproven.get(leafOf(sighting.cgroup));
    if (!run || sighting.waitStatus === null) return false;
    this.#unproven.delete(run.handle);
    run.exit = sighting;
    this.#write(this.#ending(run));
    return true;
  }

  /** The run whose cgroup this is, or lies in. */
  #runIn(cgroup: string): Run | undefined {
    for (const part of cgroup.split('/').toReversed()) {
      const container = /^(?:docker|libpod|crio)-([0-9a-f]{64})\.scope$/.exec(part)?.[1];
      const run = this.#byHandle.get(container ?? part);
      if (run) return run;
    }
    return undefined;
  }

  #takeEarly(run: Run): void {
    if (run.exit !== null || run.source === 'run') return;
    const leaf = run.cgroup === null ? run.handle : leafOf(run.cgroup);
    const early = this.#early.take(leaf, run.startedAt);
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
    const missing = this.#missing(run);
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
    this.#track(this.#options.clock.sleep(waitMs[missing], cut.signal).then(() => this.#end(run)));
  }

  /** The witness that should still speak. */
  #missing(run: Run): keyof typeof waitMs | null {
    const { isSeeing } = this.#options;
    // The kernel's log says whose memory had run out: the task's own limit, or the node's.
    const isKernelAsked = hadOom(run) || isUnexplainedKill(run);
    if (isKernelAsked && run.kernelLine === null && isSeeing('journal') && !isFoundLater(run)) return 'kernelLog';
    if (run.source !== 'systemd') return null;
    if (run.unitEnded === null && isSeeing('systemd') && !run.journalEnded?.approximate) return 'journal';
    // A service's last lines are in the journal before systemd's own word about its end.
    if (!run.isScope && run.journalEnded === null && isSeeing('journal')) return 'journal';
    const hasStatus = run.exit !== null || (run.unitEnded ?? run.journalEnded)?.execMain != null;
    return hasStatus || !isSeeing('process-exits') || run.journalEnded?.approximate === true ? null : 'exit';
  }

  #end(run: Run): void {
    if (this.#runs.get(run.key) !== run) return;
    this.#waiting.delete(run);
    this.#runs.delete(run.key);
    if (this.#byHandle.get(run.handle) === run) this.#byHandle.delete(run.handle);
    if (run.cgroup !== null) this.#options.unwatchCgroup(run.cgroup);
    if (run.exit === null && run.isScope) run.blindReason ??= this.#options.exitsBlindReason();
    const body = this.#ending(run);
    this.#remember(run.identity.id);
    if (run.isScope && run.exit === null && !run.isBelieved) this.#keepUnproven(run);
    this.#unsettled.add(run);
    this.#write(body, {
      after: () => {
        this.#unsettled.delete(run);
        this.#isDirty = true;
        this.#written.push(run);
      },
    });
  }

  #ending(run: Run): EventBody {
    const { clock, isShuttingDown, tailOf } = this.#options;
    const unitTail = () => tailOf({ unit: run.handle, invocationId: run.key.slice(run.key.indexOf(':') + 1) });
    return endingOf(run, {
      now: clock.wallMs(),
      isShuttingDown: isShuttingDown(),
      wasLost: this.wasRebooted && run.isBelieved,
      logTail: run.logTail ?? (run.source === 'systemd' ? unitTail() : null),
    });
  }

  #keepUnproven(run: Run): void {
    this.#unproven.set(run.handle, run);
    const [oldest] = this.#unproven.keys();
    if (this.#unproven.size > unprovenKept && oldest !== undefined) this.#unproven.delete(oldest);
  }

  #remember(id: string): void {
    this.#ended.add(id);
    if (this.#ended.size <= rememberedEnds) return;
    const [oldest] = this.#ended;
    if (oldest !== undefined) this.#ended.delete(oldest);
  }

  #write(
    body: EventBody,
    { atMs = this.#options.clock.wallMs(), after }: { atMs?: number; after?: (() => void) | undefined } = {},
  ): void {
    const { write, crashPoint, log } = this.#options;
    crashPoint?.('before-write');
    const writing = write(body, atMs).then(
      () => {
        crashPoint?.('written');
        after?.();
      },
      (error: unknown) => {
        log.error({ err: error, kind: body.kind }, 'an event could not be written down; it is tried again');
        this.#unwritten.push({ body, atMs, ...(after && { after }) });
      },
    );
    this.#track(writing);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }
}

/** Its end was read back afterwards: who would have more to say has said it. */
function isFoundLater({ journalEnded, containerEnded }: Run): boolean {
  return (
    journalEnded?.approximate === true || (containerEnded?.kind === 'container_ended' && containerEnded.approximate)
  );
}

/** An engine's event and its inspection tell one start by instants that lie a little apart. */
function isSameStart(one: number | null, other: number | null): boolean {
  return one === null || other === null || Math.abs(one - other) <= 2000;
}
