import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { EngineError } from './containers-client.ts';
import { followLines, readLines } from './containers-events.ts';
import { type ListedContainer, parseEvent, parseList } from './containers-model.ts';
import { type EngineAccess, pastEvents } from './containers-questions.ts';
import type { Runs } from './containers-runs.ts';
import { type Disagreement, someOf } from './silence.ts';

/** Up to where an engine's events were heard. */
export interface HeardUntil {
  /** Of the last event, of anything at all: also of images and networks. Null: none was heard yet. */
  readonly key: string | null;
  /** From where on the engine must replay its events, in milliseconds since the epoch. */
  readonly at: number;
}

/** What is remembered of the engine's events from one connection to the next. */
export interface EventMemory {
  last: (HeardUntil & { readonly key: string }) | null;
  /** The keys of those heard of late: a new connection begins with old events. */
  readonly heard: Set<string>;
  /** What its list and its events do not agree about. */
  readonly disagreement: Disagreement;
  /** When the engine last showed that it lives, in milliseconds since the epoch. */
  seenAtMs: number | null;
}

export interface SessionOptions {
  readonly access: EngineAccess;
  readonly runs: Runs;
  readonly memory: EventMemory;
  readonly clock: Clock;
  /** The instant from which on the engine shall replay its events. */
  readonly replayFromMs: number;
  /** The engine has replayed what it remembers. */
  readonly onReplayed: (replay: Replay) => void;
  /** Everything that runs is known; from now on nothing is missed. */
  readonly onSeeing: () => void;
  /** An event was too long to be read. */
  readonly onLost: () => void;
  /** How often to ask whether the engine still answers. */
  readonly checkEveryMs: number;
  /** Throws when the socket is not the one the session was opened on. */
  readonly checkSocket: () => void;
}

/** How far back the engine's own memory of events reached. */
export interface Replay {
  readonly count: number;
  /** The first replayed event's instant, in milliseconds since the epoch; null: none came. */
  readonly firstAtMs: number | null;
  /** The last event of the connection before was among them, so that none is missing; null: there was none to look for. */
  readonly isSeamless: boolean | null;
}

const MAX_HEARD = 4_096;
/** Events of Podman may come a little out of the order of their instants. */
const OVERLAP_MS = 2_000;
/** So many checks in a row without an answer end the session. */
const UNANSWERED_LIMIT = 2;

/**
 * One connection's life. Lets the engine tell what it remembers, so that an end is told with its code and time; subscribes
 * from a little before its last word on, so that nothing falls between; then asks for the list of all containers, which knows what the
 * events do not; then goes on hearing, and asks now and then whether the engine still answers. Never resolves: rejects
 * with what ended it.
 */
export async function runSession(options: SessionOptions): Promise<never> {
  const { access, clock, replayFromMs } = options;
  const { client, prefix } = access;
  const hearing = createHearing(options);
  const handlers = { onLine: hearing.take, onLost: options.onLost };
  const past = pastEvents(access, { sinceMs: replayFromMs, untilMs: clock.wallMs() });
  await client.readStream(past, (stream) => readLines(stream, handlers));
  options.onReplayed(hearing.replay());
  // Podman forgets nothing: all of it a second time would be more than is remembered as heard.
  const fromMs = Math.max(replayFromMs, (options.memory.last?.at ?? replayFromMs) - OVERLAP_MS);
  const stream = await client.openStream(`${prefix}/events?since=${Math.floor(fromMs / 1000)}`);
  const ending = new AbortController();
  const followed = followLines(stream, handlers);
  const kept = keepUp(options, ending.signal);
  try {
    return await Promise.race([followed, kept]);
  } finally {
    ending.abort();
    stream.destroy();
    // Both end now; which of them failed first has been told by the race.
    await Promise.allSettled([followed, kept]);
  }
}

