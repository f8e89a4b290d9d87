import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { eq } from 'drizzle-orm';
import { type FastifyInstance, fastify } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintOf } from '../../collector/src/alerts/judge-condition.ts';
import { createErrorHandler } from '../../collector/src/api/failures.ts';
import { jobRoutes } from '../../collector/src/api/routes/jobs.ts';
import { nodeRoutes } from '../../collector/src/api/routes/nodes.ts';
import { taskRoutes } from '../../collector/src/api/routes/tasks.ts';
import { validatorCompiler } from '../../collector/src/api/validation.ts';
import { toDatabaseError } from '../../collector/src/db/errors.ts';
import { alerts, incidents, nodes } from '../../collector/src/db/tables/schema.ts';
import { createGreeting } from '../../collector/src/ingest/greeting.ts';
import { deleteEventsBefore } from '../../collector/src/ingest/store.ts';
import { createWriter } from '../../collector/src/ingest/writer.ts';
import { markOffline } from '../../collector/src/nodes/store.ts';
import { SampleStore } from '../../collector/src/samples/store.ts';
import { deleteTasksEndedBefore } from '../../collector/src/tasks/store.ts';
import { aHello, anEnding, anEvent, aTask, started } from '../support/agent-client.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { aRegister } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const ids = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`);
const nowMs = Date.UTC(2026, 10, 22, 12);

