import { deliveryRoutes } from '@runnerwatch/collector/api/routes/deliveries.ts';
import { explainRoutes } from '@runnerwatch/collector/api/routes/explain.ts';
import { incidentPartRoutes } from '@runnerwatch/collector/api/routes/incident-parts.ts';
import { incidentRoutes } from '@runnerwatch/collector/api/routes/incidents.ts';
import { notifierRoutes } from '@runnerwatch/collector/api/routes/notifiers.ts';
import { subscriptionRoutes } from '@runnerwatch/collector/api/routes/subscriptions.ts';
import { notifications, transitions } from '@runnerwatch/collector/db/tables/schema.ts';
import type { Deliverer } from '@runnerwatch/collector/outbox/deliverer.ts';
import { newId } from '@runnerwatch/collector/outbox/new-id.ts';
import { promiseNotifications } from '@runnerwatch/collector/outbox/outbox.ts';
import { previewNotification } from '@runnerwatch/collector/outbox/preview.ts';
import { sendTest } from '@runnerwatch/collector/outbox/send-test.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { notification } from '@runnerwatch/shared/model/notification.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { startApi } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink, ok } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';
import { routingParts } from '../support/routing-parts.ts';

const webhook = (sink: HttpSink, timeout = '300ms') => ({ type: 'webhook', url: sink.url, timeout });
const status = (code: number): Answer => ({ kind: 'status', status: code });
const everyEnd = (sink: HttpSink) => ({
  notifiers: { hook: webhook(sink) },
  group_window: 0,
  subscriptions: [{ name: 'ends', events: ['end'], receiver: 'hook' }],
});

