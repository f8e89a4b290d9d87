import type { ProcessExited } from '../watcher.ts';
import { hasThreads, isGone, type LookSource, zombieStatus } from './by-looking.ts';
import type { KnownCgroup } from './cgroup-tree.ts';
import { HeldPidfds, type PidfdSource } from './held-pidfds.ts';
import type { ProcessEvent } from './messages.ts';
import { NO_ROOM } from './pidfd.ts';
import {
  emptyRecord,
  isReported,
  lastWord,
  type ProcessRecord,
  recordFrom,
  type SeenStatus,
  unseen,
} from './process-record.ts';
import type { UnitCgroup } from './unit-cgroup.ts';
import { Units } from './units.ts';

/*
 * Every process we heard of, from its beginning to its end. A record begins with FORK (or by a scan), holds a pidfd from
 * then on, learns its unit when it execs or is attached (or, at the latest, from the pidfd at its end) and is settled once:
 *
 *   alive ──EXIT of the leader, no other thread──────────────► settled
 *   alive ──EXIT of the leader, threads left──► ending ──last thread's EXIT, or dead for a while──► settled
 *                                               ending ──EXEC (a thread exec'd and took the leader's pid)──► alive
 *   alive ──its pidfd says dead or reaped─────► settled (or ending, when EXIT is still to come)
 *
 * Status, best first: the pidfd after the reap (never wrong), EXIT, the zombie's stat line. A unit's main process is the
 * first whose birth lies outside the unit; when it ended, the next such one (a service's ExecStart after its ExecStartPre).
 */
/** What the table asks of the machine. */
export interface ProcessSource extends PidfdSource, LookSource {
  readCgroup(pid: number): string | null;
  /** Process 1 of a pid namespace below ours. */
  isInit(pid: number): boolean;
  /** The scope it is about to become, see scope-launcher.ts. */
  readLaunch(pid: number): string | null;
  /** `pid` is, or was, a process in it. */
  cgroupById(id: number, pid: number): KnownCgroup | undefined;
  unitOfPath(path: string): UnitCgroup | null;
}

export interface ProcessTableOptions {
  readonly source: ProcessSource;
  readonly onExit: (exit: ProcessExited) => void;
  /** A unit's main process ended; called before {@link onExit}, while the cgroup's files may still be read. */
  readonly onMainExit: (cgroup: string) => void;
  readonly now: () => { readonly wallMs: number; readonly monotonicMs: number };
  /**
   * Whether FORK and EXIT of threads arrive. Where they do not, pidfds must tell the status after the reap and zombies
   * theirs before it, and are asked whether a leader left alone.
   */
  readonly hearsThreads: boolean;
  /** Whether EXIT messages arrive, and why a status may stay unseen. */
  readonly sight: () => { readonly hasEvents: boolean; readonly blindReason: string };
}

export interface TableCounts {
  readonly processes: number;
  readonly exits: number;
  readonly mainExits: number;
  /** Ends in a cgroup whose name could not be learned. */
  readonly nameless: number;
}

interface Settled extends SeenStatus {
  readonly record: ProcessRecord;
  readonly at: number;
  readonly blindReason: string | null;
}

const MAX_RECORDS = 65_536;
const MAX_PARKED = 4096;
/** How long a dead process's missing message (EXIT of its last thread, of itself) is waited for. */
const ENDING_GRACE_MS = 50;
/** How long a cgroup id may wait for its name. */
const NAME_GRACE_MS = 1000;

export class ProcessTable {
  readonly #options: ProcessTableOptions;
  readonly #source: ProcessSource;
  readonly #records = new Map<number, ProcessRecord>();
  readonly #held: HeldPidfds;
  readonly #ending = new Set<ProcessRecord>();
  /** Their leader left, and threads that are not heard of live on. */
  readonly #leaderless = new Set<ProcessRecord>();
  readonly #units = new Units();
  #parked: { readonly settled: Settled; readonly cgroupId: number; readonly sinceMs: number }[] = [];
  #exits = 0;
  #mainExits = 0;
  #nameless = 0;

  constructor(options: ProcessTableOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#held = new HeldPidfds(options.source);
  }

