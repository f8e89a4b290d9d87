import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type AddressGuard, ForbiddenAddress, guardedLookup, isForbiddenLiteral } from './address-guard.ts';
import type { DeliveryOutcome } from './notifier.ts';

export interface HttpLimits {
  /** For name, connection and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the call to the status line, or to the end of a body that is waited for. */
  readonly totalTimeoutMs: number;
  /** Of the answer's body; the rest is not read. */
  readonly bodyBytesMax: number;
}

export const httpLimits: HttpLimits = { connectTimeoutMs: 5000, totalTimeoutMs: 10_000, bodyBytesMax: 64 * 1024 };

/** Idle connections are kept shorter than common servers keep theirs (5 s and more), so that few are found dead. */
const idleSocketMs = 4000;

export interface HttpPost {
  /** For those who do not take a POST; without the body then. */
  readonly method?: 'GET';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Less than the client's own total, for one of several requests that have it together. */
  readonly timeoutMs?: number;
  /** The answer is waited for as a whole, for services that say in its body what their status does not. */
  readonly wantsBody?: boolean;
}

/** A status was read, or the attempt failed before one. */
export type HttpAnswer =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly body?: string;
    }
  | { readonly kind: 'failed'; readonly error: string }
  /** Nothing was dialled: the address is closed to targets typed by people. */
  | { readonly kind: 'forbidden' };

export interface HttpClient extends AsyncDisposable {
  /**
   * One POST to one address. Redirects are not followed. The answer is its status: the body is drained behind it, bounded in
   * bytes and time, and looked at by nobody who did not ask for it. A kept connection that turns out dead is replaced once, at once.
   */
  post(post: HttpPost): Promise<HttpAnswer>;
}

/** With a guard nothing is dialled that it does not let pass. */
export function createHttpClient(limits: HttpLimits = httpLimits, guard?: AddressGuard): HttpClient {
  const agents = {
    http: new HttpAgent({ keepAlive: true, timeout: idleSocketMs }),
    https: new HttpsAgent({ keepAlive: true, timeout: idleSocketMs }),
  };
  const open = new Set<ClientRequest>();
  const lookup = guard && guardedLookup(guard);
  const send = (post: HttpPost) => exchange(post, { limits, agents, open, lookup });
  return {
    post: async (post) => {
      if (guard !== undefined && isForbiddenLiteral(post.url, guard)) return { kind: 'forbidden' };
      const first = await send(post);
      return toAnswer(first.kind === 'stale' ? await send(post) : first, limits);
    },
    [Symbol.asyncDispose]: async () => {
      for (const request of open) request.destroy();
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

type Exchange =
  | Extract<HttpAnswer, { kind: 'status' }>
  | { readonly kind: 'error'; readonly error: Error }
  /** A kept connection had been closed by the other side before it took the request. */
  | { readonly kind: 'stale'; readonly error: Error };

interface Wires {
  readonly limits: HttpLimits;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly open: Set<ClientRequest>;
  readonly lookup: LookupFunction | undefined;
}

class Timeout extends Error {}

function exchange(post: HttpPost, { limits, agents, open, lookup }: Wires): Promise<Exchange> {
  return new Promise((resolve) => {
    if (post.signal.aborted) return resolve({ kind: 'error', error: new Timeout('stopped') });
    const options = {
      method: post.method ?? 'POST',
      headers:
        post.method === 'GET'
          ? { ...post.headers }
          : { ...post.headers, 'content-length': String(Buffer.byteLength(post.body)) },
      ...(lookup === undefined ? {} : { lookup }),
    };
    const request =
      post.url.protocol === 'https:'
        ? requestHttps(post.url, { ...options, agent: agents.https })
        : requestHttp(post.url, { ...options, agent: agents.http });
    open.add(request);
    const fail = (message: string) => () => request.destroy(new Timeout(message));
    const totalMs = Math.max(1, Math.min(limits.totalTimeoutMs, post.timeoutMs ?? limits.totalTimeoutMs));
    const total = setTimeout(fail(`no answer within ${limits.totalTimeoutMs} ms`), totalMs);
    const connecting = setTimeout(fail(`no connection within ${limits.connectTimeoutMs} ms`), limits.connectTimeoutMs);
    const onAbort = fail('stopped');
    post.signal.addEventListener('abort', onAbort, { once: true });
    request.on('socket', (socket) => whenConnected(socket, () => clearTimeout(connecting)));
    let isAnswered = false;
    request.on('response', (response) => {
      isAnswered = true;
      const answer = {
        kind: 'status',
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'],
      } as const;
      if (post.wantsBody === true) read(response, limits.bodyBytesMax, (body) => resolve({ ...answer, body }));
      else {
        drain(response, limits.bodyBytesMax);
        resolve(answer);
      }
    });
    request.on('error', (error) => {
      const isReset = !(error instanceof Timeout) && codeOf(error) === 'ECONNRESET';
      const isStale = request.reusedSocket && !isAnswered && isReset;
      resolve({ kind: isStale ? 'stale' : 'error', error });
    });
    request.on('close', () => {
      open.delete(request);
      clearTimeout(total);
      clearTimeout(connecting);
      post.signal.removeEventListener('abort', onAbort);
      resolve({ kind: 'error', error: new Error('the connection was closed before an answer') });
    });
    request.end(post.method === 'GET' ? undefined : post.body);
  });
}

function whenConnected(socket: Socket, done: () => void): void {
  if (!socket.connecting && !(socket instanceof TLSSocket && socket.getProtocol() === null)) return done();
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', done);
}

/** Reads the body away so that the connection can be used again; gives the connection up when there is too much of it. */
function drain(response: IncomingMessage, bytesMax: number): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) response.destroy();
  });
  response.on('error', () => response.destroy());
}

