import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database } from './database.ts';
import { type DatabaseError, toDatabaseError } from './errors.ts';

/*
 * One collector at a time works on a database. Two would each hold the other's agents for silent, since each hears its own alone.
 *
 *   standing by ── nobody holds the lease, or it ran out ──▶ holding ── another took it (we stood still) ──▶ lost
 *
 * The lease is a row with an end, by the database's clock, moved on while its holder lives. A holder that ends gives it back; one
 * that was killed comes back under the same name and goes on at once; a dead one is followed by another when it runs out.
 */
export interface LeaseOptions {
  /** Who we are, the same after a restart: this installation. */
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Another collector works on the database from now on; called once. */
  readonly onLost: () => void;
  readonly leaseMs?: number;
  readonly renewMs?: number;
}

/** Waits until no other collector holds the database. Null: the signal came first. @throws DatabaseError that does not pass */
export async function takeLease(database: Database, options: LeaseOptions): Promise<AsyncDisposable | null> {
  const { clock, log, signal, renewMs = 5000 } = options;
  let isSaid = false;
  while (!signal.aborted) {
    const claimed = await claim(database, options);
    if (claimed.kind === 'ours') {
      if (isSaid) log.warn('no other collector works on this database any more; this one takes over');
      return hold(database, options);
    }
    if (claimed.kind === 'unknown' && !claimed.failure.retryable) throw claimed.failure;
    if (claimed.kind === 'others' && !isSaid) {
      log.warn({ holder: claimed.holder }, 'another collector works on this database; this one stands by');
      isSaid = true;
    }
    await clock.sleep(renewMs, signal);
  }
  return null;
}

function hold(database: Database, options: LeaseOptions): AsyncDisposable {
  const { clock, log, onLost, renewMs = 5000 } = options;
  const stopping = new AbortController();
  const renew = async () => {
    for (;;) {
      await clock.sleep(renewMs, stopping.signal);
      if (stopping.signal.aborted) return;
      const claimed = await claim(database, options);
      // A database that does not answer lets nobody else in either.
      if (claimed.kind !== 'others') continue;
      log.error({ holder: claimed.holder }, 'another collector has taken this database over; this one ends');
      return onLost();
    }
  };
  const renewing = renew();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      // The database may be what is away.
      const given = renewing.then(() => giveBack(database, options));
      await Promise.race([given, clock.sleep(giveBackWithinMs)]);
    },
  };
}

const giveBackWithinMs = 1000;

async function giveBack(database: Database, { holder, log }: LeaseOptions): Promise<void> {
  try {
    await database.sql`delete from collector_state where key = 'lease' and value->>'holder' = ${holder}`;
  } catch (error) {
    log.warn({ err: toDatabaseError(error) }, 'could not give the database back; it is free when the lease runs out');
  }
}

type Claim =
  | { readonly kind: 'ours' }
  | { readonly kind: 'others'; readonly holder: string }
  | { readonly kind: 'unknown'; readonly failure: DatabaseError };

/** Takes the lease, or moves its end on. */
async function claim(
  database: Database,
  { holder, leaseMs = 15_000 }: Pick<LeaseOptions, 'holder' | 'leaseMs'>,
): Promise<Claim> {
  try {
    const [row] = await database.sql<{ holder: string }>`
      with mine as (
        insert into collector_state as state (key, value)
        values ('lease', jsonb_build_object('holder', ${holder}::text, 'until', now() + ${leaseMs}::int * interval '1 ms'))
        on conflict (key) do update set value = excluded.value
        where state.value->>'holder' = ${holder} or (state.value->>'until')::timestamptz < now()
        returning value->>'holder' as holder)
      select holder from mine
      union all select value->>'holder' from collector_state where key = 'lease' and not exists (select from mine)`;
    if (row?.holder === holder) return { kind: 'ours' };
    // Another came in between; who it was the next look tells.
    return { kind: 'others', holder: row?.holder ?? 'unknown' };
  } catch (error) {
    return { kind: 'unknown', failure: toDatabaseError(error) };
  }
}
