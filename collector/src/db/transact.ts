import type { PendingQuery, Row, Sql } from 'postgres';
import { isWorthPreparing } from './prepared.ts';

type Query = PendingQuery<(Row & Iterable<Row>)[]>;

/** The part of a postgres.js transaction that drizzle uses. */
export interface Statements {
  unsafe(text: string, values?: readonly unknown[]): Query;
}

/**
 * A transaction without round trips of its own, on a connection that nobody else uses meanwhile. `begin` goes out with the first
 * statements; `commit` with the last, when the work asks for it behind them, or else after the work.
 *
 * The server runs what it is sent in its order. Where `begin` fails, the statements on its heels run outside of a transaction, so
 * these must do no harm alone: locks and reads. It is known before their answers, and nothing more is sent. Where one of the last
 * statements fails, the server takes the `commit` behind it for a rollback.
 */
export async function transact<T>(client: Sql, work: (statements: Statements) => Promise<T>): Promise<T> {
  let over: { readonly error: unknown } | undefined;
  let commit: Query | undefined;
  const begun = client.unsafe('begin').simple().execute();
  begun.catch((error: unknown) => {
    over = { error };
  });
  const unsafe = (text: string, values: readonly unknown[] = []) => {
    if (over !== undefined) throw over.error;
    const query = client.unsafe(text, [...values] as never[], { prepare: isWorthPreparing(text) }).execute();
    if (text !== 'commit') return query;
    over = { error: new Error('the transaction is over') };
    commit = query;
    return query;
  };
  try {
    const value = await work({ unsafe });
    await begun;
    const { command } = await (commit ?? unsafe('commit'));
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return value;
  } catch (error) {
    over ??= { error };
    await client.unsafe('rollback').simple();
    throw error;
  }
}
