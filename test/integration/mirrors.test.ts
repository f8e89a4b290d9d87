import { incidents, transitions } from '@runnerwatch/collector/db/tables/schema.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink } from '../support/http-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';

const minute = 60_000;
const hour = 60 * minute;
const taken: Answer = { kind: 'status', status: 202, body: JSON.stringify({ status: 'success', requestId: 'r' }) };

/* What a pager, an Opsgenie and an Alertmanager hear beside a chat, over real HTTP. */
describe('a receiver that mirrors incidents', () => {
  const rig = ownRig();
  let clock: ManualClock;
  let sinks: Record<'pager' | 'genie' | 'manager' | 'chat', HttpSink>;
  beforeEach(async () => {
    await rig.node('n1');
    clock = new ManualClock(Date.now());
    const open = () => HttpSink.open({ answer: () => taken });
    sinks = { pager: await open(), genie: await open(), manager: await open(), chat: await open() };
  });
  afterEach(async () => {
    for (const sink of Object.values(sinks)) await sink[Symbol.asyncDispose]();
  });

  const start = (subscriptions: object[] = []) => {
    const at = (sink: HttpSink) => `http://127.0.0.1:${sink.port}`;
    const alerting = startAlerting(rig, {
      notifications: {
        notifiers: {
          pager: { type: 'pagerduty', routing_key: 'k', api_url: at(sinks.pager) },
          genie: { type: 'opsgenie', api_key: 'k', api_url: at(sinks.genie) },
          manager: { type: 'alertmanager', urls: [at(sinks.manager)] },
          chat: { type: 'webhook', url: at(sinks.chat) },
        },
        subscriptions,
      },
      engine: { clock },
    });
    alerting.deliverer.start();
    return alerting;
  };
  const actions = () => sinks.pager.bodies.map((body) => body['event_action']);
  const paths = () =>
    sinks.genie.requests.map(({ path }) => path.replace(/^\/v2\/alerts\/?/, '').replace(/^[\w-]+\//, ''));
  const types = () => sinks.chat.bodies.map((body) => body['type']);
  /** The alerts that the last word to the Alertmanager leaves active, and those it ends, by what tells them apart. */
  const managed = () => {
    const sent = JSON.parse(sinks.manager.requests.at(-1)?.body ?? '[]') as {
      labels: Record<string, string>;
      endsAt: string;
    }[];
    return sent
      .filter(({ labels }) => labels['severity'] === 'critical' || labels['severity'] === 'warning')
      .map(({ labels, endsAt }) => [labels['subject'] ?? '', Date.parse(endsAt) > clock.wallMs()]);
  };
  const incidentId = async () => (await rig.db.drizzle.select().from(incidents))[0]?.id ?? '';
  const delivered = () =>
    eventually(async () => expect(await rig.rows(`select 1 from notifications where state = 'pending'`)).toEqual([]));
  const round = async ({ engine }: ReturnType<typeof start>) => {
    await engine.round();
    await delivered();
  };

  it.each([
    [
      'somebody acknowledges it',
      async ({ engine }: ReturnType<typeof start>) => {
        await engine.acknowledge({ id: await incidentId(), by: 'ada', note: 'bad batch' });
      },
    ],
    [
      'a later run of its job ends well',
      async () => {
        await rig.taskEnded('n1', 't2', {
          status: 'completed',
          job: 'train',
          ended_at: new Date(Date.now() + hour).toISOString(),
        });
      },
    ],
    ['nobody looks at it for a day', async () => clock.advance(25 * hour)],
  ])('hears that a failure is over when %s, of which people hear nothing', async (_how, end) => {
    await using alerting = start();
    await rig.taskEnded('n1', 't1', { status: 'failed', job: 'train' });
    await round(alerting);
    expect([actions(), paths(), managed()]).toEqual([
      ['trigger'],
      [''],
      [
        ['t1', true],
        ['t1', false],
      ].toSorted(),
    ]);

    await end(alerting);
    await round(alerting);

    expect(actions()).toEqual(['trigger', 'resolve']);
    expect(new Set(sinks.pager.bodies.map((body) => body['dedup_key']))).toEqual(new Set([await incidentId()]));
    expect(paths()).toEqual(['', 'close?identifierType=alias']);
    expect(managed()).toEqual([
      ['t1', false],
      ['t1', false],
    ]);
    expect(types()).toEqual(['task.ended']);
  });

  it('hears that somebody is on what goes on, and later that it is over, across a restart', async () => {
    {
      await using alerting = start();
      await rig.condition('n1', { status: 'true' });
      await round(alerting);
    }
    await using alerting = start();
    await alerting.engine.acknowledge({ id: await incidentId(), by: 'ada', note: 'disk ordered' });
    await delivered();

    expect(sinks.pager.bodies.at(-1)).toEqual({
      routing_key: 'k',
      event_action: 'acknowledge',
      dedup_key: await incidentId(),
    });
    expect(sinks.genie.requests.at(-1)?.path).toBe(`/v2/alerts/${await incidentId()}/acknowledge?identifierType=alias`);
    expect(sinks.genie.bodies.at(-1)).toEqual({
      source: 'Runnerwatch',
      note: 'Acknowledged by ada: MemoryPressure on n1\nDisk ordered.',
    });
    expect(sinks.manager.requests).toHaveLength(1);
    expect(await rig.db.drizzle.select().from(transitions)).toMatchObject([
      { kind: 'fired' },
      {
        kind: 'acknowledged',
        reason: 'acknowledged by ada: disk ordered',
        decisions: [{ reason: 'mirrored' }, { reason: 'mirrored' }],
      },
    ]);
    await rig.condition('n1', { status: 'false' });
    await round(alerting);
    expect(actions()).toEqual(['trigger', 'acknowledge', 'resolve']);
    expect(types()).toEqual(['condition.fired', 'condition.resolved']);
  });

  it('hears that a warning is over with its task', async () => {
    await using alerting = start();
    await rig.taskStarted('n1', 't1');
    await rig.condition('n1', { status: 'true', condition: 'TaskStalled', subject: 't1' });
    await round(alerting);
    await rig.taskEnded('n1', 't1', { status: 'completed' });
    await round(alerting);
    await round(alerting);

    expect(actions()).toEqual(['trigger', 'resolve']);
    expect(managed()).toEqual([
      ['t1', false],
      ['t1', false],
    ]);
    expect(types()).toEqual(['condition.fired']);
  });

  it('hears that an incident is over though it was told of the first of its alerts only', async () => {
    await using alerting = start([{ receiver: 'pager', matchers: { condition: 'MemoryPressure' } }]);
    for (const condition of ['MemoryPressure', 'DiskPressure'] as const)
      await rig.condition('n1', { status: 'true', condition });
    await round(alerting);
    // As conditions of one task share an incident.
    await rig.rows('update alerts set incident_id = (select min(incident_id) from alerts)');
    await rig.condition('n1', { status: 'false', condition: 'MemoryPressure' });
    await round(alerting);
    expect(actions()).toEqual(['trigger']);

    await rig.condition('n1', { status: 'false', condition: 'DiskPressure' });
    await round(alerting);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('does not open an incident again for what is told of it after its end', async () => {
    await using alerting = start();
    for (const id of ['t1', 't2', 't3']) await rig.taskEnded('n1', id, { status: 'failed', job: 'train' });
    await round(alerting);
    await alerting.engine.acknowledge({ id: await incidentId(), by: 'ada', note: '' });
    await delivered();
    await clock.advance(minute);
    await round(alerting);

    expect(types()).toEqual(['task.ended', 'digest']);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('F104 gets trigger and acknowledgement in their order when it was down, and no end that it never began', async () => {
    sinks.pager.answer = () => ({ kind: 'status', status: 503 });
    await using alerting = start([{ receiver: 'pager' }]);
    await rig.condition('n1', { status: 'true' });
    await alerting.engine.round();
    await eventually(async () => expect(await rig.rows('select 1 from deliveries')).toHaveLength(1));
    await alerting.engine.acknowledge({ id: await incidentId(), by: 'ada', note: '' });
    sinks.pager.answer = () => taken;
    await clock.advance(minute);
    await delivered();

    expect(actions()).toEqual(['trigger', 'trigger', 'acknowledge']);
  });
});
