import type { Queries } from '@runnerwatch/collector/db/database.ts';
import { findJob, listJobs } from '@runnerwatch/collector/tasks/jobs.ts';
import { listTasks, type TaskFilter } from '@runnerwatch/collector/tasks/store.ts';
import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AlertRig } from '../support/alert-rig.ts';
import { TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const tasks = 20_000;
const running = 200;
const limit = 20;
const asWideAsUsual = 'x'.repeat(1500);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

describeOnDatabases('among twenty thousand tasks of sixty days', (kind) => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await TestDatabase.start(kind);
    const { database } = opened;
    const rig = new AlertRig({ database });
    for (let index = 0; index < 10; index += 1) await rig.node(`n${index}`, { name: `gpu-${index}` });
    await database.sql`
      insert into tasks (id, task_id, node_id, name, job, project, owner, source, command, status, cause, ended_at, duration_ms, received_at)
      select 'task-' || n, n::text, 'n' || n % 10, 'run-' || n, 'job-' || n % 40, case when n % 40 < 30 then 'project-' || n % 5 end,
        'user-' || n % 7, 'systemd', ${asWideAsUsual}, case when n % 50 = 0 then 'failed' else 'completed' end,
        case when n % 50 = 0 then 'exit_code' else 'success' end, now() - n * interval '60 days' / ${tasks}::int, n, now()
      from generate_series(1, ${tasks}::int) n`;
    await database.sql`
      insert into tasks (id, task_id, node_id, name, job, source, command, status, received_at)
      select 'running-' || n, 'r' || n, 'n' || n % 10, 'run', 'job-39', 'systemd', ${asWideAsUsual}, 'running', now() from generate_series(1, ${running}::int) n`;
    await database.drizzle.execute('vacuum (analyze) tasks');
  });
  afterAll(async () => opened[Symbol.asyncDispose]());

  /** How many rows of tasks, not entries of an index, the work reads. */
  const rowsRead = (work: (queries: Queries) => Promise<unknown>): Promise<number> =>
    opened.database.drizzle.transaction(async (queries) => {
      const before = await rowsReadBy(queries);
      await work(queries);
      return (await rowsReadBy(queries)) - before;
    });

  it.each<[string, TaskFilter, number]>([
    ['of all', {}, limit],
    ['of a node', { node: 'gpu-3', statuses: ['completed'] }, limit],
    ['of failures', { statuses: failureStatuses }, limit],
    ['of failures on a node', { node: 'gpu-0', statuses: failureStatuses }, limit],
    ['of what runs', { statuses: ['running'] }, limit],
    ['of an owner that there is not', { owner: 'nobody' }, 0],
    ['of a cause that never was', { cause: 'disk_full' }, 0],
    ['of a job by its name', { job: 'job-7' }, limit],
    ['of a name with slashes that no job has', { job: 'no/such/job' }, 0],
    ['of a day a month ago', { since: daysAgo(30), until: daysAgo(29) }, limit],
  ])('a page %s is read without the others', async (_name, filter, expected) => {
    let shown = 0;

    const read = await rowsRead(async (queries) => {
      shown = (await listTasks(queries, filter, { limit })).items.length;
    });

    expect(shown).toBe(expected);
    // One more says whether there is a next page; of what runs and of what has ended each. When what runs has begun is in no index.
    const most = expected === 0 ? 0 : 2 * (limit + 1);
    expect(read).toBeLessThanOrEqual(filter.until === undefined ? most : most + running);
  });

  it('what a job’s runs came to, and the list of jobs, are read out of an index alone', async () => {
    const since = daysAgo(30);

    const read = await rowsRead(async (queries) => {
      const { items } = await listJobs(queries, { since, search: 'job-3', limit });
      expect(items.map(({ name }) => name)).toContain('job-39');
      for (const { id, runs, last_runs } of items) {
        expect(last_runs).toHaveLength(20);
        expect(await findJob(queries, id, since)).toMatchObject({ runs, durations: { p50_ms: expect.any(Number) } });
      }
    });

    expect(read).toBe(0);
  });
});

/** By this connection, since it last told the server's statistics. */
async function rowsReadBy(queries: Queries): Promise<number> {
  const [read] = await queries.execute<{ rows: number }>(
    `select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relname = 'tasks'`,
  );
  return read?.rows ?? Number.NaN;
}
