import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertEngine } from '@runnerwatch/collector/alerts/engine.ts';
import { createMetrics } from '@runnerwatch/collector/api/metrics.ts';
import { createOverview } from '@runnerwatch/collector/api/overview.ts';
import { resourceRoutes } from '@runnerwatch/collector/api/resources.ts';
import { buildProgram } from '@runnerwatch/collector/cli/program.ts';
import { createTokenStore } from '@runnerwatch/collector/people/token-store.ts';
import { checkToken, ensureToken } from '@runnerwatch/collector/people/tokens.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { aRegister } from '../support/enrolment.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { aPeopleRegister } from '../support/people.ts';
import { routingParts } from '../support/routing-parts.ts';

const log = pino({ level: 'silent' });

const unseen = {
  at_most: null,
  from: '2026-11-22T10:00:00.000Z',
  to: '2026-11-22T10:05:00.000Z',
  lane: null,
  from_seq: null,
  to_seq: null,
};

describeOnDatabases('the command line and the API together', (kind) => {
  let opened: TestDatabase;
  let api: TestApi;
  const metrics = createMetrics({ version: '0.1.0', startedAt: Date.now() - 5000, process });

  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    const db = opened.database;
    const rig = new AlertRig(opened);
    await rig.node('gpu-1');
    await rig.node('gpu-2', { status: 'offline' });
    for (const lost of [1, 2, 3])
      await rig.fact('gpu-1', {
        kind: 'gap',
        gap: { ...unseen, lost, source: 'docker', cause: `it slept ${lost} times` },
      });
    await rig.taskStarted('gpu-1', 'task-running');
    await rig.taskEnded('gpu-1', 'task-well', { status: 'completed', name: 'fine' });
    await rig.taskEnded('gpu-1', 'task-failed', { status: 'failed', name: 'train', job: 'train', project: 'lm' });
    {
      await using alerting = startAlerting(rig);
      await alerting.engine.round();
    }
    const overview = createOverview({
      db,
      metrics,
      version: '0.1.0',
      startedAt: Date.now() - 5000,
      now: Date.now,
      agentSessions: () => 1,
      schedulers: () => [],
      streamReaders: () => 0,
      obstacles: () => [],
      receivers: () => [],
      deputies: () => [],
      complaints: () => [],
      log,
    });
    api = await startApi({
      routes: routesOn(db),
      status: overview.status,
      ready: overview.readiness,
      metricsText: overview.metricsText,
    });
  });
  afterAll(async () => {
    metrics[Symbol.dispose]();
    await api[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  const run = async (...args: string[]) => {
    let out = '';
    let err = '';
    const io = {
      out: (text: string) => (out += text),
      err: (text: string) => (err += text),
      isTerminal: false,
      columns: null,
    };
    const program = buildProgram({
      io,
      env: { RUNNERWATCH_URL: api.url },
      home: '/nonexistent',
      uid: 1000,
      fetch,
      now: Date.now,
      version: '0.1.0',
    });
    const code = await program.run(args);
    return { code, out, err };
  };

  it.each([
    ['subscriptions', { receiver: 'log' }],
    ['watches', {}],
    ['silences', { matchers: { node: 'gpu-9' }, author: 'ada', reason: 'new disks', for: '1h' }],
    ['enrollments', { note: 'rack 3' }],
  ])(
    'shows one of the %s as their listing does, also when it is over, and knows when there is none',
    async (collection, body) => {
      const ask = async (method: string, path = '', sent?: object) => {
        const answer = await fetch(`${api.url}/api/v1/${collection}${path}`, {
          method,
          ...(sent === undefined
            ? {}
            : { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }),
        });
        return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
      };
      const made = await ask('POST', '', body);
      const { id } = made.body as { id: string };
      const listed = async () =>
        ((await ask('GET', collection === 'silences' ? '?all' : '')).body as { items: { id: string }[] }).items;
      const ofListing = async () => (await listed()).find((one) => one.id === id);

      expect(made.status).toBe(201);
      expect(await ask('GET', `/${id}`)).toEqual({ status: 200, body: await ofListing() });
      expect((await ask('DELETE', `/${id}`)).status).toBe(204);
      const over = await ofListing();
      expect(await ask('GET', `/${id}`)).toMatchObject(
        collection === 'subscriptions' ? { status: 404 } : { status: 200, body: over },
      );
      expect(await ask('GET', '/none')).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found', message: expect.stringContaining('none') } },
      });
    },
  );

  it('lists and shows what is stored', async () => {
    const tasks = await run('tasks');
    const shown = await run('tasks', 'show', 'task-failed');
    const nodes = await run('nodes');
    const node = await run('nodes', 'show', 'gpu-2');

    expect([tasks.err, shown.err, nodes.err, node.err]).toEqual(['', '', '', '']);
    expect(tasks.out).toMatch(/task-failed +failed +train/);
    expect(tasks.out).toMatch(/task-running +running/);
    expect(shown.out).toContain('lm/train');
    expect(nodes.out).toMatch(/gpu-2 +offline/);
    expect(node.out).toContain('rack=r1');
  });

  it('says what an agent missed, the newest first, page after page', async () => {
    const shown = await run('nodes', 'show', 'gpu-1');
    const read = async (query: string) =>
      (await (await fetch(`${api.url}/api/v1/nodes/gpu-1/gaps?limit=2${query}`)).json()) as {
        items: { lost: number }[];
        next_cursor: string | null;
      };
    const first = await read('');
    const second = await read(`&cursor=${first.next_cursor}`);
    const elsewhere = await fetch(`${api.url}/api/v1/nodes/gpu-9/gaps`);

    expect(shown.out).toMatch(/What it missed\n.*\n +docker .* 3 +it slept 3 times\n/);
    expect(first.items).toMatchObject([
      { ...unseen, source: 'docker', cause: 'it slept 3 times', lost: 3 },
      { lost: 2 },
    ]);
    expect(second).toMatchObject({ items: [{ lost: 1 }], next_cursor: null });
    expect(elsewhere.status).toBe(404);
  });

  it('filters, checks, explains and acknowledges', async () => {
    const failed = JSON.parse((await run('tasks', '--status', 'failed,killed_oom', '--since', '1h', '--json')).out) as {
      items: { id: string }[];
    };
    const check = await run('check', 'tasks');
    const incidents = JSON.parse((await run('incidents', '--json')).out) as { items: { id: string; title: string }[] };
    const explained = await run('explain', 'task', 'task-failed');
    const why = await run('explain', 'incident', incidents.items[0]?.id ?? '');
    const acked = await run('incidents', 'ack', incidents.items[0]?.id ?? '', '--note', 'seen', '--by', 'ada');

    expect(failed.items.map(({ id }) => id)).toEqual(['task-failed']);
    expect(check).toMatchObject({
      code: 1,
      err: '',
      out: expect.stringContaining('--- Task ID: task-failed ---\nStatus: failed\n'),
    });
    expect(incidents.items).toHaveLength(1);
    expect(explained).toMatchObject({ code: 0, err: '', out: expect.stringContaining('train') });
    expect(why).toMatchObject({ code: 0, err: '', out: expect.stringContaining(incidents.items[0]?.title ?? '?') });
    expect(acked).toMatchObject({ code: 0, err: '', out: expect.stringContaining('acknowledged') });
  });

  it('drains, undrains and removes a node', async () => {
    expect((await run('nodes', 'drain', 'gpu-1')).err).toBe('');
    expect((await run('nodes')).out).toMatch(/gpu-1 +draining/);
    expect((await run('nodes', 'undrain', 'gpu-1')).err).toBe('');
    expect(await run('nodes', 'remove', 'gpu-2')).toEqual({ code: 0, err: '', out: 'gpu-2 is removed\n' });
    expect(await run('nodes', 'show', 'gpu-2')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no node gpu-2'),
    });
  });

  it('says what the collector itself is doing', async () => {
    const status = await run('status');
    const scrape = await (await fetch(`${api.url}/metrics`)).text();
    const deliveries = await run('deliveries');
    const subscriptions = await run('subscriptions');

    expect(status).toMatchObject({ code: 0, err: '' });
    expect(status.out).toContain(`${kind}, healthy`);
    expect(scrape).toMatch(/runnerwatch_nodes\{status="online"\} 1\n/);
    expect(scrape).toContain('runnerwatch_database_up 1\n');
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect([deliveries.code, subscriptions.code]).toEqual([0, 0]);
  });

  it('keeps the digests of tokens over a restart, and never a token', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tokens-'));
    const store = createTokenStore(opened.database.drizzle);
    const first = await ensureToken({ store, file: join(dir, 'api.token'), kind: 'api', now: Date.now() });
    rmSync(join(dir, 'api.token'));
    const second = await ensureToken({
      store: createTokenStore(opened.database.drizzle),
      file: join(dir, 'api.token'),
      kind: 'api',
      now: Date.now(),
    });
    const [stored] = await opened.database.sql<{
      text: string;
    }>`select string_agg(value::text, '') as text from collector_state`;
    rmSync(dir, { recursive: true });

    expect([checkToken(first.token, second.accepted), checkToken(second.token, second.accepted)]).toEqual([true, true]);
    expect(stored?.text).not.toContain(first.token);
  });
});