  counts(): TableCounts {
    return { processes: this.#records.size, exits: this.#exits, mainExits: this.#mainExits, nameless: this.#nameless };
  }

  mainPidOf(unitPath: string): number | null {
    return this.#units.mainOf(unitPath)?.pid ?? null;
  }

  /** Somebody has no pidfd for want of descriptors. */
  get isShort(): boolean {
    return this.#held.isShort;
  }

  /** As there is room for pidfds now. Returns how many processes go without. */
  refit(): number {
    return this.#held.refit([...this.#records.values()]);
  }

  hasOpenEnds(): boolean {
    return this.#ending.size > 0 || this.#parked.length > 0;
  }

  /** An end is known whose cgroup's name is not. */
  isMissingNames(): boolean {
    return this.#parked.length > 0;
  }

  onEvent(event: ProcessEvent): void {
    switch (event.kind) {
      case 'fork':
        return this.#onFork(event);
      case 'exec':
        return this.#onExec(event.tgid);
      case 'exit':
        return event.pid === event.tgid ? this.#onLeaderExit(event) : this.#onThreadExit(event);
      case 'ack':
        return;
    }
  }

  /** A watched pidfd became ready. */
  onPidfdReady(fd: number): void {
    const record = this.#held.watchedAt(fd);
    if (record === undefined) return;
    const { waitStatus } = this.#source.pidfds.info(fd);
    if (waitStatus !== null || !this.#options.sight().hasEvents) return this.#settle(record, unseen);
    // The end is announced to pidfds microseconds before EXIT is sent.
    this.#await(record, null);
  }

  /** Processes found in a unit's cgroup: known ones learn where they are, unknown newcomers are taken in. */
  onMembers(unit: UnitCgroup, pids: readonly number[]): void {
    const strangers: ProcessRecord[] = [];
    for (const pid of pids) {
      const record = this.#records.get(pid);
      if (record !== undefined) this.#enterUnit(record, unit);
      else {
        const stat = this.#source.readStat(pid);
        if (stat !== null && stat.ppid !== 2) strangers.push(recordFrom(stat));
      }
    }
    // Orphans look like newcomers, so of several the eldest is taken as main; the others are only looked at.
    strangers.sort((a, b) => (a.startTicks ?? 0) - (b.startTicks ?? 0) || a.pid - b.pid);
    for (const stranger of strangers) {
      if (this.#units.mainOf(unit.path) !== null || this.#units.hadMain(unit.path)) return;
      if (this.#isNewcomer(stranger, unit.path) && this.#adopt(stranger)) this.#enterUnit(stranger, unit);
    }
  }

  /** Same path, new directory. */
  onUnitRenewed(path: string): void {
    this.#units.renewed(path);
  }

  /** Reports the end of this very process (pid and start time), whoever it is; at once when it is already gone. */
  follow(pid: number, startTicks: number | null, onExit: (exit: ProcessExited) => void): void {
    const known = this.#records.get(pid);
    const stat = this.#source.readStat(pid);
    const isOther = stat !== null && startTicks !== null && stat.startTicks !== startTicks;
    if (stat === null && this.#source.isThere(pid)) return this.#followUnread(pid, startTicks, onExit);
    if (stat === null || isOther) {
      if (known !== undefined && stat === null) return this.#attachFollower(known, onExit);
      const why = isOther ? `pid ${pid} already belongs to a later process` : 'it ended before it could be followed';
      return onExit(
        this.#exitOf(
          { record: emptyRecord(pid, -1), ...unseen, at: this.#options.now().wallMs, blindReason: why },
          '/',
        ),
      );
    }
    const record = known ?? recordFrom(stat);
    if (known === undefined && !this.#adopt(record)) return this.follow(pid, startTicks, onExit);
    record.startTicks = stat.startTicks;
    record.comm ??= stat.comm;
    this.#attachFollower(record, onExit);
  }

  /** It is there, and cannot be looked at now. */
  #followUnread(pid: number, startTicks: number | null, onExit: (exit: ProcessExited) => void): void {
    const record = this.#records.get(pid) ?? emptyRecord(pid, this.#held.open(pid));
    record.startTicks ??= startTicks;
    this.#records.set(pid, record);
    this.#attachFollower(record, onExit);
  }

  unfollow(pid: number): void {
    const record = this.#records.get(pid);
    if (record !== undefined) record.followers = null;
  }

  /** After an overrun: everything that ended meanwhile is settled from its pidfd, or said to be unseen. */
  resync(): void {
    const withFd = [...this.#records.values()].filter((record) => record.fd >= 0);
    const dead = this.#source.pidfds.dead(withFd.map((record) => record.fd));
    for (const record of withFd) if (dead.has(record.fd)) this.#settle(record, unseen);
    for (const record of this.#records.values()) {
      if (record.fd < 0 && isGone(this.#source, record)) this.#settle(record, unseen);
    }
  }

  /** Names of cgroups may have become known; ends that waited long enough are closed with what is known. */
  tick(): void {
    const { monotonicMs } = this.#options.now();
    for (const record of this.#ending) {
      if (record.ending === null || monotonicMs - record.ending.sinceMs < ENDING_GRACE_MS) continue;
      if (record.fd >= 0 && !this.#source.pidfds.isDead(record.fd)) this.#ending.delete(record);
      else this.#settle(record, lastWord(record));
    }
    // Their pidfds tell of the reap; where nobody reaps, their stat lines may tell.
    for (const record of this.#leaderless) {
      const isDead = record.fd >= 0 ? this.#source.pidfds.isDead(record.fd) : !hasThreads(this.#source, record);
      const seen = isDead ? zombieStatus(this.#source, record) : unseen;
      if (seen.waitStatus !== null || (record.fd < 0 && isGone(this.#source, record))) this.#settle(record, seen);
    }
    this.#unpark(monotonicMs);
    // Without a pidfd (none left to open) and without messages, only looking tells.
    if (this.#options.sight().hasEvents) return;
    for (const record of this.#records.values()) {
      if (record.fd < 0 && isGone(this.#source, record)) this.#settle(record, unseen);
    }
  }

  prune(): void {
    this.#units.prune(this.#options.now().monotonicMs);
  }

  close(): void {
    for (const record of this.#records.values()) this.#held.release(record);
    this.#records.clear();
    this.#ending.clear();
    this.#leaderless.clear();
    this.#parked = [];
  }

  #onFork({ parentTgid, childPid, childTgid }: Extract<ProcessEvent, { kind: 'fork' }>): void {
    if (childPid !== childTgid) {
      if (!this.#options.hearsThreads) return;
      const record = this.#records.get(childTgid);
      if (record !== undefined) record.threads++;
      return;
    }
    const old = this.#records.get(childPid);
    if (old !== undefined) {
      const isOver = old.ending !== null || old.fd < 0 || this.#source.pidfds.isDead(old.fd);
      if (!old.isForkSeen || !isOver) {
        // A scan found it before this message was read.
        old.isForkSeen = true;
        old.parent = parentTgid;
        return;
      }
      this.#settle(old, lastWord(old));
    }
    if (this.#records.size >= MAX_RECORDS) this.resync();
    if (this.#records.size >= MAX_RECORDS) return;
    const parent = this.#records.get(parentTgid);
    const record = emptyRecord(childPid, this.#held.open(childPid));
    record.parent = parentTgid;
    record.isForkSeen = true;
    record.bornIn = parent?.unit?.path ?? parent?.bornIn ?? null;
    this.#records.set(childPid, record);
  }

  #onExec(pid: number): void {
    let record = this.#records.get(pid);
    if (record === undefined) {
      const stat = this.#source.readStat(pid);
      if (stat === null || this.#records.size >= MAX_RECORDS) return;
      record = recordFrom(stat);
      if (!this.#adopt(record)) return;
    }
    record.threads = 1;
    record.ending = null;
    if (record.launch) record.launch.isDone = true;
    else this.#noteLaunch(record);
    this.#ending.delete(record);
    this.#leaderless.delete(record);
    this.#enterUnit(record, this.#unitNow(record));
    if (record.isMain || record.followers !== null) record.comm = this.#source.readStat(pid)?.comm ?? record.comm;
  }

  #noteLaunch(record: ProcessRecord): void {
    const scope = this.#source.readLaunch(record.pid);
    if (scope !== null) record.launch = { scope, isDone: false };
  }

  #onLeaderExit({ pid, waitStatus }: Extract<ProcessEvent, { kind: 'exit' }>): void {
    this.#exits++;
    const record = this.#records.get(pid);
    if (record === undefined) return;
    const isAlone = record.fd === NO_ROOM && !hasThreads(this.#source, record);
    if (!this.#options.hearsThreads && record.fd !== -1 && !isAlone) return this.#onLeaderLeft(record, waitStatus);
    const hadThreads = record.threads > 1;
    record.threads--;
    if (hadThreads) this.#await(record, waitStatus);
    else this.#settle(record, { waitStatus, via: 'connector' });
  }

  /** Its other threads may go on, or just not have left yet; or one of them executed another program, which EXEC tells next. */
  #onLeaderLeft(record: ProcessRecord, waitStatus: number): void {
    if (record.fd < 0 || !this.#source.pidfds.isDead(record.fd)) {
      this.#leaderless.add(record);
      return this.#held.watch(record);
    }
    // Dead by now, but another thread may have been the last; whose word counts, the reap tells, and before it the zombie.
    const zombie = isReported(record) ? zombieStatus(this.#source, record) : unseen;
    const isOverruled = zombie.waitStatus !== null && zombie.waitStatus !== waitStatus;
    this.#settle(record, isOverruled ? zombie : { waitStatus, via: 'connector' });
  }

  #onThreadExit({ tgid, waitStatus }: Extract<ProcessEvent, { kind: 'exit' }>): void {
    const record = this.#records.get(tgid);
    if (record === undefined || !this.#options.hearsThreads) return;
    record.threads--;
    if (record.ending !== null && record.ending.waitStatus !== null) this.#await(record, waitStatus);
  }

  /** The process may be over: it is when no thread is left to be heard of, or when its pidfd knows the status. */
  #await(record: ProcessRecord, waitStatus: number | null): void {
    const { monotonicMs } = this.#options.now();
    record.ending = { waitStatus, sinceMs: monotonicMs };
    const isDead = record.fd >= 0 ? this.#source.pidfds.isDead(record.fd) : record.threads <= 0;
    if (!isDead) return;
    const known = record.fd >= 0 ? this.#source.pidfds.info(record.fd).waitStatus : null;
    if (known !== null) return this.#settle(record, { waitStatus: known, via: 'pidfd' });
    if (record.threads <= 0 && waitStatus !== null) return this.#settle(record, { waitStatus, via: 'connector' });
    this.#ending.add(record);
  }

  #settle(record: ProcessRecord, seen: SeenStatus): void {
    const info = record.fd >= 0 ? this.#source.pidfds.info(record.fd) : { cgroupId: null, waitStatus: null };
    const status =
      info.waitStatus !== null && info.waitStatus !== seen.waitStatus
        ? ({ waitStatus: info.waitStatus, via: 'pidfd' } as const)
        : seen.waitStatus === null
          ? zombieStatus(this.#source, record)
          : seen;
    if (seen.via !== 'connector') this.#exits++;
    const { wallMs, monotonicMs } = this.#options.now();
    const blindReason = status.waitStatus === null ? this.#options.sight().blindReason : null;
    const settled: Settled = { record, ...status, at: wallMs, blindReason };
    const cgroup = info.cgroupId === null ? undefined : this.#source.cgroupById(info.cgroupId, record.pid);
    if (info.cgroupId !== null && cgroup === undefined && this.#parked.length < MAX_PARKED) {
      this.#parked.push({ settled, cgroupId: info.cgroupId, sinceMs: monotonicMs });
    } else {
      const unit = cgroup === undefined ? unitBySaying(record) : cgroup.unit;
      this.#conclude(settled, unit, cgroup?.path ?? null);
    }
    this.#release(record);
  }

  /** Says what is to be said of an end whose unit is known by now. */
  #conclude(settled: Settled, unit: UnitCgroup | null, path: string | null): void {
    const { record } = settled;
    const { monotonicMs } = this.#options.now();
    if (record.isMain && record.unit !== null && record.unit.path !== unit?.path) this.#leaveUnit(record);
    const isMain =
      unit !== null &&
      (record.isMain || (this.#units.mainOf(unit.path) === null && this.#isNewcomer(record, unit.path)));
    if (isMain) this.#units.dropMain(unit.path, record.pid, monotonicMs);
    const isTold = isMain && !(unit.isContainer && this.#handsOver(record, unit));
    if (!isTold && record.followers === null) return;

    const exit = { ...this.#exitOf(settled, unit?.path ?? path ?? record.bornIn ?? '/'), isMain: isTold };
    if (isTold) {
      this.#mainExits++;
      this.#options.onMainExit(unit.path);
      this.#options.onExit(exit);
    }
    for (const follower of record.followers ?? []) follower(exit);
  }

  /**
   * A runtime enters the container's cgroup with a helper, which begets the container's first process as its own sibling
   * (CLONE_PARENT) and leaves: the sibling is the main one.
   */
  #handsOver(record: ProcessRecord, unit: UnitCgroup): boolean {
    for (const other of this.#records.values()) {
      if (other === record || other.parent !== record.parent || this.#unitNow(other)?.path !== unit.path) continue;
      this.#enterUnit(other, unit);
      return true;
    }
    return false;
  }

  #isNewcomer(record: ProcessRecord, unitPath: string): boolean {
    if (record.bornIn === unitPath || this.#units.wasMain(unitPath, record.parent)) return false;
    const parent = this.#records.get(record.parent);
    if (parent !== undefined) return this.#unitNow(parent)?.path !== unitPath;
    const path = this.#source.readCgroup(record.parent);
    return path === null || this.#source.unitOfPath(path)?.path !== unitPath;
  }

  /** Where the process is now, or was when last seen. */
  #unitNow(record: ProcessRecord): UnitCgroup | null {
    const id = record.fd >= 0 ? this.#source.pidfds.info(record.fd).cgroupId : null;
    if (id !== null) {
      const cgroup = this.#source.cgroupById(id, record.pid);
      return cgroup === undefined ? record.unit : cgroup.unit;
    }
    const path = this.#source.readCgroup(record.pid);
    return path === null ? record.unit : this.#source.unitOfPath(path);
  }

  #enterUnit(record: ProcessRecord, unit: UnitCgroup | null): void {
    if (record.isMain && record.unit?.path !== unit?.path) this.#leaveUnit(record);
    record.unit = unit;
    if (unit === null || record.isMain || this.#units.mainOf(unit.path) !== null) return;
    if (!this.#isNewcomer(record, unit.path)) return;
    record.isMain = true;
    record.isInit = unit.isContainer && this.#source.isInit(record.pid);
    this.#units.setMain(unit.path, record, this.#options.now().monotonicMs);
    const stat = record.startTicks === null ? this.#source.readStat(record.pid) : null;
    record.startTicks ??= stat?.startTicks ?? null;
    record.comm = stat?.comm ?? record.comm;
    this.#held.watch(record);
  }

  #leaveUnit(record: ProcessRecord): void {
    record.isMain = false;
    if (record.unit !== null) this.#units.dropMain(record.unit.path, record.pid, this.#options.now().monotonicMs);
  }

  /** False when it is gone or its number was taken over between reading and opening. */
  #adopt(record: ProcessRecord): boolean {
    record.fd = this.#held.open(record.pid);
    if (this.#source.readStat(record.pid)?.startTicks !== record.startTicks) {
      if (record.fd >= 0) this.#source.pidfds.close(record.fd);
      record.fd = -1;
      return false;
    }
    this.#records.set(record.pid, record);
    return true;
  }

  #attachFollower(record: ProcessRecord, onExit: (exit: ProcessExited) => void): void {
    record.followers = [...(record.followers ?? []), onExit];
    this.#held.watch(record);
  }

  #release(record: ProcessRecord): void {
    this.#ending.delete(record);
    this.#leaderless.delete(record);
    if (this.#records.get(record.pid) === record) this.#records.delete(record.pid);
    this.#held.release(record);
  }

  #unpark(nowMs: number): void {
    const waiting = this.#parked;
    this.#parked = [];
    for (const parked of waiting) {
      const cgroup = this.#source.cgroupById(parked.cgroupId, parked.settled.record.pid);
      if (cgroup !== undefined) this.#conclude(parked.settled, cgroup.unit, cgroup.path);
      else if (nowMs - parked.sinceMs < NAME_GRACE_MS) this.#parked.push(parked);
      else {
        this.#nameless++;
        this.#conclude(parked.settled, parked.settled.record.unit, null);
      }
    }
  }

  #exitOf({ record, waitStatus, via, at, blindReason }: Settled, cgroup: string): ProcessExited {
    const { pid, startTicks, comm, isMain, isInit } = record;
    return { kind: 'process_exited', pid, startTicks, cgroup, isMain, isInit, comm, waitStatus, via, blindReason, at };
  }
}

/** Where it was when last seen; where it ended too soon after that, its own arguments said which scope it would be. */
function unitBySaying({ unit, launch }: ProcessRecord): UnitCgroup | null {
  if (launch?.isDone !== true || unit?.path.endsWith(`/${launch.scope}`)) return unit;
  return { path: `/${launch.scope}`, isContainer: false };
}
