import { hostname } from 'node:os';
import { listFiringSubjects } from '@runnerwatch/collector/alerts/store.ts';
import { areAllAway, startDeliveryWatch } from '@runnerwatch/collector/delivery-watch.ts';
import { notification } from '@runnerwatch/shared/model/notification.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink, ok } from '../support/http-sink.ts';
import { ownRig } from '../support/own-rig.ts';

const status = (code: number): Answer => ({ kind: 'status', status: code });
const webhook = (sink: HttpSink) => ({ type: 'webhook', url: sink.url, timeout: '500ms' });
const nodeId = `collector@${hostname()}`;

/* An engine, a deliverer and the watch between them, as the assembly connects them. */
describe('a receiver whose notifications are given up', () => {
  const rig = ownRig();
  beforeEach(async () => {
    await rig.node('n1');
  });

  function start(notifications: object, lines: Record<string, unknown>[] = []) {
    const alerting = startAlerting(rig, { notifications });
    alerting.start();
    const watch = startDeliveryWatch({
      states: () => alerting.deliverer.states(),
      firing: () => listFiringSubjects(rig.db.drizzle, { nodeId, condition: 'DeliveryFailed' }),
      report: (reports) => alerting.engine.takeOwn(nodeId, reports),
      clock: systemClock,
      log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }),
      everyMs: 50,
    });
    return {
      ...alerting,
      [Symbol.asyncDispose]: async () => {
        await watch[Symbol.asyncDispose]();
        await alerting[Symbol.asyncDispose]();
      },
    };
  }
  const told = (sink: HttpSink) =>
    sink.bodies
      .map((body) => notification.parse(body))
      .filter(({ condition }) => condition?.type === 'DeliveryFailed')
      .map(({ type, condition }) => [type, condition?.subject, condition?.active]);

  it('F105 is told by every other receiver, also by one that subscribed to something else, and told again when it takes them', async () => {
    let answer = status(410);
    await using broken = await HttpSink.open({ answer: () => answer });
    await using other = await HttpSink.open();
    const notifications = {
      notifiers: { broken: webhook(broken), other: webhook(other) },
      subscriptions: [
        { events: ['fail'], receiver: 'broken' },
        { events: ['begin'], receiver: 'other' },
      ],
    };
    await using product = start(notifications);

    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await eventually(() => expect(told(other)).toEqual([['condition.fired', 'broken', true]]));
    expect(product.deliverer.states()).toContainEqual(
      expect.objectContaining({ receiver: 'broken', hasGivenUp: true, lastError: expect.stringContaining('410') }),
    );
    answer = ok;
    await rig.taskEnded('n1', 't2', { status: 'failed' });

    await eventually(() =>
      expect(told(other)).toEqual([
        ['condition.fired', 'broken', true],
        ['condition.resolved', 'broken', false],
      ]),
    );
    expect(told(broken)).toEqual([]);
    const [own] = await rig.rows<{ decisions: unknown }>(
      "select decisions from transitions t join alerts a on a.id = t.alert_id where a.condition = 'DeliveryFailed' order by t.at limit 1",
    );
    expect(own?.decisions).toEqual(
      expect.arrayContaining([
        { subscription: 'delivery', receiver: 'broken', notified: false, reason: 'receiver_failing' },
        { subscription: 'delivery', receiver: 'log', notified: true, reason: 'matched' },
      ]),
    );
  });

  it('is known for one after a restart too, and told once', async () => {
    let answer = status(410);
    await using broken = await HttpSink.open({ answer: () => answer });
    await using other = await HttpSink.open();
    const notifications = {
      notifiers: { broken: webhook(broken), other: webhook(other) },
      subscriptions: [{ events: ['fail'], receiver: 'broken' }],
    };
    {
      await using _before = start(notifications);
      await rig.taskEnded('n1', 't1', { status: 'failed' });
      await eventually(() => expect(told(other)).toHaveLength(1));
    }
    await using after = start(notifications);
    await eventually(() =>
      expect(after.deliverer.states()).toContainEqual(
        expect.objectContaining({ receiver: 'broken', hasGivenUp: true }),
      ),
    );
    answer = ok;
    await rig.taskEnded('n1', 't2', { status: 'failed' });

    await eventually(() => expect(told(other)).toHaveLength(2));
    expect(told(other).map(([type]) => type)).toEqual(['condition.fired', 'condition.resolved']);
  });

  it('F113 says in its log and its state that nobody is told anything, when no receiver takes notifications', async () => {
    const lines: Record<string, unknown>[] = [];
    let answer: Answer = status(503);
    await using one = await HttpSink.open({ answer: () => answer });
    await using two = await HttpSink.open({ answer: () => answer });
    await using product = start({ notifiers: { one: webhook(one), two: webhook(two) } }, lines);
    const isNobodyTold = () => areAllAway(product.deliverer.states());
    expect(isNobodyTold()).toBe(false);

    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await eventually(() => isNobodyTold() && lines.length === 1);
    answer = ok;
    await eventually(() => !isNobodyTold() && lines.length === 2);

    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [50, 'no receiver takes notifications: nobody is told anything'],
      [30, 'a receiver takes notifications again'],
    ]);
  });
});
