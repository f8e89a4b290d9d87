import { createHash } from 'node:crypto';
import { resourceRoutes } from '@runnerwatch/collector/api/resources.ts';
import { createTokenCheck, newToken } from '@runnerwatch/collector/people/tokens.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentDocumentText, unconnectedParts } from '../support/api-document.ts';
import { startApi, type TestApi } from '../support/api-server.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly string[];
}

const operations = await everyOperation();
const open = ['/healthz', '/readyz'];
const token = newToken('api');

describe('every route of the API', () => {
  let api: TestApi;
  beforeAll(async () => {
    const digest = { sha256: createHash('sha256').update(token).digest('hex'), created_at: '2026-11-22T04:00:00.000Z' };
    api = await startApi({
      routes: resourceRoutes(unconnectedParts()),
      auth: { listenHost: '0.0.0.0', isToken: createTokenCheck([digest]) },
    });
  });
  afterAll(async () => api[Symbol.asyncDispose]());

  const ask = async ({ method, path }: Operation, headers: Record<string, string>, query = '') => {
    const stop = new AbortController();
    const answer = await fetch(`${api.url}${path.replaceAll(/\{\w+\}/g, 'x')}${query}`, {
      method,
      headers,
      signal: stop.signal,
    });
    const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const body = isStream
      ? {}
      : ((await answer.json().catch(() => ({}))) as { error?: { code: string; field?: string } });
    stop.abort();
    return { status: answer.status, ...body.error };
  };

  it.each(operations)('F119 $method $path is shut to whoever shows no token of people', async (operation) => {
    const shown = [{}, ...['wrong', `rwk_${'k'.repeat(43)}`, `rwa_${'a'.repeat(43)}`].map(bearer)];

    const statuses = await Promise.all(shown.map(async (headers) => (await ask(operation, headers)).status));

    expect(statuses).toEqual(shown.map(() => (open.includes(operation.path) ? 200 : 401)));
    if (!open.includes(operation.path)) expect((await ask(operation, bearer(token))).status).not.toBe(401);
  });

  it.each(operations.filter(({ method }) => method !== 'GET'))(
    'F119 $method $path does nothing for a page of another site, token or not',
    async (operation) => {
      const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

      expect(await ask(operation, { ...headers, ...bearer(token) })).toMatchObject({ status: 403, code: 'cross_site' });
    },
  );

  it.each(operations.filter(({ parameters }) => parameters.includes('limit')))(
    'F123 $method $path takes no page of a silly size',
    async (operation) => {
      for (const limit of ['1000000000', '0', '-1', '1.5', 'x', "'", '1e999', ''])
        expect(await ask(operation, bearer(token), `?q=x&limit=${limit}`)).toEqual(
          expect.objectContaining({ status: 400, field: 'limit' }),
        );
    },
  );

  it.each(operations.filter(({ parameters }) => parameters.includes('cursor')))(
    'F123 $method $path takes no cursor that is longer than any it gives, and no query of a mebibyte',
    async (operation) => {
      expect(await ask(operation, bearer(token), `?cursor=${'x'.repeat(4000)}`)).toMatchObject({
        status: 400,
        field: 'cursor',
      });
      expect((await ask(operation, bearer(token), `?cursor=${'x'.repeat(1024 * 1024)}`)).status).toBe(431);
    },
  );
});

function bearer(presented: string) {
  return { authorization: `Bearer ${presented}` };
}

async function everyOperation(): Promise<Operation[]> {
  const { paths } = JSON.parse(await currentDocumentText()) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => ({
      method: method.toUpperCase(),
      path,
      parameters: parameters.map(({ name }) => name),
    })),
  );
}
