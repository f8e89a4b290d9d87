import { request } from 'node:http';
import { connect } from 'node:net';
import { conflict, notFound } from '@runnerwatch/collector/api/errors.ts';
import { newToken } from '@runnerwatch/collector/people/tokens.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startApi, type TestApi, type TestApiOptions } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { admitting } from '../support/people.ts';

const strictBody = z.strictObject({
  name: z.string(),
  kinds: z.array(z.enum(['a', 'b'])).default([]),
  count: z.int().min(1).max(9).default(1),
});

const thingRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/things',
    {
      config: { role: 'viewer' },
      schema: {
        querystring: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
        response: { 200: z.object({ limit: z.int() }) },
      },
    },
    async (asked) => ({
      limit: asked.query.limit,
    }),
  );
  app.post(
    '/things',
    { config: { role: 'viewer' }, schema: { body: z.object({ name: z.string() }) } },
    async (asked) => ({
      made: asked.body.name,
    }),
  );
  app.delete('/things/:id', { config: { role: 'viewer' } }, async (asked) => ({
    gone: (asked.params as { id: string }).id,
  }));
  app.post('/strict', { config: { role: 'viewer' }, schema: { body: strictBody } }, async () => ({}));
  app.get('/things/missing', { config: { role: 'viewer' } }, async () => {
    throw notFound('thing missing');
  });
  app.get('/things/busy', { config: { role: 'viewer' } }, async () => {
    throw conflict('the thing is busy');
  });
  app.get('/things/broken', { config: { role: 'viewer' } }, async () => {
    throw new Error('password=hunter2 at /etc/secret');
  });
  app.get('/things/away', { config: { role: 'viewer' } }, async () => {
    throw new Error('query failed', { cause: Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }) });
  });
};

let api: TestApi | undefined;
const start = async (options: TestApiOptions = {}) => {
  api = await startApi({ routes: [thingRoutes], ...options });
  return api;
};
afterEach(async () => {
  await api?.[Symbol.asyncDispose]();
  api = undefined;
});

