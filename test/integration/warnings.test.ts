import { explainRoutes } from '@runnerwatch/collector/api/routes/explain.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Verdict } from '@runnerwatch/shared/model/task.ts';
import { beforeEach, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { startApi } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';

const minuteMs = 60_000;
const all = { subscriptions: [{ name: 'everything', events: ['all'], receiver: 'log' }] };

/* Warnings about running tasks as an agent reports them, and what the history of tasks alone shows. */
describeOnDatabases('warnings', (kind) => {
  const rig = ownRig(kind);
  beforeEach(async () => {
    await rig.node('n1');
  });

  const told = async () =>
    (
      await rig.rows<{ type: string; subscription: string; body: Notification | string }>(
        'select type, subscription, body from notifications order by created_at, id',
      )
    ).map(({ type, subscription, body }) => ({
      type,
      subscription,
      body: typeof body === 'string' ? (JSON.parse(body) as Notification) : body,
    }));
  const types = async () => (await told()).map(({ type }) => type);
  const incidents = () =>
    rig.rows<{ status: string; title: string; severity: string; group_key: string }>(
      'select status, title, severity, group_key from incidents order by opened_at, id',
    );
  const warn = (id: string, report: Partial<ConditionReport> & { status: ConditionReport['status'] }) =>
    rig.condition('n1', {
      condition: 'MemoryExhaustionPredicted',
      subject: id,
      reason: 'task train-7: limit 4.0 GiB reached in about 6 min at 40.0 MiB/s (warned within 10 min)',
      value: 360,
      threshold: 600,
      ...report,
    });
  /** Runs of a job that ended well, with how long they took. */
  const history = async (job: string, minutes: readonly number[]) => {
    for (const [index, duration] of minutes.entries()) {
      const ended_at = new Date(Date.now() - (index + 1) * 3_600_000).toISOString();
      await rig.taskEnded('n1', `${job}-before-${index}`, {
        status: 'completed',
        job,
        duration_ms: duration * minuteMs,
        ended_at,
      });
    }
  };

  it('F082 a warning is one incident and one webhook, whoever is restarted in between, and ends with its task in silence', async () => {
    await using sink = await HttpSink.open();
    const notifications = {
      notifiers: { ops: { type: 'webhook', url: sink.url, secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0' } },
    };
    await rig.taskStarted('n1', 't1', { name: 'train-7', job: 'train', project: 'lm' });
    {
      await using alerting = startAlerting(rig, { notifications });
      alerting.start();
      await warn('t1', { status: 'true' });
      alerting.engine.nudge();
      await eventually(() => sink.requests.length === 1);
    }
    // The agent was started again and tells what still fires; then the task is killed, told by the other lane first.
    await warn('t1', { status: 'true', reason: 'task train-7: limit 4.0 GiB reached in about 5 min' });
    await rig.taskEnded('n1', 't1', { status: 'killed_oom', name: 'train-7', job: 'train', project: 'lm' });
    await warn('t1', { status: 'true', reason: 'task train-7: limit 4.0 GiB reached in about 1 s' });
    await using again = startAlerting(rig, { notifications });
    again.start();
    await eventually(() => sink.requests.length === 2);
    await again.engine.round();

    const [first, second] = sink.requests.map(({ body }) => JSON.parse(body) as Notification);
    expect(first).toMatchObject({
      type: 'condition.fired',
      condition: { type: 'MemoryExhaustionPredicted', active: true },
      task: { name: 'train-7', job: 'train', project: 'lm', status: 'running' },
      incident: { title: 'train-7 will run out of memory on n1', severity: 'warning' },
    });
    expect(second).toMatchObject({
      type: 'task.ended',
      task: { status: 'killed_oom' },
      incident: { severity: 'critical' },
    });
    expect(second?.incident?.id).toBe(first?.incident?.id);
    expect(sink.requests).toHaveLength(2);
    expect(await rig.rows("select condition, status, reason from alerts where condition <> 'TaskFailed'")).toEqual([
      { condition: 'MemoryExhaustionPredicted', status: 'resolved', reason: 'the task ended: killed_oom' },
    ]);
    expect(await incidents()).toMatchObject([{ status: 'open', group_key: 'task/t1', severity: 'critical' }]);
  });

  it('a warning that is over while its task runs is told over, to those who heard of it', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskStarted('n1', 't1', { name: 'train-7' });
    await warn('t1', { status: 'true' });
    await alerting.engine.round();

    await warn('t1', { status: 'false', reason: 'task train-7: memory is 2.0 GiB and does not run out' });
    await alerting.engine.round();

    expect(await types()).toEqual(['condition.fired', 'condition.resolved']);
    expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
  });

  it('a warning of a task that has ended before it was looked at is told to nobody', async () => {
    await using alerting = startAlerting(rig, { notifications: all });
    await rig.taskEnded('n1', 't1', { status: 'completed', name: 'train-7' });
    await warn('t1', { status: 'true' });

    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended']);
    expect(await rig.rows('select 1 from alerts')).toEqual([]);
  });

  it('a warning of a task lost with its node stays until it is known how the task fares', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskStarted('n1', 't1', { name: 'train-7' });
    await warn('t1', { status: 'true' });
    await alerting.engine.round();

    await rig.db.drizzle.execute("update tasks set status = 'lost', ended_at = now()");
    await alerting.engine.round();

    expect(await rig.rows("select status from alerts where condition = 'MemoryExhaustionPredicted'")).toEqual([
      { status: 'firing' },
    ]);
  });

  it('warnings go to who watches the job of the task', async () => {
    const subscriptions = [
      { name: 'lm', events: ['condition'], matchers: { project: 'lm' }, receiver: 'log' },
      { name: 'vision', events: ['condition'], matchers: { project: 'vision' }, receiver: 'log' },
    ];
    await using alerting = startAlerting(rig, { notifications: { subscriptions } });
    await rig.taskStarted('n1', 't1', { name: 'train-7', project: 'lm' });
    await warn('t1', { status: 'true' });

    await alerting.engine.round();

    expect((await told()).map(({ subscription }) => subscription)).toEqual(['lm']);
  });

  it('80 percent of a time limit are told to who asks for them, 90 to everybody, each once', async () => {
    const subscriptions = [
      { name: 'early', events: ['time_limit_80'], receiver: 'log' },
      { name: 'ordinary', events: ['condition'], receiver: 'log' },
    ];
    await using alerting = startAlerting(rig, { notifications: { subscriptions } });
    await rig.taskStarted('n1', 't1', { name: 'train-7' });
    const overrun = (severity: 'info' | 'warning', percent: number) =>
      warn('t1', {
        condition: 'TaskOverrun',
        status: 'true',
        severity,
        value: percent,
        reason: `task train-7: ${percent}%`,
      });

    await overrun('info', 81);
    await alerting.engine.round();
    await overrun('warning', 91);
    await overrun('warning', 95);
    await alerting.engine.round();

    expect((await told()).map(({ type, subscription }) => `${type} ${subscription}`)).toEqual([
      'condition.fired early',
      'condition.fired ordinary',
    ]);
  });

  it('a run of three times its usual time is told once, without its agent, and over in silence with the task', async () => {
    await history('nightly', [10, 11, 9, 10, 12]);
    await history('young', [10, 10]);
    const clock = new ManualClock(Date.now());
    await using alerting = startAlerting(rig, { engine: { clock } });
    await alerting.engine.round();
    await rig.taskStarted('n1', 'slow', { name: 'nightly-42', job: 'nightly' });
    await rig.taskStarted('n1', 'new', { name: 'young-3', job: 'young' });

    await clock.advance(29 * minuteMs);
    await alerting.engine.round();
    expect(await types()).toEqual([]);
    await clock.advance(3 * minuteMs);
    await alerting.engine.round();
    await clock.advance(10 * minuteMs);
    await alerting.engine.round();

    expect(await types()).toEqual(['condition.fired']);
    expect((await told())[0]?.body).toMatchObject({
      condition: { type: 'TaskOverrun', component: 'collector' },
      incident: { title: 'nightly-42 runs long on n1', severity: 'warning' },
    });
    await rig.taskEnded('n1', 'slow', { status: 'completed', name: 'nightly-42', job: 'nightly' });
    await alerting.engine.round();
    expect(await types()).toEqual(['condition.fired']);
    expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
  });

  it('a run that ended well suspiciously soon is noted once, for who asks for notes', async () => {
    await history('nightly', [10, 11, 9, 10, 12]);
    const subscriptions = [
      { name: 'ordinary', events: ['condition', 'fail'], receiver: 'log' },
      { name: 'notes', events: ['condition'], matchers: { condition: 'TaskTooShort' }, receiver: 'log' },
    ];
    await using alerting = startAlerting(rig, { notifications: { subscriptions } });
    await alerting.engine.round();
    await rig.taskEnded('n1', 'quick', { status: 'completed', name: 'nightly-43', job: 'nightly', duration_ms: 3000 });
    await rig.taskEnded('n1', 'usual', {
      status: 'completed',
      name: 'nightly-44',
      job: 'nightly',
      duration_ms: 600_000,
    });
    await alerting.engine.round();
    await rig.taskEnded('n1', 'quick', { status: 'completed', name: 'nightly-43', job: 'nightly', duration_ms: 3000 });
    await alerting.engine.round();

    expect((await told()).map(({ type, subscription }) => `${type} ${subscription}`)).toEqual([
      'condition.fired notes',
    ]);
    expect((await told())[0]?.body.condition?.reason).toBe(
      'task nightly-43: ended well after 3 s, usual is 10 min (median of 5 runs)',
    );
    expect(await incidents()).toMatchObject([{ status: 'resolved', severity: 'info' }]);
  });

  it('F031 a unit in a restart loop is one incident and a handful of messages, over restarts of the collector, and its last state is right', async () => {
    const clock = new ManualClock(Date.now());
    const fail = async (from: number, to: number) => {
      for (let run = from; run < to; run += 1) {
        const ended_at = new Date(clock.wallMs()).toISOString();
        await rig.taskEnded('n1', `api-${run}`, { status: 'failed', name: 'api', unit: 'api.service', ended_at });
        await rig.setReceived(`api-${run}`, new Date(clock.wallMs()));
        await clock.advance(5000);
      }
    };
    {
      await using alerting = startAlerting(rig, { engine: { clock } });
      await fail(0, 3);
      await alerting.engine.round();
    }
    {
      await using alerting = startAlerting(rig, { engine: { clock } });
      await fail(3, 40);
      await alerting.engine.round();
    }
    await using alerting = startAlerting(rig, { engine: { clock } });
    await fail(40, 60);
    await alerting.engine.round();

    const messages = await told();
    expect(messages.map(({ type, body }) => `${type} ${body.condition?.type}`)).toEqual([
      'task.ended TaskFailed',
      'task.ended TaskFailed',
      'task.ended TaskFailed',
      'condition.fired RestartLoop',
    ]);
    expect(messages[3]?.body).toMatchObject({
      condition: { reason: 'flapping: failed 40 times within 10 min; last: api failed (exit code 3)' },
      incident: { severity: 'critical' },
    });
    expect(new Set(messages.map(({ body }) => body.incident?.id)).size).toBe(1);
    const [alert] = await rig.rows<{ reason: string }>("select reason from alerts where condition = 'RestartLoop'");
    expect(alert?.reason).toBe('flapping: failed 60 times within 10 min; last: api failed (exit code 3)');

    await rig.taskStarted('n1', 'api-60', { name: 'api', unit: 'api.service' });
    await clock.advance(11 * minuteMs);
    await alerting.engine.round();
    await alerting.engine.round();

    expect((await types()).slice(4)).toEqual(['condition.resolved']);
    expect((await told()).at(-1)?.body.condition?.reason).toBe(
      'no failure for 10 min; it runs; last: api failed (exit code 3)',
    );
    expect(await incidents()).toMatchObject([{ status: 'resolved', group_key: 'unit/n1/api.service' }]);
    expect(await rig.rows("select 1 from alerts where status = 'firing'")).toEqual([]);
  });

  it('F031 who hears only of failures hears of a loop in their place', async () => {
    const subscriptions = [{ name: 'failures', events: ['fail'], receiver: 'log' }];
    await using alerting = startAlerting(rig, { notifications: { subscriptions } });
    for (let run = 0; run < 8; run += 1) {
      await rig.taskEnded('n1', `c-${run}`, { status: 'failed', name: 'worker', container_id: 'c0ffee' });
      await alerting.engine.round();
    }

    expect((await types()).filter((type) => type === 'condition.fired')).toHaveLength(1);
    expect(await types()).toHaveLength(5);
    await using api = await startApi({ routes: [explainRoutes({ db: rig.db })] });
    const explained = await fetch(`${api.url}/api/v1/explain/tasks/c-6`);
    expect(await explained.json()).toMatchObject({
      transitions: [{ kind: 'suppressed', suppression: 'restart_loop' }],
    });
  });

  it('what somebody stops again and again, or scopes that fail one by one, are no loop', async () => {
    await using alerting = startAlerting(rig);
    const verdict: Verdict = {
      cause: 'stopped_by_user',
      confidence: 'proven',
      summary: 'stopped',
      evidence: [],
      advice: [],
    };
    for (let run = 0; run < 7; run += 1) {
      await rig.taskEnded('n1', `s-${run}`, { status: 'killed', unit: 'api.service', verdict });
      await rig.taskEnded('n1', `x-${run}`, { status: 'failed', unit: `job-${run}.scope` });
    }

    await alerting.engine.round();

    expect(await rig.rows("select 1 from alerts where condition = 'RestartLoop'")).toEqual([]);
  });

  it('forgets what was said of tasks that have ended', async () => {
    const clock = new ManualClock(Date.now());
    await using alerting = startAlerting(rig, { engine: { clock } });
    await rig.taskStarted('n1', 't1', { name: 'train-7' });
    await warn('t1', { status: 'true' });
    await alerting.engine.round();
    await rig.taskEnded('n1', 't1', { status: 'completed', name: 'train-7' });

    await clock.advance(minuteMs + 1000);
    await alerting.engine.round();

    expect(await rig.rows("select 1 from condition_states where subject = 't1'")).toEqual([]);
  });
});
