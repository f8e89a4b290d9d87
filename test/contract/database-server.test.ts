import { resolve } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../collector/src/db/database.ts';
import { toDatabaseError } from '../../collector/src/db/errors.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { openServerDatabase } from '../../collector/src/db/postgres.ts';
import { silentLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';

describe.skipIf(!havePostgres())('a PostgreSQL server that has its own life', () => {
  let cluster: PostgresCluster;
  const opened: Database[] = [];
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
  });
  afterAll(async () => {
    for (const database of opened) await database.close();
    await cluster[Symbol.asyncDispose]();
  });

  const open = (options: Partial<Parameters<typeof openServerDatabase>[0]> = {}) => {
    const database = openServerDatabase({ url: cluster.url(), ...options });
    opened.push(database);
    return database;
  };
  const problemOf = (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (error: unknown) => toDatabaseError(error).problem,
    );

  it.each(['fast', 'immediate'] as const)(
    'F087 outlives a %s restart with idle and busy connections, and goes on by itself',
    async (mode) => {
      const database = open();
      await Promise.all([1, 2].map(() => database.sql`select pg_sleep(0.05)`));
      const busy = problemOf(database.sql`select pg_sleep(30)`);
      const inTransaction = problemOf(
        database.drizzle.transaction(async (transaction) => {
          await transaction.execute(sql`select 1`);
          await transaction.execute(sql`select pg_sleep(30)`);
        }),
      );
      let leave: () => void = () => {};
      const idleInTransaction = problemOf(
        database.drizzle.transaction(async (transaction) => {
          await transaction.execute(sql`select 1`);
          await new Promise<void>((resolve) => {
            leave = resolve;
          });
          await transaction.execute(sql`select 2`);
        }),
      );
      await eventually(
        () =>
          cluster.psql(
            "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()",
          ) === '2',
      );

      await cluster.stopServer(mode);

      expect(await busy).toBe('unreachable');
      expect(await inTransaction).toBe('unreachable');
      expect(await idleInTransaction).toBe('unreachable');
      leave();
      expect(await problemOf(database.sql`select 1`)).toBe('unreachable');
      expect(await database.check()).toMatchObject({ healthy: false });
      await cluster.startServer();
      expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
      await Promise.all(Array.from({ length: 20 }, async () => database.sql`select 1`));
    },
  );

  it('F087 is not hurt by restarts in the middle of a storm of queries', async () => {
    const database = open();
    const end = new AbortController();
    const problems = new Set<string>();
    const storm = Array.from({ length: 12 }, async () => {
      while (!end.signal.aborted) {
        problems.add(
          await problemOf(
            database.drizzle.transaction(async (transaction) => {
              await transaction.execute(sql`select 1`);
              await transaction.execute(sql`select ${'two'}::text`);
            }),
          ),
        );
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });

    for (const mode of ['immediate', 'fast', 'immediate'] as const) await cluster.restart(mode);
    await eventually(async () => (await problemOf(database.sql`select 1`)) === 'none');
    end.abort();
    await Promise.all(storm);

    expect([...problems].toSorted()).toEqual(expect.arrayContaining(['none', 'unreachable']));
    expect([...problems].filter((problem) => !['none', 'unreachable', 'starting'].includes(problem))).toEqual([]);
  });

  it('F089 gives a frozen server process up after its limit, while other connections go on', async () => {
    const database = open({ poolSize: 2, silenceLimitMs: 700 });
    const other = open({ poolSize: 1 });
    await Promise.all([1, 2].map(() => database.sql`select pg_sleep(0.05)`));
    const thaw = cluster.freezeBackends('runnerwatch');
    try {
      const startedAtMs = performance.now();
      const problems = await Promise.all([
        problemOf(database.sql`select 1`),
        problemOf(database.drizzle.transaction(async (transaction) => transaction.execute(sql`select 1`))),
      ]);
      expect(problems).toEqual(['timeout', 'timeout']);
      expect(performance.now() - startedAtMs).toBeLessThan(5000);
      expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
      expect(await other.sql`select 2 as two`).toEqual([{ two: 2 }]);
    } finally {
      thaw();
    }
  });

  it('lets the server give up a statement that takes too long', async () => {
    const database = open({ statementTimeoutMs: 200 });

    expect(await problemOf(database.sql`select pg_sleep(5)`)).toBe('timeout');
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it('lets patient work take its time', async () => {
    const database = open({ statementTimeoutMs: 200, silenceLimitMs: 300 });

    const slept = database.patiently(async (transaction) => {
      await transaction.unsafe('set local statement_timeout = 0');
      await transaction.unsafe('select pg_sleep(0.6)');
      return 'slept';
    });

    expect(await slept).toBe('slept');
  });

  it('says within its limit that no connection is free', async () => {
    const database = open({ poolSize: 1, acquireTimeoutMs: 100 });

    const failure = database.drizzle.transaction(async () => {
      await database.sql`select 'inside, on the database and not on the transaction'`;
    });

    expect(await problemOf(failure)).toBe('timeout');
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it('F090 says of a read-only server that it is one', async () => {
    cluster.psql('create database frozen');
    cluster.psql('alter database frozen set default_transaction_read_only = on');
    const database = open({ url: cluster.url('frozen') });

    expect(await problemOf(database.sql`create table t (n int)`)).toBe('read_only');
    expect(await database.check()).toMatchObject({ healthy: false, reason: expect.stringContaining('read-only') });
  });

  it.each([
    [
      'a port where nobody listens',
      'postgres://u@127.0.0.1:1/x',
      /cannot reach the database at 127\.0\.0\.1:1: .*ECONNREFUSED.*; check that it runs/,
    ],
    ['a database that is not there', 'DATABASE', /no_such_database.*does not exist; check user, password and database/],
    [
      'a name that does not resolve',
      'postgres://u@no-such-host.invalid/x',
      /cannot reach the database at no-such-host\.invalid:5432/,
    ],
    ['TLS that the server does not have', 'TLS', /has no TLS, which sslmode asks for/],
  ])('F086 refuses to start with %s, in one sentence', async (_, url, sentence) => {
    const given =
      url === 'DATABASE' ? cluster.url('no_such_database') : url === 'TLS' ? `${cluster.url()}?sslmode=require` : url;

    const failure = await openDatabase({ url: given, dataDir: '/nowhere', log: silentLog }).then(
      () => undefined,
      (error: unknown) => error,
    );

    expect(failure).toMatchObject({ name: 'StartFailure', exitCode: 69, message: expect.stringMatching(sentence) });
  });

  it('speaks TLS as far as sslmode asks for it', async () => {
    const modes = async (...names: string[]) => {
      const results: string[] = [];
      for (const sslmode of names) {
        const database = open({ url: `${cluster.url()}?sslmode=${sslmode}`, poolSize: 1 });
        const rows = database.sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
        results.push(
          await rows.then(
            ([row]) => `${sslmode} ${row?.ssl}`,
            (error: unknown) => `${sslmode} ${toDatabaseError(error).message}`,
          ),
        );
      }
      return results;
    };
    expect(await modes('prefer', 'disable')).toEqual(['prefer false', 'disable false']);

    await cluster.enableTls(resolve(import.meta.dirname, '../fixtures/tls'));

    expect(await modes('prefer', 'disable', 'require')).toEqual(['prefer true', 'disable false', 'require true']);
    expect((await modes('verify-full'))[0]).toMatch(/self-signed certificate/);
  });

  it('refuses a database in another encoding', async () => {
    cluster.psql("create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'");

    await expect(
      openDatabase({ url: cluster.url('latin'), dataDir: '/nowhere', log: silentLog }),
    ).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('LATIN1'),
    });
  });
});
