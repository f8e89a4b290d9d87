import type { Logger } from 'pino';
import type { Pool } from './pool.ts';

/*
 * The embedded engine has no background workers, so their work is ours: a checkpoint bounds the log that a start replays,
 * vacuum gives space of deleted rows back and keeps statistics. One table at a time, so that others get in between.
 */
export interface MaintenanceOptions {
  readonly pool: Pool;
  readonly log: Logger;
  readonly checkpointEveryMs?: number;
  readonly vacuumEveryMs?: number;
}

export function startMaintenance({
  pool,
  log,
  checkpointEveryMs = 5 * 60_000,
  vacuumEveryMs = 60 * 60_000,
}: MaintenanceOptions): { stop: () => Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const schedule = (work: () => Promise<void>, everyMs: number, name: string) =>
    setInterval(() => {
      running = running.then(async () => {
        if (isStopped) return;
        try {
          await work();
        } catch (error) {
          log.warn(
            { err: error, work: name },
            'maintenance of the embedded database failed; it is tried again next time',
          );
        }
      });
    }, everyMs).unref();
  const run = (statement: string) =>
    pool.use(async (client) => void (await client.unsafe(statement)), { patient: true });
  const timers = [
    schedule(() => run('CHECKPOINT'), checkpointEveryMs, 'checkpoint'),
    schedule(
      async () => {
        for (const table of await tables(pool)) {
          if (isStopped) return;
          await run(`VACUUM (ANALYZE) ${table}`);
        }
      },
      vacuumEveryMs,
      'vacuum',
    ),
  ];
  return {
    stop: async () => {
      isStopped = true;
      for (const timer of timers) clearInterval(timer);
      await running;
    },
  };
}

/** Our tables, quoted. */
async function tables(pool: Pool): Promise<string[]> {
  return pool.use(async (client) => {
    const rows = await client<{ name: string }[]>`
      select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables order by 1`;
    return rows.map(({ name }) => name);
  });
}
