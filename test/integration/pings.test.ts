import { pingRoutes } from '@runnerwatch/collector/api/routes/pings.ts';
import { taskRoutes } from '@runnerwatch/collector/api/routes/tasks.ts';
import { createGreeting } from '@runnerwatch/collector/ingest/greeting.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { aHello } from '../support/agent-client.ts';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { aRegister } from '../support/enrolment.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

describeOnDatabases('pings of jobs that no agent sees', (kind) => {
  let opened: TestDatabase;
  let api: TestApi;
  let rig: AlertRig;
  const changed: string[] = [];

  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    rig = new AlertRig(opened);
    const parts = { queries: opened.database.drizzle, clock: systemClock };
    const onTaken = ({ changedTaskIds }: { changedTaskIds: readonly string[] }) => void changed.push(...changedTaskIds);
    api = await startApi({ routes: [pingRoutes({ ...parts, onTaken }), taskRoutes(parts)] });
  });
  afterEach(async () => {
    changed.length = 0;
    await rig.clear();
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  const ping = async (path: string, body?: string | object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${api.url}/api/v1/ping/${path}`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { task_id: string; status: string; is_new: boolean },
    };
  };
  /** An agent says hello. */
  const greet = async (id: string, name: string) => {
    const greeting = createGreeting({
      database: opened.database,
      register: aRegister(opened.database),
      clock: systemClock,
      log: silentLog,
      timeoutMs: 30_000,
    });
    const node = { ...aHello().node, name };
    await greeting.arrive(aHello({ node_id: id, stream_id: `stream-${id}`, node }), {
      remoteAddress: null,
      credential: { kind: 'shared' },
    });
  };
  const task = async (id: string) => (await (await fetch(`${api.url}/api/v1/tasks/${id}`)).json()) as object;
  const count = async () => (await rig.rows<{ count: number }>('select count(*)::int as count from tasks'))[0]?.count;

  it('are one task from start to end, with what the job said last, without its secrets', async () => {
    const started = await ping('lm%2Fbackup/start?owner=ada');
    const ended = await ping('lm%2Fbackup/7', 'copying\nPASSWORD=hunter2hunter2\nno space left\n');

    expect(started).toMatchObject({ status: 200, body: { status: 'running', is_new: true } });
    expect(ended.body).toEqual({ task_id: started.body.task_id, status: 'failed', is_new: true });
    expect(await task(ended.body.task_id)).toMatchObject({
      name: 'backup',
      job: 'backup',
      project: 'lm',
      owner: 'ada',
      node: 'ping',
      source: 'ping',
      exit_code: 7,
      error_message: 'no space left',
      log_tail: ['copying', expect.stringContaining('[redacted'), 'no space left'],
      verdict: { cause: 'exit_code', evidence: [{ source: 'ping' }] },
    });
    expect(changed).toEqual([started.body.task_id, started.body.task_id]);
  });

  it.each([
    ['backup', { status: 'completed', exit_code: null, verdict: { cause: 'success' } }],
    ['backup/0', { status: 'completed', exit_code: 0, verdict: { cause: 'success' } }],
    ['backup/fail', { status: 'failed', exit_code: null, verdict: { cause: 'unknown' } }],
    ['backup/137', { status: 'failed', exit_code: 137, verdict: { cause: 'exit_code' } }],
  ])('end a run of which no start was told: %s', async (path, end) => {
    const { body } = await ping(path);

    expect(await task(body.task_id)).toMatchObject({ ...end, started_at: null, project: null });
  });

  it('change nothing when they are sent again', async () => {
    for (const path of ['backup/start', 'backup/start', 'backup/3', 'backup/3']) await ping(path);
    for (const path of ['other/start', 'other/0', 'other/start', 'other/0', 'other/1']) await ping(`${path}?rid=r-1`);
    const last = await ping('other/0?rid=r-1');

    expect(await count()).toBe(2);
    expect(last.body).toMatchObject({ status: 'completed', is_new: false });
    expect(await task('r-1')).toMatchObject({ status: 'completed', amendments: 0 });
  });

  it('come all at once and are counted once each', async () => {
    const rids = Array.from({ length: 20 }, (_, index) => `r-${index}`);
    const answers = await Promise.all([...rids, ...rids].map((rid) => ping(`crowd/1?rid=${rid}`)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(({ body }) => body.is_new)).toHaveLength(20);
    expect(await count()).toBe(20);
  });

  it('alert as any other task, and a later good run ends the incident', async () => {
    await using alerting = startAlerting(rig);
    await ping('backup/1?rid=a', 'no space left');
    await alerting.engine.round();
    const [fired] = await rig.rows<object>('select title, status from incidents');
    const told = await rig.rows<object>(`select type from notifications`);
    await ping('backup/0?rid=b');
    await alerting.engine.round();

    expect(fired).toMatchObject({ title: 'backup failed (exit code 1) on ping', status: 'open' });
    expect(told).toEqual([{ type: 'task.ended' }]);
    expect(await rig.rows('select status from incidents')).toEqual([{ status: 'resolved' }]);
  });

  it('belong to the node that they name, where an agent speaks for it', async () => {
    await rig.node('n1', { name: 'gpu-1' });
    const known = await ping('backup/0?node=gpu-1');
    const other = await ping('backup/0?node=laptop&rid=x');

    expect(await task(known.body.task_id)).toMatchObject({ node: 'gpu-1', node_id: 'n1' });
    expect(await task(other.body.task_id)).toMatchObject({ node: 'laptop', node_id: 'ping:laptop' });
  });

  it('become those of the node when its agent comes, the one that runs and what was told of it among them', async () => {
    await using alerting = startAlerting(rig);
    await ping('backup/start?node=laptop');
    const failed = await ping('copy/3?node=laptop');
    await alerting.engine.round();
    const nameless = await ping('other/start');
    await greet('n1', 'laptop');
    const ended = await ping('backup/0?node=laptop');
    await alerting.engine.round();

    expect(ended.body).toMatchObject({ status: 'completed', is_new: true });
    expect(await rig.rows(`select distinct node_id from tasks where id <> '${nameless.body.task_id}'`)).toEqual([
      { node_id: 'n1' },
    ]);
    expect(await task(failed.body.task_id)).toMatchObject({ node: 'laptop', node_id: 'n1' });
    expect(await task(nameless.body.task_id)).toMatchObject({ node_id: 'ping:ping' });
    expect(await rig.rows('select node_id from alerts')).toEqual([{ node_id: 'n1' }]);
    expect(await rig.rows('select id from nodes order by id')).toEqual([{ id: 'n1' }, { id: 'ping:ping' }]);
  });

  it('stay apart while two agents have the name that they give, and where the name is that of none', async () => {
    await ping('backup/start?node=laptop');
    await ping('other/start');
    await rig.node('n1', { name: 'laptop' });
    await greet('n2', 'laptop');
    await greet('n3', 'ping');

    expect(await rig.rows('select distinct node_id from tasks order by 1')).toEqual([
      { node_id: 'ping:laptop' },
      { node_id: 'ping:ping' },
    ]);
  });

  it('take a log of any kind and size, and keep its end', async () => {
    const long = Array.from({ length: 40_000 }, (_, index) => `line ${index}`).join('\n');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status, body } = await ping('backup/1', long, form);
    const json = await ping('backup/2', { not: 'ours' }, { 'content-type': 'application/json' });
    const { log_tail: kept } = (await task(body.task_id)) as { log_tail: string[] };

    expect([status, json.status]).toEqual([200, 200]);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([100, 'line 39900', 'line 39999']);
    expect(await task(json.body.task_id)).toMatchObject({ log_tail: ['{"not":"ours"}'] });
  });

  it.each(['lm/backup', 'backup/begin', 'backup/1000', '%00', 'lm%2F/start', `${'x'.repeat(600)}`])(
    'are refused where no job or word can be read: %s',
    async (path) => {
      const { status } = await ping(path);

      expect([400, 404, 414]).toContain(status);
      expect(await count()).toBe(0);
    },
  );

  it('need what every other change needs: a page of another site may send none', async () => {
    const { status } = await ping('backup', 'x', { origin: 'https://evil.example', 'content-type': 'text/plain' });

    expect(status).toBe(403);
  });
});
