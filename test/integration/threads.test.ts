import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

describeOnDatabases('a thread of an incident', (kind) => {
  let opened: TestDatabase;
  let rig: AlertRig;
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
  });
  afterAll(async () => opened[Symbol.asyncDispose]());
  beforeEach(async () => {
    rig = new AlertRig(opened);
    await rig.clear();
    await rig.node('n1');
    await rig.node('n2');
  });

  /** Slack's API, whose messages are numbered in the order they were posted. */
  const openSlack = () =>
    HttpSink.open({
      answer: (_request, index) => ({
        kind: 'status',
        status: 200,
        body: JSON.stringify({ ok: true, channel: 'C1', ts: `${index}.0` }),
      }),
    });
  const toSlack = (sink: HttpSink) => {
    const slack = { type: 'slack', bot_token: 'x', channel: '#ops', api_url: `http://127.0.0.1:${sink.port}` };
    return { notifications: { renotify_interval: '1h', notifiers: { a: slack } } };
  };
  const callsOf = (sink: HttpSink) =>
    sink.requests.map(({ path, body }) => {
      const { ts, thread_ts: thread, text } = JSON.parse(body) as Record<string, string>;
      return [path.replace('/chat.', ''), ts ?? thread ?? null, text];
    });

  it('is gone on with by the next life of the collector, each incident in its own', async () => {
    await using sink = await openSlack();
    {
      await using alerting = startAlerting(rig, toSlack(sink));
      alerting.start();
      await rig.condition('n1', { status: 'true' });
      await eventually(() => expect(sink.requests).toHaveLength(1));
      await rig.condition('n2', { status: 'true' });
      await eventually(() => expect(sink.requests).toHaveLength(2));
    }
    await opened.close();
    await opened.open();
    rig = new AlertRig(opened);

    await using alerting = startAlerting(rig, toSlack(sink));
    alerting.start();
    await rig.condition('n1', { status: 'false', reason: 'memory 40% used' });
    await eventually(() => expect(sink.requests).toHaveLength(4));
    await rig.condition('n2', { status: 'false', reason: 'memory 40% used' });
    await eventually(() => expect(sink.requests).toHaveLength(6));

    expect(callsOf(sink)).toEqual([
      ['postMessage', null, 'Memory pressure on n1'],
      ['postMessage', null, 'Memory pressure on n2'],
      ['update', '0.0', expect.stringMatching(/^Resolved after .*: Memory pressure on n1$/)],
      ['postMessage', '0.0', expect.stringMatching(/^Resolved after .*: Memory pressure on n1$/)],
      ['update', '1.0', expect.stringMatching(/^Resolved after .*: Memory pressure on n2$/)],
      ['postMessage', '1.0', expect.stringMatching(/^Resolved after .*: Memory pressure on n2$/)],
    ]);
    await eventually(async () =>
      expect(await rig.rows('select state, handle from notifications order by created_at, id')).toEqual([
        { state: 'delivered', handle: '["C1","0.0","#ops"]' },
        { state: 'delivered', handle: '["C1","1.0","#ops"]' },
        { state: 'delivered', handle: null },
        { state: 'delivered', handle: null },
      ]),
    );
  });

  it('is one, also of two alerts in one instant', async () => {
    await using sink = await openSlack();
    await using alerting = startAlerting(rig, toSlack(sink));
    for (const subject of ['/data', '/scratch']) {
      await rig.condition('n1', { condition: 'DiskPressure', subject, status: 'true' });
    }
    alerting.start();
    await eventually(() => expect(sink.requests).toHaveLength(3));

    expect(callsOf(sink)).toEqual([
      ['postMessage', null, 'Disk pressure: /data on n1'],
      ['update', '0.0', 'Disk pressure: /scratch on n1'],
      ['postMessage', '0.0', 'Disk pressure: /scratch on n1'],
    ]);
  });

  it("is each receiver's own", async () => {
    await using one = await openSlack();
    await using other = await openSlack();
    const { notifications } = toSlack(one);
    const both = {
      ...notifications,
      notifiers: { ...notifications.notifiers, b: toSlack(other).notifications.notifiers.a },
    };
    await using alerting = startAlerting(rig, { notifications: both });
    alerting.start();
    other.answer = (_request, index) => ({
      kind: 'status',
      status: 200,
      body: JSON.stringify({ ok: true, channel: 'C2', ts: `${index + 50}.0` }),
    });
    await rig.condition('n1', { status: 'true' });
    await eventually(() => expect([one.requests.length, other.requests.length]).toEqual([1, 1]));
    await rig.condition('n1', { status: 'false' });
    await eventually(() => expect([one.requests.length, other.requests.length]).toEqual([3, 3]));

    expect(callsOf(one).map(([, thread]) => thread)).toEqual([null, '0.0', '0.0']);
    expect(callsOf(other).map(([, thread]) => thread)).toEqual([null, '50.0', '50.0']);
  });
});