/** The whole body, or as much of it as is read. A body that breaks off or never ends is no answer: the request's own end tells. */
function read(response: IncomingMessage, bytesMax: number, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = () => done(Buffer.concat(chunks).subarray(0, bytesMax).toString());
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= bytesMax) return;
    finish();
    response.destroy();
  });
  response.on('end', finish);
  response.on('error', () => response.destroy());
}

function toAnswer(exchange: Exchange, limits: HttpLimits): HttpAnswer {
  if (exchange.kind === 'status') return exchange;
  const { error } = exchange;
  if (error instanceof ForbiddenAddress) return { kind: 'forbidden' };
  return { kind: 'failed', error: error instanceof Timeout ? error.message : describe(error, limits) };
}

/** Node's and OpenSSL's codes in words; a message of theirs may name the address and is not passed on. */
function describe(error: Error, limits: HttpLimits): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
    case null:
      return 'the connection was closed before an answer';
    case 'ENOTFOUND':
      return 'no such host name';
    case 'EAI_AGAIN':
      return 'the name could not be looked up';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to the host';
    case 'ETIMEDOUT':
      return `no connection within ${limits.connectTimeoutMs} ms`;
    default:
      return code.startsWith('HPE_') ? `the answer is not HTTP (${code})` : `the connection failed (${code})`;
  }
}

function codeOf(error: unknown): string | null {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** RFC 9110 section 10.2.3: seconds, or a date. What a receiver may ask for is bounded. */
export const retryAfterMsMax = 3_600_000;

/** How long the receiver asks to be left alone, at most an hour; null when it says nothing usable (negative, past, no number, no date). */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : isHttpDate(text) ? Date.parse(text) - now : Number.NaN;
  return Number.isNaN(ms) || ms < 0 ? null : Math.min(ms, retryAfterMsMax);
}

/** The three forms of RFC 9110 section 5.6.7; Date.parse alone would take nearly anything. */
function isHttpDate(text: string): boolean {
  return /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text) && !Number.isNaN(Date.parse(text));
}

/**
 * What an HTTP answer means for a notification:
 *
 * | answer | |
 * |---|---|
 * | 2xx | delivered |
 * | 408, 425, 429, every 5xx, no answer at all | retry, after `Retry-After` when it says one |
 * | 3xx | refused: a redirect is not followed, the address has to be corrected |
 * | nothing dialled, the address being closed to typed targets | refused |
 * | 410 | refused: the receiver is gone for good |
 * | 400, 401, 403, 404, 413 and every other 4xx | refused: the same request would get the same answer |
 * | 1xx as a final answer, below 100, above 599 | retry: that was not HTTP |
 *
 * Refused notifications wait as dead letters; a person can send them again.
 */
export function judgeAnswer(answer: HttpAnswer, now: number): DeliveryOutcome {
  if (answer.kind === 'failed') return { outcome: 'retry', error: answer.error };
  if (answer.kind === 'forbidden') return { outcome: 'refused', error: forbiddenTarget };
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered', httpStatus: status };
  const error = `HTTP ${status}${meanings[status] === undefined ? '' : `: ${meanings[status]}`}`;
  if (status >= 300 && status < 400) return { outcome: 'refused', httpStatus: status, error: `${error}${redirect}` };
  const isPassing = status === 408 || status === 425 || status === 429 || status < 200 || status >= 500;
  if (!isPassing) return { outcome: 'refused', httpStatus: status, error };
  const afterMs = parseRetryAfter(answer.retryAfter, now);
  return { outcome: 'retry', httpStatus: status, error, ...(afterMs === null ? {} : { afterMs }) };
}

export const forbiddenTarget =
  'the address is not public; notifications.allowed_cidrs in collector.yaml opens networks to targets typed by people';

const redirect = ' (redirects are not followed; configure the address it points to)';

const meanings: Readonly<Record<number, string>> = {
  400: 'the receiver does not understand the message',
  401: 'the receiver wants credentials',
  403: 'the receiver forbids it',
  404: 'there is nothing at that address',
  410: 'the receiver is gone for good',
  413: 'the message is too large for the receiver',
  429: 'the receiver is getting too many',
};
