import { analyticsRoutes } from '@runnerwatch/collector/api/routes/analytics.ts';
import { buildProgram } from '@runnerwatch/collector/cli/program.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AlertRig } from '../support/alert-rig.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

interface Group {
  readonly key: string | null;
  readonly id: string | null;
  readonly ends: number;
  readonly failures: number;
  readonly failure_rate: number;
  readonly causes: Record<string, number>;
  readonly last_failed_at: string;
  readonly failures_before: number | null;
}

interface Answer {
  readonly items: Group[];
  readonly next_cursor: string | null;
  readonly groups: number;
  readonly failures_before: number | null;
}

const hourMs = 3_600_000;
const thisHour = Math.floor(Date.now() / hourMs) * hourMs;
const hoursAgo = (count: number) => new Date(thisHour - count * hourMs).toISOString();

describeOnDatabases('failures over a time', (kind) => {
  let opened: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    const rig = new AlertRig(opened);
    await rig.node('n1', { name: 'gpu-1' });
    await rig.node('n2', { name: 'gpu-2' });
    const train = { job: 'train', project: 'lm' };
    for (const [index, status] of (['failed', 'failed', 'killed_oom', 'completed'] as const).entries())
      await rig.taskEnded('n1', `train-${index}`, { ...train, status, ended_at: hoursAgo(2) });
    await rig.taskEnded('n2', 'other', { status: 'failed', job: 'train', ended_at: hoursAgo(3) });
    await rig.taskEnded('n2', 'nameless', { status: 'timed_out', ended_at: hoursAgo(3) });
    await rig.taskEnded('n2', 'well', { status: 'completed', job: 'fine', project: 'lm', ended_at: hoursAgo(3) });
    await rig.taskEnded('n2', 'old', { ...train, status: 'failed', ended_at: hoursAgo(24 * 20) });
    await rig.taskStarted('n1', 'running', train);
    api = await startApi({ routes: [analyticsRoutes({ queries: opened.database.drizzle, clock: systemClock })] });
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  const ask = async (query: string) => {
    const answer = await fetch(`${api.url}/api/v1/analytics/failures?${query}`);
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  const counts = async (query: string) =>
    (await ask(query)).body.items.map(({ key, ends, failures }) => [key, ends, failures]);

  it('are listed by job, the worst first, with rate and causes; what runs or ended before is left out', async () => {
    const { body } = await ask('');

    expect(body.next_cursor).toBeNull();
    expect(body.items.map(({ key, ends, failures }) => [key, ends, failures])).toEqual([
      ['lm/train', 4, 3],
      ['train', 1, 1],
      [null, 1, 1],
    ]);
    expect(body.items[0]).toMatchObject({
      id: expect.stringMatching(/^j_/),
      failure_rate: 0.75,
      causes: { exit_code: 2, oom_limit: 1 },
      last_failed_at: hoursAgo(2),
    });
  });

  it('are listed by node, cause and project', async () => {
    expect(await counts('by=node')).toEqual([
      ['gpu-1', 4, 3],
      ['gpu-2', 3, 2],
    ]);
    expect(await counts('by=cause')).toEqual([
      ['exit_code', 7, 3],
      ['oom_limit', 7, 1],
      ['timeout', 7, 1],
    ]);
    expect(await counts('by=project')).toEqual([
      ['lm', 5, 3],
      [null, 2, 2],
    ]);
  });

  it('are listed by hour from the newest on, within the time asked for', async () => {
    expect(await counts('by=hour')).toEqual([
      [hoursAgo(2), 4, 3],
      [hoursAgo(3), 3, 2],
    ]);
    expect((await counts('by=day')).map(([key]) => key)).toEqual([
      ...new Set([hoursAgo(2), hoursAgo(3)].map((hour) => `${hour.slice(0, 10)}T00:00:00.000Z`)),
    ]);
    expect(await counts(`by=hour&until=${hoursAgo(2)}`)).toEqual([[hoursAgo(3), 3, 2]]);
    expect(await counts('by=project&since=30d')).toEqual([
      ['lm', 6, 4],
      [null, 2, 2],
    ]);
  });

  it('are counted beside those of the time before', async () => {
    const compared = async (query: string) => {
      const { items, failures_before: all, groups } = (await ask(query)).body;
      return [items.map(({ key, failures_before: before }) => [key, before]), all, groups];
    };

    expect(await compared('by=project&since=7d&before=30d')).toEqual([
      [
        ['lm', 1],
        [null, 0],
      ],
      1,
      2,
    ]);
    expect(await compared(`by=hour&since=${hoursAgo(2)}&before=${hoursAgo(3)}&limit=1`)).toEqual([
      [[hoursAgo(2), 0]],
      2,
      1,
    ]);
    expect(await compared('by=project&since=7d&limit=1')).toEqual([[['lm', null]], null, 2]);
    expect((await ask('since=7d&before=1d')).status).toBe(400);
  });

  it.each(['job', 'cause', 'hour', 'day'])('come page by page, by %s: each group once', async (by) => {
    const all = await counts(`by=${by}`);
    const paged: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await ask(`by=${by}&limit=1${cursor}`);
      paged.push(...body.items.map(({ key, ends, failures }) => [key, ends, failures]));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');

    expect(paged).toEqual(all);
  });

  it.each(['by=colour', 'cursor=nonsense', 'since=yesterday', 'since=1h&until=2h'])(
    'are refused for %s, by name',
    async (query) => {
      const { status, body } = await ask(query);

      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { code: 'bad_request', field: expect.any(String) } });
    },
  );

  it('are shown by the command line, with bars to compare, and as JSON', async () => {
    const run = async (...args: string[]) => {
      let text = '';
      const note = (more: string) => (text += more);
      const io = { out: note, err: note, isTerminal: false, columns: null };
      const program = buildProgram({
        io,
        env: { RUNNERWATCH_URL: api.url },
        home: '/nonexistent',
        uid: 1000,
        fetch,
        now: Date.now,
        version: '0.1.0',
      });
      return { code: await program.run(['analytics', 'failures', ...args]), text };
    };
    const jobs = await run();
    const hours = await run('--by', 'hour', '--limit', '1');
    const json = await run('--by', 'node', '--json');
    const none = await run('--since', '1s');

    expect(jobs.text).toMatch(/^JOB +FAILURES +OF +RATE +LAST +CAUSES$/m);
    expect(jobs.text).toMatch(/^lm\/train +3 {2}██████████ +4 +75% +\dh ago +exit_code 2, oom_limit 1$/m);
    expect(jobs.text).toMatch(/^\(no job\) +1 {2}███▍ +1 +100%/m);
    expect(hours.text.split('\n')[1]).toMatch(/^\d{4}-\d\d-\d\d \d\d:00 +3 /);
    expect(JSON.parse(json.text).items.map(({ key }: Group) => key)).toEqual(['gpu-1', 'gpu-2']);
    expect(none).toMatchObject({ code: 0, text: expect.stringMatching(/^Nothing failed since /) });
  });
});
