import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';
import type { Database } from './db/database.ts';
import { collectorState } from './db/tables/schema.ts';
import { createHttpClient, type HttpClient } from './notifiers/http.ts';

export interface HeartbeatOptions {
  readonly url: URL;
  /** Sent as `Authorization: Bearer`, where the address alone is not enough. */
  readonly token: string | null;
  /** What the collector fails to do, as a sentence; null while it works. */
  readonly obstacle: () => Promise<string | null>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * The collector's word to somebody else that it works, once a minute; the silence is the alarm, and the other one's business.
 * It is silent while it lives and does not work: an alarm that is heard by nobody would look like peace.
 */
export function startHeartbeat({
  url,
  token,
  obstacle,
  clock,
  log,
  everyMs = 60_000,
}: HeartbeatOptions): AsyncDisposable {
  const http = createHttpClient();
  let failure: string | null = null;

  const beat = async (signal: AbortSignal) => {
    const hindered = await obstacle();
    const reason = hindered === null ? await ask(http, { url, token, signal }) : `not sent: ${hindered}`;
    if (signal.aborted) return;
    if (reason !== null && reason !== failure) log.warn({ reason }, 'heartbeat_url does not hear from this collector');
    if (reason === null && failure !== null) log.info('heartbeat_url hears from this collector again');
    failure = reason;
  };
  const beating = repeat(beat, { clock, everyMs });
  return {
    [Symbol.asyncDispose]: async () => {
      await beating[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
    },
  };
}

/** Null when it was taken. Services that know only GET say 404 or 405 to a POST (Uptime Kuma 1 says 404). */
async function ask(
  http: HttpClient,
  { url, token, signal }: { url: URL; token: string | null; signal: AbortSignal },
): Promise<string | null> {
  const headers = { 'user-agent': 'runnerwatch', ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const posted = await http.post({ url, headers, body: '', signal });
  const isGetOnly = posted.kind === 'status' && (posted.status === 404 || posted.status === 405);
  const answer = isGetOnly ? await http.post({ method: 'GET', url, headers, body: '', signal }) : posted;
  if (answer.kind !== 'status') return answer.kind === 'failed' ? answer.error : answer.kind;
  return answer.status >= 200 && answer.status < 300 ? null : `HTTP ${answer.status}`;
}

export interface WorkingParts {
  readonly database: Database;
  /** For how long no round of judging has ended well. */
  readonly sinceRoundMs: () => number;
  readonly isNobodyTold: () => boolean;
  readonly clock: Clock;
}

const writeWithinMs = 10_000;
const roundWithinMs = 60_000;

/** Whether the collector does what it is there for, tried out: it writes, it judges, it is heard. */
export async function findObstacle({
  database,
  sinceRoundMs,
  isNobodyTold,
  clock,
}: WorkingParts): Promise<string | null> {
  if (isNobodyTold()) return 'no receiver takes notifications';
  if (sinceRoundMs() > roundWithinMs) return 'alerts are not judged';
  return (await canWrite(database, clock)) ? null : 'the database takes no writes';
}

async function canWrite({ drizzle }: Database, clock: Clock): Promise<boolean> {
  const value = toInstant(clock.wallMs());
  const written = drizzle
    .insert(collectorState)
    .values({ key: 'worked_at', value })
    .onConflictDoUpdate({ target: collectorState.key, set: { value } })
    .then(
      () => true,
      () => false,
    );
  const waiting = new AbortController();
  const late = clock.sleep(writeWithinMs, waiting.signal).then(() => false);
  const answer = await Promise.race([written, late]);
  waiting.abort();
  return answer;
}
