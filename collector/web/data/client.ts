import type { Routes } from './api-types.ts';

/** `GET /nodes/{id}`, … */
export type Route = keyof Routes;
export type ReadRoute = Extract<Route, `GET ${string}`>;
export type SendRoute = Exclude<Route, ReadRoute>;
export type Answer<R extends Route> = Routes[R]['answer'];
/** What a route takes: `{ path, query, body }`, as far as it has them. */
export type Asked<R extends Route> = Omit<Routes[R], 'answer'>;

/** Why there is no answer. `code` is the API's own (docs/openapi.json), or `unreachable`. */
export class ApiFailure extends Error {
  readonly code: string;
  readonly status: number | null;
  readonly field: string | null;

  constructor(message: string, { code, status, field }: { code: string; status: number | null; field?: string }) {
    super(message);
    this.code = code;
    this.status = status;
    this.field = field ?? null;
  }
}

/** Where this page was served from, `/` or `/behind/a/proxy/`: the collector writes the way back to it into the page. */
export const rootPath = new URL(document.documentElement.dataset['root'] ?? './', location.href).pathname;

const requestTimeoutMs = 20_000;
const tokenKey = 'runnerwatch.token';

/** Kept in this tab only. */
export function storeToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(tokenKey);
}

export function hasToken(): boolean {
  return sessionStorage.getItem(tokenKey) !== null;
}

/** One question to the API. @throws ApiFailure */
export async function ask<R extends Route>(route: R, asked: Asked<R>, signal?: AbortSignal): Promise<Answer<R>> {
  const [method = '', template = ''] = route.split(' ');
  const { path = {}, query = {}, body } = asked as Parts;
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const timeout = AbortSignal.timeout(requestTimeoutMs);
  const response = await request(`api/v1${filled}${queryText(query)}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  return (response.status === 204 ? undefined : await response.json()) as Answer<R>;
}

/** An answer of the collector that is not an error; `path` is relative to {@link rootPath}. @throws ApiFailure */
export async function request(path: string, init: RequestInit): Promise<Response> {
  const token = sessionStorage.getItem(tokenKey);
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(rootPath + path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted === true && (error as Error).name === 'AbortError') throw error;
    throw new ApiFailure('The collector does not answer.', { code: 'unreachable', status: null });
  });
  if (response.ok) return response;
  throw await failureOf(response);
}

interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

function queryText(query: NonNullable<Parts['query']>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const said = (await response.json().catch(() => null)) as {
    error?: { code: string; message: string; field?: string };
  } | null;
  const { code, message, field } = said?.error ?? {
    code: 'unreachable',
    message: `Something between here and the collector answered with ${response.status}.`,
  };
  return new ApiFailure(message, { code, status: response.status, ...(field === undefined ? {} : { field }) });
}
