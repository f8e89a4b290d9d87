import { statSync } from 'node:fs';
import { matchesGlob } from '@runnerwatch/shared/model/glob.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import { backoffMs } from '@runnerwatch/shared/runtime/backoff.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { createEngineClient, EngineError } from './containers-client.ts';
import { negotiate } from './containers-model.ts';
import { Runs } from './containers-runs.ts';
import { type EventMemory, type HeardUntil, type Replay, runSession, SilentEngineError } from './containers-session.ts';
import { Disagreement } from './silence.ts';
import type { ContainerFacts, ContainerRunTimes, ContainerSocket, Report, Watcher } from './watcher.ts';

export interface ContainersWatcherOptions extends ContainerSocket {
  /** What it is called where sources are listed; `engine` by itself. */
  readonly name?: string;
  /** Name globs; empty: every container. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** How many of a container's last lines are told with its end. */
  readonly logLines: number;
  /** When the agent last looked, in milliseconds since the epoch: ends from then on are told. Null at the very first start. */
  readonly since: number | null;
  /** Up to where an earlier life heard this engine; null: not known, and {@link since} must do. */
  readonly heardUntil?: HeardUntil | null;
  /** The last run of each container whose end earlier lives have told, oldest end first. */
  readonly told?: ReadonlyMap<string, ContainerRunTimes>;
  /** Containers that ran then and that this socket spoke of: their ends are told even where their engine no longer knows them. */
  readonly known: readonly KnownContainer[];
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where `/proc` is. */
  readonly root?: string;
  readonly timeoutMs?: number;
  readonly checkEveryMs?: number;
  readonly retry?: { readonly baseMs: number; readonly capMs: number };
}

export type KnownContainer = Pick<ContainerFacts, 'engine' | 'containerId' | 'name' | 'startedAt'>;

export interface ContainersWatcher extends Watcher {
  readonly socketPath: string;
  /** When a container that runs here last said something since an instant, both in milliseconds since the epoch; null: nothing, or nobody can say. */
  logGrewAt(containerId: string, sinceMs: number): Promise<number | null>;
  /** What a next life must know to miss nothing: all before it is reported. Null: there was no engine. */
  heardUntil(): HeardUntil | null;
}

/** Hears one container engine over its socket, and goes on trying while there is none. */
export function createContainersWatcher(options: ContainersWatcherOptions): ContainersWatcher {
  return new SocketWatcher(options);
}

/** Docker keeps its last 256 events in memory; a replay of so many may have lost its beginning (moby, daemon/events). */
const ENGINE_KEEPS_EVENTS = 256;
const CHECK_EVERY_MS = 30_000;
const RETRY = { baseMs: 500, capMs: 15_000 };
/** What lasted so long was a working connection: the next failure is a first one again. */
const WORKED_MS = 10_000;

class SocketWatcher implements ContainersWatcher {
  readonly name: string;
  readonly socketPath: string;
  readonly #options: ContainersWatcherOptions;
  readonly #runs: Runs;
  readonly #memory: EventMemory;
  /** Where this life takes over, or an engine that was started anew. */
  #from: HeardUntil;
  #isAbsent = false;
  readonly #stopping = new AbortController();
  #state: SourceState;
  #loop: Promise<void> | null = null;