describe('the API while its database is away', () => {
  it('answers 503 in the one shape, is not ready, and is alive', async () => {
    const opened = await TestDatabase.start('embedded');
    const db = opened.database;
    using metrics = createMetrics({ version: '0.1.0', startedAt: 0, process });
    const overview = createOverview({
      db,
      metrics,
      version: '0.1.0',
      startedAt: 0,
      now: Date.now,
      agentSessions: () => 0,
      schedulers: () => [],
      streamReaders: () => 0,
      obstacles: () => [],
      receivers: () => [],
      deputies: () => [],
      complaints: () => [],
      log,
    });
    await using api = await startApi({
      routes: routesOn(db),
      status: overview.status,
      ready: overview.readiness,
      metricsText: overview.metricsText,
    });
    await opened[Symbol.asyncDispose]();

    const tasks = await fetch(`${api.url}/api/v1/tasks`);
    const status = await (await fetch(`${api.url}/api/v1/status`)).json();
    const scrape = await (await fetch(`${api.url}/metrics`)).text();

    expect(tasks.status).toBe(503);
    expect(await tasks.json()).toMatchObject({ error: { code: 'unavailable' } });
    expect(status).toMatchObject({
      database: { healthy: false },
      incidents_open: null,
      queues: { notifications_pending: null },
    });
    expect(scrape).toContain('runnerwatch_database_up 0\n');
    expect(scrape).not.toContain('runnerwatch_incidents_open');
    expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  });
});

function routesOn(db: TestDatabase['database']) {
  const queries = db.drizzle;
  const routing = routingParts(db);
  const engine = new AlertEngine({
    db,
    policy: () => routing.subscriptions.policy.current(),
    publicUrl: null,
    clock: systemClock,
    log,
    overdue: () => [],
  });
  return resourceRoutes({
    nodes: {
      queries,
      samples: { newest: () => null, query: async () => [] },
      clock: systemClock,
      onChanged: () => undefined,
    },
    tasks: { queries, clock: systemClock },
    jobs: { queries, clock: systemClock },
    pings: { queries, clock: systemClock, onTaken: () => undefined },
    incidents: { db, now: Date.now, acknowledge: (one) => engine.acknowledge(one) },
    deliveries: { db, now: Date.now, onPromised: () => undefined },
    notifiers: {
      receivers: () => new Set(),
      sendTest: async () => ({ notificationId: 'x', outcome: null, durationMs: 0 }),
      preview: async () => null,
    },
    enrollments: {
      queries,
      register: aRegister(db),
      connected: () => [],
      onRevoked: () => undefined,
      now: Date.now,
    },
    people: { people: aPeopleRegister(queries), now: Date.now },
    audit: { queries, now: Date.now },
    ...routing,
  });
}
