import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface PostOptions {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type PostOutcome =
  | { readonly kind: 'done' }
  /** The reason is for the log and holds no address. `mayHaveArrived`: the other side may have taken it all the same. */
  | { readonly kind: 'failed'; readonly reason: string; readonly mayHaveArrived: boolean };

/**
 * One POST of JSON; any answer of 200 to 299 is well. Redirects are not followed, what comes behind the headers is not read.
 * `fetch` is no choice here: it wants WebAssembly, which agents run without.
 */
export async function post({ url, body, headers = {}, timeoutMs, signal }: PostOptions): Promise<PostOutcome> {
  const limit = AbortSignal.timeout(timeoutMs);
  const sent = { isConnected: false };
  try {
    const status = await statusOf({ url, body, headers, signal: AbortSignal.any([signal, limit]), sent });
    if (status >= 200 && status < 300) return { kind: 'done' };
    return { kind: 'failed', reason: `the answer is HTTP ${status}`, mayHaveArrived: status >= 500 };
  } catch (error) {
    const mayHaveArrived = sent.isConnected;
    if (signal.aborted) return { kind: 'failed', reason: 'the agent stopped', mayHaveArrived };
    if (limit.aborted) return { kind: 'failed', reason: `no answer within ${timeoutMs} ms`, mayHaveArrived };
    return { kind: 'failed', reason: `no connection (${codeOf(error)})`, mayHaveArrived };
  }
}

interface Sending extends Omit<Required<PostOptions>, 'timeoutMs'> {
  /** From when on the other side may have read something. */
  readonly sent: { isConnected: boolean };
}

function statusOf({ url, body, headers, signal, sent }: Sending): Promise<number> {
  const target = new URL(url);
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'runnerwatch',
      },
      // Each on a connection of its own: they are rare.
      agent: false,
      signal,
    } as const;
    const take = (response: IncomingMessage) => {
      resolve(response.statusCode ?? 0);
      response.on('error', () => {});
      response.destroy();
    };
    const isSecure = target.protocol === 'https:';
    const request = isSecure ? requestHttps(target, options, take) : requestHttp(target, options, take);
    request.once('socket', (socket) =>
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        sent.isConnected = true;
      }),
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Never the message: it may name the address, which may hold a token. */
function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : 'unknown reason';
}
