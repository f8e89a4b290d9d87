import { loadIncident } from '@runnerwatch/collector/api/routes/incidents.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';

const ops = { notifiers: { ops: { type: 'log' } } };
const second = 1000;
const minute = 60 * second;

describe('incidents', () => {
  const rig = ownRig();
  let clock: ManualClock;
  beforeEach(async () => {
    await rig.node('n1');
    await rig.node('n2');
    clock = new ManualClock();
  });

  const told = () =>
    rig.rows<{ subscription: string; type: string; body: Notification; created_at: string }>(
      'select subscription, type, body, created_at from notifications order by created_at, id',
    );
  const incidents = () =>
    rig.rows<{ id: string; title: string; status: string; failures: number }>(
      'select id, title, status, failures from incidents order by opened_at, id',
    );
  const answers = () =>
    rig.rows<{ reason: string; count: number }>(
      `select one->>'reason' as reason, count(*)::int as count
       from transitions, jsonb_array_elements(decisions) one where task_id is not null group by 1 order by 1`,
    );
  const start = (notifications: object = ops) => startAlerting(rig, { notifications, engine: { clock } });
  /** Moves the clock and lets the engine look, once each second. */
  const pass = async ({ engine }: ReturnType<typeof start>, ms: number, everyMs = second) => {
    for (let gone = 0; gone < ms; gone += everyMs) {
      await clock.advance(everyMs);
      await engine.round();
    }
  };

  describe('of one batch', () => {
    it('F097: a batch of 500 that fails within a minute is one incident and three messages, and each failure says how it was told', async () => {
      await using alerting = start();
      for (let part = 0; part < 50; part += 1) {
        for (let index = 0; index < 10; index += 1)
          await rig.taskEnded(index < 5 ? 'n1' : 'n2', `t${part}-${index}`, { status: 'failed', job: 'train' });
        if (part % 2 === 1) await pass(alerting, second);
      }
      await pass(alerting, 5 * minute, 5 * second);

      const messages = await told();
      expect(messages.map(({ type }) => type)).toEqual(['task.ended', 'digest', 'digest']);
      const sizes = messages.map(({ body }) => body.group_size ?? 1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(500);
      expect(messages[1]?.body).toMatchObject({ incident: { status: 'open' }, transition: 'fired' });
      expect(messages[1]?.body.group).toHaveLength(100);
      expect(await incidents()).toMatchObject([{ failures: 500, status: 'open' }]);
      expect(await answers()).toEqual([
        { reason: 'matched', count: 1 },
        { reason: 'told_with_group', count: 499 },
      ]);
      expect(await rig.rows('select 1 from held_notifications')).toEqual([]);
    });

    it('F097: 600 failures of 150 jobs within a minute are the first hundred and then one message at a time', async () => {
      await using alerting = start();
      for (let part = 0; part < 30; part += 1) {
        for (let index = 0; index < 20; index += 1)
          await rig.taskEnded('n1', `t${part}-${index}`, { status: 'failed', job: `job-${(part * 20 + index) % 150}` });
        await pass(alerting, second);
      }
      await pass(alerting, 4 * minute, 5 * second);

      // Jobs that fail one after the other on a node say something of the node, too.
      const messages = (await told()).filter(({ type }) => type === 'task.ended' || type === 'digest');
      const types = messages.map(({ type }) => type);
      expect(types.filter((type) => type === 'task.ended')).toHaveLength(100);
      expect(types.slice(100).length).toBeLessThanOrEqual(8);
      const sizes = messages.map(({ body }) => body.group_size ?? 1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(600);
      expect((await incidents()).filter(({ failures }) => failures > 0)).toHaveLength(150);
      expect(await answers()).toEqual([
        { reason: 'matched', count: 100 },
        { reason: 'told_with_group', count: 500 },
      ]);
    });

    it('tells each failure of tasks without a job at once, whatever they are called', async () => {
      await using alerting = start();
      for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', name: 'sh' });
      await alerting.engine.round();

      expect((await told()).map(({ type }) => type)).toEqual(['task.ended', 'task.ended', 'task.ended']);
      expect(await incidents()).toMatchObject([{ failures: 3 }]);
    });

    it('tells a failure of another job, another cause or another error at once, in an incident of its own', async () => {
      await using alerting = start();
      await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
      await rig.taskEnded('n1', 't2', { status: 'failed', job: 'eval' });
      await rig.taskEnded('n1', 't3', { status: 'failed', job: 'train', exit_code: 4 });
      await alerting.engine.round();

      expect((await told()).map(({ body }) => body.task?.id)).toEqual(['t1', 't2', 't3']);
      expect(await incidents()).toHaveLength(3);
    });

    it('tells each failure for itself where the group window is 0, and joins them in one incident all the same', async () => {
      await using alerting = start({ ...ops, group_window: 0 });
      for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
      await alerting.engine.round();

      expect((await told()).map(({ type }) => type)).toEqual(['task.ended', 'task.ended', 'task.ended']);
      expect(await incidents()).toMatchObject([{ title: 't1 failed (exit code 3) on n1', failures: 3 }]);
      expect((await told()).at(-1)?.body.incident?.title).toBe('t1 failed (exit code 3) on n1, and 2 more');
    });

    it('R27 tells a subscription with a digest of all that failed in one message at its time, and others at once', async () => {
      const subscriptions = [
        { name: 'summary', receiver: 'ops', digest: '4h' },
        { name: 'pager', receiver: 'pager' },
      ];
      const notifications = { notifiers: { ops: { type: 'log' }, pager: { type: 'log' } }, subscriptions };
      {
        await using alerting = start(notifications);
        await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
        await alerting.engine.round();
        await pass(alerting, 60 * minute, 10 * minute);
        await rig.taskEnded('n2', 't2', { status: 'failed', job: 'eval' });
        await rig.condition('n1', { status: 'true' });
        await alerting.engine.round();
      }
      await using alerting = start(notifications);
      await pass(alerting, 179 * minute, minute);
      const of = async (name: string) =>
        (await told()).filter(({ subscription }) => subscription === name).map(({ type }) => type);
      const before = await of('summary');
      await pass(alerting, 2 * minute, minute);
      await rig.taskEnded('n2', 't3', { status: 'failed', job: 'eval', exit_code: 9 });
      await pass(alerting, 241 * minute, minute);

      expect(before).toEqual(['condition.fired']);
      expect(await of('summary')).toEqual(['condition.fired', 'digest', 'task.ended']);
      expect(await of('pager')).toEqual(['task.ended', 'task.ended', 'condition.fired', 'task.ended']);
      expect((await told()).find(({ type }) => type === 'digest')?.body).toMatchObject({
        group: [{ task: { id: 't1' } }, { task: { id: 't2' } }],
        group_size: 2,
      });
    });

    it('tells what waits though the engine was restarted and someone has acknowledged the incident meanwhile', async () => {
      {
        await using alerting = start();
        for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
        await alerting.engine.round();
      }
      const [incident] = await incidents();
      await using alerting = start();
      await alerting.engine.acknowledge({ id: incident?.id ?? '', by: 'ada', note: '' });
      await pass(alerting, minute);

      expect((await told()).map(({ type, body }) => [type, body.group_size])).toEqual([
        ['task.ended', undefined],
        ['digest', 2],
      ]);
    });

    it('F102: says of failures that wait for a subscription which is gone that it was gone', async () => {
      {
        await using alerting = start();
        for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
        await alerting.engine.round();
      }
      await using alerting = start({ notifiers: { others: { type: 'log' } } });
      await pass(alerting, minute);
      expect(await answers()).toEqual([
        { reason: 'expired', count: 2 },
        { reason: 'matched', count: 1 },
      ]);
      expect(await rig.rows('select 1 from held_notifications')).toEqual([]);
    });

    it('tells a batch that failed under a silence together when the silence is over', async () => {
      await using alerting = start();
      await rig.rows(`insert into silences (id, origin, author, reason, matchers, starts_at, ends_at, created_at) values
        ('s', 'person', 'ada', 'move', '[{"key":"node","patterns":["*"]}]', '2025-01-01', '2026-01-01 00:10:00Z', '2025-01-01')`);
      await alerting.policy.refresh();
      for (let index = 0; index < 20; index += 1)
        await rig.taskEnded('n1', `t${index}`, { status: 'failed', job: 'train' });
      await alerting.engine.round();
      expect(await told()).toEqual([]);
      await pass(alerting, 12 * minute, 10 * second);

      expect((await told()).map(({ type, body }) => [type, body.group_size])).toEqual([
        ['task.ended', undefined],
        ['digest', 19],
      ]);
    });

    it('keeps a failure with the warnings of its own task', async () => {
      await using alerting = start();
      await rig.taskStarted('n1', 't1', { job: 'train' });
      await rig.condition('n1', { status: 'true', condition: 'MemoryExhaustionPredicted', subject: 't1' });
      await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
      await alerting.engine.round();
      expect(await incidents()).toHaveLength(1);
    });
  });

  it('joins what a node out of memory kills within a minute in one incident, and not what it kills later', async () => {
    await using alerting = start();
    const kill = (node: string, id: string) =>
      rig.taskEnded(node, id, {
        status: 'killed_oom',
        job: id,
        verdict: { cause: 'oom_host', confidence: 'proven', summary: 'killed', evidence: [], advice: [] },
      });
    await kill('n1', 't1');
    await kill('n1', 't2');
    await kill('n2', 't3');
    await alerting.engine.round();
    await clock.advance(2 * minute);
    await kill('n1', 't4');
    await alerting.engine.round();

    expect((await incidents()).map(({ failures }) => failures)).toEqual([2, 1, 1]);
  });

  describe('of what comes and goes', () => {
    const hold = (holds: boolean) =>
      rig.condition('n1', { status: holds ? 'true' : 'false', reason: holds ? 'memory 95% used' : 'memory 40% used' });

    it('F096: flapping every 5 s for an hour is at most six messages, marked as flapping, and resolved when it stays calm', async () => {
      await using alerting = start();
      for (let gone = 0; gone < 60 * minute; gone += 5 * second) {
        await hold(gone % (10 * second) === 0);
        await alerting.engine.round();
        await clock.advance(5 * second);
      }
      expect((await told()).map(({ type }) => type)).toEqual([
        'condition.fired',
        'condition.resolved',
        'condition.fired',
      ]);
      expect((await told()).at(-1)?.body.condition?.reason).toContain('it comes and goes');
      expect(await incidents()).toMatchObject([{ status: 'open' }]);
      const [incident] = await incidents();
      expect(await loadIncident(rig.db, incident?.id ?? '')).toMatchObject({
        flapping: true,
        alerts: [{ flapping: true }, {}],
      });

      await pass(alerting, 11 * minute, 30 * second);
      expect((await told()).at(-1)).toMatchObject({
        type: 'condition.resolved',
        body: { condition: { active: false, reason: 'memory 40% used' } },
      });
      expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
    });

    it('F096: neither reminds of it nor calls it over while it has to prove that it stays calm, across a restart', async () => {
      const notifications = { ...ops, renotify_interval: '1m' };
      {
        await using alerting = start(notifications);
        for (const holds of [true, false, true, false]) {
          await hold(holds);
          await alerting.engine.round();
          await clock.advance(second);
        }
        await pass(alerting, 5 * minute, 30 * second);
      }
      await using alerting = start(notifications);
      await pass(alerting, 4 * minute, 30 * second);
      expect((await told()).map(({ type }) => type)).toEqual([
        'condition.fired',
        'condition.resolved',
        'condition.fired',
      ]);
      await hold(true);
      await pass(alerting, 2 * minute, 30 * second);
      expect((await told()).at(-1)?.type).toBe('condition.renotified');
    });

    it('F096: a node that comes and goes is told at most six times in an hour, its tasks are lost and found each time', async () => {
      let isSilent = false;
      await rig.taskStarted('n1', 't1');
      await using alerting = startAlerting(rig, {
        notifications: ops,
        engine: { clock, overdue: () => (isSilent ? ['n1'] : []) },
      });
      const status = async () =>
        (await rig.rows<{ status: string }>("select status from tasks where id = 't1'"))[0]?.status;
      const seen: unknown[] = [];
      for (let gone = 0; gone < 60; gone += 1) {
        isSilent = gone % 2 === 0;
        if (!isSilent) await rig.setNode('n1', { status: 'online', lastHeardAt: new Date(clock.wallMs()) });
        await alerting.engine.round();
        seen.push(await status());
        await clock.advance(minute);
      }
      expect(new Set(seen.filter((_, index) => index % 2 === 0))).toEqual(new Set(['lost']));
      expect(new Set(seen.filter((_, index) => index % 2 === 1))).toEqual(new Set(['running']));
      expect((await told()).length).toBeLessThanOrEqual(6);
      await pass(alerting, 11 * minute, 30 * second);
      expect((await told()).at(-1)).toMatchObject({
        type: 'node.recovered',
        body: { group: [{ task: { status: 'running' } }] },
      });
      expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
    });

    it('F098: what fires and is over while nobody is to hear of it is recorded, and nobody hears a lone end', async () => {
      await using alerting = start({
        ...ops,
        subscriptions: [{ name: 'night', quiet_hours: { time_zone: 'UTC', from: '00:00', to: '06:00' } }],
      });
      await hold(true);
      await alerting.engine.round();
      await hold(false);
      await pass(alerting, 7 * 60 * minute, 10 * minute);
      expect(await told()).toEqual([]);
      expect(await rig.rows('select kind from transitions order by at, id')).toEqual([
        { kind: 'fired' },
        { kind: 'resolved' },
      ]);
    });

    it('F100: a condition that came late and was over already is recorded and told to nobody; a late end is told once', async () => {
      await using alerting = start();
      await hold(true);
      await hold(false);
      const endedAt = new Date(clock.wallMs() - 6 * 60 * minute).toISOString();
      await rig.taskEnded('n1', 't1', { status: 'failed', ended_at: endedAt });
      await alerting.engine.round();
      expect((await told()).map(({ type, body }) => [type, body.task?.ended_at])).toEqual([['task.ended', endedAt]]);
      expect(await incidents()).toMatchObject([{ status: 'resolved' }, { status: 'open' }]);
    });

    it('F102: a node removed while it fires is told as over to those who heard of it', async () => {
      await using alerting = start();
      await hold(true);
      await alerting.engine.round();
      await rig.rows("delete from nodes where id = 'n1'");
      await alerting.engine.round();
      expect((await told()).at(-1)).toMatchObject({
        type: 'condition.resolved',
        body: { condition: { reason: 'the node was removed' } },
      });
      expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
    });
  });

  describe('of many nodes', () => {
    const names = Array.from({ length: 40 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    const startFleet = (fleet: () => { watched: number; late: string[] }, overdue: () => string[]) =>
      startAlerting(rig, {
        notifications: {
          notifiers: { ops: { type: 'log' }, ada: { type: 'log' } },
          subscriptions: [
            { name: 'ops', receiver: 'ops' },
            { name: 'ada', receiver: 'ada', matchers: { owner: 'ada' }, events: ['fail'] },
          ],
        },
        engine: { clock, fleet, overdue },
      });
    const messages = async () =>
      (await told()).map(({ subscription, type, body }) => [
        subscription,
        type,
        body.incident?.title,
        body.condition?.reason,
      ]);
    beforeEach(async () => {
      await rig.rows('delete from nodes');
      for (const name of names) await rig.node(name);
      await rig.taskStarted('m07', 't1', { owner: 'ada' });
    });

    it('F097: most nodes silent at once is one incident that asks for collector, database or network first, told once', async () => {
      let late: string[] = [];
      let overdue: string[] = [];
      await using alerting = startFleet(
        () => ({ watched: 40, late }),
        () => overdue,
      );
      late = names.slice(0, 30);
      overdue = names.slice(0, 2);
      await alerting.engine.round();
      expect(await told()).toEqual([]);

      overdue = late;
      await clock.advance(10 * second);
      await alerting.engine.round();
      await pass(alerting, 5 * minute, 30 * second);
      const title = '30 of 40 nodes fell silent at once: collector, database or network?';
      const reason = expect.stringMatching(/^nothing is heard of m00, m01, .* and 10 more; when most nodes/);
      expect(await messages()).toEqual([
        ['ops', 'node.unreachable', title, reason],
        ['ada', 'node.unreachable', title, reason],
      ]);
      expect(await incidents()).toMatchObject([{ title, status: 'open' }]);
      expect(await rig.rows("select status from tasks where id = 't1'")).toEqual([{ status: 'lost' }]);

      for (const name of names.slice(2, 30)) await rig.setNode(name, { status: 'online' });
      overdue = names.slice(0, 2);
      late = overdue;
      await alerting.engine.round();
      const over = '28 of 30 nodes are heard again; still silent: m00, m01';
      expect((await messages()).slice(2, 4).toSorted()).toEqual([
        ['ada', 'node.recovered', title, over],
        ['ops', 'node.recovered', title, over],
      ]);
      expect((await messages()).slice(4)).toEqual([
        ['ops', 'node.unreachable', title, expect.stringMatching(/^nothing heard for/)],
        ['ops', 'node.unreachable', title, expect.stringMatching(/^nothing heard for/)],
      ]);
      for (const name of names.slice(0, 2)) await rig.setNode(name, { status: 'online' });
      overdue = [];
      late = [];
      await alerting.engine.round();
      expect((await messages()).slice(6).map(([subscription, type]) => [subscription, type])).toEqual([
        ['ops', 'node.recovered'],
        ['ops', 'node.recovered'],
      ]);
      expect(await incidents()).toMatchObject([{ status: 'resolved' }]);
    });

    it('tells a few silent nodes each for itself, and those that are only late not at all', async () => {
      await using alerting = startFleet(
        () => ({ watched: 40, late: names.slice(0, 12) }),
        () => names.slice(0, 2),
      );
      await alerting.engine.round();
      expect((await told()).map(({ type, body }) => [type, body.node?.name])).toEqual([
        ['node.unreachable', 'm00'],
        ['node.unreachable', 'm01'],
      ]);
    });
  });

  it('reminds nobody while someone is on it, and goes on with it when the acknowledgement has ended', async () => {
    await using alerting = start({ ...ops, renotify_interval: '5m' });
    await rig.condition('n1', { status: 'true' });
    await alerting.engine.round();
    const [incident] = await incidents();
    const until = new Date(clock.wallMs() + 30 * minute);
    await alerting.engine.acknowledge({ id: incident?.id ?? '', by: 'ada', note: 'on it', until });
    await pass(alerting, 29 * minute, minute);
    expect((await told()).map(({ type }) => type)).toEqual(['condition.fired']);

    await pass(alerting, 2 * minute, minute);
    expect((await told()).map(({ type, body }) => [type, body.repeat])).toEqual([
      ['condition.fired', 0],
      ['condition.renotified', 1],
    ]);
    expect(await loadIncident(rig.db, incident?.id ?? '')).toMatchObject({ acknowledged_until: until.toISOString() });
  });

  it('says of failures whether the node or the job is to be looked at first', async () => {
    await using alerting = start();
    for (const job of ['a', 'b', 'c']) {
      await rig.taskEnded('n1', job, { status: 'failed', job, ended_at: new Date(clock.wallMs()).toISOString() });
      await alerting.engine.round();
    }
    await rig.node('n3');
    await clock.advance(2 * minute);
    for (const node of ['n2', 'n3']) {
      await rig.taskEnded(node, `t-${node}`, {
        status: 'failed',
        job: 'train',
        ended_at: new Date(clock.wallMs()).toISOString(),
      });
      await alerting.engine.round();
      await clock.advance(10 * minute);
    }
    const finding = 'train failed on 2 nodes within an hour: look at the job first';
    expect((await told()).map(({ body }) => body.incident?.finding)).toEqual([
      undefined,
      undefined,
      '3 jobs failed on n1 within an hour: look at the node first',
      undefined,
      finding,
    ]);
    const ids = await incidents();
    expect(await loadIncident(rig.db, ids.at(-1)?.id ?? '')).toMatchObject({ finding, failures: 2 });
  });
});
