import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { CAP_SYS_PTRACE, hasCapability } from '../proc/capabilities.ts';
import { describeFailure } from '../proc/descriptors.ts';
import { isPidThere, readIsInit, readPidCgroup, readPidStat } from '../proc/pid-stat.ts';
import { readForkCount } from '../proc/stat.ts';
import { CgroupTree, type KnownCgroup } from './process-exits/cgroup-tree.ts';
import { ProcessConnector } from './process-exits/connector.ts';
import { Epoll } from './process-exits/epoll.ts';
import type { ProcessEvent } from './process-exits/messages.ts';
import { loadNative, type Native } from './process-exits/native.ts';
import { isOwnChildHeard } from './process-exits/own-child.ts';
import { createPidfds, type Pidfds, withoutExit } from './process-exits/pidfd.ts';
import { probe } from './process-exits/probe.ts';
import { readLaunchedScope } from './process-exits/scope-launcher.ts';
import { Shortage } from './process-exits/shortage.ts';
import { judgeSight } from './process-exits/sight.ts';
import { MARGIN_MS, Standstills } from './process-exits/standstills.ts';
import { ProcessTable, type TableCounts } from './process-exits/table.ts';
import { isOfSystem, unitCgroupOf } from './process-exits/unit-cgroup.ts';
import { ForkWitness } from './silence.ts';
import type { ProcessExited, Report, Watcher } from './watcher.ts';

export interface ProcessExitsOptions {
  /** `/`, or where a captured machine lies. */
  readonly root: string;
  /** The cgroup2 mount (`findCgroup2Root`); null when there is none: then only followed processes are reported. */
  readonly cgroupRoot: string | null;
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called right before a main process's end is reported, while its cgroup's `cpu.stat` and `memory.peak` can still be read. */
  readonly onMainExit?: (cgroup: string) => void;
  /** Does without, as on a machine that refuses: for tests of what is left then. */
  readonly without?: { readonly connector?: boolean; readonly pidfdExit?: boolean };
}

export interface ProcessExitsWatcher extends Watcher {
  /**
   * Reports the end of one process, whichever cgroup it is in; `onExit` hears it too. A process that is gone, or whose
   * pid belongs to a later one, is reported at once with an unknown status. Before the start it is remembered.
   */
  follow(pid: number, startTicks: number | null, onExit?: (exit: ProcessExited) => void): void;
  unfollow(pid: number): void;
  /** The living main process of this unit's cgroup. */
  mainPidOf(cgroup: string): number | null;
  /** Names of the system's units that have a cgroup, as last seen. */
  unitsWithCgroup(): ReadonlySet<string>;
  /** Reads every directory of the tree again: for when its names are in doubt. */
  lookAgain(): void;
  /** Notices kernel process events that come no more although processes begin, and subscribes anew; asked now and then. */
  checkSilence(): Promise<void>;
  /** Why the end of a process at this instant (milliseconds since the epoch) may have stayed unseen; null: it should have been seen. */
  blindness(at: number): { readonly reason: string; readonly wasAway: boolean } | null;
  /** Whether more could be heard with more file descriptors. */
  isShort(): boolean;
  counts(): TableCounts;
}

/**
 * Hears how processes end that are not our children: through pidfds and the kernel's process connector, behind one epoll
 * descriptor that the event loop watches. Reports the main process of each unit's and container's cgroup, and whoever is followed.
 */
export function createProcessExitsWatcher(options: ProcessExitsOptions): ProcessExitsWatcher {
  return new ProcessExits(options);
}

const OPEN_ENDS_MS = 20;
const SWEEP_MS = 1000;
const PRUNE_EVERY_SWEEPS = 10;
const WALK_PAUSE_MS = 250;
/** inotify tells of every new cgroup; this is for the day it does not. */
const WALK_EVERY_SWEEPS = 60;

type Follow = Parameters<ProcessExitsWatcher['follow']>;

