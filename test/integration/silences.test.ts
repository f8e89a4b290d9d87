import { deleteSilencesBefore } from '@runnerwatch/collector/routing/store.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';
import { startRouting } from '../support/routing-rig.ts';

const hourMs = 3_600_000;

describe('a silence', () => {
  const rig = ownRig();
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    await rig.node('n1');
    await rig.node('n2');
  });

  const start = () => startRouting(rig, { clock });
  const told = () =>
    rig.rows<{ type: string; body: Record<string, Record<string, unknown>> }>(
      'select type, body from notifications order by created_at, id',
    );
  const order = { matchers: { node: 'n1' }, author: 'ada', reason: 'swapping disks' };

  it('is listed for the nodes that it concerns', async () => {
    await using product = await start();
    const listed = async (query: string) =>
      (await product.ask('GET', `/silences${query}`)).body.items.map(({ reason }) => reason).toSorted();
    for (const matchers of [{ node: 'n?' }, { node: 'n1', job: 'x' }, { condition: 'HighLoad' }, { job: 'x' }])
      await product.ask('POST', '/silences', {
        ...order,
        matchers,
        reason: Object.values(matchers).join(' '),
        for: '1h',
      });

    expect(await listed('')).toEqual(['HighLoad', 'n1 x', 'n?', 'x']);
    expect(await listed('?node=n1')).toEqual(['HighLoad', 'n1 x', 'n?']);
    expect(await listed('?node=n2')).toEqual(['HighLoad', 'n?']);
    expect(await listed('?node=n3')).toEqual([]);
  });

  it('says what it hides now before it is stored, and keeps it from everyone, by name', async () => {
    await using product = await start();
    await rig.condition('n1', { status: 'true' });
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await rig.condition('n2', { status: 'true' });
    await product.engine.round();

    const preview = await product.ask('POST', '/silences/preview', { matchers: order.matchers });
    const dry = await product.ask('POST', '/silences?dry_run', { ...order, for: '2h' });
    expect(preview.body).toMatchObject({ count: 2 });
    expect(preview.body.items.map(({ condition }) => condition).toSorted()).toEqual(['MemoryPressure', 'TaskFailed']);
    expect(dry).toMatchObject({ status: 200, body: { hides: { count: 2 }, state: 'active' } });
    expect((await product.ask('GET', '/silences')).body.items).toEqual([]);

    const made = await product.ask('POST', '/silences', { ...order, for: '2h' });
    expect(made).toMatchObject({ status: 201, body: { author: 'ada', reason: 'swapping disks' } });
    await rig.taskEnded('n1', 't2', { status: 'failed' });
    await product.engine.round();

    const { body } = await product.ask('GET', '/explain/tasks/t2');
    expect(body).toMatchObject({
      conclusion: 'nobody was told: silenced',
      transitions: [
        {
          kind: 'suppressed',
          suppression: 'silenced',
          decisions: [
            {
              reason: 'silenced',
              silence_id: (made.body as unknown as { id: string }).id,
              detail: `by ada until ${new Date(clock.wallMs() + 2 * hourMs).toISOString()}: swapping disks`,
            },
          ],
        },
      ],
    });
  });

  it('F101 that ends while the collector is away lets go once, and says who silenced it until when', async () => {
    {
      await using product = await start();
      await product.ask('POST', '/silences', { ...order, for: '1h' });
      await product.ask('POST', '/silences', { ...order, author: 'eve', for: '30m' });
      await rig.condition('n1', { status: 'true' });
      await rig.condition('n1', { status: 'true', condition: 'HighLoad', reason: 'load 90' });
      await product.engine.round();
      await rig.condition('n1', { status: 'false', condition: 'HighLoad' });
      await clock.advance(45 * 60_000);
      await product.engine.round();
    }
    expect(await told()).toEqual([]);
    const since = new Date(clock.wallMs() - 45 * 60_000).toISOString();
    await clock.advance(10 * hourMs);

    await using product = await start();
    await product.engine.round();
    await product.engine.round();
    await rig.condition('n1', { status: 'false' });
    await product.engine.round();

    expect(await told()).toMatchObject([
      {
        type: 'condition.fired',
        body: {
          condition: { type: 'MemoryPressure' },
          held_back: {
            reason: 'silenced',
            since,
            until: new Date(Date.parse(since) + hourMs).toISOString(),
            by: 'ada',
            note: 'swapping disks',
          },
        },
      },
      { type: 'condition.resolved' },
    ]);
  });

  it('is named by the first message after it, and by no other', async () => {
    await using product = await start();
    await product.ask('POST', '/silences', { ...order, for: '1h' });
    const until = new Date(clock.wallMs() + hourMs).toISOString();
    await clock.advance(2 * hourMs);
    for (const id of ['t1', 't2']) await rig.taskEnded('n1', id, { status: 'failed' });
    await rig.taskEnded('n2', 't3', { status: 'failed' });
    await product.engine.round();
    await clock.advance(25 * hourMs);
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();

    expect((await told()).map(({ body }) => body['after_silence'])).toEqual([
      { by: 'ada', until, note: 'swapping disks' },
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('ends when told to, and lets go at once', async () => {
    await using product = await start();
    const { body } = await product.ask('POST', '/silences', { ...order, for: '1h' });
    const { id } = body as unknown as { id: string };
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();

    expect((await product.ask('DELETE', `/silences/${id}`)).status).toBe(204);
    expect((await product.ask('DELETE', `/silences/${id}`)).status).toBe(404);
    await product.engine.round();

    expect((await told()).map(({ type }) => type)).toEqual(['condition.fired']);
    expect((await product.ask('GET', '/silences')).body.items).toEqual([]);
    expect((await product.ask('GET', '/silences?all')).body.items).toMatchObject([{ id, state: 'expired' }]);
    expect(await deleteSilencesBefore(rig.db.drizzle, new Date(clock.wallMs() - 1), 100)).toBe(0);
    expect(await deleteSilencesBefore(rig.db.drizzle, new Date(clock.wallMs() + 1), 100)).toBe(1);
  });

  it('F101 is refused when it would never silence anything, or never end', async () => {
    await using product = await start();
    const now = new Date(clock.wallMs()).toISOString();
    const later = new Date(clock.wallMs() + hourMs).toISOString();

    for (const [body, sentence] of [
      [{ ...order, starts_at: later, ends_at: later }, 'still to come'],
      [{ ...order, starts_at: later, ends_at: now }, 'still to come'],
      [{ ...order, for: '0' }, 'expected how long'],
      [{ ...order }, 'expected how long'],
      [{ ...order, for: '1h', matchers: {} }, 'at least one matcher'],
      [{ ...order, for: '1h', matchers: { hots: 'x' } }, 'expected one of node'],
      [{ ...order, for: '1h', author: ' ' }, 'author'],
      [{ ...order, for: '1h', reason: undefined }, 'reason'],
      [{ ...order, for: '1h', ends_at: later }, 'either for or ends_at'],
      [{ ...order, recurrence: { time_zone: 'Mars/Base', from: '01:00', to: '02:00' } }, 'time zone'],
    ] as const) {
      const answer = await product.ask('POST', '/silences', body);
      expect({ body, status: answer.status }).toEqual({ body, status: 400 });
      expect(JSON.stringify(answer.body)).toContain(sentence);
    }
  });

  it('that comes again holds only within its hours', async () => {
    // A Sunday, 01:59 in Berlin; the clock goes back at 03:00.
    clock = new ManualClock(Date.parse('2026-10-24T23:59:00.000Z'));
    await using product = await start();
    const recurrence = { time_zone: 'Europe/Berlin', days: ['sun'], from: '02:00', to: '03:00' };
    const { body } = await product.ask('POST', '/silences', { ...order, recurrence });
    expect(body).toMatchObject({ state: 'waiting', until: null, ends_at: null });

    await clock.advance(60_000);
    expect((await product.ask('GET', '/silences')).body.items).toMatchObject([
      { state: 'active', until: '2026-10-25T02:00:00.000Z' },
    ]);
    await clock.advance(90 * 60_000);
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();
    expect(await told()).toEqual([]);
    await clock.advance(50 * 60_000);
    await product.engine.round();

    expect(await told()).toMatchObject([
      { type: 'condition.fired', body: { held_back: { by: 'ada', until: '2026-10-25T02:00:00.000Z' } } },
    ]);
  });

  it('comes with a drain, which keeps its own ways, and ends with it', async () => {
    await using product = await start();
    expect((await product.ask('POST', '/nodes/n1/drain', { by: 'ada', reason: 'new disks' })).status).toBe(200);
    await product.ask('POST', '/nodes/n1/drain', {});
    const { items } = (await product.ask('GET', '/silences')).body;
    expect(items).toMatchObject([
      {
        origin: 'drain',
        author: 'ada',
        reason: 'new disks',
        matchers: { node: ['n1'] },
        ends_at: null,
        state: 'active',
      },
    ]);
    await rig.condition('n1', { status: 'true' });
    await rig.taskEnded('n1', 't1', { status: 'failed' });
    await product.engine.round();
    expect((await told()).map(({ type }) => type)).toEqual(['task.ended']);

    await clock.advance(hourMs);
    expect((await product.ask('DELETE', `/silences/${String(items[0]?.['id'])}`)).status).toBe(204);
    await product.engine.round();
    await product.engine.round();

    expect((await told()).slice(1)).toMatchObject([
      { type: 'condition.fired', body: { held_back: { reason: 'draining', by: 'ada', note: 'new disks' } } },
    ]);
    expect((await product.ask('GET', '/nodes/n1')).body).toMatchObject({ status: 'online' });
    await product.ask('POST', '/nodes/n1/drain');
    await clock.advance(60_000);
    await product.ask('POST', '/nodes/n1/undrain');
    expect((await product.ask('GET', '/silences')).body.items).toEqual([]);
    for (const id of ['t2', 't3']) await rig.taskEnded('n1', id, { status: 'failed' });
    await product.engine.round();
    expect((await told()).slice(2).map(({ body }) => body['after_silence'])).toMatchObject([
      { by: 'unknown', note: 'draining' },
      undefined,
    ]);
  });

  it('of a silent node keeps its lost tasks too, and tells both in one message when it ends', async () => {
    let overdue: string[] = [];
    await using product = await startRouting(rig, { clock, engine: { overdue: () => overdue } });
    await product.ask('POST', '/silences', { ...order, for: '1h' });
    await rig.taskStarted('n1', 't1', { job: 'train' });
    await product.engine.round();
    overdue = ['n1'];
    await product.engine.round();
    expect(await told()).toEqual([]);

    await clock.advance(hourMs);
    await product.engine.round();
    await product.engine.round();

    expect(await told()).toMatchObject([
      {
        type: 'node.unreachable',
        body: { held_back: { by: 'ada' }, group: [{ task: { id: 't1', status: 'lost' } }] },
      },
    ]);
  });
});