  constructor(options: ContainersWatcherOptions) {
    const {
      engine,
      socketPath,
      report,
      clock,
      log,
      logLines,
      since,
      heardUntil = null,
      told = new Map(),
      root = '/',
    } = options;
    this.name = options.name ?? engine;
    this.socketPath = socketPath;
    this.#options = options;
    this.#from = heardUntil ?? { key: null, at: since ?? clock.wallMs() };
    const { key, at } = this.#from;
    const last = key === null ? null : { key, at };
    this.#memory = { last, heard: new Set(), seenAtMs: null, disagreement: new Disagreement() };
    this.#state = { name: this.name, state: 'off', reason: 'not started', since: toInstant(clock.wallMs()) };
    this.#runs = new Runs({
      report,
      clock,
      log,
      logLines,
      sinceMs: at,
      told,
      root,
      isWanted: (name) => isWanted(name, options),
      known: options.known.map((container) => ({ ...nothingElse, ...container, socketPath })),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#loop !== null || this.#stopping.signal.aborted) return;
    signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    if (signal.aborted) this.#stopping.abort();
    await new Promise<void>((resolve) => {
      this.#loop = this.#run(resolve).finally(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  state(): SourceState {
    return this.#state;
  }

  logGrewAt(containerId: string, sinceMs: number): Promise<number | null> {
    return this.#runs.logGrewAt(containerId, sinceMs);
  }

  heardUntil(): HeardUntil | null {
    const { last, seenAtMs } = this.#memory;
    if (last === null && seenAtMs === null && this.#isAbsent) return null;
    const { key, at } = last ?? this.#from;
    return { key, at: Math.min(at, this.#runs.oldestUntoldMs ?? at) };
  }

  /** One connection after the other. `onFirstTry` is called when the first one sees everything, or has failed. */
  async #run(onFirstTry: () => void): Promise<void> {
    const { clock, retry = RETRY } = this.#options;
    const { signal } = this.#stopping;
    let attempt = 0;
    while (!signal.aborted) {
      const beganMs = clock.monotonicMs();
      const failure = await this.#session(onFirstTry);
      if (signal.aborted) return;
      const [state, reason] = stateAfter(failure);
      this.#isAbsent = failure.failure === 'absent';
      this.#setState(state, reason, failure instanceof SilentEngineError ? failure.since : clock.wallMs());
      onFirstTry();
      attempt = clock.monotonicMs() - beganMs >= WORKED_MS ? 0 : attempt + 1;
      // Half of the wait is sure: an engine that fails at once must not be asked without pause.
      await clock.sleep(backoffMs(attempt, retry) / 2 + Math.min(retry.capMs, retry.baseMs * 2 ** attempt) / 2, signal);
    }
  }

  /** Resolves with what ended it. */
  async #session(onSeeing: () => void): Promise<EngineError> {
    const { socketPath, timeoutMs, clock, log, checkEveryMs = CHECK_EVERY_MS } = this.#options;
    const client = createEngineClient({ socketPath, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    const closeClient = () => client.close();
    this.#stopping.signal.addEventListener('abort', closeClient, { once: true });
    const lastSeenMs = this.#memory.seenAtMs;
    const replayFromMs = this.#memory.last?.at ?? lastSeenMs ?? this.#from.at;
    try {
      const inode = inodeOf(socketPath);
      const { prefix, engine } = negotiate(await client.getJson('/version'));
      const access = { client, prefix, engine, socketPath };
      this.#runs.attach(access);
      return await runSession({
        access,
        runs: this.#runs,
        memory: this.#memory,
        clock,
        checkEveryMs,
        replayFromMs,
        onReplayed: (replay) => this.#tellGap(replay, { replayFromMs, lastSeenMs: lastSeenMs ?? replayFromMs }),
        onSeeing: () => {
          this.#memory.seenAtMs = clock.wallMs();
          this.#setState('seeing', null);
          onSeeing();
        },
        onLost: () =>
          this.#tell({ cause: 'an event was longer than can be read', lost: 1, fromMs: null, toMs: clock.wallMs() }),
        checkSocket: () => {
          if (inodeOf(socketPath) !== inode) throw new EngineError('broken', 'the socket was replaced by another one');
        },
      });
    } catch (error) {
      if (!(error instanceof EngineError))
        log.error({ err: error }, 'watching containers failed; the engine is asked anew');
      return error instanceof EngineError ? error : new EngineError('broken', String(error), { cause: error });
    } finally {
      this.#stopping.signal.removeEventListener('abort', closeClient);
      client.close();
      this.#runs.detach(this.#memory.seenAtMs ?? 0);
      await this.#runs.settled();
    }
  }

  /** Says what the engine's memory of events did not cover. Containers that still exist, or that we knew, are found in the list all the same. */
  #tellGap(replay: Replay, { replayFromMs, lastSeenMs }: { replayFromMs: number; lastSeenMs: number }): void {
    const isFull = replay.count >= ENGINE_KEEPS_EVENTS;
    const toMs = isFull ? (replay.firstAtMs ?? this.#options.clock.wallMs()) : this.#options.clock.wallMs();
    const full = `the engine remembers only ${ENGINE_KEEPS_EVENTS} events; containers that began and were removed before those were not seen`;
    const anew =
      'the engine started anew and remembers no earlier events; containers that began and were removed meanwhile were not seen';
    if (replay.isSeamless === false) {
      this.#tell({ cause: isFull ? full : anew, lost: null, fromMs: lastSeenMs, toMs });
      if (replay.count > 0) return;
      // What an earlier engine said it will never say again: the gap is told once.
      this.#memory.last = null;
      this.#from = { key: null, at: toMs };
    } else if (isFull && toMs > replayFromMs) {
      this.#tell({ cause: full, lost: null, fromMs: lastSeenMs, toMs });
    }
  }

  #tell({
    cause,
    lost,
    fromMs,
    toMs,
  }: {
    cause: string;
    lost: number | null;
    fromMs: number | null;
    toMs: number;
  }): void {
    const from = fromMs === null ? null : toInstant(fromMs);
    const nowhere = { lane: null, from_seq: null, to_seq: null };
    this.#options.report({
      kind: 'gap',
      gap: { source: this.name, cause, lost, at_most: lost, from, to: toInstant(toMs), ...nowhere },
    });
  }

  #setState(state: SourceState['state'], reason: string | null, since = this.#options.clock.wallMs()): void {
    if (this.#state.state === state && this.#state.reason === reason) return;
    const { log, report } = this.#options;
    const isSame = this.#state.state === state;
    this.#state = { name: this.name, state, reason, since: isSame ? this.#state.since : toInstant(since) };
    const facts = { engine: this.#options.engine, socket: this.socketPath, state, reason };
    if (state === 'blind') log.warn(facts, 'containers cannot be watched; trying again');
    else log.info(facts, 'watching containers changed');
    report({ kind: 'state_changed', state: this.#state });
  }
}

const nothingElse = { image: null, labels: {}, command: null, cgroup: null, pid: null, memoryMaxBytes: null };

function isWanted(name: string, { include, exclude }: Pick<ContainersWatcherOptions, 'include' | 'exclude'>): boolean {
  const fits = (pattern: string) => matchesGlob(name, pattern);
  return (include.length === 0 || include.some(fits)) && !exclude.some(fits);
}

/** An engine that is not there is no fault of the node; one that is there and cannot be asked is. */
function stateAfter({ failure, message }: EngineError): [SourceState['state'], string] {
  return [failure === 'absent' ? 'off' : 'blind', message];
}

/** Null when it is not there, or where we may not look. */
function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}