class ProcessExits implements ProcessExitsWatcher {
  readonly name = 'process-exits';
  readonly #options: ProcessExitsOptions;
  #state: Omit<SourceState, 'name'>;
  #native: Native | null = null;
  #epoll: Epoll | null = null;
  /** Apart from the pidfds', so that an event costs no look at them. Never the socket itself: libuv gives up on one that overran. */
  #events: Epoll | null = null;
  #connector: ProcessConnector | null = null;
  #tree: CgroupTree | null = null;
  #table: ProcessTable | null = null;
  #pidfdExit = false;
  #blindReason = 'the watcher had not started';
  #isOverrun = false;
  #earlyFollows: Follow[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #openEnds: NodeJS.Timeout | undefined;
  #sweeps = 0;
  #walkedAtMs = Number.NEGATIVE_INFINITY;
  #namelessSaid = 0;
  #lastDrainAt: number;
  /** From then on ends are heard; null: not yet. */
  #hearingSince: number | null = null;
  #isThreadless = false;
  readonly #forkWitness = new ForkWitness();
  #heard = 0;
  #speakingAt: number;
  #isConnectorLost = false;
  readonly #standstills: Standstills;
  readonly #shortage: Shortage;
  #isStopped = false;

  constructor(options: ProcessExitsOptions) {
    this.#options = options;
    this.#shortage = new Shortage(options.log);
    this.#standstills = new Standstills(options.root, options.clock);
    this.#lastDrainAt = options.clock.wallMs();
    this.#speakingAt = this.#lastDrainAt;
    this.#state = { state: 'blind', reason: 'not started', since: toInstant(options.clock.wallMs()) };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    try {
      this.#native = await loadNative();
      await this.#open(this.#native);
    } catch (error) {
      this.#epoll?.close();
      this.#epoll = null;
      this.#setBlind(`process ends cannot be heard: ${describeFailure(error)}`);
    }
    for (const follow of this.#earlyFollows.splice(0)) this.follow(...follow);
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#openEnds);
    this.#epoll?.close();
    this.#events?.close();
    this.#connector?.close();
    this.#table?.close();
    this.#tree?.close();
    return Promise.resolve();
  }

