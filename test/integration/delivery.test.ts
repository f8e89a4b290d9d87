import { collapseOld } from '@runnerwatch/collector/outbox/collapse-store.ts';
import { notification } from '@runnerwatch/shared/model/notification.ts';
import { beforeEach, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink, ok } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';

const status = (code: number): Answer => ({ kind: 'status', status: code });
const webhook = (sink: HttpSink) => ({ type: 'webhook', url: sink.url, timeout: '2s' });
const everything = (sink: HttpSink) => ({
  notifiers: { hook: webhook(sink) },
  subscriptions: [{ name: 'all', events: ['all'], receiver: 'hook' }],
});
const told = (sink: HttpSink) => sink.bodies.map((body) => notification.parse(body));

describeOnDatabases('delivery to a receiver in trouble', (kind) => {
  const rig = ownRig(kind);
  beforeEach(async () => {
    await rig.node('n1');
  });

  interface Row {
    readonly id: string;
    readonly type: string;
    readonly state: string;
    readonly collapsed_into: string | null;
  }
  const rows = () => rig.rows<Row>('select id, type, state, collapsed_into from notifications order by created_at, id');

  it('F099 tells in one message what fired and was over before it could be told', async () => {
    let answer = status(503);
    await using sink = await HttpSink.open({ answer: () => answer });
    await using alerting = startAlerting(rig, { notifications: { notifiers: { hook: webhook(sink) } } });
    alerting.start();
    await rig.condition('n1', { status: 'true' });
    await eventually(() => sink.requests.length > 0);
    await rig.condition('n1', { status: 'false' });
    await eventually(async () => expect(await rows()).toHaveLength(2));
    answer = ok;

    await eventually(async () => expect((await rows()).map(({ state }) => state)).toEqual(['collapsed', 'delivered']));

    const [fired, resolved] = await rows();
    expect(fired?.collapsed_into).toBe(resolved?.id);
    expect(told(sink).at(-1)).toMatchObject({
      id: resolved?.id,
      type: 'condition.resolved',
      condition: { active: false },
      combined: { notifications: 2 },
    });
    expect(new Set(told(sink).map(({ type, combined }) => `${type}${combined === undefined ? '' : '+'}`))).toEqual(
      new Set(['condition.fired', 'condition.resolved+']),
    );
  });

  it('F099 keeps a digest of many failures whole, though one of them is amended before it could be told', async () => {
    let answer: Answer = ok;
    await using sink = await HttpSink.open({ answer: () => answer });
    const notifications = { ...everything(sink), group_window: '1s' };
    await using alerting = startAlerting(rig, { notifications });
    alerting.start();
    await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
    await eventually(() => expect(told(sink)).toHaveLength(1));
    answer = status(503);
    for (const id of ['t2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
    await eventually(async () => expect((await rows()).map(({ type }) => type)).toEqual(['task.ended', 'digest']));
    await rig.taskEnded('n1', 't2', { status: 'completed', job: 'train' });
    await eventually(async () => expect((await rows()).length).toBeGreaterThan(2));
    answer = ok;

    await eventually(async () =>
      expect((await rows()).map(({ state }) => state).every((state) => state === 'delivered')).toBe(true),
    );

    const digest = told(sink).findLast(({ type }) => type === 'digest');
    expect(digest?.group?.map(({ task }) => task.id)).toEqual(['t2', 't3']);
    expect(digest?.combined).toBeUndefined();
  });

  it('F099 tells no lone end to who refused the beginning', async () => {
    let answer = status(404);
    await using sink = await HttpSink.open({ answer: () => answer });
    await using alerting = startAlerting(rig, { notifications: { notifiers: { hook: webhook(sink) } } });
    alerting.start();
    await rig.condition('n1', { status: 'true' });
    await eventually(async () => expect((await rows()).map(({ state }) => state)).toEqual(['dead']));
    answer = ok;
    await rig.condition('n1', { status: 'false' });

    await eventually(async () => expect((await rows()).map(({ state }) => state)).toEqual(['collapsed', 'delivered']));

    expect(told(sink).at(-1)).toMatchObject({ type: 'condition.resolved', combined: { notifications: 2 } });
  });

  it('F099 says with a reminder since when it holds, to who refused the beginning', async () => {
    const clock = new ManualClock(Date.now());
    let answer = status(404);
    await using sink = await HttpSink.open({ answer: () => answer });
    const notifications = { notifiers: { hook: webhook(sink) }, renotify_interval: '10m' };
    await using alerting = startAlerting(rig, { notifications, engine: { clock } });
    alerting.start();
    await rig.condition('n1', { status: 'true' });
    await eventually(async () => {
      await clock.advance(50);
      return expect((await rows()).map(({ state }) => state)).toEqual(['dead']);
    });
    answer = ok;
    await clock.advance(11 * 60_000);

    await eventually(async () => {
      await clock.advance(50);
      return expect((await rows()).map(({ state }) => state)).toEqual(['collapsed', 'delivered']);
    });

    const [fired, renotified] = told(sink);
    expect(renotified).toMatchObject({
      type: 'condition.renotified',
      combined: { notifications: 2, since: fired?.at },
    });
  });

  it('F099 says an end plainly when it comes while the beginning is on its way', async () => {
    await using sink = await HttpSink.open({
      answer: (_request, index) => (index === 0 ? { kind: 'hang-after-headers', status: 200 } : ok),
    });
    await using alerting = startAlerting(rig, { notifications: { notifiers: { hook: webhook(sink) } } });
    await rig.condition('n1', { status: 'true' });
    await alerting.engine.round();
    await rig.condition('n1', { status: 'false' });
    alerting.deliverer.start();
    await eventually(() => sink.requests.length > 0);
    alerting.start();

    await eventually(async () => expect((await rows()).map(({ state }) => state)).toEqual(['delivered', 'delivered']));

    expect(told(sink).map(({ type, combined }) => [type, combined])).toEqual([
      ['condition.fired', undefined],
      ['condition.resolved', undefined],
    ]);
  });

  it('F108 spares a receiver that is down, and tells it the present truth and one sum when it is back after 72 hours', async () => {
    const clock = new ManualClock(Date.now());
    const arrivedAt: number[] = [];
    let answer = status(503);
    await using sink = await HttpSink.open({
      answer: () => {
        arrivedAt.push(clock.monotonicMs());
        return answer;
      },
    });
    const { subscriptions } = everything(sink);
    await using alerting = startAlerting(rig, {
      notifications: { notifiers: { hook: { ...webhook(sink), rate_limit: '10/m' } }, subscriptions },
      engine: { clock },
      // The clock runs ahead of what is under way.
      deliverer: { tickMs: 1000, leaseMs: 3_600_000 },
    });
    for (let index = 0; index < 120; index += 1) await rig.taskEnded('n1', `t${index}`, { status: 'completed' });
    for (let index = 0; index < 60; index += 1)
      await rig.condition('n1', { condition: 'DiskPressure', subject: `/data${index}`, status: 'true' });
    await alerting.engine.round();
    for (let index = 0; index < 40; index += 1)
      await rig.condition('n1', { condition: 'DiskPressure', subject: `/data${index}`, status: 'false' });
    await alerting.engine.round();
    const promised = (await rows()).length;
    alerting.deliverer.start();
    const isIdle = () => alerting.deliverer.states().every(({ inFlight }) => inFlight === 0);
    const isPaused = () => alerting.deliverer.states().some(({ state }) => state === 'paused');
    await eventually(() => isPaused() && isIdle());
    const burst = sink.requests.length;

    for (let probes = 1; probes <= 8; probes += 1) {
      await clock.advance(65_000);
      await eventually(() => sink.requests.length === burst + probes && isIdle());
    }
    expect(alerting.deliverer.states().find(({ receiver }) => receiver === 'hook')).toMatchObject({
      state: 'paused',
      lastError: 'HTTP 503',
      hasGivenUp: false,
    });
    await clock.advance(72 * 3_600_000);
    await eventually(async () => expect((await rows()).some(({ type }) => type === 'digest')).toBe(true));
    answer = ok;
    const failed = sink.requests.length;
    await eventually(
      async () => {
        await clock.advance(30_000);
        return expect((await rows()).filter(({ state }) => state === 'pending')).toEqual([]);
      },
      { timeoutMs: 30_000 },
    );

    const fresh = told(sink).slice(failed);
    const digests = fresh.filter(({ type }) => type === 'digest');
    const all = await rows();
    expect(promised).toBe(220);
    expect(fresh.filter(({ type }) => type === 'condition.fired').map(({ condition }) => condition?.active)).toEqual(
      Array(20).fill(true),
    );
    expect(digests).toHaveLength(1);
    expect(fresh).toHaveLength(21);
    expect(digests[0]?.digest).toMatchObject({
      notifications: all.filter((row) => row.collapsed_into === digests[0]?.id && row.type !== 'digest').length,
      by_type: { 'task.ended': 120, 'condition.resolved': 40 },
    });
    const byId = new Map(all.map((row) => [row.id, row]));
    const endOf = (row: Row | undefined): string | undefined =>
      row?.state === 'collapsed' ? endOf(byId.get(row.collapsed_into ?? '')) : row?.state;
    expect(new Set(all.map(endOf))).toEqual(new Set(['delivered']));
    for (const at of arrivedAt)
      expect(arrivedAt.filter((one) => one > at - 60_000 && one <= at).length).toBeLessThanOrEqual(10);
    expect(alerting.deliverer.states().find(({ receiver }) => receiver === 'hook')?.state).toBe('working');
  });

  it('F099 tells an alert that came back behind the end of the time before', async () => {
    let answer = status(503);
    await using sink = await HttpSink.open({
      // The end takes long to be taken: what may overtake it does.
      answer: ({ body }) =>
        answer.kind === 'status' && answer.status < 300 && body.includes('resolved') ? slow() : answer,
    });
    let refusals = 3;
    const slow = () => (refusals-- > 0 ? status(503) : ok);
    await using alerting = startAlerting(rig, { notifications: { notifiers: { hook: webhook(sink) } } });
    for (const state of ['true', 'false', 'true'] as const) {
      await rig.condition('n1', { status: state });
      await alerting.engine.round();
    }
    answer = ok;
    alerting.start();

    await eventually(
      async () => {
        // The waits are over.
        await rig.rows(
          "update notifications set next_attempt_at = now() where claimed_by is null and state = 'pending'",
        );
        return expect((await rows()).map(({ state }) => state)).toEqual(['collapsed', 'delivered', 'delivered']);
      },
      { timeoutMs: 30_000 },
    );

    const types = told(sink).map(({ type }) => type);
    expect(types.lastIndexOf('condition.resolved')).toBeLessThan(types.indexOf('condition.fired'));
    expect(told(sink).at(-1)).toMatchObject({ type: 'condition.fired', condition: { active: true } });
  });

  it('F108 sums up what is 72 hours old, also twice, and leaves whole what fresh failures are told together', async () => {
    const clock = new ManualClock(Date.now());
    await using sink = await HttpSink.open();
    await using alerting = startAlerting(rig, {
      notifications: { ...everything(sink), group_window: '10s' },
      engine: { clock },
      deliverer: { clock },
    });
    const end = async (...names: string[]) => {
      for (const name of names) await rig.taskEnded('n1', name, { status: 'failed', job: 'train' });
      await alerting.engine.round();
    };
    const sumUp = () => collapseOld(rig.db, new Date(clock.wallMs()));
    for (const name of ['old', 'older']) await rig.taskEnded('n1', name, { status: 'completed' });
    await alerting.engine.round();
    await clock.advance(3_600_000);
    await rig.taskEnded('n1', 'later', { status: 'completed' });
    await alerting.engine.round();
    await clock.advance(71 * 3_600_000 + 1000);
    await end('t1');
    await end('t2', 't3');
    await clock.advance(10_000);
    await alerting.engine.round();
    const first = await sumUp();
    await clock.advance(3_600_000);
    const second = await sumUp();
    alerting.deliverer.start();
    await eventually(async () => expect((await rows()).some(({ state }) => state === 'pending')).toBe(false));

    expect([first, second]).toEqual([[{ receiver: 'hook', count: 2 }], [{ receiver: 'hook', count: 1 }]]);
    const heard = told(sink);
    expect(heard.map(({ type, task }) => task?.task_id ?? type).toSorted()).toEqual(['digest', 'digest', 't1']);
    expect(heard.find(({ digest }) => digest !== undefined)?.digest).toMatchObject({
      notifications: 3,
      by_type: { 'task.ended': 3 },
    });
    expect(heard.find(({ group }) => group !== undefined)?.group?.map(({ task }) => task.task_id)).toEqual([
      't2',
      't3',
    ]);
  });

  it('F108 gives a receiver no more in a minute than it takes, however often the collector starts anew', async () => {
    const clock = new ManualClock(Date.now());
    const arrivedAt: number[] = [];
    await using sink = await HttpSink.open({
      answer: () => {
        arrivedAt.push(clock.monotonicMs());
        return ok;
      },
    });
    const { subscriptions } = everything(sink);
    const notifications = { notifiers: { hook: { ...webhook(sink), rate_limit: '10/m' } }, subscriptions };
    for (let index = 0; index < 30; index += 1) await rig.taskEnded('n1', `t${index}`, { status: 'completed' });
    const live = (concurrency: number) =>
      startAlerting(rig, { notifications, engine: { clock }, deliverer: { tickMs: 1000, concurrency } });
    {
      await using first = live(1);
      await first.engine.round();
      first.deliverer.start();
      await eventually(() => arrivedAt.length >= 4);
    }
    // One more was on its way when that collector died.
    await rig.rows(
      "update notifications set claimed_by = 'dead', claimed_until = now() + interval '1 hour' where id = (select max(id) from notifications)",
    );
    for (let life = 0; life < 3; life += 1) {
      await using later = live(8);
      later.deliverer.start();
      await eventually(() => arrivedAt.length >= 9);
    }
    await using last = live(8);
    last.deliverer.start();
    await eventually(() => arrivedAt.length >= 9);
    expect(arrivedAt).toHaveLength(9);

    await eventually(
      async () => {
        await clock.advance(10_000);
        return expect((await rows()).filter(({ state }) => state === 'pending')).toEqual([]);
      },
      { timeoutMs: 30_000 },
    );

    expect(new Set(sink.ids).size).toBe(30);
    for (const at of arrivedAt)
      expect(arrivedAt.filter((one) => one > at - 60_000 && one <= at).length).toBeLessThanOrEqual(10);
  });

  it('F103 F109 lets a dead target and a poison message cost the others nothing, with thousands due at once', async () => {
    const many = 1000;
    await using dead = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
    await using sick = await HttpSink.open({
      answer: ({ body }) => (body.includes('"t13"') ? status(500) : body.includes('"t14"') ? status(413) : ok),
    });
    await using well = await HttpSink.open();
    let deadAttempts = 0;
    const receivers = { dead, sick, well };
    await using alerting = startAlerting(rig, {
      notifications: {
        notifiers: Object.fromEntries(Object.entries(receivers).map(([name, sink]) => [name, webhook(sink)])),
        subscriptions: Object.keys(receivers).map((receiver) => ({ name: receiver, events: ['end'], receiver })),
      },
    });
    for (let index = 0; index < many; index += 1) await rig.taskEnded('n1', `t${index}`, { status: 'completed' });
    alerting.start();

    await eventually(
      () => {
        deadAttempts = dead.requests.length;
        return new Set(well.ids).size === many && new Set(sick.ids).size === many;
      },
      { timeoutMs: 60_000 },
    );

    expect(well.requests).toHaveLength(many);
    const arrivals = (
      await rig.rows<{ id: string }>("select id from notifications where receiver = 'well' order by id")
    ).map(({ id }) => id);
    const distances = well.ids.map((id, index) => Math.abs(index - arrivals.indexOf(id)));
    // Eight at once may overtake one another, and the engine promises fifty at a time: nothing waits behind what hangs.
    expect(Math.max(...distances)).toBeLessThan(100);
    expect(deadAttempts).toBeLessThan(100);
    const left = await rig.rows<{ receiver: string; state: string; count: number }>(
      "select receiver, state, count(*)::int as count from notifications where receiver <> 'dead' and state <> 'delivered' group by 1, 2",
    );
    expect(left).toEqual(
      expect.arrayContaining([
        { receiver: 'sick', state: 'dead', count: 1 },
        { receiver: 'sick', state: 'pending', count: 1 },
      ]),
    );
    expect(left).toHaveLength(2);
    const states = new Map(alerting.deliverer.states().map((one) => [one.receiver, one.failuresInRow]));
    expect(states.get('well')).toBe(0);
    expect(states.get('dead')).toBeGreaterThanOrEqual(5);
  });
});