/** fetch() does not let a caller choose Host; node:http does. */
function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (body += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('errors of the API', () => {
  it.each([
    ['/api/v1/things?limit=99', 400, { code: 'bad_request', field: 'limit' }],
    ['/api/v1/things/missing', 404, { code: 'not_found', field: undefined }],
    ['/api/v1/things/busy', 409, { code: 'conflict', field: undefined }],
    ['/api/v1/nothing', 404, { code: 'not_found', field: undefined }],
    ['/nothing', 404, { code: 'not_found', field: undefined }],
    ['/api/v1/things/broken', 500, { code: 'internal', field: undefined }],
    ['/api/v1/things/away', 503, { code: 'unavailable', field: undefined }],
  ])('answers %s with %i in the one shape', async (path, status, { code, field }) => {
    const { url } = await start();

    const answer = await fetch(`${url}${path}`);
    const body = (await answer.json()) as { error: { code: string; message: string; field?: string } };

    expect(answer.status).toBe(status);
    expect(body.error.code).toBe(code);
    expect(body.error.field).toBe(field);
    expect(body.error.message).not.toContain('hunter2');
  });

  it.each([
    ['DELETE', '/api/v1/things', 'GET, HEAD, POST'],
    ['POST', '/api/v1/things/missing?limit=2', 'DELETE, GET, HEAD'],
    ['GET', '/api/v1/things/7', 'DELETE'],
    ['OPTIONS', '/api/v1/strict', 'POST'],
    ['PUT', '/healthz', 'GET, HEAD'],
    ['POST', '/agent/v1', 'GET, HEAD'],
  ])('answers %s %s with 405, and with what the path takes: %s', async (method, path, allowed) => {
    const { url } = await start();

    const answer = await fetch(`${url}${path}`, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
    expect(await answer.json()).toEqual({
      error: { code: 'method_not_allowed', message: expect.stringContaining(`takes ${allowed}, not ${method}`) },
    });
  });

  it.each([
    ['POST', '/'],
    ['PATCH', '/api/v1/things/7/parts'],
    ['HEAD', '/api/v1/nothing'],
  ])('answers %s %s with 404: no method leads there', async (method, path) => {
    const { url } = await start();

    const answer = await fetch(`${url}${path}`, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([404, null]);
  });

  it('refuses a body above 64 KiB, a body that is not JSON, and JSON that is broken', async () => {
    const { url } = await start();
    const post = (body: string, type: string) =>
      fetch(`${url}/api/v1/things`, { method: 'POST', body, headers: { 'content-type': type } });

    const tooLarge = await post(JSON.stringify({ name: 'x'.repeat(70_000) }), 'application/json');
    const text = await post('name=x', 'text/plain');
    const broken = await post('{"name":', 'application/json');
    const wrong = await post('{"name":7}', 'application/json');

    expect([tooLarge.status, text.status, broken.status, wrong.status]).toEqual([413, 415, 400, 400]);
    expect(await wrong.json()).toMatchObject({ error: { code: 'bad_request', field: 'name' } });
  });

  it('tells who comes to the agents’ door without a WebSocket what is missing', async () => {
    const { url } = await start();

    const answer = await ask(`${url}/agent/v1`, {});

    expect(answer.status).toBe(426);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: 'upgrade_required', message: expect.stringContaining('a proxy in between has to pass') },
    });
  });

  it('takes an empty body for none, also when it is called JSON', async () => {
    const { url } = await start();
    const headers = { 'content-type': 'application/json' };

    const gone = await fetch(`${url}/api/v1/things/7`, { method: 'DELETE', headers });
    const nothing = await fetch(`${url}/api/v1/things`, { method: 'POST', headers });

    expect([gone.status, await gone.json()]).toEqual([200, { gone: '7' }]);
    expect([nothing.status, await nothing.json()]).toEqual([
      400,
      { error: { code: 'bad_request', message: 'body: expected keys and values', field: 'body' } },
    ]);
  });

  it.each([
    [{}, 'name', 'name: expected text'],
    [{ name: 'x', expires: '1h' }, 'expires', 'expires: unknown key'],
    [{ name: 'x', kinds: ['a', 'c'] }, 'kinds.1', 'kinds.1: expected one of a, b'],
    [{ name: 'x', count: 0 }, 'count', 'count: expected at least 1'],
    [{ name: 'x', count: 10 }, 'count', 'count: expected at most 9'],
    [{ name: 'x', count: 'many' }, 'count', 'count: expected a number'],
  ])('names the key at fault in %j, and what was expected there', async (body, field, message) => {
    const { url } = await start();

    const answer = await fetch(`${url}/api/v1/strict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: { code: 'bad_request', message, field } });
  });

  it('refuses a parameter that it does not know, and names those that it does: a slip would else ask for everything', async () => {
    const { url } = await start();

    const answer = await fetch(`${url}/api/v1/things?limt=3`);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: { code: 'bad_request', message: 'limt: no such parameter here; there are limit', field: 'limt' },
    });
  });

  it('sends headers that keep a browser from sniffing, framing and leaking', async () => {
    const { url } = await start();

    const data = await fetch(`${url}/api/v1/things`);
    const page = await fetch(url);

    expect(data.headers.get('x-content-type-options')).toBe('nosniff');
    expect(data.headers.get('referrer-policy')).toBe('no-referrer');
    expect(data.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(data.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe-inline');
  });
});

describe('who may ask', () => {
  it('lets this machine in without a token, and refuses a wrong token even there', async () => {
    const { url } = await start();

    const local = await fetch(`${url}/api/v1/things`);
    const wrong = await fetch(`${url}/api/v1/things`, { headers: { authorization: 'Bearer nonsense' } });

    expect([local.status, wrong.status]).toEqual([200, 401]);
  });

  it('asks for the token when the listener is open to the network, and keeps health and the empty page open', async () => {
    const token = newToken('api');
    const { url } = await start({ auth: { listenHost: '0.0.0.0', findAsker: admitting(token) } });
    const status = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${url}${path}`, { headers })).status;

    const without = await Promise.all(
      ['/api/v1/things', '/api/v1/stream', '/api/v1/status', '/metrics'].map((path) => status(path)),
    );
    const withToken = await Promise.all(
      ['/api/v1/things', '/api/v1/status', '/metrics'].map((path) =>
        status(path, { authorization: `Bearer ${token}` }),
      ),
    );
    const open = await Promise.all(
      ['/healthz', '/readyz', '/', '/favicon.svg', '/api/docs', '/api/v1/openapi.json'].map((path) => status(path)),
    );

    expect(without).toEqual([401, 401, 401, 401]);
    expect(withToken).toEqual([200, 200, 200]);
    expect(open).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it('asks for the token when a proxy on this machine forwards for someone else', async () => {
    const { url } = await start();

    const forwarded = await fetch(`${url}/api/v1/things`, { headers: { 'x-forwarded-for': '203.0.113.9' } });

    expect(forwarded.status).toBe(401);
  });

  it('refuses a rebound name without a token', async () => {
    const { url } = await start();

    const rebound = await ask(`${url}/api/v1/things`, { host: 'evil.example:4777' });
    const own = await ask(`${url}/api/v1/things`, { host: 'TestNode:4777' });

    expect(rebound.status).toBe(403);
    expect(JSON.parse(rebound.body)).toMatchObject({ error: { code: 'unknown_host' } });
    expect(own.status).toBe(200);
  });

  it('refuses a change asked by a page of another site, also of another port of this machine', async () => {
    const { url } = await start();
    const post = (headers: Record<string, string>) =>
      fetch(`${url}/api/v1/things`, {
        method: 'POST',
        body: '{"name":"x"}',
        headers: { 'content-type': 'application/json', ...headers },
      });

    const answers = await Promise.all([
      post({ origin: 'https://evil.example' }),
      post({ origin: 'null' }),
      post({ origin: 'http://localhost:3000' }),
      post({ 'sec-fetch-site': 'cross-site' }),
      post({ origin: url }),
      post({}),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 200, 200]);
  });
});

describe('health', () => {
  it('is alive while it is not ready, and says what it waits for', async () => {
    const { url } = await start({ ready: async () => ({ ready: false, reasons: ['the database does not answer'] }) });

    const alive = await fetch(`${url}/healthz`);
    const ready = await fetch(`${url}/readyz`);

    expect(alive.status).toBe(200);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'not_ready', reasons: ['the database does not answer'] });
  });

  it('F113 is degraded, not out of service, when nobody can be told anything', async () => {
    const { url } = await start({ ready: async () => ({ ready: true, reasons: [], complaints: ['nobody is told'] }) });

    const ready = await fetch(`${url}/readyz`);

    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'degraded', reasons: ['nobody is told'] });
  });

  it('is not ready when the check itself fails', async () => {
    const { url } = await start({ ready: async () => Promise.reject(new Error('boom')) });

    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });
});

