import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Logger } from 'pino';
import type { Database } from './database.ts';
import { openEmbeddedDatabase } from './embedded.ts';
import { toDatabaseError } from './errors.ts';
import { openServerDatabase } from './postgres.ts';

export interface OpenOptions {
  /** A PostgreSQL server; without it the embedded database in `dataDir`. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  readonly log: Logger;
}

/** Oldest server whose SQL we speak. */
const oldestServerVersion = 130_000;

/** A database that has answered once. @throws StartFailure with one sentence: what, where, what to do. */
export async function openDatabase({ url, dataDir, log }: OpenOptions): Promise<Database> {
  const database = url === undefined ? await openEmbeddedDatabase({ dataDir, log }) : openServerDatabase({ url });
  try {
    await refuseUnsuitable(database);
    return database;
  } catch (error) {
    await database.close();
    throw error instanceof StartFailure ? error : unavailable(error);
  }
}

async function refuseUnsuitable(database: Database): Promise<void> {
  const [server] = await database.sql<{ version: number; encoding: string; name: string }>`
    select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding, version() as name`;
  if (server === undefined) throw new Error('the database did not say its version');
  if (server.version < oldestServerVersion) {
    throw new StartFailure(
      'config',
      `database.url: the server is ${server.name}; Runnerwatch needs PostgreSQL 13 or newer`,
    );
  }
  if (server.encoding !== 'UTF8') {
    throw new StartFailure(
      'config',
      `database.url: the database is encoded in ${server.encoding}; make one with ENCODING 'UTF8'`,
    );
  }
}

function unavailable(error: unknown): StartFailure {
  const { message, problem } = toDatabaseError(error);
  const advice =
    problem === 'denied'
      ? 'check user, password and database in database.url'
      : 'check that it runs and that database.url names it';
  return new StartFailure(problem === 'disk_full' ? 'diskFull' : 'unavailable', `${message}; ${advice}`, {
    cause: error,
  });
}
