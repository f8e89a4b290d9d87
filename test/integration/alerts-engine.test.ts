import type { Verdict } from '@runnerwatch/shared/model/task.ts';
import { beforeEach, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';

interface Told {
  type: string;
  receiver: string;
  subscription: string;
  body: {
    transition: string;
    repeat: number;
    incident: { status: string } | null;
    task?: { id: string; status: string };
    node: { status: string } | null;
    group?: { task: { id: string; status: string } }[];
    condition?: { type: string; active: boolean; reason: string };
  };
}

describeOnDatabases('the alert engine', (kind) => {
  const rig = ownRig(kind);
  beforeEach(async () => {
    await rig.node('n1');
  });

  const told = () =>
    rig
      .rows<Told>('select type, receiver, subscription, body from notifications order by created_at, id')
      .then((rows) =>
        rows.map((row) => ({
          ...row,
          body: typeof row.body === 'string' ? (JSON.parse(row.body) as Told['body']) : row.body,
        })),
      );
  const types = async () => (await told()).map(({ type }) => type);
  const incidents = () =>
    rig.rows<{ status: string; title: string; severity: string; group_key: string }>(
      'select status, title, severity, group_key from incidents order by opened_at, id',
    );
  const transitions = () =>
    rig.rows<{ kind: string; reason: string; task_id: string | null; decisions: unknown }>(
      'select kind, reason, task_id, decisions from transitions order by at, id',
    );
  const all = { subscriptions: [{ name: 'everything', events: ['all'], receiver: 'log' }] };

  it('tells a failed task once, in an incident of its own, and a completed one to who asked for it', async () => {
    await using alerting = startAlerting(rig, { notifications: all });
    await rig.taskEnded('n1', 't1', { status: 'failed', name: 'train' });
    await rig.taskEnded('n1', 't2', { status: 'completed' });

    await alerting.engine.round();

    const [first, second] = await told();
    expect(first).toMatchObject({
      type: 'task.ended',
      body: {
        transition: 'fired',
        task: { id: 't1', status: 'failed' },
        condition: { type: 'TaskFailed', active: true, reason: 'ended: failed' },
        incident: { status: 'open' },
      },
    });
    expect(second).toMatchObject({
      type: 'task.ended',
      body: { transition: 'ended', task: { id: 't2', status: 'completed' }, incident: null },
    });
    expect(await incidents()).toMatchObject([
      { status: 'open', title: 'train failed (exit code 3) on n1', severity: 'critical' },
    ]);
  });

  it('says nothing for an end that is told again', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await alerting.engine.round();

    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended']);
  });

  it('tells nobody but records who was asked when no subscription matches', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskEnded('n1', 't1', { status: 'completed' });

    await alerting.engine.round();

    expect(await types()).toEqual([]);
    expect(await transitions()).toMatchObject([{ kind: 'ended', reason: 'completed', task_id: 't1' }]);
  });

  it('tells an end again when its cause is proven later, though its status is the same', async () => {
    const notifications = {
      notifiers: { ops: { type: 'log' } },
      subscriptions: [{ name: 'ops', events: ['fail'], receiver: 'ops' }],
    };
    await using alerting = startAlerting(rig, { notifications });
    const fault: Verdict = {
      cause: 'gpu_fault',
      confidence: 'likely',
      summary: 'Xid 79',
      evidence: [],
      advice: [],
    };
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await alerting.engine.round();

    await rig.taskEnded('n1', 't1', { status: 'failed', verdict: fault });
    await alerting.engine.round();
    await rig.taskEnded('n1', 't1', { status: 'failed', verdict: fault });
    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended', 'task.amended']);
  });

  it('closes the failure of a job when a later run of it ends well, and tells nobody so', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskEnded('n1', 't1', { status: 'failed', job: 'nightly', project: 'p' });
    await rig.taskEnded('n1', 'other', { status: 'failed', job: 'nightly', project: 'q' });
    await alerting.engine.round();

    await rig.taskEnded('n1', 't2', { status: 'completed', job: 'nightly', project: 'p' });
    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended', 'task.ended']);
    expect((await incidents()).map(({ status }) => status)).toEqual(['resolved', 'open']);
  });

  it('closes a failure nobody looked at after a day', async () => {
    const clock = new ManualClock(Date.now());
    await using alerting = startAlerting(rig, { engine: { clock } });
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await alerting.engine.round();

    await clock.advance(24 * 3_600_000 + 60_000);
    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended']);
    expect((await incidents())[0]?.status).toBe('resolved');
  });

  it('fires a condition, resolves it, and tells both to the same receiver', async () => {
    await using alerting = startAlerting(rig);
    await rig.condition('n1', { status: 'true' });
    await alerting.engine.round();
    await rig.condition('n1', { status: 'unknown' });
    await alerting.engine.round();
    expect(await types()).toEqual(['condition.fired']);

    await rig.condition('n1', { status: 'false', reason: 'memory 40% used' });
    await alerting.engine.round();

    expect(await types()).toEqual(['condition.fired', 'condition.resolved']);
    expect((await told())[1]?.body).toMatchObject({
      condition: { active: false, reason: 'memory 40% used' },
      incident: { status: 'resolved' },
    });
    expect(await rig.rows('select status, reason from condition_states')).toEqual([
      { status: 'false', reason: 'memory 40% used' },
    ]);
  });

  it('F100 stores a condition that was over before anyone looked as fired and resolved, and pages nobody', async () => {
    await using alerting = startAlerting(rig);
    await rig.condition('n1', { status: 'true' });
    await rig.condition('n1', { status: 'false' });

    await alerting.engine.round();

    expect(await types()).toEqual([]);
    expect((await transitions()).map(({ kind: one }) => one)).toEqual(['suppressed', 'resolved']);
    expect((await incidents())[0]?.status).toBe('resolved');
  });

  it('F082 renotifies at its time and fires nothing again after a restart', async () => {
    const clock = new ManualClock(Date.now());
    const notifications = { renotify_interval: '5m' };
    await rig.condition('n1', { status: 'true' });
    {
      await using alerting = startAlerting(rig, { notifications, engine: { clock } });
      await alerting.engine.round();
      await clock.advance(290_000);
      await alerting.engine.round();
    }
    expect(await types()).toEqual(['condition.fired']);

    await using again = startAlerting(rig, { notifications, engine: { clock } });
    await clock.advance(11_000);
    await again.engine.round();
    await again.engine.round();

    const [, second, ...more] = await told();
    expect(second).toMatchObject({ type: 'condition.renotified', body: { transition: 'renotified', repeat: 1 } });
    expect(more).toEqual([]);
  });

  it('F081 tells a dead node and its lost tasks in one message, and takes it all back when it returns', async () => {
    await using alerting = startAlerting(rig, { engine: { overdue: () => ['n1'] } });
    await rig.taskStarted('n1', 't1');
    await rig.taskStarted('n1', 't2');

    await alerting.engine.round();
    await alerting.engine.round();

    expect(await rig.rows('select status from nodes')).toEqual([{ status: 'offline' }]);
    expect(await rig.rows('select status, cause from tasks')).toEqual([
      { status: 'lost', cause: 'node_lost' },
      { status: 'lost', cause: 'node_lost' },
    ]);
    expect(await told()).toMatchObject([
      {
        type: 'node.unreachable',
        body: {
          transition: 'unreachable',
          node: { status: 'offline' },
          group: [{ task: { id: 't1', status: 'lost' } }, { task: { id: 't2', status: 'lost' } }],
        },
      },
    ]);
    expect(await incidents()).toMatchObject([{ status: 'open', title: 'n1 is unreachable', group_key: 'node/n1' }]);

    await rig.taskEnded('n1', 't1', { status: 'completed' });
    await rig.setNode('n1', { status: 'online' });
    await using back = startAlerting(rig);
    await back.engine.round();
    await rig.taskEnded('n1', 't2', { status: 'failed' });
    await back.engine.round();

    const [, ...later] = await told();
    expect(later).toMatchObject([
      { type: 'task.amended', body: { transition: 'amended', task: { id: 't1', status: 'completed' } } },
      {
        type: 'node.recovered',
        body: {
          transition: 'resolved',
          group: [{ task: { id: 't1', status: 'completed' } }, { task: { id: 't2', status: 'running' } }],
        },
      },
      {
        type: 'task.amended',
        body: { transition: 'amended', task: { id: 't2', status: 'failed' }, incident: { status: 'open' } },
      },
    ]);
    expect((await incidents()).map(({ status }) => status)).toEqual(['resolved', 'open']);
  });

  it('leaves lost tasks lost when the node returns after a reboot', async () => {
    await using alerting = startAlerting(rig, { engine: { overdue: () => ['n1'] } });
    await rig.taskStarted('n1', 't1');
    await alerting.engine.round();

    await rig.setNode('n1', { status: 'online', bootId: 'boot-2' });
    await using back = startAlerting(rig);
    await back.engine.round();

    expect(await rig.rows('select status from tasks')).toEqual([{ status: 'lost' }]);
    expect(await types()).toEqual(['node.unreachable', 'node.recovered']);
  });

  it('tells who hears only of some tasks those that were lost, once a receiver', async () => {
    const notifications = {
      notifiers: { team: { type: 'log' }, ops: { type: 'log' } },
      subscriptions: [
        { name: 'ops', events: ['unreachable'], receiver: 'ops' },
        { name: 'a', events: ['fail'], matchers: { project: 'a' }, receiver: 'team' },
        { name: 'b', events: ['fail'], matchers: { project: 'b' }, receiver: 'team' },
      ],
    };
    await using alerting = startAlerting(rig, { notifications, engine: { overdue: () => ['n1'] } });
    for (const project of ['a', 'b', 'c']) await rig.taskStarted('n1', `t-${project}`, { project });

    await alerting.engine.round();

    const messages = await told();
    expect(messages.map(({ receiver, body }) => [receiver, body.group?.map(({ task }) => task.id)])).toEqual([
      ['ops', ['t-a', 't-b', 't-c']],
      ['team', ['t-a', 't-b']],
    ]);
  });

  it('a goodbye is not a death', async () => {
    await rig.setNode('n1', { status: 'stopped' });
    await using alerting = startAlerting(rig, { engine: { overdue: () => ['n1'] } });

    await alerting.engine.round();

    expect(await types()).toEqual([]);
    expect(await incidents()).toEqual([]);
  });

  it('keeps quiet about a draining node, records why, and tells what still holds when the drain is over', async () => {
    await rig.setNode('n1', { draining: true });
    await using alerting = startAlerting(rig);
    await rig.condition('n1', { status: 'true' });
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await alerting.engine.round();
    expect(await types()).toEqual(['task.ended']);
    expect(await transitions()).toMatchObject([
      { kind: 'suppressed', decisions: expect.anything() },
      { kind: 'fired' },
    ]);

    await rig.setNode('n1', { draining: false });
    await alerting.engine.round();
    await alerting.engine.round();

    expect(await types()).toEqual(['task.ended', 'condition.fired']);
  });

  it('F019 tells a wrong clock once, and when it is right again', async () => {
    await using alerting = startAlerting(rig);
    for (const clockSkewMs of [29_000, -3_600_000, -20_000, -3_600_000, 1000, 2000]) {
      await rig.setNode('n1', { clockSkewMs });
      await alerting.engine.round();
    }

    expect(await types()).toEqual(['condition.fired', 'condition.resolved']);
  });

  it('F017 tells a spool that had to give records up, and when that is over', async () => {
    const clock = new ManualClock(Date.now());
    await using alerting = startAlerting(rig, { engine: { clock } });
    await rig.fact('n1', {
      kind: 'gap',
      gap: {
        source: 'spool',
        cause: 'spool full',
        lost: 7,
        at_most: null,
        from: null,
        to: null,
        lane: 'facts',
        from_seq: 1,
        to_seq: 7,
      },
    });
    await rig.fact('n1', {
      kind: 'gap',
      gap: {
        source: 'docker',
        cause: 'away',
        lost: null,
        at_most: 3,
        from: null,
        to: null,
        lane: null,
        from_seq: null,
        to_seq: null,
      },
    });
    await alerting.engine.round();
    expect((await told())[0]?.body.condition?.reason).toBe('7 records (facts) were given up: spool full');

    await clock.advance(16 * 60_000);
    await alerting.engine.round();

    expect(await types()).toEqual(['condition.fired', 'condition.resolved']);
  });

  it('F084 sets a fact aside that breaks its judging twice, and judges those around it', async () => {
    await using alerting = startAlerting(rig);
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await rig.condition('n1', { status: 'true' });
    await rig.taskEnded('n1', 't2', { status: 'failed' });
    await rig.rows(`update events set body = jsonb_set(body, '{report,since}', '"never"') where kind = 'condition'`);

    await alerting.engine.round();

    expect((await told()).map(({ body }) => body.task?.id)).toEqual(['t1', 't2']);
    expect(await rig.rows('select count(*)::int as count from events where judged_at is null')).toEqual([{ count: 0 }]);
  });

  it('tells a beginning to who asked for it, unless it has ended already', async () => {
    await using alerting = startAlerting(rig, { notifications: { subscriptions: [{ events: ['begin'] }] } });
    await rig.taskStarted('n1', 't1');
    await alerting.engine.round();
    await rig.taskStarted('n1', 't2');
    await rig.taskEnded('n1', 't2', { status: 'completed' });
    await alerting.engine.round();

    expect((await told()).map(({ type, body }) => [type, body.task?.id])).toEqual([['task.started', 't1']]);
  });
});