describeOnDatabases('the outbox', (kind) => {
  const rig = ownRig(kind);
  beforeEach(async () => {
    await rig.node('n1');
  });

  const states = () =>
    rig.rows<{ state: string; attempts: number; receiver: string; last_error: string | null }>(
      'select state, attempts, receiver, last_error from notifications order by created_at, id',
    );

  it('F065 F079 tells 1000 ends at least once each, one id per end, while the receiver fails and everything is torn down again and again', async () => {
    const count = 1000;
    let chance = 42;
    const random = () => (chance = (chance * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    const faults: Answer[] = [
      status(500),
      status(503),
      { kind: 'reset' },
      { kind: 'accept-then-cut' },
      { kind: 'hang-before-headers' },
      { kind: 'hang-after-headers' },
    ];
    let isCalm = false;
    await using sink = await HttpSink.open({
      answer: () => (!isCalm && random() < 0.15 ? (faults[Math.floor(random() * faults.length)] ?? ok) : ok),
    });
    for (let index = 0; index < count; index += 1)
      await rig.taskEnded('n1', `t${index}`, { status: index % 2 === 0 ? 'failed' : 'completed' });

    for (let life = 0; life < 6; life += 1) {
      const until = sink.requests.length + 120;
      await using alerting = startAlerting(rig, { notifications: everyEnd(sink), deliverer: { concurrency: 16 } });
      alerting.start();
      await eventually(() => sink.requests.length >= until, { timeoutMs: 30_000 });
    }
    isCalm = true;
    await using alerting = startAlerting(rig, { notifications: everyEnd(sink), deliverer: { concurrency: 16 } });
    alerting.start();
    await eventually(
      async () => {
        // Their waits are over: what failed is due now.
        await rig.rows(
          "update notifications set next_attempt_at = now() where state = 'pending' and claimed_by is null",
        );
        const [left] = await rig.rows<{ waiting: number; unjudged: number }>(
          "select (select count(*)::int from notifications where state <> 'delivered') as waiting, (select count(*)::int from events where judged_at is null) as unjudged",
        );
        return expect(left).toEqual({ waiting: 0, unjudged: 0 });
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );

    const taskById = new Map<string, Set<string>>();
    for (const body of sink.bodies) {
      const { id, task } = notification.parse(body);
      taskById.set(id, (taskById.get(id) ?? new Set()).add(task?.id ?? ''));
    }
    expect(taskById.size).toBe(count);
    expect([...taskById.values()].every((tasks) => tasks.size === 1)).toBe(true);
    expect(new Set([...taskById.values()].flatMap((tasks) => [...tasks])).size).toBe(count);
    expect(new Set(sink.ids)).toEqual(new Set(taskById.keys()));
  });

  it('F103 lets no receiver delay another', async () => {
    await using hanging = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
    await using fine = await HttpSink.open();
    const notifications = {
      notifiers: { bad: webhook(hanging, '10s'), good: webhook(fine) },
      subscriptions: [
        { name: 'b', events: ['end'], receiver: 'bad' },
        { name: 'g', events: ['end'], receiver: 'good' },
      ],
    };
    await using alerting = startAlerting(rig, { notifications });
    const startedAt = performance.now();
    for (let index = 0; index < 30; index += 1) await rig.taskEnded('n1', `t${index}`, { status: 'failed' });
    alerting.start();

    await eventually(() => expect(new Set(fine.ids).size).toBe(30), { timeoutMs: 8000 });

    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect(
      (await states()).filter(({ receiver }) => receiver === 'bad').every(({ state }) => state === 'pending'),
    ).toBe(true);
  });

  it('F104 leaves a receiver alone for as long as it asks, and drops nothing', async () => {
    await using sink = await HttpSink.open({
      answer: (_request, index) => (index === 0 ? { kind: 'status', status: 429, retryAfter: '2' } : ok),
    });
    await using alerting = startAlerting(rig, { notifications: everyEnd(sink), deliverer: { concurrency: 1 } });
    for (const id of ['a', 'b', 'c']) await rig.taskEnded('n1', id, { status: 'failed' });
    alerting.start();

    await eventually(async () =>
      expect((await states()).map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']),
    );

    const [first, second] = sink.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1900);
  });

  it('F079 sends again, under the same id, what was sent by a collector that died before it could write that down', async () => {
    await using sink = await HttpSink.open();
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await using judging = startAlerting(rig, { notifications: everyEnd(sink) });
    await judging.engine.round();
    // What a killed process leaves behind: a claim, a message at the receiver, and no settlement.
    await rig.rows("update notifications set claimed_by = 'dead', claimed_until = now() + interval '1 second'");
    const [row] = await rig.rows<{ id: string }>('select id from notifications');
    await using other = startAlerting(rig, { notifications: everyEnd(sink), deliverer: { isAlone: false } });

    other.start();
    await eventually(async () => expect((await states())[0]?.state).toBe('delivered'));

    expect(sink.ids).toEqual([row?.id]);
    expect(await rig.rows('select attempt, outcome from deliveries')).toEqual([{ attempt: 1, outcome: 'delivered' }]);
  });

  it('F079 ends the claims of a dead collector at once when it is alone on its database', async () => {
    await using sink = await HttpSink.open();
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await using alerting = startAlerting(rig, { notifications: everyEnd(sink) });
    await alerting.engine.round();
    await rig.rows("update notifications set claimed_by = 'dead', claimed_until = now() + interval '30 seconds'");

    alerting.start();

    await eventually(() => sink.requests.length === 1, { timeoutMs: 5000 });
  });

  it('stops at once, also when asked to in the middle of a round', async () => {
    const clock = new ManualClock();
    const stops: PromiseLike<void>[] = [];
    const stop = (which: 'engine' | 'deliverer') => stops.push(alerting[which][Symbol.asyncDispose]());
    await using alerting = startAlerting(rig, {
      engine: {
        clock,
        overdue: () => {
          stop('engine');
          return [];
        },
      },
      deliverer: {
        clock,
        targets: {
          areThere: () => {
            stop('deliverer');
            return false;
          },
          open: async () => null,
        },
      },
    });

    alerting.start();
    await eventually(() => stops.length >= 2);

    await Promise.all(stops);
  }, 30_000);

  /** A promise to `hook` in a transaction of its own. */
  const promise = async (deliverer: Deliverer, end: 'commit' | 'throw') => {
    const keeper = deliverer.keeper();
    let isClaimed = false;
    const work = rig.db.drizzle.transaction(async (tx) => {
      const at = new Date();
      const id = newId(at.getTime());
      await tx.insert(transitions).values({ id, kind: 'test', at, reason: 'a test', decisions: [] });
      const told = { type: 'test', at: toInstant(at.getTime()), incident: null, node: null } as const;
      const body = { ...told, transition: 'test', repeat: 0 } as const;
      await promiseNotifications(tx, [{ transitionId: id, subscription: 's', receiver: 'hook', body }], at);
      await keeper.claim(tx, 'hook');
      const [row] = await tx.select().from(notifications);
      isClaimed = row?.claimedBy != null;
      if (end === 'throw') throw new Error('ours');
    });
    await work.catch(() => {});
    return { keeper, isClaimed };
  };

  it('claims a promise in the transaction that makes it, and sends it only after the commit', async () => {
    await using sink = await HttpSink.open();
    await using alerting = startAlerting(rig, { notifications: everyEnd(sink), deliverer: { tickMs: 60_000 } });
    alerting.deliverer.start();
    await eventually(async () => {
      const { keeper, isClaimed } = await promise(alerting.deliverer, 'throw');
      keeper.rolledBack();
      return isClaimed;
    });

    const { keeper, isClaimed } = await promise(alerting.deliverer, 'commit');
    const before = sink.requests.length;
    keeper.committed();

    await eventually(() => sink.requests.length === 1);
    expect(before).toBe(0);
    expect(isClaimed).toBe(true);
    await eventually(async () => expect(await states()).toMatchObject([{ state: 'delivered', attempts: 1 }]));
  });

  it('F014 counts nothing as sent that was broken off by its stop, and keeps it due', async () => {
    await using sink = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
    const notifications = { notifiers: { hook: webhook(sink, '20s') } };
    {
      await using alerting = startAlerting(rig, { notifications });
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      alerting.start();
      await eventually(() => sink.requests.length === 1);
    }

    expect(await states()).toMatchObject([{ state: 'pending', attempts: 1, last_error: 'stopped' }]);
    const [row] = await rig.rows<{ is_due: boolean }>(
      'select next_attempt_at <= now() and claimed_by is null as is_due from notifications',
    );
    expect(row?.is_due).toBe(true);
  });

  it('F102 gives up what is promised to a receiver that has left the configuration', async () => {
    await using sink = await HttpSink.open();
    await using before = startAlerting(rig, { notifications: everyEnd(sink) });
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await before.engine.round();

    await using after = startAlerting(rig);
    after.start();

    await eventually(async () =>
      expect(await states()).toMatchObject([{ state: 'dead', last_error: 'its receiver is no longer configured' }]),
    );
  });

  describe('and its API', () => {
    async function apiOn(alerting: ReturnType<typeof startAlerting>) {
      const { db } = rig;
      const now = () => Date.now();
      const api = await startApi({
        routes: [
          incidentRoutes({ db, now, acknowledge: (one) => alerting.engine.acknowledge(one) }),
          incidentPartRoutes({ db }),
          deliveryRoutes({ db, now, onPromised: () => alerting.deliverer.nudge() }),
          subscriptionRoutes(routingParts(db, { policy: alerting.policy }).subscriptions),
          notifierRoutes({
            receivers: () => alerting.policy.current().receivers,
            sendTest: (receiver) => sendTest({ db, deliverer: alerting.deliverer, clock: systemClock }, receiver),
            preview: (asked) =>
              previewNotification({ queries: db.drizzle, notifiers: alerting.notifiers, clock: systemClock }, asked),
          }),
          explainRoutes({ db }),
        ],
      });
      const ask = async (method: string, path: string, body?: unknown) => {
        const response = await fetch(`${api.url}/api/v1${path}`, {
          method,
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        return {
          status: response.status,
          body: (await response.json()) as Record<string, never> & {
            items: Record<string, unknown>[];
            next_cursor: string | null;
          },
        };
      };
      return { ask, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
    }

    it('F105 shows a dead letter and sends it again, with the same id, when asked', async () => {
      let answer: Answer = status(410);
      await using sink = await HttpSink.open({ answer: () => answer });
      await using alerting = startAlerting(rig, { notifications: everyEnd(sink) });
      alerting.start();
      await using api = await apiOn(alerting);
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      await eventually(async () => expect((await states())[0]?.state).toBe('dead'));

      const { body } = await api.ask('GET', '/deliveries?state=dead');
      expect(body.items).toMatchObject([
        {
          state: 'dead',
          receiver: 'hook',
          task_id: 't1',
          attempts: [{ attempt: 1, outcome: 'refused', http_status: 410 }],
        },
      ]);
      answer = ok;
      const id = String(body.items[0]?.['id']);
      expect((await api.ask('POST', `/deliveries/${id}/retry`)).status).toBe(200);

      await eventually(async () => expect((await states())[0]).toMatchObject({ state: 'delivered', attempts: 2 }));
      expect(new Set(sink.ids)).toEqual(new Set([id]));
      expect((await api.ask('POST', `/deliveries/${id}/retry`)).status).toBe(409);
      expect((await api.ask('POST', '/deliveries/none/retry')).status).toBe(404);
    });

    it('shows what a notifier would say of the past, and sends nothing', async () => {
      await using sink = await HttpSink.open();
      const notifiers = {
        hook: webhook(sink),
        many: { type: 'apprise', url: sink.url, template: { subject: '{{ task.name }}!' } },
        broken: { type: 'apprise', url: sink.url, template: { text: '{{ nobody }}' } },
      };
      const subscriptions = [{ events: ['fail'], receiver: 'hook' }];
      await using alerting = startAlerting(rig, { notifications: { notifiers, subscriptions } });
      await using api = await apiOn(alerting);

      expect((await api.ask('POST', '/notifiers/many/preview', {})).body).toMatchObject({ notification_id: 'preview' });
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      await alerting.engine.round();
      const [stored] = await rig.rows<{ id: string }>('select id from notifications');

      expect((await api.ask('POST', '/notifiers/many/preview')).body).toMatchObject({
        notification_id: stored?.id,
        subject: 't1!',
        text: expect.stringContaining('last words'),
        html: null,
        note: null,
      });
      expect((await api.ask('POST', '/notifiers/broken/preview', { notification_id: stored?.id })).body).toMatchObject({
        note: expect.stringMatching(/^the template failed/),
      });
      const { text } = (await api.ask('POST', '/notifiers/hook/preview')).body;
      expect(JSON.parse(String(text))).toMatchObject({ version: 1, id: stored?.id, type: 'task.ended' });
      expect((await api.ask('POST', '/notifiers/many/preview', { notification_id: 'none' })).status).toBe(404);
      expect((await api.ask('POST', '/notifiers/nobody/preview')).status).toBe(404);
      expect(sink.requests).toEqual([]);
    });

    it('keeps what is to be known of a delivered one with its attempt', async () => {
      await using sink = await HttpSink.open({ answer: () => status(200) });
      const notifiers = { many: { type: 'apprise', url: sink.url, template: { text: '{{ nobody }}' } } };
      await using alerting = startAlerting(rig, { notifications: { notifiers } });
      alerting.start();
      await using api = await apiOn(alerting);
      const note = expect.stringMatching(/^the template failed and the built-in text stands in: undefined variable/);

      expect((await api.ask('POST', '/notifiers/many/test')).body).toMatchObject({ outcome: 'delivered', note });
      expect((await api.ask('GET', '/deliveries')).body.items).toMatchObject([
        { state: 'delivered', last_error: null, attempts: [{ outcome: 'delivered', error: note }] },
      ]);
    });

    it('tests a notifier by the real path, and answers the real error', async () => {
      let answer: Answer = ok;
      await using sink = await HttpSink.open({ answer: () => answer });
      await using alerting = startAlerting(rig, { notifications: { notifiers: { hook: webhook(sink) } } });
      alerting.start();
      await using api = await apiOn(alerting);

      expect((await api.ask('POST', '/notifiers/hook/test')).body).toMatchObject({
        outcome: 'delivered',
        receiver: 'hook',
        http_status: 204,
        error: null,
        notification_id: sink.ids[0],
      });
      expect(sink.bodies[0]).toMatchObject({ type: 'test', version: 1 });
      answer = status(503);
      expect((await api.ask('POST', '/notifiers/hook/test')).body).toMatchObject({
        outcome: 'failed',
        http_status: 503,
        error: 'HTTP 503',
      });
      expect((await states()).map(({ state }) => state)).toEqual(['delivered', 'dead']);
      expect((await api.ask('POST', '/notifiers/log/test')).body).toMatchObject({ outcome: 'delivered' });
      expect(await api.ask('POST', '/notifiers/nobody/test')).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found', message: expect.stringContaining('hook') } },
      });
    });

    it('lists incidents by page, shows one with what happened, and takes an acknowledgement', async () => {
      await using alerting = startAlerting(rig);
      await using api = await apiOn(alerting);
      for (let index = 0; index < 5; index += 1) await rig.taskEnded('n1', `t${index}`, { status: 'failed' });
      await rig.condition('n1', { status: 'true' });
      await alerting.engine.round();

      const seen: unknown[] = [];
      for (let path: string | null = '/incidents?open&limit=2'; path !== null; ) {
        const { body } = await api.ask('GET', path);
        seen.push(...body.items.map(({ id }) => id));
        path = body.next_cursor === null ? null : `/incidents?open&limit=2&cursor=${body.next_cursor}`;
      }
      expect(new Set(seen).size).toBe(6);
      expect(seen).toHaveLength(6);

      expect((await api.ask('GET', '/incidents?node=n1')).body.items).toHaveLength(6);
      expect((await api.ask('GET', '/incidents?node=n2')).body.items).toEqual([]);
      const { body: all } = await api.ask('GET', '/incidents');
      const taskIncident = all.items.find(({ title }) => String(title).startsWith('t0'));
      const { body: shown } = await api.ask('GET', `/incidents/${String(taskIncident?.['id'])}`);
      expect(shown).toMatchObject({
        alerts: [{ condition: 'TaskFailed', node: 'n1', task_id: 't0', status: 'firing' }],
        timeline_total: 1,
      });
      expect((await api.ask('GET', `/incidents/${String(taskIncident?.['id'])}/timeline`)).body.items).toMatchObject([
        { kind: 'fired', reason: 'failed', deliveries: [{ receiver: 'log' }] },
      ]);
      const acked = await api.ask('POST', `/incidents/${String(taskIncident?.['id'])}/ack`, {
        note: 'known',
        by: 'ada',
      });
      expect(acked.body).toMatchObject({ status: 'resolved', acknowledged_by: 'ada', acknowledge_note: 'known' });
      const condition = all.items.find(({ title }) => String(title).startsWith('MemoryPressure'));
      expect(
        (await api.ask('POST', `/incidents/${String(condition?.['id'])}/ack`, { note: 'known' })).body,
      ).toMatchObject({ status: 'open', acknowledged_by: null, acknowledge_note: 'known' });
      expect((await api.ask('GET', '/incidents?status=open')).body.items).toHaveLength(5);
      const { items: worst } = (await api.ask('GET', '/incidents?severity=critical')).body;
      expect(worst.map(({ id }) => id)).toEqual(
        all.items.filter(({ severity }) => severity === 'critical').map(({ id }) => id),
      );
      expect(worst.length).toBeLessThan(all.items.length);
      expect((await api.ask('GET', '/incidents/none')).status).toBe(404);
      expect((await api.ask('GET', '/incidents?cursor=%21')).status).toBe(400);
      expect((await api.ask('GET', '/incidents?limit=1e9')).status).toBe(400);
    });

    it('explains who was told of a task and who was not, and why', async () => {
      await using sink = await HttpSink.open();
      const notifications = {
        notifiers: { hook: webhook(sink) },
        subscriptions: [
          { name: 'ops', receiver: 'hook' },
          { name: 'gpu', receiver: 'log', matchers: { node: 'gpu-*' } },
        ],
      };
      await using alerting = startAlerting(rig, { notifications });
      await using api = await apiOn(alerting);
      alerting.start();
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      await rig.taskEnded('n1', 't2', { status: 'completed' });
      await eventually(async () => expect((await states()).map(({ state }) => state)).toEqual(['delivered']));
      await eventually(async () => expect(await rig.rows('select id from events where judged_at is null')).toEqual([]));

      const { body: failed } = await api.ask('GET', '/explain/tasks/t1');
      expect(failed).toMatchObject({
        task: { id: 't1', status: 'failed', node: 'n1' },
        conclusion: '1 notification was promised: 1 delivered',
        transitions: [
          {
            kind: 'fired',
            suppression: null,
            decisions: [
              { subscription: 'ops', notified: true, reason: 'matched' },
              { subscription: 'gpu', notified: false, reason: 'node_differs' },
            ],
            deliveries: [{ state: 'delivered', attempts: [{ outcome: 'delivered', http_status: 204 }] }],
          },
        ],
      });
      expect((await api.ask('GET', '/explain/tasks/t2')).body).toMatchObject({
        conclusion: 'nobody was told: event_not_subscribed',
      });
      const { body: incidents } = await api.ask('GET', '/incidents');
      expect((await api.ask('GET', `/explain/incidents/${String(incidents.items[0]?.['id'])}`)).body).toMatchObject({
        incident: { status: 'open' },
        transitions: [{ kind: 'fired' }],
      });
      expect((await api.ask('GET', '/explain/tasks/none')).status).toBe(404);
    });

    it('F124 lists subscriptions and nothing secret', async () => {
      const notifications = {
        notifiers: { hook: { type: 'webhook', url: 'http://127.0.0.1:9/T0KEN', secret: 's3cret' } },
        subscriptions: [{ name: 'ops', matchers: { 'label.rack': ['r1'] } }],
      };
      await using alerting = startAlerting(rig, { notifications });
      await using api = await apiOn(alerting);

      const { body } = await api.ask('GET', '/subscriptions');

      expect(body.items).toEqual([
        {
          id: 'ops',
          name: 'ops',
          matchers: { 'label.rack': ['r1'] },
          events: ['fail', 'timeout', 'condition', 'unreachable'],
          receiver: 'hook',
          renotify_interval: '0',
          group_window: '5s',
          digest: null,
          target: null,
          target_digest: null,
          max_alerts_per_job: null,
          quiet_hours: null,
          escalate: [],
          expires_at: null,
          active: true,
          created_by: null,
          created_at: null,
          origin: 'file',
        },
      ]);
      expect(JSON.stringify(body)).not.toMatch(/T0KEN|s3cret/);
    });
  });
});
