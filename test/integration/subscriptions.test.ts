import { LivePolicy } from '@runnerwatch/collector/routing/live-policy.ts';
import { deleteSubscriptionsBefore } from '@runnerwatch/collector/routing/store.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';
import { startRouting } from '../support/routing-rig.ts';

const minuteMs = 60_000;
/** Without a notifier of the file: nobody else is told. */
const nobody = { subscriptions: [{ events: ['begin'] }] };

describe('subscriptions that people make', () => {
  const rig = ownRig();

  beforeEach(async () => {
    await rig.node('n1');
  });

  const start = (clock: ManualClock, notifications: object = nobody) => startRouting(rig, { clock, notifications });
  const told = (sink: HttpSink) => sink.bodies as unknown as Record<string, unknown>[];
  const reasons = async () =>
    (
      await rig.rows<{ decisions: { subscription: string; reason: string }[] }>(
        'select decisions from transitions order by at, id',
      )
    ).map(({ decisions }) => decisions.findLast(({ subscription }) => subscription !== 'subscription-1')?.reason);

  it('are in force when the answer comes, and the same after a restart', async () => {
    const clock = new ManualClock(Date.now());
    await using sink = await HttpSink.open();
    const target = { type: 'webhook', address: sink.url };
    {
      await using product = await start(clock);
      const { status, body } = await product.ask('POST', '/subscriptions', {
        name: 'mine',
        matchers: { owner: 'ada' },
        events: ['fail'],
        target,
        max_alerts_per_job: 5,
        renotify_interval: '1h',
        group_window: '1h',
        for: '7d',
        quiet_hours: { time_zone: 'Europe/Berlin', from: '03:00', to: '03:01', days: ['mon'] },
        escalate: [
          { after: '60m', receiver: 'log' },
          { after: '15m', receiver: 'log' },
        ],
        created_by: 'ada',
      });

      expect({ status, body }).toEqual({
        status: 201,
        body: {
          id: expect.any(String),
          name: 'mine',
          origin: 'api',
          matchers: { owner: ['ada'] },
          events: ['fail'],
          receiver: `webhook:${body['id']}`,
          target: `http://127.0.0.1:${sink.port}/…`,
          target_digest: expect.stringMatching(/^[0-9a-f]{16}$/),
          max_alerts_per_job: 5,
          renotify_interval: '1h',
          group_window: '1h',
          digest: null,
          quiet_hours: { time_zone: 'Europe/Berlin', from: '03:00', to: '03:01', days: ['mon'] },
          escalate: [
            { after: '15m', receiver: 'log' },
            { after: '1h', receiver: 'log' },
          ],
          expires_at: new Date(clock.wallMs() + 7 * 86_400_000).toISOString(),
          active: true,
          created_by: 'ada',
          created_at: new Date(clock.wallMs()).toISOString(),
        },
      });
      expect((await product.ask('GET', '/subscriptions')).body.items.map(({ name }) => name)).toEqual([
        'subscription-1',
        'mine',
      ]);
    }
    await using product = await start(clock);
    product.deliverer.start();
    await rig.taskEnded('n1', 't1', { status: 'failed', owner: 'eve' });
    await rig.taskEnded('n1', 't2', { status: 'failed', owner: 'ada' });
    await product.engine.round();

    await eventually(() => expect(told(sink)).toMatchObject([{ task: { id: 't2' } }]));
    expect(await reasons()).toEqual(['owner_differs', 'matched']);
  });

  it('tell again as often as the file says for all, unless they say otherwise', async () => {
    await using product = await start(new ManualClock(Date.now()), { ...nobody, renotify_interval: '2h' });

    const made = await product.ask('POST', '/subscriptions', { receiver: 'log' });
    const never = await product.ask('POST', '/subscriptions', { receiver: 'log', renotify_interval: '0' });

    expect([made.body['renotify_interval'], never.body['renotify_interval']]).toEqual(['2h', '0']);
  });

  it('F123 refuse text that no database can hold, and say where it stands', async () => {
    await using product = await start(new ManualClock(Date.now()));

    const named = await product.ask('POST', '/subscriptions', { receiver: 'log', name: 'a\0b' });
    const matched = await product.ask('POST', '/subscriptions', { receiver: 'log', matchers: { node: ['n', 'a\0'] } });
    const ended = await product.ask('DELETE', '/subscriptions/none%00');

    expect([named, matched, ended].map(({ status, body }) => [status, body['error']])).toEqual([
      [400, { code: 'bad_request', message: 'name: expected text without NUL characters', field: 'name' }],
      [400, expect.objectContaining({ field: 'matchers.node.1' })],
      [400, expect.objectContaining({ field: 'id' })],
    ]);
  });

  it('are shown one by one, those of the file too', async () => {
    await using product = await start(new ManualClock(Date.now()));
    await product.ask('POST', '/subscriptions', { receiver: 'log' });
    const { items } = (await product.ask('GET', '/subscriptions')).body;

    const shown = await Promise.all(items.map(({ id }) => product.ask('GET', `/subscriptions/${String(id)}`)));

    expect(items.map(({ origin }) => origin)).toEqual(['file', 'api']);
    expect(shown.map(({ status, body }) => [status, body])).toEqual(items.map((item) => [200, item]));
  });

  it('are changed and ended, and refused where they make no sense', async () => {
    const clock = new ManualClock(Date.now());
    await using product = await start(clock);
    const made = await product.ask('POST', '/subscriptions', { receiver: 'log' });
    const path = `/subscriptions/${made.body['id']}`;

    expect(await product.ask('PATCH', path, { events: ['end'], matchers: { node: ['n*', 'm1'] } })).toMatchObject({
      status: 200,
      body: { events: ['end'], matchers: { node: ['n*', 'm1'] }, receiver: 'log', max_alerts_per_job: null },
    });
    expect(product.policy.current().subscriptions.at(-1)).toMatchObject({ events: ['end'] });
    await product.ask('PATCH', path, { escalate: [{ after: '15m', receiver: 'log' }] });
    expect(product.policy.current().subscriptions.at(-1)?.escalate).toEqual([{ afterMs: 900_000, receiver: 'log' }]);
    expect((await product.ask('PATCH', path, { escalate: null })).body).toMatchObject({
      escalate: [],
      events: ['end'],
    });
    expect(await product.ask('PATCH', path, {})).toMatchObject({ status: 200, body: { events: ['end'] } });
    expect((await product.ask('PATCH', path, { digest: '90m' })).body).toMatchObject({ digest: '1h30m' });
    expect(product.policy.current().subscriptions.at(-1)).toMatchObject({ digestMs: 5_400_000 });
    expect((await product.ask('PATCH', path, { digest: null })).body).toMatchObject({ digest: null, events: ['end'] });
    expect((await product.ask('DELETE', path)).status).toBe(204);
    expect((await product.ask('DELETE', path)).status).toBe(404);
    expect(product.policy.current().subscriptions).toHaveLength(1);
    for (const [method, where, body, status, sentence] of [
      ['DELETE', '/subscriptions/subscription-1', undefined, 409, 'configuration file'],
      ['PATCH', '/subscriptions/none', { events: ['end'] }, 404, 'none'],
      ['POST', '/subscriptions', { receiver: 'pager' }, 400, 'there is no notifier pager'],
      ['POST', '/subscriptions', { matchers: { nod: 'x' } }, 400, 'expected one of node'],
      ['POST', '/subscriptions', { events: ['sometimes'] }, 400, 'events'],
      ['POST', '/subscriptions', { expires_at: '2020-01-01T00:00:00Z' }, 400, 'still to come'],
      ['POST', '/subscriptions', { for: '7 days' }, 400, 'expected a duration'],
      ['POST', '/subscriptions', { quiet_hours: { time_zone: 'Mars/Base', from: '1:00', to: '02:00' } }, 400, 'zone'],
      ['POST', '/subscriptions', { quite_hours: {} }, 400, 'quite_hours'],
      ['POST', '/subscriptions', { escalate: [{ after: '15m', receiver: 'lead' }] }, 400, 'there is no notifier lead'],
      ['POST', '/subscriptions', { escalate: [{ after: '0', receiver: 'log' }] }, 400, 'expected a duration above 0'],
      ['POST', '/subscriptions', { target: { type: 'email', address: 'a@b.example' } }, 400, 'notifications.smtp'],
    ] as const) {
      const answer = await product.ask(method, where, body);
      expect({ where, body, status: answer.status }).toEqual({ where, body, status });
      expect(JSON.stringify(answer.body)).toContain(sentence);
    }
  });

  it('tell of a job only so often, until a run of it ends well', async () => {
    const clock = new ManualClock(Date.now());
    await using product = await start(clock);
    await product.ask('POST', '/subscriptions', { events: ['fail'], receiver: 'log', max_alerts_per_job: 2 });
    const fail = (id: string, job: string) => rig.taskEnded('n1', id, { status: 'failed', job });

    for (const id of ['a1', 'a2', 'a3']) await fail(id, 'a');
    await fail('b1', 'b');
    await product.engine.round();
    await fail('a4', 'a');
    await product.engine.round();
    expect(await reasons()).toEqual(['matched', 'matched', 'max_alerts_reached', 'matched', 'max_alerts_reached']);
    await rig.taskEnded('n1', 'a5', { status: 'completed', job: 'a' });
    await product.engine.round();
    await fail('a6', 'a');
    await product.engine.round();

    expect((await reasons()).at(-1)).toBe('matched');
  });

  it('that have expired say so in `explain`, and who was told that something began is told its end', async () => {
    const clock = new ManualClock(Date.now());
    await using sink = await HttpSink.open();
    await using product = await start(clock);
    product.deliverer.start();
    const target = { type: 'webhook', address: sink.url };
    await product.ask('POST', '/subscriptions', { events: ['condition', 'fail'], target, for: '30m' });
    const gone = await product.ask('POST', '/subscriptions', { events: ['condition'], target });
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();
    await eventually(() => expect(sink.requests).toHaveLength(2));

    await product.ask('DELETE', `/subscriptions/${gone.body['id']}`);
    await clock.advance(31 * minuteMs);
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await rig.condition('n1', { status: 'false' });
    await product.engine.round();
    product.deliverer.nudge();

    await eventually(() =>
      expect(told(sink).map(({ type }) => type)).toEqual([
        'condition.fired',
        'condition.fired',
        'condition.resolved',
        'condition.resolved',
      ]),
    );
    const { body } = await product.ask('GET', '/explain/tasks/t1');
    expect(body).toMatchObject({
      transitions: [{ decisions: [{}, { reason: 'expired', detail: expect.stringContaining('since 2') }] }],
    });
  });

  it('have quiet hours, after which what still holds is told once, with how late', async () => {
    // A Monday, 03:30 in Berlin.
    const clock = new ManualClock(Date.parse('2026-11-23T02:30:00.000Z'));
    await using sink = await HttpSink.open();
    const quiet_hours = { time_zone: 'Europe/Berlin', from: '22:00', to: '04:00' };
    {
      await using product = await start(clock);
      const target = { type: 'webhook', address: sink.url };
      await product.ask('POST', '/subscriptions', { events: ['condition', 'fail', 'success'], target, quiet_hours });
      await rig.condition('n1', { status: 'true' });
      await rig.condition('n1', { status: 'true', condition: 'HighLoad', reason: 'load 90' });
      await rig.taskEnded('n1', 't1', { status: 'failed', job: 'a' });
      await rig.taskEnded('n1', 't2', { status: 'completed' });
      await product.engine.round();
      await clock.advance(10 * minuteMs);
      await rig.condition('n1', { status: 'false', condition: 'HighLoad' });
      await product.engine.round();
    }
    expect(await reasons()).toEqual(['quiet_hours', 'quiet_hours', 'quiet_hours', 'quiet_hours', 'never_told']);

    await using product = await start(clock);
    product.deliverer.start();
    await clock.advance(21 * minuteMs);
    await product.engine.round();
    await product.engine.round();
    await rig.condition('n1', { status: 'false' });
    await product.engine.round();

    const held_back = { reason: 'quiet_hours', since: '2026-11-23T02:30:00.000Z', until: '2026-11-23T03:00:00.000Z' };
    await eventually(() => expect(sink.requests).toHaveLength(3));
    expect(told(sink).toSorted((a, b) => String(a['type']).localeCompare(String(b['type'])))).toMatchObject([
      { type: 'condition.fired', condition: { type: 'MemoryPressure' }, held_back },
      { type: 'condition.resolved', condition: { type: 'MemoryPressure' } },
      { type: 'task.ended', task: { id: 't1' }, held_back },
    ]);
    expect(told(sink).some((one) => one['type'] === 'condition.resolved' && 'held_back' in one)).toBe(false);
    expect(await rig.rows('select 1 from held_notifications')).toEqual([]);
  });

  it('are forgotten some time after their end, unless what they told of still holds', async () => {
    const clock = new ManualClock(Date.now());
    await using product = await start(clock);
    const make = async (body: object) => String((await product.ask('POST', '/subscriptions', body)).body['id']);
    const address = 'http://127.0.0.1:9/x';
    const told = await make({ events: ['condition'], target: { type: 'webhook', address }, for: '1h' });
    await make({ events: ['success'], receiver: 'log', for: '1h', max_alerts_per_job: 1 });
    const kept = await make({ events: ['success'], receiver: 'log' });
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();
    await rig.db.sql`update notifications set state = 'delivered'`;
    await clock.advance(2 * 3_600_000);
    const forget = () => deleteSubscriptionsBefore(rig.db.drizzle, new Date(clock.wallMs()), 100);
    const known = async () => (await rig.rows<{ id: string }>('select id from subscriptions')).map(({ id }) => id);

    expect(await forget()).toBe(1);
    expect(new Set(await known())).toEqual(new Set([told, kept]));
    await rig.condition('n1', { status: 'false' });
    await product.engine.round();
    expect(await forget()).toBe(0);
    await rig.db.sql`update notifications set state = 'delivered'`;
    expect(await forget()).toBe(1);
    expect(await known()).toEqual([kept]);
  });

  it('reach another collector on the same database', async () => {
    const clock = new ManualClock(Date.now());
    await using product = await start(clock);
    await using other = new LivePolicy({
      base: product.policy.base,
      db: rig.db,
      clock: systemClock,
      log: pino({ level: 'silent' }),
      isAlone: false,
      everyMs: 10,
    });
    await other.start();

    const { body } = await product.ask('POST', '/subscriptions', { receiver: 'log' });
    await eventually(() => expect(other.current().subscriptions.map(({ name }) => name)).toContain(body['id']));
    await product.ask('POST', '/silences', { matchers: { node: 'n1' }, author: 'ada', reason: 'x', for: '1h' });
    await eventually(() => expect(other.current().silences).toHaveLength(1));
    await product.ask('DELETE', `/subscriptions/${body['id']}`);
    await eventually(() => expect(other.current().subscriptions).toHaveLength(1));
  });

  it('can be tried on what is stored', async () => {
    const clock = new ManualClock(Date.now());
    await using product = await start(clock);
    for (let index = 0; index < 25; index += 1)
      await rig.taskEnded('n1', `t${index}`, { status: index === 0 ? 'timed_out' : 'failed', project: 'ml' });
    await rig.taskEnded('n1', 'other', { status: 'failed', project: 'web' });
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();

    const { body } = await product.ask('POST', '/subscriptions/test', {
      matchers: { project: 'ml' },
      events: ['fail'],
    });

    expect(body).toMatchObject({
      looked_at: 27,
      matched: 24,
      complete: true,
      reasons: { matched: 24, project_differs: 1, event_not_subscribed: 2 },
    });
    expect(body.items).toHaveLength(20);
    expect(body.items[0]).toMatchObject({ task: 't24', node: 'n1', reason: 'failed', condition: 'TaskFailed' });
    await clock.advance(3_600_000);
    expect((await product.ask('POST', '/subscriptions/test', { since: '30m' })).body).toMatchObject({ looked_at: 0 });
  });

  describe('with a target of their own', () => {
    it('F112 refuse at once an address that is closed, and dial no name that leads to one', async () => {
      await using sink = await HttpSink.open();
      await using product = await startRouting(rig, { clock: systemClock, notifications: nobody, allowedCidrs: [] });
      product.start();
      const subscribe = (address: string) =>
        product.ask('POST', '/subscriptions', { events: ['fail'], target: { type: 'webhook', address } });

      for (const address of [
        sink.url,
        `http://2130706433:${sink.port}/`,
        `http://[::ffff:7f00:1]:${sink.port}/`,
        'file:///etc/passwd',
      ])
        expect((await subscribe(address)).status).toBe(400);
      const { status, body } = await subscribe(`http://localhost:${sink.port}/hook`);
      expect(status).toBe(201);
      const test = await product.ask('POST', `/notifiers/${body['receiver']}/test`);
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      product.engine.nudge();

      expect(test.body).toMatchObject({
        outcome: 'failed',
        error: expect.stringContaining('notifications.allowed_cidrs'),
      });
      await eventually(async () =>
        expect(await rig.rows('select state, last_error from notifications where not is_test')).toMatchObject([
          { state: 'dead', last_error: expect.stringContaining('the address is not public') },
        ]),
      );
      expect(sink.requests).toEqual([]);
      expect(sink.openSockets).toBe(0);
    });

    it('F112 follow no redirect, and show nothing of an answer', async () => {
      await using inner = await HttpSink.open();
      await using outer = await HttpSink.open({
        answer: () => ({ kind: 'status', status: 302, headers: { location: inner.url }, body: 'a secret of theirs' }),
      });
      await using product = await startRouting(rig, { clock: systemClock, notifications: nobody });
      product.start();
      const { body } = await product.ask('POST', '/subscriptions', {
        target: { type: 'webhook', address: outer.url },
      });

      const test = await product.ask('POST', `/notifiers/${body['receiver']}/test`);

      expect(test.body).toMatchObject({ outcome: 'failed', http_status: 302 });
      expect(JSON.stringify(test.body)).not.toContain('secret');
      expect([outer.requests.length, inner.requests.length]).toEqual([1, 0]);
    });
  });

  describe('for a time, a watch', () => {
    it('R78 R79 R83 R84 R85 looks at projects for half an hour, stops by itself, and says what it sent', async () => {
      const clock = new ManualClock(Date.now());
      await using product = await start(clock);
      const { status, body } = await product.ask('POST', '/watches', { projects: ['ml-*', 'web'] });

      expect({ status, body }).toMatchObject({
        status: 201,
        body: {
          projects: ['ml-*', 'web'],
          only_failed: false,
          max_alerts_per_job: 1,
          receiver: 'log',
          ends_at: new Date(clock.wallMs() + 30 * minuteMs).toISOString(),
          active: true,
          alerts_sent: 0,
        },
      });
      await rig.taskEnded('n1', 't1', { status: 'failed', project: 'ml-a', job: 'a' });
      await rig.taskEnded('n1', 't2', { status: 'killed_oom', project: 'ml-a', job: 'a' });
      await rig.taskEnded('n1', 't3', { status: 'failed', project: 'sql', job: 'a' });
      await rig.taskEnded('n1', 't4', { status: 'completed', project: 'web', job: 'b' });
      await product.engine.round();
      expect(await reasons()).toEqual(['matched', 'max_alerts_reached', 'project_differs', 'event_not_subscribed']);
      await clock.advance(30 * minuteMs);
      await rig.taskEnded('n1', 't5', { status: 'failed', project: 'web', job: 'b' });
      await product.engine.round();

      expect((await reasons()).at(-1)).toBe('expired');
      expect((await product.ask('GET', '/watches')).body.items).toMatchObject([{ active: false, alerts_sent: 1 }]);
    });

    it('R83 R84 goes on without an end when asked to, until it is stopped', async () => {
      const clock = new ManualClock(Date.now());
      await using product = await start(clock);
      const { body } = await product.ask('POST', '/watches', { only_failed: true, for: '0', max_alerts_per_job: null });
      expect(body).toMatchObject({ projects: ['*'], only_failed: true, ends_at: null, max_alerts_per_job: null });
      await clock.advance(30 * 86_400_000);
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      await product.engine.round();

      expect((await product.ask('DELETE', `/watches/${body['id']}`)).status).toBe(204);
      await rig.taskEnded('n1', 't2', { status: 'failed' });
      await product.engine.round();

      expect(await reasons()).toEqual(['matched', 'expired']);
      expect((await product.ask('GET', '/watches')).body.items).toMatchObject([{ active: false, alerts_sent: 1 }]);
      expect((await product.ask('DELETE', '/watches/none')).status).toBe(404);
    });
  });
});
