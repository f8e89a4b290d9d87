import { expectationRoutes } from '@runnerwatch/collector/api/routes/expectations.ts';
import { buildProgram } from '@runnerwatch/collector/cli/program.ts';
import { saveExpectation } from '@runnerwatch/collector/tasks/expectations.ts';
import { jobId } from '@runnerwatch/collector/tasks/jobs.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = Date.parse('2026-11-22T04:00:00.000Z');
const ago = (ms: number) => new Date(start - ms).toISOString();
const job = { project: 'lm', name: 'backup' };
const lm = { job: 'backup', project: 'lm' };

describeOnDatabases('what is expected of jobs', (kind) => {
  let opened: TestDatabase;
  let rig: AlertRig;
  let api: TestApi;
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    rig = new AlertRig(opened);
    api = await startApi({ routes: [expectationRoutes({ queries: opened.database.drizzle, clock: systemClock })] });
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await rig.clear();
    await opened.database.sql`truncate job_expectations`;
    await rig.node('n1', { lastHeardAt: new Date(start + 24 * hourMs) });
  });

  const expecting = (more: object) =>
    saveExpectation(opened.database.drizzle, {
      jobId: jobId(job),
      project: job.project,
      job: job.name,
      everyMs: null,
      schedule: null,
      timeZone: null,
      graceMs: 10 * minuteMs,
      maxRunMs: null,
      minRunMs: null,
      maxConcurrent: null,
      setAt: new Date(start - 48 * hourMs),
      ...more,
    });
  const alerts = () =>
    rig.rows<{ condition: string; status: string; title: string }>(
      `select a.condition, a.status, i.title from alerts a join incidents i on i.id = a.incident_id
       where a.condition <> 'TaskFailed' order by a.fired_at, a.id`,
    );
  /** An engine that has listened for long enough, and looks again whenever asked. */
  const listening = async () => {
    const clock = new ManualClock(start);
    const alerting = startAlerting(rig, { engine: { clock } });
    await alerting.engine.round();
    await clock.advance(11 * minuteMs);
    return {
      clock,
      ...alerting,
      look: async () => {
        await alerting.engine.round();
        await clock.advance(minuteMs);
      },
    };
  };

  it('a start that was missed is told once, also by engines after it, and is over when it starts', async () => {
    await expecting({ everyMs: 24 * hourMs });
    await rig.taskEnded('n1', 'old', { ...lm, status: 'completed', ended_at: ago(25 * hourMs) });
    const first = await listening();
    const before = await alerts();
    await first.look();
    await first.engine[Symbol.asyncDispose]();
    const second = await listening();
    await second.look();
    const fired = await alerts();
    await rig.taskStarted('n1', 'new', { ...lm, started_at: new Date(second.clock.wallMs()).toISOString() });
    await second.look();

    expect(before).toEqual([]);
    expect(fired).toEqual([{ condition: 'JobMissed', status: 'firing', title: 'lm/backup has not started' }]);
    expect(await alerts()).toEqual([{ ...fired[0], status: 'resolved' }]);
    expect(
      await rig.rows(`select type from notifications where body::text like '%JobMissed%' order by created_at, id`),
    ).toEqual([{ type: 'condition.fired' }, { type: 'condition.resolved' }]);
    await second.engine[Symbol.asyncDispose]();
  });

  it('a time of its schedule that passes without a start is told once, and is over when it starts', async () => {
    // 03:00 in Berlin; the last of these was an hour and 50 minutes ago, and its grace is over.
    await expecting({ schedule: '10 3 * * *', timeZone: 'Europe/Berlin' });
    await rig.taskEnded('n1', 'yesterday', { ...lm, status: 'completed', ended_at: '2026-11-21T02:40:00.000Z' });
    const { engine, clock, look } = await listening();
    await look();
    await look();
    const fired = await alerts();
    const incident = await rig.rows<{ reason: string }>('select reason from alerts');
    await rig.taskStarted('n1', 'late', { ...lm, started_at: new Date(clock.wallMs()).toISOString() });
    await look();
    await look();

    expect(fired).toEqual([{ condition: 'JobMissed', status: 'firing', title: 'lm/backup has not started' }]);
    expect(incident).toEqual([
      {
        reason: 'no run since 2026-11-22 02:10 UTC, when one was due; its last run began at 2026-11-21 02:40 UTC',
      },
    ]);
    expect(await alerts()).toEqual([{ ...fired[0], status: 'resolved' }]);
    await engine[Symbol.asyncDispose]();
  });

  it('a run that began with its schedule, a moment early by the clock of its node, is none that is missed', async () => {
    await expecting({ schedule: '10 3 * * *', timeZone: 'Europe/Berlin' });
    await rig.taskStarted('n1', 'on-time', { ...lm, started_at: '2026-11-22T02:09:58.000Z' });
    const { engine, look } = await listening();
    await look();

    expect(await alerts()).toEqual([]);
    await engine[Symbol.asyncDispose]();
  });

  it('a start is not known to be missed while the nodes it runs on are silent', async () => {
    await rig.setNode('n1', { lastHeardAt: new Date(start - 24 * hourMs) });
    await expecting({ everyMs: 24 * hourMs });
    await rig.taskEnded('n1', 'old', { ...lm, status: 'completed', ended_at: ago(25 * hourMs) });
    const { engine, look } = await listening();
    await look();

    expect(await alerts()).toEqual([]);
    await engine[Symbol.asyncDispose]();
  });

  it('runs that take too long or too little, and too many at once, are told; what is expected no more is over', async () => {
    await expecting({ maxRunMs: hourMs, minRunMs: minuteMs, maxConcurrent: 1 });
    await rig.taskStarted('n1', 'long', { ...lm, started_at: ago(2 * hourMs) });
    await rig.taskStarted('n1', 'other', { ...lm, started_at: ago(minuteMs) });
    await rig.taskEnded('n1', 'short', { ...lm, status: 'completed', ended_at: ago(minuteMs), duration_ms: 2000 });
    await rig.taskEnded('n1', 'fine', { ...lm, status: 'completed', ended_at: ago(minuteMs), duration_ms: hourMs / 2 });
    const { engine, look } = await listening();
    await look();
    await look();
    const told = await alerts();
    await fetch(`${api.url}/api/v1/jobs/${jobId(job)}/expectation`, { method: 'DELETE' });
    await look();

    expect(told.map(({ condition, status }) => `${condition} ${status}`).toSorted()).toEqual([
      'JobOverlap firing',
      'TaskOverrun firing',
      'TaskTooShort resolved',
    ]);
    expect((await alerts()).find(({ condition }) => condition === 'JobOverlap')?.status).toBe('resolved');
    await engine[Symbol.asyncDispose]();
  });

  it('is said, shown and taken back by command line and API, also of a job that has not run yet', async () => {
    const run = async (...args: string[]) => {
      let text = '';
      const note = (more: string) => (text += more);
      const io = { out: note, err: note, isTerminal: false, columns: null };
      const env = { RUNNERWATCH_URL: api.url };
      const parts = { io, env, home: '/nonexistent', uid: 1000, fetch, now: Date.now, version: '0.1.0' };
      return { code: await buildProgram(parts).run(['jobs', 'expect', 'lm/backup', ...args]), text };
    };
    const none = await run();
    const set = await run('--every', '24h', '--max-run', '2h', '--max-concurrent', '1');
    const shown = JSON.parse((await run('--json')).text) as object;
    const wrong = await run('--every', 'often');
    const cron = await run('--schedule', '0 3 * * mon-fri', '--time-zone', 'Europe/Berlin', '--grace', '15m');
    const scheduled = JSON.parse((await run('--json')).text) as object;
    const refused = [
      await run('--schedule', 'at night'),
      await run('--schedule', '@daily', '--time-zone', 'Europe/Nowhere'),
      await run('--schedule', '@daily', '--every', '24h'),
      await run('--time-zone', 'Europe/Berlin', '--every', '24h'),
    ];
    const gone = await run('--nothing');

    expect(none.text).toBe('Nothing is expected of lm/backup.\n');
    expect(set).toMatchObject({ code: 0, text: expect.stringContaining('every 1d, 5m late at most') });
    expect(shown).toMatchObject({ job_id: jobId(job), every: '1d', max_run: '2h', min_run: null, max_concurrent: 1 });
    expect(wrong).toMatchObject({ code: 1, text: expect.stringContaining('expected a duration') });
    expect(cron).toMatchObject({
      code: 0,
      text: expect.stringContaining('at 0 3 * * mon-fri Europe/Berlin, 15m late at most'),
    });
    expect(scheduled).toMatchObject({
      every: null,
      schedule: '0 3 * * mon-fri',
      time_zone: 'Europe/Berlin',
      next_at: expect.stringMatching(/T0[12]:00:00\.000Z$/),
    });
    expect(refused.map(({ code, text }) => [code, text])).toEqual([
      [1, expect.stringContaining('expected five fields')],
      [1, expect.stringContaining('expected a time zone')],
      [1, expect.stringContaining('either every or schedule')],
      [1, expect.stringContaining('expected the schedule')],
    ]);
    expect(gone).toMatchObject({ code: 0 });
    expect((await fetch(`${api.url}/api/v1/jobs/lm%2Fbackup/expectation`)).status).toBe(404);
  });

  it.each([{}, { every: '0' }, { min_run: '2h', max_run: '1h' }, { max_concurrent: 0 }, { hourly: true }])(
    'is refused when it says nothing that holds: %j',
    async (body) => {
      const answer = await fetch(`${api.url}/api/v1/jobs/lm%2Fbackup/expectation`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

      expect(answer.status).toBe(400);
    },
  );
});
