import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DatabaseError, toDatabaseError } from '../../collector/src/db/errors.ts';
import { migrate } from '../../collector/src/db/migrate.ts';
import { collectorState, nodes } from '../../collector/src/db/tables/schema.ts';
import { together } from '../../collector/src/db/together.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const migrationsDir = resolve(import.meta.dirname, '../../collector/src/migrations');

describeOnDatabases('schema and driver', (kind) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => test.clear());

  const aNode = (id: string) => ({
    id,
    name: `name of ${id}`,
    status: 'online' as const,
    firstSeenAt: new Date('2026-01-01T00:00:00.123Z'),
    lastHeardAt: new Date('2026-01-02T00:00:00.456Z'),
  });

  it('is healthy', async () => {
    expect(await test.database.check()).toEqual({ healthy: true, reason: null });
    expect(test.database.kind).toBe(kind);
  });

  it('migrates an empty database once, and a second time does nothing', async () => {
    const applied = await test.database.sql<{ tag: string }>`select tag from schema_migrations order by tag`;

    expect(applied.map(({ tag }) => tag)).toEqual(['0000_init', ...applied.slice(1).map(({ tag }) => tag)]);
    expect(await migrate(test.database, { log: silentLog })).toEqual([]);
  });

  it('F094 lets several start to migrate at the same time', async () => {
    const results = await Promise.all([1, 2, 3].map(() => migrate(test.database, { log: silentLog })));

    expect(results).toEqual([[], [], []]);
  });

  it('F094 F126 refuses a database that a newer program has migrated, with one sentence', async () => {
    await test.database.sql`insert into schema_migrations (tag, sha256) values ('9999_from_the_future', 'x')`;
    try {
      await expect(migrate(test.database, { log: silentLog })).rejects.toMatchObject({
        name: 'StartFailure',
        exitCode: 65,
        message: expect.stringContaining('newer Runnerwatch (its step 9999_from_the_future'),
      });
    } finally {
      await test.database.sql`delete from schema_migrations where tag = '9999_from_the_future'`;
    }
  });

  it('F094 continues with the step that failed, and leaves nothing of it behind', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'runnerwatch-migrations-'));
    cpSync(migrationsDir, dir, { recursive: true });
    const journal = JSON.parse(readFileSync(join(dir, 'meta/_journal.json'), 'utf8')) as { entries: object[] };
    journal.entries.push({ idx: 800, tag: '0800_good' }, { idx: 801, tag: '0801_bad' });
    writeFileSync(join(dir, 'meta/_journal.json'), JSON.stringify(journal));
    writeFileSync(join(dir, '0800_good.sql'), 'create table step_good (n int);');
    writeFileSync(
      join(dir, '0801_bad.sql'),
      'create table step_bad (n int);\n--> statement-breakpoint\nselect no_such_column;',
    );
    try {
      await expect(migrate(test.database, { log: silentLog, migrationsDir: dir })).rejects.toMatchObject({
        exitCode: 69,
      });
      const [left] = await test.database.sql<{ good: string | null; bad: string | null }>`
        select to_regclass('step_good')::text as good, to_regclass('step_bad')::text as bad`;
      expect(left).toEqual({ good: 'step_good', bad: null });

      writeFileSync(join(dir, '0801_bad.sql'), 'create table step_bad (n int);');
      expect(await migrate(test.database, { log: silentLog, migrationsDir: dir })).toEqual(['0801_bad']);
    } finally {
      await test.database.sql`drop table if exists step_good, step_bad`;
      await test.database.sql`delete from schema_migrations where tag in ('0800_good', '0801_bad')`;
      rmSync(dir, { recursive: true });
    }
  });

  it('gives back what was stored: instants, JSON, 64-bit counts, odd texts', async () => {
    const { drizzle } = test.database;
    const labels = { 'quo"te': 'back\\slash, {brace} \u{1f600}', empty: '' };
    await drizzle.insert(nodes).values({ ...aNode('a'), labels, clockSkewMs: -9_007_199_254_740_991 });

    const [stored] = await drizzle.select().from(nodes).where(eq(nodes.id, 'a'));

    expect(stored).toMatchObject({ ...aNode('a'), labels, clockSkewMs: -9_007_199_254_740_991, inventory: null });
  });

  it('takes arrays as parameters, with nulls and quotes in them', async () => {
    const texts = ['plain', 'quo"te', 'back\\slash', '{brace},', '', null];
    const rows = await test.database.sql<{ text: string | null; number: number | null }>`
      select * from unnest(${texts}::text[], ${[1, 2, 3, 4, 5, null]}::int8[]) as told(text, number)`;

    expect(rows.map(({ text }) => text)).toEqual(texts);
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, null]);
    const again = await test.database.drizzle.execute<{ text: string }>(
      sql`select * from unnest(${sql.param(texts)}::text[]) as told(text)`,
    );
    expect([...again].map(({ text }) => text)).toEqual(texts);
  });

  it('takes back everything of a transaction that throws, and hands the error on as it was', async () => {
    const failure = new Error('ours');

    await expect(
      test.database.drizzle.transaction(async (transaction) => {
        await transaction.insert(nodes).values(aNode('a'));
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(await test.database.drizzle.select().from(nodes)).toEqual([]);
  });

  it('runs what is asked for together in its order, and commits behind the last of it', async () => {
    const { database } = test;

    const [, seen] = await database.transaction(async (queries, commit) => {
      await queries.select().from(nodes);
      return together(
        queries.insert(nodes).values(aNode('a')),
        queries.select({ id: nodes.id }).from(nodes),
        queries.update(nodes).set({ name: 'renamed' }).where(eq(nodes.id, 'a')),
        commit(),
      );
    });

    expect(seen).toEqual([{ id: 'a' }]);
    expect(await database.drizzle.select().from(nodes)).toMatchObject([{ id: 'a', name: 'renamed' }]);
  });

  it('commits after the work that does not ask for it', async () => {
    await test.database.transaction(async (queries) => queries.insert(nodes).values(aNode('a')));

    expect(await test.database.drizzle.$count(nodes)).toBe(1);
  });

  it('takes everything back when one of the last statements fails, though the commit is on its way, and tells that failure', async () => {
    const failure = await test.database
      .transaction(async (queries, commit) =>
        together(
          queries.insert(nodes).values(aNode('a')),
          queries.insert(nodes).values({ ...aNode('b'), name: 'with \0 inside' }),
          queries.insert(nodes).values(aNode('c')),
          commit(),
        ),
      )
      .then(
        () => undefined,
        (error: unknown) => toDatabaseError(error),
      );

    expect(failure).toMatchObject({ problem: 'data' });
    expect(await test.database.drizzle.select().from(nodes)).toEqual([]);
  });

  it('takes everything back when the work throws, and lets nothing through that is asked for after its end', async () => {
    const failure = new Error('ours');
    let late: Promise<unknown> = Promise.resolve();

    const work = test.database.transaction(async (queries) => {
      await queries.insert(nodes).values(aNode('a'));
      late = new Promise((resolve) => setImmediate(resolve)).then(() => queries.insert(nodes).values(aNode('late')));
      late.catch(() => {});
      throw failure;
    });

    await expect(work).rejects.toBe(failure);
    await expect(late).rejects.toThrow();
    expect(await test.database.drizzle.select().from(nodes)).toEqual([]);
  });

  it('takes back a savepoint without the transaction around it', async () => {
    await test.database.drizzle.transaction(async (transaction) => {
      await transaction.insert(nodes).values(aNode('outer'));
      await transaction
        .transaction(async (inner) => {
          await inner.insert(nodes).values(aNode('inner'));
          throw new Error('only this');
        })
        .catch(() => {});
    });

    expect((await test.database.drizzle.select().from(nodes)).map(({ id }) => id)).toEqual(['outer']);
  });

  it('serves many at the same time', async () => {
    const { drizzle } = test.database;

    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        await drizzle.transaction(async (transaction) => {
          await transaction.insert(collectorState).values({ key: `k${index}`, value: { index } });
          await transaction.select().from(collectorState);
        });
      }),
    );

    expect(await drizzle.$count(collectorState)).toBe(60);
  });

  it('says of a value that cannot be stored that trying again does not help', async () => {
    const failure = await test.database.drizzle
      .insert(nodes)
      .values({ ...aNode('a'), name: 'with \0 inside' })
      .then(
        () => undefined,
        (error: unknown) => toDatabaseError(error),
      );

    expect(failure).toBeInstanceOf(DatabaseError);
    expect(failure?.message).not.toContain('insert into');
    expect(failure).toMatchObject({ problem: 'data', retryable: false });
  });

  it('F093 knows a conflict of two transactions as something to try again', async () => {
    const failure = await test.database.sql`do $$ begin raise exception 'x' using errcode = '40001'; end $$`.then(
      () => undefined,
      (error: unknown) => error,
    );

    expect(failure).toMatchObject({ problem: 'conflict', retryable: true, sqlState: '40001' });
  });

  it('keeps what was committed when it is closed and opened again', async () => {
    await test.database.drizzle.insert(nodes).values(aNode('kept'));
    const before = test.database;

    await test.close();
    await before.close();

    await expect(before.sql`select 1`).rejects.toMatchObject({ name: 'DatabaseError' });
    const database = await test.open();
    expect((await database.drizzle.select().from(nodes)).map(({ id }) => id)).toEqual(['kept']);
  });
});
