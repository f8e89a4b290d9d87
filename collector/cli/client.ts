import { CliFailure } from './failure.ts';
import type { CliSettings } from './settings.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** The collector's HTTP API as the commands use it. Every method throws {@link CliFailure}. */
export interface Client {
  readonly url: string;
  get<T>(path: string, query?: Query): Promise<T>;
  /** Pages through a listing until there are so many items, or no more. */
  list<T>(path: string, query?: Query, atMost?: number): Promise<T[]>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
}

/** The API's own refusal, beside its sentence. */
export class ApiRefusal extends CliFailure {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super('failed', message);
    this.status = status;
    this.code = code;
  }
}

const answerTimeoutMs = 15_000;
const pageSize = 200;

export function createClient({ settings, fetch }: { settings: CliSettings; fetch: typeof globalThis.fetch }): Client {
  const base = settings.url.replace(/\/+$/, '');
  let tokens = settings.tokens;

  /** Tries one credential after the other, and stays with the first that is let in. */
  const send = async (method: string, url: string, body: unknown): Promise<Response> => {
    let refused: Response | undefined;
    for (const [at, token] of tokens.entries()) {
      const answer = await reach(() => fetch(url, requestInit(method, token, body)), base);
      if (answer.status !== 401 && answer.status !== 403) {
        await refused?.body?.cancel();
        tokens = tokens.slice(at);
        return answer;
      }
      // Who is known and may not do this hears more from that answer than from one to a credential nobody knows.
      const [told, dropped] = refused?.status === 403 && answer.status === 401 ? [refused, answer] : [answer, refused];
      await dropped?.body?.cancel();
      refused = told;
    }
    if (refused === undefined) throw new Error('settings without a credential to try');
    return refused;
  };
  const ask = async (
    method: string,
    path: string,
    { query = {}, body }: { query?: Query; body?: unknown } = {},
  ): Promise<unknown> => {
    const url = `${base}/api/v1${path}${queryText(query)}`;
    const answer = await send(method, url, body);
    const content = await readContent(answer, base);
    if (answer.ok) return content;
    throw refusal(answer.status, content, { base, isTokenGiven: !settings.tokens.includes(null) });
  };

  return {
    url: base,
    get: async <T>(path: string, query?: Query) => (await ask('GET', path, query === undefined ? {} : { query })) as T,
    post: async <T>(path: string, body?: unknown) => (await ask('POST', path, { body })) as T,
    put: async <T>(path: string, body: unknown) => (await ask('PUT', path, { body })) as T,
    patch: async <T>(path: string, body: unknown) => (await ask('PATCH', path, { body })) as T,
    delete: async (path) => void (await ask('DELETE', path)),
    list: async <T>(path: string, query: Query = {}, atMost = Number.POSITIVE_INFINITY) => {
      const items: T[] = [];
      let cursor: string | undefined;
      do {
        const limit = Math.min(pageSize, atMost - items.length);
        const page = asPage<T>(await ask('GET', path, { query: { ...query, limit, cursor } }), base);
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && items.length < atMost);
      return items.slice(0, atMost);
    },
  };
}

async function reach(ask: () => Promise<Response>, base: string): Promise<Response> {
  try {
    return await ask();
  } catch (error) {
    throw new CliFailure(
      'cannotSee',
      `no collector answers at ${base} (${reason(error)}); start one with \`runnerwatch up\`, or set RUNNERWATCH_URL to where it listens`,
      { cause: error },
    );
  }
}

function requestInit(method: string, token: string | null, body: unknown): RequestInit {
  return {
    method,
    redirect: 'error',
    signal: AbortSignal.timeout(answerTimeoutMs),
    headers: {
      accept: 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

function queryText(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) pairs.append(name, String(value));
  return pairs.size === 0 ? '' : `?${pairs.toString()}`;
}

/** The document of an answer; undefined when it has none. */
async function readContent(answer: Response, base: string): Promise<unknown> {
  let text: string;
  try {
    text = await answer.text();
  } catch (error) {
    throw new CliFailure('cannotSee', `the collector at ${base} broke off its answer; try again`, { cause: error });
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliFailure(
      'cannotSee',
      `what answers at ${base} is not a Runnerwatch collector (HTTP ${answer.status}, not JSON); check RUNNERWATCH_URL`,
      { cause: error },
    );
  }
}

function refusal(
  status: number,
  content: unknown,
  { base, isTokenGiven }: { base: string; isTokenGiven: boolean },
): CliFailure {
  const error = errorOf(content);
  if (error === null)
    return new CliFailure(
      'cannotSee',
      `what answers at ${base} is not a Runnerwatch collector (HTTP ${status}); check RUNNERWATCH_URL`,
    );
  if (status === 401)
    return new ApiRefusal(
      status,
      error.code,
      `the collector at ${base} ${isTokenGiven ? 'does not know this API token; mend' : 'asks for an API token; set'} RUNNERWATCH_API_TOKEN (an admin makes one with \`runnerwatch people add\`; the first is in collector/api.token in the collector's data directory)`,
    );
  return new ApiRefusal(status, error.code, error.message);
}

function errorOf(content: unknown): { code: string; message: string } | null {
  if (typeof content !== 'object' || content === null || !('error' in content)) return null;
  const { error } = content;
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return null;
  return { code: String(error.code), message: String(error.message) };
}

function asPage<T>(content: unknown, base: string): { items: T[]; next_cursor: string | null } {
  if (typeof content === 'object' && content !== null && 'items' in content && Array.isArray(content.items)) {
    const next = 'next_cursor' in content && typeof content.next_cursor === 'string' ? content.next_cursor : null;
    return { items: content.items, next_cursor: next };
  }
  throw new CliFailure(
    'cannotSee',
    `the collector at ${base} answered a listing this program does not understand; are both of the same version?`,
  );
}

function reason(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${answerTimeoutMs / 1000}s`;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error instanceof Error ? (cause instanceof Error ? cause.message : error.message) : 'unknown reason';
}