describe('the live stream', () => {
  it('brings a changed record to every reader once, however often it was announced', async () => {
    const { url, bus } = await start({ load: async (id) => (id === 'gone' ? null : { id, status: 'failed' }) });
    const reader = await openStream(`${url}/api/v1/stream`);

    for (let round = 0; round < 20; round += 1) bus.publish({ kind: 'task', id: 't1' });
    bus.publish({ kind: 'node', id: 'gone' });
    await eventually(() => reader.text().includes('event: removed'));
    reader.close();

    expect(reader.text().match(/event: task\ndata: \{"id":"t1","status":"failed"\}\n\n/g)).toHaveLength(1);
    expect(reader.text()).toContain('event: removed\ndata: {"kind":"node","id":"gone"}\n\n');
  });

  it('says that it is still there', async () => {
    const { url } = await start({ heartbeatMs: 10 });
    const reader = await openStream(`${url}/api/v1/stream`);

    await eventually(() => reader.text().includes(': still here'));

    reader.close();
  });

  it('F072 cuts off a reader that does not read, and goes on serving the others', async () => {
    const { url, bus } = await start({
      unreadBytesMax: 256 * 1024,
      load: async (id) => ({ id, filler: id === 'big' ? 'x'.repeat(192 * 1024) : '' }),
    });
    const { hostname, port } = new URL(url);
    const sleeper = connect(Number(port), hostname);
    const cutOff = new Promise<void>((resolve) => sleeper.on('close', () => resolve()));
    sleeper.on('error', () => undefined);
    sleeper.write(`GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await new Promise<void>((resolve) => sleeper.once('data', () => resolve()));
    sleeper.pause();
    const reader = await openStream(`${url}/api/v1/stream`);

    await eventually(() => {
      bus.publish({ kind: 'task', id: 'big' });
      return reader.text().length > 12_000_000;
    });
    sleeper.resume();
    await cutOff;
    bus.publish({ kind: 'task', id: 'last' });
    await eventually(() => reader.text().includes('"id":"last"'));

    reader.close();
  });

  it('ends with the server, without waiting for its readers', async () => {
    const { url } = await start();
    const reader = await openStream(`${url}/api/v1/stream`);

    await api?.[Symbol.asyncDispose]();
    await reader.ended;

    expect(reader.text()).toContain(': welcome');
  });
});

async function openStream(url: string): Promise<{ text: () => string; close: () => void; ended: Promise<void> }> {
  const abort = new AbortController();
  const answer = await fetch(url, { signal: abort.signal });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  const ended = read().catch(() => undefined);
  return { text: () => text, close: () => abort.abort(), ended };
}
