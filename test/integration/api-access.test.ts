import { resourceRoutes } from '@runnerwatch/collector/api/resources.ts';
import { type Asker, type Role, roles } from '@runnerwatch/collector/people/roles.ts';
import { newToken } from '@runnerwatch/collector/people/tokens.ts';
import type { FastifyPluginAsync } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentDocumentText, unconnectedParts } from '../support/api-document.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { admitting } from '../support/people.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly string[];
  readonly role: Role | undefined;
}

const operations = await everyOperation();
const open = ['/healthz', '/readyz'];
const token = newToken('api');

/** What takes more than reading; whatever is not here must change nothing. */
const takesMore: Readonly<Record<string, Role>> = {
  'POST /nodes/{id}/drain': 'operator',
  'POST /nodes/{id}/undrain': 'operator',
  'DELETE /nodes/{id}': 'admin',
  'PUT /jobs/{id}/expectation': 'operator',
  'DELETE /jobs/{id}/expectation': 'operator',
  'POST /ping/{job}': 'operator',
  'POST /ping/{job}/start': 'operator',
  'POST /ping/{job}/fail': 'operator',
  'POST /ping/{job}/{exit_code}': 'operator',
  'POST /incidents/{id}/ack': 'operator',
  'POST /subscriptions': 'operator',
  'PATCH /subscriptions/{id}': 'operator',
  'DELETE /subscriptions/{id}': 'operator',
  'POST /jobs/{id}/alerts': 'operator',
  'DELETE /alerts/{id}': 'operator',
  'POST /watches': 'operator',
  'DELETE /watches/{id}': 'operator',
  'POST /silences': 'operator',
  'DELETE /silences/{id}': 'operator',
  'POST /deliveries/{id}/retry': 'operator',
  'POST /notifiers/{name}/test': 'operator',
  'POST /enrollments': 'admin',
  'DELETE /enrollments/{id}': 'admin',
  'POST /agents/{id}/revoke': 'admin',
  'POST /agents/{id}/approve': 'admin',
  'GET /people': 'admin',
  'POST /people': 'admin',
  'PATCH /people/{id}': 'admin',
  'DELETE /people/{id}': 'admin',
  'GET /audit': 'admin',
};
/** Questions with a body. */
const changesNothing = ['POST /silences/preview', 'POST /subscriptions/test', 'POST /notifiers/{name}/preview'];

describe('every route of the API', () => {
  const written: object[] = [];
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({
      routes: resourceRoutes(unconnectedParts()),
      auth: { listenHost: '0.0.0.0', findAsker: (presented) => personOf(presented) ?? admitting(token)(presented) },
      audit: { write: async (entry) => void written.push(entry) },
    });
  });
  afterAll(async () => api[Symbol.asyncDispose]());

  const ask = async (
    { method, path }: Pick<Operation, 'method' | 'path'>,
    headers: Record<string, string>,
    query = '',
  ) => {
    const stop = new AbortController();
    const answer = await fetch(`${api.url}${path.replaceAll(/\{\w+\}/g, 'x')}${query}`, {
      method,
      headers,
      signal: stop.signal,
    });
    const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const body = isStream
      ? {}
      : ((await answer.json().catch(() => ({}))) as { error?: { code: string; message: string; field?: string } });
    stop.abort();
    return { status: answer.status, ...body.error };
  };

  it.each(operations)('F119 $method $path is shut to whoever shows no token of people', async (operation) => {
    const shown = [{}, ...['wrong', `rwk_${'k'.repeat(43)}`, `rwa_${'a'.repeat(43)}`].map(bearer)];

    const statuses = await Promise.all(shown.map(async (headers) => (await ask(operation, headers)).status));

    expect(statuses).toEqual(shown.map(() => (open.includes(operation.path) ? 200 : 401)));
    if (!open.includes(operation.path)) expect((await ask(operation, bearer(token))).status).not.toBe(401);
  });

  it('F119 says its least role in the document: nothing that changes something is for those who only read', () => {
    const inDocument = Object.fromEntries(operations.map((operation) => [nameOf(operation), operation.role]));
    const reading = operations.map(nameOf).filter((name) => takesMore[name] === undefined);

    expect(inDocument).toEqual({
      ...takesMore,
      ...Object.fromEntries(reading.map((name) => [name, 'viewer'])),
    });
    expect(reading.filter((name) => !name.startsWith('GET ')).toSorted()).toEqual(changesNothing.toSorted());
  });

  it.each(operations.flatMap((operation) => roles.map((role) => ({ ...operation, least: operation.role, role }))))(
    'F119 $method $path, which takes $least, by $role',
    async ({ least, role, ...operation }) => {
      written.length = 0;

      const answer = await ask(operation, bearer(`token-of-${role}`));

      const isRefused = roles.indexOf(role) < roles.indexOf(least ?? 'admin');
      if (isRefused) {
        expect(answer).toMatchObject({ status: 403, code: 'forbidden' });
        expect(answer.message).toBe(
          `this takes the role ${least}, and a-${role} is ${role}; ask an admin for \`runnerwatch people set a-${role} --role ${least}\``,
        );
      } else expect([401, 403]).not.toContain(answer.status);
      const isChange = least !== 'viewer' && operation.method !== 'GET' && !operation.path.includes('/ping/');
      expect(written).toEqual(
        isRefused || isChange
          ? [expect.objectContaining({ person: `a-${role}`, role, method: operation.method, status: answer.status })]
          : [],
      );
    },
  );

  it('does not start with a route that says no role', async () => {
    const careless: FastifyPluginAsync = async (app) => void app.get('/secrets', async () => ({}));

    await expect(startApi({ routes: [careless] })).rejects.toThrow('/api/v1/secrets says no least role');
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
      const needed = operation.parameters.includes('q') ? 'q=x&' : '';
      for (const limit of ['1000000000', '0', '-1', '1.5', 'x', "'", '1e999', ''])
        expect(await ask(operation, bearer(token), `?${needed}limit=${limit}`)).toEqual(
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

function nameOf({ method, path }: Operation): string {
  return `${method} ${path.replace('/api/v1', '')}`;
}

/** `token-of-viewer` is the token of a viewer called a-viewer. */
function personOf(presented: string): Asker | null {
  const role = roles.find((one) => presented === `token-of-${one}`);
  return role === undefined ? null : { kind: 'person', id: role, name: `a-${role}`, role };
}

async function everyOperation(): Promise<Operation[]> {
  const { paths } = JSON.parse(await currentDocumentText()) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[]; 'x-role'?: Role }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], 'x-role': role }]) => ({
      method: method.toUpperCase(),
      path,
      parameters: parameters.map(({ name }) => name),
      role,
    })),
  );
}
