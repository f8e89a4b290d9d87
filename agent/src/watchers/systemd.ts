import { existsSync } from 'node:fs';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { describeFailure } from '../proc/descriptors.ts';
import { Disagreement, someOf } from './silence.ts';
import { systemBusAddress } from './systemd/bus.ts';
import { EngineStates } from './systemd/engine-states.ts';
import { openSession, type Session } from './systemd/session.ts';
import { unitMatcher } from './systemd/unit-globs.ts';
import { UnitTable } from './systemd/unit-table.ts';
import type { Report, Watcher } from './watcher.ts';

export interface SystemdWatcherOptions {
  readonly report: Report;
  /** Unit globs, see systemd/unit-globs.ts for the defaults. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** D-Bus address; the system bus when absent. */
  readonly busAddress?: string;
  /** Whether systemd is PID 1, as sd_booted(3) finds out. */
  readonly isBooted?: () => boolean;
}

export interface SystemdUnitsWatcher extends Watcher {
  /** Every unit in the state failed; null while systemd cannot be asked. */
  failedUnits(): Promise<readonly string[] | null>;
  /**
   * Holds what systemd speaks of against the names of all units that have a cgroup; asked now and then. One that began or
   * ended without a word, still so at the next comparison, means that its signals do not reach us: connects anew.
   * @returns whether there is something to look at a second time.
   */
  compareWith(unitsWithCgroup: ReadonlySet<string>): boolean;
}

/** Hears units begin and end from systemd over D-Bus. */
export function createSystemdWatcher(options: SystemdWatcherOptions): SystemdUnitsWatcher {
  return new SystemdWatcher(options);
}

/** sd_booted(3): this directory exists when, and only when, systemd is PID 1. */
export function isSystemdBooted(): boolean {
  return existsSync('/run/systemd/system');
}

class SystemdWatcher implements SystemdUnitsWatcher {
  readonly name = 'systemd';
  readonly #options: SystemdWatcherOptions;
  readonly #table: UnitTable;
  readonly #engines: EngineStates;
  #state: SourceState;
  #session: Session | null = null;
  #running: Promise<void> | null = null;
  readonly #disagreement = new Disagreement();
  readonly #matches: (unit: string) => boolean;
  /** When systemd and the cgroups last agreed. */
  #agreedAt: number;
  #silence: { readonly reason: string; readonly since: number } | null = null;
  readonly #stopping = new AbortController();

  constructor(options: SystemdWatcherOptions) {
    this.#options = options;
    this.#state = this.#stateOf('blind', 'not started');
    this.#matches = unitMatcher(options);
    this.#agreedAt = options.clock.wallMs();
    this.#engines = new EngineStates(options.report);
    this.#table = new UnitTable({
      report: options.report,
      askFacts: (unit) => this.#session?.askFacts(unit),
      askJobType: (jobId, unit) => this.#session?.askJobType(jobId, unit),
    });
  }

  state(): SourceState {
    return this.#state;
  }

  async failedUnits(): Promise<readonly string[] | null> {
    return this.#state.state === 'seeing' && this.#session !== null ? this.#session.listFailed() : null;
  }

  compareWith(unitsWithCgroup: ReadonlySet<string>): boolean {
    if (this.#state.state !== 'seeing' || this.#session === null) return false;
    const listed = new Set([...unitsWithCgroup].filter((unit) => this.#matches(unit)));
    // A service may live without any process, and then it has no cgroup; a scope may not.
    const heard = this.#table.liveUnits().filter((unit) => unit.endsWith('.scope') || listed.has(unit));
    const apart = this.#disagreement.check({ heard: new Set(heard), listed });
    if (apart.length > 0) {
      const reason = `systemd said nothing of ${someOf(apart)}`;
      this.#silence = { reason, since: this.#agreedAt };
      this.#session.close(reason);
      return false;
    }
    if (!this.#disagreement.isSuspicious) this.#agreedAt = this.#options.clock.wallMs();
    return this.#disagreement.isSuspicious;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (!(this.#options.isBooted ?? isSystemdBooted)()) return this.#become('off', 'PID 1 is not systemd');
    signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#running = this.#run(resolve).finally(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#session?.close();
    await this.#running;
  }

  /** Sessions one after the other; `firstTry` is called when the first has listed or failed. */
  async #run(firstTry: () => void): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    let blindSince: number | null = null;
    while (!signal.aborted) {
      try {
        const session = await this.#open();
        if (blindSince !== null) this.#tellGap(blindSince);
        blindSince = null;
        failures = 0;
        this.#disagreement.reset();
        this.#agreedAt = clock.wallMs();
        this.#become('seeing', null);
        firstTry();
        const reason = await session.closed;
        this.#session = null;
        if (signal.aborted) break;
        const silence = this.#silence;
        this.#silence = null;
        blindSince = silence?.since ?? clock.wallMs();
        this.#become('blind', silence?.reason ?? `connection to the message bus lost: ${reason}`, blindSince);
        log.warn({ reason }, 'message bus lost, connecting again');
      } catch (error) {
        this.#session = null;
        if (signal.aborted) break;
        blindSince ??= clock.wallMs();
        failures += 1;
        this.#become('blind', `cannot hear systemd over D-Bus: ${describeFailure(error)}`);
        if (failures === 1) log.warn({ err: error }, 'cannot hear systemd, trying again');
        firstTry();
      }
      await clock.sleep(backoffMs(failures, { baseMs: 100, capMs: 10_000 }), signal);
    }
  }

  async #open(): Promise<Session> {
    const { include, exclude, clock, log, busAddress } = this.#options;
    const session = await openSession({
      address: busAddress ?? systemBusAddress,
      matches: unitMatcher({ include, exclude }),
      table: this.#table,
      engines: this.#engines,
      wallMs: () => clock.wallMs(),
      log,
      onCreated: (created) => {
        this.#session = created;
        if (this.#stopping.signal.aborted) created.close();
      },
    });
    return session;
  }

  #tellGap(from: number): void {
    const to = this.#options.clock.wallMs();
    const cause =
      'systemd was not heard over the message bus; units were listed again, ends in between are taken from the journal';
    this.#options.report({
      kind: 'gap',
      gap: {
        source: this.name,
        cause,
        lost: null,
        at_most: null,
        from: toInstant(from),
        to: toInstant(to),
        lane: null,
        from_seq: null,
        to_seq: null,
      },
    });
  }

  #become(state: SourceState['state'], reason: string | null, since = this.#options.clock.wallMs()): void {
    if (this.#state.state === state && this.#state.reason === reason) return;
    this.#state = this.#stateOf(state, reason, since);
    this.#options.report({ kind: 'state_changed', state: this.#state });
  }

  #stateOf(state: SourceState['state'], reason: string | null, since = this.#options.clock.wallMs()): SourceState {
    return { name: this.name, state, reason, since: toInstant(since) };
  }
}
