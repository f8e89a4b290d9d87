import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { havePostgres, PostgresCluster } from '../../../test/support/postgres.ts';
import { transact } from './transact.ts';

describe.skipIf(!havePostgres())('a transaction without round trips of its own', () => {
  let cluster: PostgresCluster;
  let client: Sql;
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
    client = postgres(cluster.url(), { max: 1 });
    await client.unsafe('create table kept (n int)');
  });
  afterAll(async () => {
    await client.end();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await client.unsafe('truncate kept');
  });

  const kept = async () => (await client.unsafe('select n from kept order by n')).map(({ n }) => n as number);

  it('keeps what was asked for before its commit', async () => {
    await transact(client, async ({ unsafe }) => {
      await Promise.all([unsafe('insert into kept values ($1)', [1]), unsafe('insert into kept values ($1)', [2])]);
    });

    expect(await kept()).toEqual([1, 2]);
  });

  it('sends nothing more where it has not begun, and says why', async () => {
    const original = client.unsafe.bind(client);
    // The server's own refusal, as of a statement that is cancelled.
    const refusing: Sql = Object.assign(postgres({ host: 'never-connected' }), {
      unsafe: (text: string, values?: never[]) => original(text === 'begin' ? 'begin wrongly' : text, values),
    });

    const work = transact(refusing, async ({ unsafe }) => {
      await unsafe('select 1');
      await unsafe('insert into kept values (1)');
    });

    await expect(work).rejects.toMatchObject({ code: '42601' });
    expect(await kept()).toEqual([]);
  });

  it('rejects where the commit was taken for a rollback, even when the work passes over what failed', async () => {
    const work = transact(client, async ({ unsafe }) => {
      await Promise.allSettled([unsafe('insert into kept values (1)'), unsafe('select 1 / $1::int', [0])]);
    });

    await expect(work).rejects.toThrow('the transaction was rolled back');
    expect(await kept()).toEqual([]);
  });
});
