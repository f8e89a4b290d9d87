import { incidentPartRoutes } from '@runnerwatch/collector/api/routes/incident-parts.ts';
import type { Queries } from '@runnerwatch/collector/db/database.ts';
import { incidents, silences } from '@runnerwatch/collector/db/tables/schema.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { startApi } from '../support/api-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';

const minute = 60_000;
const names = ['ops', 'oncall', 'lead'];
const notifiers = Object.fromEntries(names.map((name) => [name, { type: 'log' }]));
const escalate = [
  { after: '1h', receiver: 'lead' },
  { after: '15m', receiver: 'oncall' },
];
const subscription = { name: 'all', receiver: 'ops', escalate };

describe('what nobody acknowledges', () => {
  const rig = ownRig();
  let clock: ManualClock;
  beforeEach(async () => {
    await rig.node('n1');
    clock = new ManualClock();
  });

  const start = (subscriptions: object[] = [subscription]) =>
    startAlerting(rig, { notifications: { notifiers, subscriptions }, engine: { clock } });
  const pass = async ({ engine }: Pick<ReturnType<typeof start>, 'engine'>, ms: number, everyMs = minute) => {
    for (let gone = 0; gone < ms; gone += everyMs) {
      await clock.advance(everyMs);
      await engine.round();
    }
  };
  const rows = () =>
    rig.rows<{ receiver: string; body: Notification }>(
      'select receiver, body from notifications order by created_at, id',
    );
  const told = async () => (await rows()).map(({ receiver, body }) => [receiver, body.transition, body.type]);
  const minutes = async () =>
    (await rows()).map(({ receiver, body }) => [
      receiver,
      Math.round((Date.parse(body.at) - Date.UTC(2026, 0, 1)) / minute),
    ]);
  const incidentId = async () => (await rig.db.drizzle.select().from(incidents))[0]?.id ?? '';
  const firing = async ({ engine }: Pick<ReturnType<typeof start>, 'engine'>) => {
    await rig.condition('n1', { status: 'true' });
    await engine.round();
  };

  it('goes to one more receiver after each step, with the cause as it was first told and who was told before', async () => {
    await using alerting = start();
    await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
    await alerting.engine.round();
    await pass(alerting, 14 * minute);
    expect(await told()).toEqual([['ops', 'fired', 'task.ended']]);

    await pass(alerting, minute);
    await pass(alerting, 90 * minute, 5 * minute);

    expect(await minutes()).toEqual([
      ['ops', 0],
      ['oncall', 15],
      ['lead', 60],
    ]);
    const [first, second, third] = (await rows()).map(({ body }) => body);
    expect(second).toMatchObject({
      type: 'task.ended',
      transition: 'escalated',
      task: first?.task,
      incident: first?.incident,
      escalation: { since: '2026-01-01T00:00:00.000Z', told: [{ receiver: 'ops', at: '2026-01-01T00:00:00.000Z' }] },
    });
    expect(third?.escalation?.told).toEqual([
      { receiver: 'ops', at: '2026-01-01T00:00:00.000Z' },
      { receiver: 'oncall', at: '2026-01-01T00:15:00.000Z' },
    ]);
    expect(await rig.rows(`select decisions from transitions where kind = 'escalated' order by at`)).toMatchObject([
      {
        decisions: [
          { receiver: 'oncall', reason: 'escalated', detail: 'not acknowledged since 2026-01-01T00:00:00.000Z' },
        ],
      },
      { decisions: [{ receiver: 'lead' }] },
    ]);
  });

  it('F082 goes on after restarts of the collector, also when a step fell due while it was away, and tells no step twice', async () => {
    {
      await using alerting = start();
      await firing(alerting);
      await pass(alerting, 10 * minute);
    }
    {
      await using alerting = start();
      await pass(alerting, 10 * minute);
      expect(await minutes()).toEqual([
        ['ops', 0],
        ['oncall', 15],
      ]);
    }
    await clock.advance(60 * minute);
    await using alerting = start();
    await pass(alerting, 5 * minute);

    expect((await told()).map(([receiver]) => receiver)).toEqual(['ops', 'oncall', 'lead']);
  });

  it.each<[string, (alerting: ReturnType<typeof start>) => Promise<unknown>]>([
    ['acknowledged', async ({ engine }) => engine.acknowledge({ id: await incidentId(), by: 'ada', note: '' })],
    ['over', async () => rig.condition('n1', { status: 'false' })],
    [
      'silenced',
      async ({ policy }) => {
        await rig.db.drizzle.insert(silences).values({
          id: 's',
          origin: 'person',
          author: 'ada',
          reason: 'move',
          matchers: [{ key: 'node', patterns: ['n1'] }],
          startsAt: new Date(clock.wallMs()),
          endsAt: new Date(clock.wallMs() + 24 * 60 * minute),
          createdAt: new Date(clock.wallMs()),
        });
        await policy.refresh();
      },
    ],
    ['on a node that is drained', async () => rig.setNode('n1', { draining: true })],
  ])('goes no further when it is %s before', async (_how, end) => {
    await using alerting = start();
    await firing(alerting);
    await pass(alerting, 14 * minute, 7 * minute);
    await end(alerting);
    await pass(alerting, 60 * minute, 5 * minute);

    expect((await told()).filter(([, transition]) => transition === 'escalated')).toEqual([]);
  });

  it('waits for the end of quiet hours, and goes up then if it still holds', async () => {
    const quiet_hours = { time_zone: 'UTC', from: '00:10', to: '02:00' };
    await using alerting = start([{ ...subscription, quiet_hours, escalate: [{ after: '15m', receiver: 'oncall' }] }]);
    await firing(alerting);
    await pass(alerting, 150 * minute, 5 * minute);

    expect(await minutes()).toEqual([
      ['ops', 0],
      ['oncall', 120],
    ]);
  });

  it('F065 takes a step whole or not at all: what fails with its transaction is taken by the next round, once', async () => {
    let isBroken = true;
    const keeper = () => ({
      claim: async (tx: Queries, receiver: string) => {
        if (receiver === 'oncall' && isBroken) await tx.execute(sql`select 1 / 0`);
      },
      committed: () => undefined,
      rolledBack: () => undefined,
    });
    await using alerting = startAlerting(rig, {
      notifications: { notifiers, subscriptions: [subscription] },
      engine: { clock, keeper },
    });
    await firing(alerting);
    await expect(pass(alerting, 15 * minute, 5 * minute)).rejects.toThrow();
    expect(await minutes()).toEqual([['ops', 0]]);
    isBroken = false;
    await pass(alerting, 2 * minute);

    expect(await minutes()).toEqual([
      ['ops', 0],
      ['oncall', 16],
    ]);
  });

  it('begins anew when an acknowledgement has ended, also after the last step', async () => {
    await using alerting = start([{ ...subscription, escalate: [{ after: '15m', receiver: 'oncall' }] }]);
    await firing(alerting);
    await pass(alerting, 20 * minute, 5 * minute);
    const until = new Date(clock.wallMs() + 30 * minute);
    await alerting.engine.acknowledge({ id: await incidentId(), by: 'ada', note: '', until });
    await pass(alerting, 60 * minute, 5 * minute);

    expect(await minutes()).toEqual([
      ['ops', 0],
      ['oncall', 15],
      ['oncall', 65],
    ]);
    expect((await rows()).at(-1)?.body.escalation?.since).toBe(until.toISOString());
  });

  it('is told to be over to everyone who heard of it, whichever of its alerts ends last', async () => {
    await using alerting = start();
    await rig.taskStarted('n1', 't1');
    for (const condition of ['TaskStalled', 'MemoryExhaustionPredicted'] as const)
      await rig.condition('n1', { status: 'true', condition, subject: 't1' });
    await alerting.engine.round();
    await pass(alerting, 20 * minute, 5 * minute);
    expect((await told()).slice(2)).toEqual([['oncall', 'escalated', 'condition.fired']]);
    await rig.condition('n1', { status: 'false', condition: 'TaskStalled', subject: 't1' });
    await pass(alerting, minute);
    await rig.condition('n1', { status: 'false', condition: 'MemoryExhaustionPredicted', subject: 't1' });
    await pass(alerting, 60 * minute, 10 * minute);

    expect((await told()).slice(3).toSorted()).toEqual([
      ['oncall', 'resolved', 'condition.resolved'],
      ['oncall', 'resolved', 'incident.resolved'],
      ['ops', 'resolved', 'condition.resolved'],
      ['ops', 'resolved', 'condition.resolved'],
    ]);
  });

  it('is one escalation for a batch, and for a receiver that several subscriptions name', async () => {
    await using alerting = start([
      { name: 'general', receiver: 'ops' },
      { name: 'special', receiver: 'ops', matchers: { job: 'train' }, escalate },
      { name: 'other', receiver: 'lead', escalate },
    ]);
    for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
    await alerting.engine.round();
    await pass(alerting, 30 * minute, 5 * minute);

    expect((await told()).filter(([, transition]) => transition === 'escalated')).toEqual([
      ['oncall', 'escalated', 'task.ended'],
    ]);
  });

  it('keeps a flapping alert from going up for what it said in an earlier life', async () => {
    await using alerting = start();
    await firing(alerting);
    await pass(alerting, 10 * minute);
    await rig.condition('n1', { status: 'false' });
    await pass(alerting, minute);
    await firing(alerting);
    await pass(alerting, 10 * minute);
    expect((await told()).filter(([, transition]) => transition === 'escalated')).toEqual([]);

    await pass(alerting, 10 * minute);
    expect((await minutes()).at(-1)).toEqual(['oncall', 26]);
  });

  it('shows in its incident who was told, when and why', async () => {
    await using alerting = start();
    await firing(alerting);
    await pass(alerting, 16 * minute);
    await using api = await startApi({ routes: [incidentPartRoutes({ db: rig.db })] });
    const response = await fetch(`${api.url}/api/v1/incidents/${await incidentId()}/timeline`);

    expect(await response.json()).toMatchObject({
      items: [
        {
          kind: 'escalated',
          decisions: [{ subscription: 'all', receiver: 'oncall', notified: true, reason: 'escalated' }],
          deliveries: [{ transition: 'escalated', type: 'condition.fired', receiver: 'oncall' }],
        },
        { kind: 'fired', decisions: [{ subscription: 'all', receiver: 'ops', notified: true, reason: 'matched' }] },
      ],
    });
  });
});