describeOnDatabases('nodes, tasks and jobs as the API shows them', (kind) => {
  let test: TestDatabase;
  let app: FastifyInstance;
  let samples: SampleStore;
  const clock = new ManualClock(nowMs);
  const changes: [string, string][] = [];
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
    const { database } = test;
    samples = new SampleStore({ database, clock, log: silentLog });
    const greeting = createGreeting({
      database,
      register: aRegister(database),
      clock: systemClock,
      log: silentLog,
      timeoutMs: 30_000,
    });
    const writer = createWriter({ database, log: silentLog, onCommitted: () => {} });
    for (const [index, id] of ids.entries()) {
      const node = {
        name: ['alpha', 'beta', 'beta'][index] ?? '',
        labels: { rack: `r${index}` },
        boot_id: null,
        inventory: null,
        sources: [],
      };
      await greeting.arrive(aHello({ node_id: id, stream_id: id, node }), {
        remoteAddress: '192.0.2.1',
        credential: { kind: 'shared' },
      });
    }
    const end = (n: number, job: string | null, changesOfEnd: Parameters<typeof anEnding>[0] = {}) => {
      const ended_at = new Date(nowMs - n * 60_000).toISOString();
      const task = aTask(`t${String(n).padStart(2, '0')}`, {
        task_id: n > 5 ? 'requeued' : `s${n}`,
        job,
        project: job === null ? null : 'proj/sub',
        owner: 'ann',
      });
      return anEvent(n, {
        kind: 'task_ended',
        task,
        ending: anEnding({ ended_at, duration_ms: n * 1000, ...changesOfEnd }),
        log_tail: [`log of ${n}`],
      });
    };
    const well: Parameters<typeof anEnding>[0] = {
      status: 'completed',
      exit_code: 0,
      verdict: { cause: 'success', confidence: 'proven', summary: 'exited with 0', evidence: [], advice: [] },
    };
    const items = [
      end(1, 'nightly'),
      end(2, 'nightly', well),
      end(3, 'nightly', well),
      end(4, null),
      end(5, 'train'),
      end(6, null),
      end(7, null),
    ];
    const report = {
      condition: 'DiskPressure',
      component: 'agent',
      subject: '',
      severity: 'warning',
      value: 95,
      threshold: 90,
      since: '2026-11-22T04:00:00.000Z',
      status: 'true',
      reason: '/ 95% used',
    } as const;
    const batch = { nodeId: ids[0] ?? '', streamId: ids[0] ?? '', receivedAt: new Date(nowMs) };
    await writer.commit({ ...batch, lane: 'ends', items: items.map((event) => ({ kind: 'event', event })) });
    const facts = [
      started(1, 'run1', { job: 'nightly', project: 'proj/sub' }),
      started(2, 'run2'),
      anEvent(3, { kind: 'condition', report }),
    ];
    await writer.commit({ ...batch, lane: 'facts', items: facts.map((event) => ({ kind: 'event', event })) });

    app = fastify();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.setErrorHandler(createErrorHandler((error) => toDatabaseError(error).retryable));
    app.decorateRequest('asker', null);
    app.addHook('onRequest', async (request) => {
      request.asker = { kind: 'local', role: 'admin' };
    });
    const parts = { queries: database.drizzle, samples, clock };
    await app.register(nodeRoutes({ ...parts, onChanged: (id, change) => changes.push([id, change]) }));
    await app.register(taskRoutes(parts));
    await app.register(jobRoutes(parts));
  });
  afterAll(async () => {
    await app.close();
    await samples[Symbol.asyncDispose]();
    await test[Symbol.asyncDispose]();
  });

  const get = async (url: string) => {
    const response = await app.inject({ url });
    return { status: response.statusCode, body: response.json() };
  };
  const taskIds = async (query: string) =>
    (await get(`/tasks?${query}`)).body.items.map((task: { id: string }) => task.id);

  it('lists nodes by name with what is wrong and what runs', async () => {
    const { status, body } = await get('/nodes');

    expect(status).toBe(200);
    expect(body.next_cursor).toBeNull();
    expect(body.items.map((node: { id: string }) => node.id)).toEqual(ids);
    expect(body.items[0]).toMatchObject({
      name: 'alpha',
      status: 'online',
      running_tasks: 2,
      remote_address: '192.0.2.1',
      clock_skew_ms: null,
      inventory: null,
      sample: null,
    });
    expect(body.items[0].conditions).toMatchObject([
      { condition: 'DiskPressure', status: 'true', reason: '/ 95% used' },
    ]);
    expect(body.items[1]).toMatchObject({ running_tasks: 0, conditions: [] });
  });

  it('tells the thresholds that its agent judges by', async () => {
    expect((await get('/nodes/alpha')).body.thresholds).toEqual({ DiskPressure: 90 });
    expect((await get(`/nodes/${ids[1]}`)).body.thresholds).toEqual({});
  });

  it('names the incident of what fires, and none of what nobody was told of', async () => {
    const { drizzle } = test.database;
    expect((await get('/nodes/alpha')).body.conditions).toMatchObject([{ incident_id: null }]);
    const at = new Date(nowMs);
    const common = { severity: 'warning', openedAt: at } as const;
    await drizzle
      .insert(incidents)
      .values({ id: 'i1', groupKey: 'g', status: 'open', title: 'alpha is full', ...common });
    const alert = { condition: 'DiskPressure', component: 'agent', subject: '', nodeId: ids[0] ?? '' } as const;
    await drizzle.insert(alerts).values({
      id: 'a1',
      incidentId: 'i1',
      fingerprint: fingerprintOf(alert),
      status: 'firing',
      severity: 'warning',
      reason: '/ 95% used',
      firedAt: at,
      ...alert,
    });

    expect((await get('/nodes/alpha')).body.conditions).toMatchObject([{ incident_id: 'i1' }]);
    expect((await get('/nodes')).body.items[0].conditions).toMatchObject([{ incident_id: 'i1' }]);
    await drizzle.update(alerts).set({ status: 'resolved', resolvedAt: at });
    expect((await get('/nodes/alpha')).body.conditions).toMatchObject([{ incident_id: null }]);
  });

  it('pages and searches nodes', async () => {
    const first = await get('/nodes?limit=2');
    const second = await get(`/nodes?limit=2&cursor=${first.body.next_cursor}`);

    expect([...first.body.items, ...second.body.items].map((node: { id: string }) => node.id)).toEqual(ids);
    expect(second.body.next_cursor).toBeNull();
    expect((await get('/nodes?search=LPH')).body.items).toHaveLength(1);
    expect((await get('/nodes?search=r2')).body.items).toMatchObject([{ id: ids[2] }]);
    expect((await get('/nodes?search=%25')).body.items).toEqual([]);
    expect((await get('/nodes?cursor=nonsense')).body.error).toMatchObject({ code: 'bad_request', field: 'cursor' });
  });

  const sorted = async (sort: string) => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await get(`/nodes?limit=1&sort=${sort}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id[0]));
      cursor = body.next_cursor;
    }
    return seen.join('');
  };

  it('puts nodes in order by the worst of them, page after page, and names from A on among equals', async () => {
    const { drizzle } = test.database;
    expect([await sorted('health'), await sorted('health&order=asc')]).toEqual(['abc', 'bca']);

    await drizzle
      .update(nodes)
      .set({ status: 'stopped' })
      .where(eq(nodes.id, ids[1] ?? ''));
    await drizzle
      .update(nodes)
      .set({ status: 'offline' })
      .where(eq(nodes.id, ids[2] ?? ''));
    expect([await sorted('health'), await sorted('health&order=asc')]).toEqual(['cab', 'bac']);
    expect([await sorted('last_heard'), await sorted('last_heard&order=desc')]).toEqual(['bca', 'acb']);

    await drizzle.update(nodes).set({ status: 'online' });
    expect([await sorted('name'), await sorted('name&order=desc')]).toEqual(['abc', 'cba']);
    expect((await get('/nodes?sort=height')).body.error).toMatchObject({ field: 'sort' });
  });

  it('F047 finds a node by id or name, and says so when the name is not one node’s alone', async () => {
    expect((await get(`/nodes/${ids[1]}`)).body).toMatchObject({ id: ids[1] });
    expect((await get('/nodes/alpha')).body).toMatchObject({ id: ids[0] });
    expect(await get('/nodes/beta')).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', message: expect.stringContaining('2 nodes are named beta') } },
    });
    expect(await get('/nodes/gamma')).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', message: 'there is no node gamma' } },
    });
  });

  it('drains and undrains', async () => {
    const drained = await app.inject({ method: 'POST', url: '/nodes/alpha/drain' });
    expect(drained.json()).toMatchObject({ status: 'draining', draining: true });
    expect((await get('/nodes?status=draining')).body.items).toHaveLength(1);

    const undrained = await app.inject({ method: 'POST', url: '/nodes/alpha/undrain' });
    expect(undrained.json()).toMatchObject({ status: 'online', draining: false });
    await app.inject({ method: 'POST', url: '/nodes/alpha/drain', payload: { draining: false } });
    expect(changes).toEqual([
      [ids[0], 'drained'],
      [ids[0], 'undrained'],
      [ids[0], 'undrained'],
    ]);
  });

  it('shows no live reading of a node that is offline', async () => {
    samples.record(ids[1] ?? '', aSample(10));
    expect((await get(`/nodes/${ids[1]}`)).body.sample).toMatchObject({ cpu_percent: 10 });
    const changed = await markOffline(test.database.drizzle, [ids[1] ?? '']);

    expect(changed.map(({ id, status }) => [id, status])).toEqual([[ids[1], 'offline']]);
    expect(await markOffline(test.database.drizzle, [ids[1] ?? ''])).toEqual([]);
    expect((await get(`/nodes/${ids[1]}`)).body).toMatchObject({ status: 'offline', sample: null });
  });

  it('keeps one reading in ten seconds, and gives means of each step back', async () => {
    for (let second = 0; second < 60; second++) {
      samples.record(ids[0] ?? '', aSample(second));
      samples.record('no such node', aSample(second));
      await clock.advance(1000);
    }
    await samples.save();

    const { body } = await get('/nodes/alpha/samples?from=5m&step=10s');
    expect(body.items.map((point: { cpu_percent: number }) => point.cpu_percent)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(body.items[0]).toMatchObject({
      at: '2026-11-22T12:00:00.000Z',
      memory_used_percent: 75,
      disk_used_percent_max: 91,
      load1: null,
      psi_cpu_some: 1.5,
    });
    const wide = await get('/nodes/alpha/samples?from=5m&step=1m');
    expect(wide.body.items).toMatchObject([{ cpu_percent: 25 }]);
    expect((await get('/nodes/alpha/samples?step=never')).body.error).toMatchObject({ field: 'step' });
    expect((await get('/nodes/alpha/samples?from=30d&step=1s')).body.error).toMatchObject({ field: 'step' });
    expect((await get('/nodes/alpha/samples?from=1h&to=2h')).body.error).toMatchObject({ field: 'to' });
    expect((await get('/nodes/alpha/samples?from=yesterday')).body.error).toMatchObject({ field: 'from' });
    for (const deleted of [2, 2, 0]) expect(await samples.deleteBefore(new Date(nowMs + 30_000), 2)).toBe(deleted);
  });

  it('puts nodes in order by what they read now, with those that read nothing last either way', async () => {
    for (const id of ids) samples.forget(id);
    await test.database.drizzle.update(nodes).set({ status: 'online' });
    expect(await sorted('cpu')).toBe('abc');
    samples.record(ids[1] ?? '', { ...aSample(20), load1: 8, cpu_count: 16 });
    samples.record(ids[2] ?? '', { ...aSample(70), load1: 4, cpu_count: 4 });

    expect([await sorted('cpu'), await sorted('cpu&order=asc')]).toEqual(['cba', 'bca']);
    expect([await sorted('load'), await sorted('load&order=asc')]).toEqual(['cba', 'bca']);
    expect([await sorted('memory'), await sorted('disk')]).toEqual(['bca', 'bca']);
    await test.database.drizzle
      .update(nodes)
      .set({ status: 'offline' })
      .where(eq(nodes.id, ids[2] ?? ''));
    expect(await sorted('cpu')).toBe('bac');
  });

  it('lists running tasks first and then the newest end first, in pages', async () => {
    const expected = ['run2', 'run1', 't01', 't02', 't03', 't04', 't05', 't06', 't07'];
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await get(`/tasks?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.items.map((task: { id: string }) => task.id));
      cursor = body.next_cursor;
    }

    expect(seen).toEqual(expected);
    expect((await get('/tasks?limit=1')).body.items[0]).toMatchObject({
      node: 'alpha',
      node_id: ids[0],
      status: 'running',
      ended_at: null,
      exit_code: null,
      verdict: null,
    });
    expect((await get('/tasks?cursor=bm9uc2Vuc2U')).body.error).toMatchObject({ code: 'bad_request', field: 'cursor' });
    expect((await get('/tasks?limit=501')).status).toBe(400);
  });

  it('filters tasks', async () => {
    expect(await taskIds('status=completed')).toEqual(['t02', 't03']);
    expect(await taskIds('status=completed,running')).toEqual(['run2', 'run1', 't02', 't03']);
    expect(await taskIds('node=alpha&job=nightly&status=failed')).toEqual(['t01']);
    expect(await taskIds('job=proj/sub/train')).toEqual(['t05']);
    expect(await taskIds('project=proj/sub&cause=exit_code')).toEqual(['t01', 't05']);
    expect(await taskIds('owner=bob')).toEqual([]);
    expect(await taskIds('since=3m30s&owner=ann')).toEqual(['t01', 't02']);
    expect(await taskIds('until=2026-11-22T11:56:30Z&owner=ann')).toEqual(['t04', 't05', 't06', 't07']);
    expect((await get('/tasks?status=broken')).body.error).toMatchObject({ field: 'status' });
    expect((await get('/tasks?since=soon')).body.error).toMatchObject({ field: 'since' });
  });

  it('shows a task with its last log lines, by its id or by its scheduler’s', async () => {
    expect((await get('/tasks/t02')).body).toMatchObject({
      id: 't02',
      exit_code: 0,
      log_tail: ['log of 2'],
      verdict: { cause: 'success' },
    });
    expect((await get('/tasks/requeued')).body).toMatchObject({ id: 't06' });
    expect(await get('/tasks/none')).toMatchObject({
      status: 404,
      body: { error: { message: 'there is no task none' } },
    });
  });

  it('sums jobs up', async () => {
    const { body } = await get('/jobs');
    expect(body.items).toMatchObject([
      {
        name: 'nightly',
        project: 'proj/sub',
        runs: 4,
        running: 1,
        failed: 1,
        last_status: 'failed',
        last_ended_at: '2026-11-22T11:59:00.000Z',
      },
      { name: 'train', runs: 1, running: 0, failed: 1, failure_rate: 1 },
    ]);
    expect(body.items[0].failure_rate).toBeCloseTo(1 / 3);
    const [nightly] = body.items;
    expect(nightly.p50_ms).toBe(2000);
    expect(nightly.last_runs.map(({ status }: { status: string }) => status)).toEqual([
      'failed',
      'completed',
      'completed',
    ]);
    expect(nightly.last_runs[0]).toMatchObject({ ended_at: '2026-11-22T11:59:00.000Z' });
    const paged = await get('/jobs?limit=1');
    expect((await get(`/jobs?limit=1&cursor=${paged.body.next_cursor}`)).body).toMatchObject({
      items: [{ name: 'train' }],
      next_cursor: null,
    });

    for (const id of [nightly.id, encodeURIComponent('proj/sub/nightly')]) {
      expect((await get(`/jobs/${id}`)).body).toMatchObject({
        id: nightly.id,
        causes: { success: 2, exit_code: 1 },
        durations: { p50_ms: 2000, mean_ms: 2000, max_ms: 3000 },
        days: [{ day: '2026-11-22', ends: 3, failed: 1 }],
        expectation: null,
      });
    }
    expect((await get('/jobs/proj')).status).toBe(404);
  });

  it('finds jobs by a part of project/name, and the tasks of one by its id', async () => {
    const named = async (search: string) =>
      (await get(`/jobs?search=${encodeURIComponent(search)}`)).body.items.map(({ name }: { name: string }) => name);

    expect(await named('SUB/nig')).toEqual(['nightly']);
    expect(await named('%')).toEqual([]);
    const [{ id }] = (await get('/jobs?search=train')).body.items;
    expect((await get(`/tasks?job=${id}`)).body.items.map(({ job }: { job: string }) => job)).toEqual(['train']);
  });

  it('forgets a node with everything of it', async () => {
    const removed = await app.inject({ method: 'DELETE', url: `/nodes/${ids[1]}` });

    expect(removed.statusCode).toBe(204);
    expect((await get(`/nodes/${ids[1]}`)).status).toBe(404);
    expect(changes.at(-1)).toEqual([ids[1], 'removed']);
  });

  it('F021 F023 keeps what a node with its clock in the past has just told of', async () => {
    expect(await deleteTasksEndedBefore(test.database.drizzle, new Date(nowMs - 60_000), 100)).toBe(0);
  });

  it('deletes what is older than its retention, in steps', async () => {
    await test.database.sql`update tasks set received_at = ended_at where ended_at is not null`;
    expect(await deleteTasksEndedBefore(test.database.drizzle, new Date(nowMs - 5.5 * 60_000), 1)).toBe(1);
    expect(await deleteTasksEndedBefore(test.database.drizzle, new Date(nowMs - 5.5 * 60_000), 100)).toBe(1);
    expect(await taskIds('owner=ann')).toEqual(['t01', 't02', 't03', 't04', 't05']);
    expect(await deleteEventsBefore(test.database.drizzle, new Date(nowMs + 1), 100)).toBe(0);
    await test.database.sql`update events set judged_at = now() where seq < 3`;
    expect(await deleteEventsBefore(test.database.drizzle, new Date(nowMs + 1), 100)).toBe(4);
  });
});

function aSample(cpuPercent: number): NodeSample {
  return {
    at: '2026-11-22T04:00:00.000Z',
    uptime_s: 1,
    cpu_count: 2,
    cpu_percent: cpuPercent,
    load1: null,
    load5: null,
    load15: null,
    memory_total_bytes: 4e9,
    memory_available_bytes: 1e9,
    swap_total_bytes: null,
    swap_free_bytes: null,
    network_rx_bytes_per_s: 1.5,
    network_tx_bytes_per_s: 1e-44,
    psi_cpu: { some_avg10: 1.5, full_avg10: null },
    psi_memory: null,
    psi_io: null,
    disks: [50, 91, 3].map((used_percent) => ({
      mount: '/',
      device: 'd\0',
      fstype: 'ext4',
      total_bytes: 1,
      used_bytes: 1,
      available_bytes: 1,
      used_percent,
      inodes_used_percent: null,
    })),
    processes: null,
    self: { rss_bytes: null, cpu_percent: null },
  };
}
