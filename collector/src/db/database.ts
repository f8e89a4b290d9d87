import { sql } from 'drizzle-orm';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import { toDatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { isWorthPreparing } from './prepared.ts';
import * as schema from './tables/schema.ts';
import { type Statements, transact } from './transact.ts';

/**
 * What a store runs its queries on: the database, or the transaction it is in. Everything inside a transaction must use
 * the transaction's handle: the embedded database has one connection, and asking for a second from inside the first waits
 * until the acquire limit and fails.
 */
export type Queries = PgDatabase<PostgresJsQueryResultHKT, typeof schema>;

/** Asks for the end of a transaction, when it is waited for. */
export type Commit = () => PromiseLike<unknown>;

export interface DatabaseHealth {
  readonly healthy: boolean;
  /** One clause for the person who operates it; null when healthy. */
  readonly reason: string | null;
}

export interface Database extends AsyncDisposable {
  readonly kind: 'embedded' | 'server';
  /** File descriptors of this process that it may come to need. */
  readonly descriptorsMax: number;
  readonly drizzle: Queries;
  /**
   * One transaction in few round trips, for what someone waits for: see transact.ts. Its first statements must do no harm alone.
   * Those that do not wait for one another (together.ts) are sent together and run in their order; `commit` may be the last of them.
   */
  transaction<T>(work: (queries: Queries, commit: Commit) => Promise<T>): Promise<T>;
  /**
   * One statement of plain SQL with its values as parameters. Rows are plain objects; instants come as text, 64-bit integers
   * as numbers; arrays of strings and numbers may be parameters, JSON goes as text with `::jsonb`.
   */
  sql<Row extends object>(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<Row[]>;
  /** One transaction without time limits, for migrations and maintenance. */
  patiently<T>(work: (transaction: TransactionSql) => Promise<T>): Promise<T>;
  /** Answers within three seconds. */
  check(): Promise<DatabaseHealth>;
  close(): Promise<void>;
}

export type SqlValue = string | number | boolean | null | readonly (string | number | null)[];

export interface DatabaseParts {
  readonly kind: Database['kind'];
  readonly descriptorsMax: number;
  readonly pool: Pool;
  /** What it knows by itself that keeps it from writing; null: nothing. */
  readonly obstacle?: () => string | null;
  /** Ends what uses the pool by itself. */
  readonly beforeClose?: () => Promise<void>;
  /** Ends what is behind the pool. */
  readonly closeEngine: () => Promise<void>;
}

const checkTimeoutMs = 3000;
const closeTimeoutMs = 5000;

/** A database on a pool of connections. */
export function createDatabase({
  kind,
  descriptorsMax,
  pool,
  obstacle,
  beforeClose,
  closeEngine,
}: DatabaseParts): Database {
  const database = drizzle(
    pooledClient(pool, (client, work) => client.begin((transaction) => work(preparing(transaction)))),
    { schema },
  );
  const transacting = drizzle(pooledClient(pool, transact), { schema });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      await beforeClose?.();
      await pool.close(closeTimeoutMs);
      await closeEngine();
    })();
    return closing;
  };
  return {
    kind,
    descriptorsMax,
    drizzle: database,
    transaction: (work) => transacting.transaction((queries) => work(queries, () => queries.execute(sql`commit`))),
    sql: <Row extends object>(strings: TemplateStringsArray, ...values: readonly SqlValue[]) =>
      pool.use(async (client) => {
        const rows = await client.unsafe<Row[]>(numbered(strings), [...values] as never[], { prepare: true });
        return [...rows];
      }),
    patiently: <T>(work: (transaction: TransactionSql) => Promise<T>) =>
      pool.use(
        async (client) => {
          const box: { value?: { readonly result: T } } = {};
          await client.begin(async (transaction) => {
            box.value = { result: await work(transaction) };
          });
          if (box.value === undefined) throw new Error('the transaction ended without a result');
          return box.value.result;
        },
        { patient: true },
      ),
    check: async () => {
      const reason = obstacle?.() ?? null;
      return reason === null ? check(pool) : { healthy: false, reason };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** `select $1, $2` from the pieces of a template. */
function numbered(strings: TemplateStringsArray): string {
  return strings.reduce((text, piece, index) => (index === 0 ? piece : `${text}$${index}${piece}`), '');
}

async function check(pool: Pool): Promise<DatabaseHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DatabaseHealth>((resolve) => {
    timer = setTimeout(
      () => resolve({ healthy: false, reason: `no answer within ${checkTimeoutMs} ms` }),
      checkTimeoutMs,
    );
  });
  const answer = pool
    .use(async (client) => {
      const [row] = await client<{ read_only: string }[]>`select current_setting('transaction_read_only') as read_only`;
      return row?.read_only === 'on'
        ? { healthy: false, reason: 'the database is read-only (a standby, or default_transaction_read_only)' }
        : { healthy: true, reason: null };
    })
    .catch((error: unknown) => ({ healthy: false, reason: toDatabaseError(error).message }));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The part of a postgres.js client that drizzle uses, on a pool of our own: each statement takes a connection for its time,
 * a transaction keeps one. The client underneath is never connected.
 */
function pooledClient(pool: Pool, transactOn: TransactOn): Sql {
  const face: Sql = postgres({ host: 'never-connected', max: 1 });
  const unsafe = (text: string, values: readonly unknown[] = []) => {
    const run = (asArrays: boolean) =>
      pool.use(async (client) => {
        const query = client.unsafe(text, [...values] as never[], { prepare: isWorthPreparing(text) });
        return asArrays ? await query.values() : await query;
      });
    return {
      // oxlint-disable-next-line unicorn/no-thenable -- a lazy query, as postgres.js has it: awaiting it runs it
      then: (resolve: (rows: unknown) => unknown, reject: (error: unknown) => unknown) =>
        run(false).then(resolve, reject),
      values: () => run(true),
    };
  };
  const begin = (work: TransactWork) => pool.use((client) => transactOn(client, work));
  return Object.assign(face, { unsafe, begin });
}

type TransactWork = (statements: Statements) => Promise<unknown>;
type TransactOn = (client: Sql, work: TransactWork) => Promise<unknown>;

/** Prepares statements by itself: drizzle asks for it only where a query has a name. */
function preparing(transaction: TransactionSql): TransactionSql {
  const original = transaction.unsafe.bind(transaction);
  const unsafe = (text: string, values: readonly unknown[] = []) =>
    original(text, [...values] as never[], { prepare: isWorthPreparing(text) });
  const savepoint = transaction.savepoint.bind(transaction);
  return Object.assign(transaction, {
    unsafe,
    savepoint: <T>(work: (inner: TransactionSql) => Promise<T>) => savepoint((inner) => work(preparing(inner))),
  });
}