/** The part of a session that asks, beside the stream that hears. Rejects when an answer fails, and when the signal aborts. */
async function keepUp(options: SessionOptions, signal: AbortSignal): Promise<never> {
  const { access, runs, memory, clock, checkEveryMs } = options;
  const { client, prefix } = access;
  const liveBefore = runs.liveIds();
  runs.reconcile(parseList(await client.getJson(`${prefix}/containers/json?all=1`)), liveBefore);
  await runs.settled();
  signal.throwIfAborted();
  options.onSeeing();
  let unanswered = 0;
  const { disagreement } = memory;
  disagreement.reset();
  let agreedAt = clock.wallMs();
  for (;;) {
    await clock.sleep(disagreement.isSuspicious ? Math.min(checkEveryMs, SECOND_LOOK_MS) : checkEveryMs, signal);
    signal.throwIfAborted();
    options.checkSocket();
    unanswered = (await answers(client.getJson('/version'))) === null ? unanswered + 1 : 0;
    if (unanswered >= UNANSWERED_LIMIT) throw new EngineError('timeout', 'the engine no longer answers');
    if (unanswered > 0) continue;
    memory.seenAtMs = clock.wallMs();
    const answer = await answers(client.getJson(`${prefix}/containers/json?all=1&filters=${createdOrRunning}`));
    if (answer === null) continue;
    const listed = parseList(answer);
    runs.lookAtCreated(listed.filter(({ state }) => state !== 'running'));
    const running = listed.filter(({ state }) => state === 'running');
    const apart = disagreement.check(await againstList(options, running));
    if (apart.length > 0) throw new SilentEngineError(apart, agreedAt);
    if (!disagreement.isSuspicious) agreedAt = clock.wallMs();
  }
}

const createdOrRunning = encodeURIComponent('{"status":["created","running"]}');
/** An event that is a little late is no silence. */
const SECOND_LOOK_MS = 5_000;

/** Who runs by the events, and who by the list: a container that is paused, or just being stopped, is only in the list of all. */
async function againstList({ access, runs }: SessionOptions, running: readonly ListedContainer[]) {
  const listed = runs.wantedNames(running);
  const heard = runs.liveNames();
  if ([...heard].every((name) => listed.has(name))) return { heard, listed };
  const all = await answers(access.client.getJson(`${access.prefix}/containers/json?all=1`));
  const notEnded = all === null ? [] : parseList(all).filter(({ state }) => !endedStates.has(state));
  const stillThere = all === null ? heard : runs.wantedNames(notEnded);
  return { heard, listed: new Set([...listed, ...[...heard].filter((name) => stillThere.has(name))]) };
}

const endedStates: ReadonlySet<string> = new Set(['created', 'configured', 'initialized', 'exited', 'stopped', 'dead']);

/** The engine answers, and its events do not come. */
export class SilentEngineError extends EngineError {
  /** When its list and its events last agreed, in milliseconds since the epoch. */
  readonly since: number;

  constructor(containers: readonly string[], since: number) {
    super('broken', `the engine said nothing of ${someOf(containers)}`);
    this.since = since;
  }
}

/** Null when the answer took too long: an engine that is busy starting a container is not lost, and its events still come. */
async function answers(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EngineError && error.failure === 'timeout') return null;
    throw error;
  }
}

interface Hearing {
  readonly take: (line: string) => void;
  replay(): Replay;
}

function createHearing({ access, runs, memory }: SessionOptions): Hearing {
  const before = memory.last;
  let isSeamless: boolean | null = before === null ? null : false;
  let count = 0;
  let firstAtMs: number | null = null;
  return {
    take(line) {
      const event = parseEvent(line, access);
      if (event === null) return;
      count += 1;
      firstAtMs ??= event.at;
      if (event.key === before?.key) isSeamless = true;
      if (memory.heard.has(event.key)) return;
      remember(memory, event.key);
      memory.last = { key: event.key, at: event.at };
      // What it replays after this is later, and not heard yet.
      memory.seenAtMs = Math.max(memory.seenAtMs ?? 0, event.at);
      if (event.container !== null) runs.handle(event.container);
    },
    replay: () => ({ count, firstAtMs, isSeamless }),
  };
}

function remember({ heard }: EventMemory, key: string): void {
  heard.add(key);
  const oldest = heard.values().next().value;
  if (heard.size > MAX_HEARD && oldest !== undefined) heard.delete(oldest);
}
