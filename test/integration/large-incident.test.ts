import { explainRoutes } from '@runnerwatch/collector/api/routes/explain.ts';
import { incidentPartRoutes } from '@runnerwatch/collector/api/routes/incident-parts.ts';
import { incidentRoutes } from '@runnerwatch/collector/api/routes/incidents.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

interface Page {
  readonly items: readonly { readonly id: string; readonly kind?: string; readonly status?: string }[];
  readonly next_cursor: string | null;
}

/* Sixty tasks of one job fail on two nodes: one incident, of which only so much is sent at a time. */
describeOnDatabases('an incident of many failures', (kind) => {
  let opened: TestDatabase;
  let api: TestApi;
  let alerting: ReturnType<typeof startAlerting>;
  let id: string;
  const clock = new ManualClock();

  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    const rig = new AlertRig(opened);
    await rig.node('n1', { name: 'gpu-1' });
    await rig.node('n2', { name: 'gpu-2' });
    const notifications = { notifiers: { ops: { type: 'log' } }, subscriptions: [{ receiver: 'ops' }] };
    alerting = startAlerting(rig, { notifications, engine: { clock } });
    for (let nth = 0; nth < 60; nth += 1)
      await rig.taskEnded(nth < 50 ? 'n1' : 'n2', `t${nth}`, { status: 'failed', job: 'train' });
    await alerting.engine.round();
    const { db } = rig;
    api = await startApi({
      routes: [
        incidentRoutes({ db, now: () => clock.wallMs(), acknowledge: (one) => alerting.engine.acknowledge(one) }),
        incidentPartRoutes({ db }),
        explainRoutes({ db }),
      ],
    });
    id = (await get<Page>('/incidents')).items[0]?.id ?? '';
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await alerting[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  const get = async <T>(path: string) => (await (await fetch(`${api.url}/api/v1${path}`)).json()) as T;
  const pages = async (path: string) => {
    const items: Page['items'][number][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page = await get(`${path}?limit=25${cursor === '' ? '' : `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  };

  it('is listed with the first of its alerts, how many there are, and all of its nodes', async () => {
    const { items } = await get<{ items: { alerts: unknown[] }[] }>('/incidents');

    expect(items).toMatchObject([
      {
        failures: 60,
        alerts_total: 60,
        alerts_firing: 60,
        conditions: ['TaskFailed'],
        nodes: ['gpu-1', 'gpu-2'],
      },
    ]);
    expect(items[0]?.alerts).toHaveLength(20);
  });

  it('shows the alerts of a node first where that node is asked about', async () => {
    const { items } = await get<{ items: { alerts: { node: string }[] }[] }>('/incidents?node=gpu-2');

    expect(items[0]?.alerts.slice(0, 11).map(({ node }) => node)).toEqual([
      ...Array<string>(10).fill('gpu-2'),
      'gpu-1',
    ]);
  });

  it('gives all of its alerts and of its story page by page, each once', async () => {
    const [alerts, story] = [await pages(`/incidents/${id}/alerts`), await pages(`/incidents/${id}/timeline`)];

    expect(new Set(alerts.map((one) => one.id)).size).toBe(60);
    expect(alerts).toHaveLength(60);
    expect(new Set(story.map((one) => one.id)).size).toBe(60);
    expect(story).toHaveLength(60);
    expect(await get(`/incidents/${id}`)).toMatchObject({ timeline_total: 60, notifications_pending: 1 });
  });

  it('explains its newest part, and concludes from all of it', async () => {
    const explained = await get<{ transitions: Page['items'] }>(`/explain/incidents/${id}`);

    expect(explained).toMatchObject({
      transitions_total: 60,
      conclusion: expect.stringMatching(/^\d+ notifications? /),
    });
    expect(explained.transitions.map((one) => one.id)).toEqual(
      (await get<Page>(`/incidents/${id}/timeline?limit=50`)).items.map((one) => one.id).toReversed(),
    );
  });

  it('knows no alerts and no story of an incident that is not there', async () => {
    for (const part of ['alerts', 'timeline'])
      expect(await get(`/incidents/none/${part}`)).toMatchObject({ error: { code: 'not_found' } });
  });

  it('tells an acknowledgement that ends all of them once', async () => {
    await alerting.engine.acknowledge({ id, by: 'ada', note: 'bad release' });

    const story = await pages(`/incidents/${id}/timeline`);

    expect(story.filter(({ kind }) => kind !== 'fired')).toMatchObject([
      { kind: 'resolved', reason: 'acknowledged by ada: bad release' },
    ]);
    expect(await get(`/incidents/${id}`)).toMatchObject({ timeline_total: 61, alerts_firing: 0, alerts_total: 60 });
  });

  it('does not say of a task that is told with others that nobody was told', async () => {
    await clock.advance(10_000);
    await alerting.engine.round();

    expect(await get('/explain/tasks/t40')).toMatchObject({ conclusion: 'it is told with others, in one message' });
  });
});
