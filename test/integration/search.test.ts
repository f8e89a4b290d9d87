import { fleetRoutes } from '@runnerwatch/collector/api/routes/fleet.ts';
import { nodeRoutes } from '@runnerwatch/collector/api/routes/nodes.ts';
import { searchRoutes } from '@runnerwatch/collector/api/routes/search.ts';
import { conditionStates } from '@runnerwatch/collector/db/tables/schema.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AlertRig } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

interface Found {
  readonly kind: string;
  readonly name: string;
  readonly status: string | null;
  readonly node: string | null;
}

describeOnDatabases('what a person looks for', (kind) => {
  let opened: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    const rig = new AlertRig(opened);
    await rig.node('n1', { name: 'gpu-1' });
    await rig.node('n2', { name: 'cpu_2' });
    await opened.database.drizzle.insert(conditionStates).values(
      (['true', 'unknown'] as const).map((status, index) => ({
        nodeId: `n${index + 1}`,
        condition: 'HighLoad' as const,
        component: 'agent' as const,
        subject: '',
        status,
        severity: 'warning' as const,
        reason: 'load 9 on 4 CPUs',
        value: 9,
        threshold: 8,
        since: new Date(),
        changedAt: new Date(),
      })),
    );
    const train = { job: 'train', project: 'lm' };
    await rig.taskEnded('n1', 'train-a', {
      ...train,
      name: 'train on gpu',
      status: 'failed',
      ended_at: '2026-11-20T10:00:00.000Z',
    });
    await rig.taskEnded('n1', 'train-b', {
      ...train,
      name: 'train again',
      status: 'completed',
      ended_at: '2026-11-21T10:00:00.000Z',
    });
    await rig.taskStarted('n2', 'other', { name: 'Training 100% of it' });
    const queries = opened.database.drizzle;
    const samples = { newest: () => null, query: async () => [] };
    api = await startApi({
      routes: [
        searchRoutes({ queries }),
        fleetRoutes({ queries }),
        nodeRoutes({ queries, samples, clock: systemClock, onChanged: () => undefined }),
      ],
    });
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  const search = async (text: string) => {
    const answer = await fetch(`${api.url}/api/v1/search?q=${encodeURIComponent(text)}`);
    const { items } = (await answer.json()) as { items: Found[] };
    return items.map(({ kind: found, name, status, node }) => [found, name, status, node]);
  };

  it('is found by a part of its name: nodes, jobs, and tasks that run before those that ended', async () => {
    expect(await search('TRAIN')).toEqual([
      ['job', 'lm/train', null, null],
      ['task', 'Training 100% of it', 'running', 'cpu_2'],
      ['task', 'train again', 'completed', 'gpu-1'],
      ['task', 'train on gpu', 'failed', 'gpu-1'],
    ]);
    expect(await search('gpu')).toEqual([
      ['node', 'gpu-1', 'online', null],
      ['task', 'train on gpu', 'failed', 'gpu-1'],
    ]);
  });

  it('is taken by the letter: what LIKE reads as a pattern is none', async () => {
    expect(await search('100%')).toEqual([['task', 'Training 100% of it', 'running', 'cpu_2']]);
    expect(await search('u_')).toEqual([['node', 'cpu_2', 'online', null]]);
    expect(await search('\\')).toEqual([]);
  });

  it('is a node under a condition, or under any', async () => {
    const names = async (condition: string) => {
      const answer = await fetch(`${api.url}/api/v1/nodes?condition=${condition}`);
      return ((await answer.json()) as { items: { name: string }[] }).items.map(({ name }) => name);
    };

    expect([await names('HighLoad'), await names('any'), await names('DiskPressure')]).toEqual([
      ['gpu-1'],
      ['gpu-1'],
      [],
    ]);
  });

  it('is in the fleet in short, by name', async () => {
    const answer = await fetch(`${api.url}/api/v1/fleet`);
    const { items } = (await answer.json()) as { items: object[] };

    expect(items).toMatchObject([
      { name: 'cpu_2', status: 'online', running_tasks: 1, sources: [] },
      { name: 'gpu-1', status: 'online', running_tasks: 0, conditions: [{ condition: 'HighLoad', status: 'true' }] },
    ]);
    expect(Object.keys(items[0] ?? {})).not.toContain('sample');
  });
});