  state(): SourceState {
    return { name: this.name, ...this.#shortage.judge(this.#state, this.#connector !== null) };
  }

  isShort(): boolean {
    return this.#shortage.isFelt;
  }

  follow(pid: number, startTicks: number | null, onExit?: (exit: ProcessExited) => void): void {
    if (this.#table === null && this.#state.reason === 'not started') {
      this.#earlyFollows.push([pid, startTicks, onExit]);
      return;
    }
    const hear = (exit: ProcessExited) => {
      if (!exit.isMain) this.#options.report(exit);
      onExit?.(exit);
    };
    if (this.#table === null) return;
    this.#table.follow(pid, startTicks, hear);
  }

  unfollow(pid: number): void {
    this.#table?.unfollow(pid);
  }

  mainPidOf(cgroup: string): number | null {
    return this.#table?.mainPidOf(cgroup) ?? null;
  }

  unitsWithCgroup(): ReadonlySet<string> {
    const units = [...(this.#tree?.units() ?? [])].filter(({ path }) => isOfSystem(path));
    return new Set(units.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
  }

  lookAgain(): void {
    this.#tree?.walk();
    this.#tree?.prune();
  }

  async checkSilence(): Promise<void> {
    const { clock, root } = this.#options;
    if (this.#connector === null && !this.#isConnectorLost) return;
    const isSuspicious = this.#forkWitness.isSilent({ forks: readForkCount(root), events: this.#heard });
    // The kernel counts threads too, which may be passed over: a child of our own is no thread.
    const isSilent = isSuspicious && !(await isOwnChildHeard({ ...this.#options, heard: () => this.#heard }));
    if (this.#isStopped) return;
    if (isSilent && !this.#isConnectorLost) this.#loseConnector();
    if (this.#isConnectorLost) this.#subscribeAnew();
    else this.#speakingAt = clock.wallMs();
  }

  blindness(at: number): { reason: string; wasAway: boolean } | null {
    const hearingSince = this.#hearingSince ?? Number.NEGATIVE_INFINITY;
    const standstill = at > hearingSince ? this.#standstills.around(at) : undefined;
    if (standstill !== undefined) {
      const lastedS = Math.round((standstill.to - standstill.from) / 1000);
      return { reason: `it ended while the agent stood still for ${lastedS} s`, wasAway: true };
    }
    if (at <= hearingSince + MARGIN_MS) return { reason: 'it ended while the agent was not running', wasAway: true };
    const { reason } = this.state();
    return reason === null ? null : { reason, wasAway: false };
  }

  counts(): TableCounts {
    return this.#table?.counts() ?? { processes: 0, exits: 0, mainExits: 0, nameless: 0 };
  }

  /** Subscribe, prove it, then look at what already runs: whatever begins in between is seen by one of the two. */
  async #open(native: Native): Promise<void> {
    const { root, clock, without } = this.#options;
    const pidfds = createPidfds(native);
    const epoll = new Epoll(native);
    this.#epoll = epoll;
    const opened = without?.connector === true ? { refused: 'switched off' } : ProcessConnector.open(native, root);
    const connector = opened instanceof ProcessConnector ? opened : null;
    const features = await probe({ pidfds, connector, clock }).catch((error: unknown) => {
      connector?.close();
      throw new Error('no test child could be started', { cause: error });
    });
    if (this.#isStopped) return connector?.close();
    this.#pidfdExit = features.pidfdExit && without?.pidfdExit !== true;
    if (features.events) this.#connector = connector;
    else connector?.close();
    // With this right a zombie tells its status, which is that of its last thread.
    const mayAskZombies = hasCapability(root, CAP_SYS_PTRACE);
    this.#isThreadless = this.#pidfdExit && mayAskZombies && this.#connector?.passOverThreads() === true;
    this.#judge(
      opened instanceof ProcessConnector
        ? 'kernel process events do not show our own child (another pid namespace)'
        : opened.refused,
    );

    this.#table = this.#createTable(epoll, {
      pidfds: this.#pidfdExit ? pidfds : withoutExit(pidfds),
      isThreadless: this.#isThreadless,
    });
    for (const event of features.events ? features.received : []) this.#table.onEvent(event);
    this.#tree = this.#createTree(this.#table);
    this.#tree?.walk();
    if (this.#connector !== null) this.#hearEvents(native, this.#connector);
    epoll.watch(() => this.#onReady(epoll));
    this.#sweep = setInterval(() => this.#onSweep(), SWEEP_MS);
    this.#standstills.beat();
    this.#onReady(epoll);
    this.#hearingSince = clock.wallMs();
  }

  #hearEvents(native: Native, connector: ProcessConnector): void {
    this.#events = new Epoll(native);
    this.#events.add(connector.fd, 'readable');
    this.#events.watch(() => this.#onReady());
  }

  #loseConnector(): void {
    const { log, report } = this.#options;
    this.#events?.close();
    this.#connector?.close();
    this.#connector = null;
    this.#isConnectorLost = true;
    const reason = 'kernel process events do not come any more, although processes begin';
    this.#state = { state: 'blind', reason, since: toInstant(this.#speakingAt) };
    log.warn(this.#state, 'process ends are not heard, subscribing anew');
    report({ kind: 'state_changed', state: this.state() });
  }

  #subscribeAnew(): void {
    const { root, report } = this.#options;
    const native = this.#native;
    if (native === null || this.#table === null) return;
    const opened = ProcessConnector.open(native, root);
    if (!(opened instanceof ProcessConnector)) return;
    if (this.#isThreadless && !opened.passOverThreads()) return opened.close();
    this.#connector = opened;
    this.#isConnectorLost = false;
    this.#hearEvents(native, opened);
    this.#resync(this.#table);
    this.#reportGap('kernel process events did not come', null, this.#speakingAt);
    this.#judge('');
    report({ kind: 'state_changed', state: this.state() });
  }

  #createTable(
    epoll: Epoll,
    { pidfds, isThreadless }: { readonly pidfds: Pidfds; readonly isThreadless: boolean },
  ): ProcessTable {
    const { root, cgroupRoot, clock, report, onMainExit } = this.#options;
    const isTreeKnown = cgroupRoot !== null;
    return new ProcessTable({
      source: {
        pidfds: isTreeKnown ? pidfds : { ...pidfds, info: (fd) => ({ ...pidfds.info(fd), cgroupId: null }) },
        readStat: (pid) => readPidStat(root, pid),
        isThere: (pid) => isPidThere(root, pid),
        readCgroup: (pid) => (isTreeKnown ? readPidCgroup(root, pid) : null),
        isInit: (pid) => readIsInit(root, pid),
        // Where a pidfd gives the cgroup after the end, arguments are not needed.
        readLaunch: (pid) => (this.#pidfdExit ? null : readLaunchedScope(root, pid)),
        cgroupById: (id, pid) => this.#cgroupById(id, pid),
        unitOfPath: unitCgroupOf,
        watchEnd: (fd) => epoll.add(fd, this.#pidfdExit ? 'reaped' : 'ended'),
      },
      onExit: report,
      onMainExit: (cgroup) => onMainExit?.(cgroup),
      now: () => ({ wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }),
      hearsThreads: !isThreadless,
      sight: () => ({
        hasEvents: this.#connector !== null,
        blindReason: this.#isOverrun ? 'kernel process events overran while it ended' : this.#blindReason,
      }),
    });
  }

  /** A cgroup inotify has not told of yet is asked of the process itself, as long as that is there. */
  #cgroupById(id: number, pid: number): KnownCgroup | undefined {
    const known = this.#tree?.byId(id);
    if (known !== undefined) return known;
    const path = readPidCgroup(this.#options.root, pid);
    if (path !== null) this.#tree?.learn(path);
    return this.#tree?.byId(id);
  }

  #createTree(table: ProcessTable): CgroupTree | null {
    const { cgroupRoot, clock, log } = this.#options;
    if (cgroupRoot === null) return null;
    const tree = new CgroupTree({
      cgroupRoot,
      clock,
      onAdded: ({ path, unit }) => {
        if (unit?.path === path) table.onUnitRenewed(path);
        if (unit !== null) table.onMembers(unit, tree.pidsOf(path));
      },
      onAttached: ({ path, unit }) => {
        if (unit !== null) table.onMembers(unit, tree.pidsOf(path));
      },
      onUnwatched: (reason) => log.warn({ reason }, 'cgroup tree cannot be watched, it is walked once a minute'),
    });
    return tree;
  }

  /** After a pause timers come before what can be read: what was told meanwhile is heard before anything is held for unseen. */
  #hearAll(): void {
    this.#onReady(this.#epoll ?? undefined);
  }

  /** Events, and then ends that pidfds tell: the events tell more. */
  #onReady(ends?: Epoll): void {
    const table = this.#table;
    if (this.#isStopped || table === null) return;
    const take = (event: ProcessEvent) => {
      this.#heard += 1;
      table.onEvent(event);
    };
    const { overran } = this.#connector?.drain(take) ?? { overran: false };
    for (const fd of ends?.ready() ?? []) table.onPidfdReady(fd);
    if (overran) this.#onOverrun(table);
    this.#lastDrainAt = this.#options.clock.wallMs();
    this.#scheduleOpenEnds(table);
  }

  /** The kernel's buffer was full and newer messages are gone: look at everything that can still be looked at, and say what is missing. */
  #onOverrun(table: ProcessTable): void {
    this.#isOverrun = true;
    this.#resync(table);
    this.#isOverrun = false;
    const dropped = this.#connector?.takeDrops() ?? null;
    this.#options.log.warn({ dropped }, 'kernel process events overran');
    this.#reportGap('kernel process events dropped, their buffer was full', dropped, this.#lastDrainAt);
  }

  /** Settles who is gone and takes in who is there. */
  #resync(table: ProcessTable): void {
    table.resync();
    this.#tree?.walk();
    for (const { path, unit } of this.#tree?.units() ?? [])
      if (unit !== null) table.onMembers(unit, this.#tree?.pidsOf(path) ?? []);
  }

  /** Without kernel events, what came and went while the agent stood still was not seen. */
  #noticeStandstill(table: ProcessTable): void {
    const standstill = this.#standstills.beat();
    if (standstill === null) return;
    this.#options.log.warn({ lasted_ms: Math.round(standstill.to - standstill.from) }, 'the agent stood still');
    this.#resync(table);
    if (this.#connector !== null) return;
    const cause = 'the agent stood still; processes that began and ended meanwhile were not seen';
    this.#reportGap(cause, null, standstill.from);
  }

  #reportGap(cause: string, lost: number | null, fromMs: number): void {
    this.#options.report({
      kind: 'gap',
      gap: {
        source: this.name,
        cause,
        lost,
        at_most: null,
        from: toInstant(fromMs),
        to: toInstant(this.#options.clock.wallMs()),
        lane: null,
        from_seq: null,
        to_seq: null,
      },
    });
  }

  #scheduleOpenEnds(table: ProcessTable): void {
    if (this.#openEnds !== undefined || !table.hasOpenEnds()) return;
    this.#openEnds = setTimeout(() => {
      this.#openEnds = undefined;
      if (this.#isStopped) return;
      if (table.isMissingNames()) this.#walkNowAndThen();
      this.#hearAll();
      table.tick();
      this.#scheduleOpenEnds(table);
    }, OPEN_ENDS_MS);
  }

  /** A walk reads every directory of the tree: not with each of the many ends that may wait for a name. */
  #walkNowAndThen(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#walkedAtMs < WALK_PAUSE_MS) return;
    this.#walkedAtMs = nowMs;
    this.#tree?.walk();
  }

  #onSweep(): void {
    const table = this.#table;
    if (table === null) return;
    this.#hearAll();
    this.#noticeStandstill(table);
    if (this.#shortage.notice(table, this.#options.clock.wallMs()))
      this.#options.report({ kind: 'state_changed', state: this.state() });
    table.tick();
    if (++this.#sweeps % PRUNE_EVERY_SWEEPS === 0) table.prune();
    if (this.#sweeps % WALK_EVERY_SWEEPS === 0) {
      this.#tree?.walk();
      this.#tree?.prune();
    }
    const nameless = table.counts().nameless - this.#namelessSaid;
    if (nameless === 0) return;
    this.#namelessSaid += nameless;
    this.#reportGap(
      'processes ended in cgroups that were removed before their names could be read',
      nameless,
      this.#options.clock.wallMs() - SWEEP_MS,
    );
  }

  #judge(connectorReason: string): void {
    const { cgroupRoot, clock, log } = this.#options;
    const sight = { hasEvents: this.#connector !== null, pidfdExit: this.#pidfdExit };
    const { unseen, ...judged } = judgeSight({ ...sight, hasCgroups: cgroupRoot !== null, connectorReason });
    this.#blindReason = unseen;
    this.#state = { ...judged, since: toInstant(clock.wallMs()) };
    log.info({ events: sight.hasEvents, pidfd_exit: sight.pidfdExit, ...judged }, 'process ends');
  }

  #setBlind(reason: string): void {
    this.#state = { state: 'blind', reason, since: toInstant(this.#options.clock.wallMs()) };
    this.#options.log.warn({ reason }, 'process ends cannot be heard');
  }
}
