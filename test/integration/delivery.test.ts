import { notification } from '@runnerwatch/shared/model/notification.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink, ok } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const status = (code: number): Answer => ({ kind: 'status', status: code });
const webhook = (sink: HttpSink) => ({ type: 'webhook', url: sink.url, timeout: '2s' });
const everything = (sink: HttpSink) => ({
  notifiers: { hook: webhook(sink) },
  subscriptions: [{ name: 'all', events: ['all'], receiver: 'hook' }],
});
const told = (sink: HttpSink) => sink.bodies.map((body) => notification.parse(body));

describeOnDatabases('delivery to a receiver in trouble', (kind) => {
  let opened: TestDatabase;
  let rig: AlertRig;
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    rig = new AlertRig(opened.database);
  });
  afterAll(async () => opened[Symbol.asyncDispose]());
  beforeEach(async () => {
    await rig.clear();
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
    const sentAt: number[] = [];
    let answer = status(503);
    await using sink = await HttpSink.open({
      answer: () => {
        sentAt.push(clock.monotonicMs());
        return answer;
      },
    });
    const { subscriptions } = everything(sink);
    await using alerting = startAlerting(rig, {
      notifications: { notifiers: { hook: { ...webhook(sink), rate_limit: '10/m' } }, subscriptions },
      engine: { clock },
      deliverer: { tickMs: 1000 },
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
    await eventually(() => sink.requests.length === 8 && isIdle());

    for (let probes = 1; probes <= 8; probes += 1) {
      await clock.advance(65_000);
      await eventually(() => sink.requests.length === 8 + probes && isIdle());
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
    for (const at of sentAt)
      expect(sentAt.filter((one) => one > at - 60_000 && one <= at).length).toBeLessThanOrEqual(10);
    expect(alerting.deliverer.states().find(({ receiver }) => receiver === 'hook')?.state).toBe('working');
  });
});
