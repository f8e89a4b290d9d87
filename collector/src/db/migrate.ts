import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Logger } from 'pino';
import type { TransactionSql } from 'postgres';
import type { Database } from './database.ts';
import { toDatabaseError } from './errors.ts';

export interface MigrateOptions {
  readonly log: Logger;
  /** Folder of the numbered files and their journal (drizzle-kit's layout). */
  readonly migrationsDir?: string;
}

interface Migration {
  readonly tag: string;
  readonly statements: readonly string[];
  readonly sha256: string;
}

/** Any number that nothing else in the database locks: "runnerwatch migrations". */
const lockKey = 7_283_311_904;

/**
 * Brings the database to this program's schema: each missing step in a transaction of its own, under a lock, so that two
 * starting collectors take turns and a death between two steps continues with the next one. Returns the tags applied.
 * @throws StartFailure when the database belongs to a newer program, or a step does not apply.
 */
export async function migrate(
  database: Database,
  { log, migrationsDir = besideUs() }: MigrateOptions,
): Promise<string[]> {
  const migrations = readMigrations(migrationsDir);
  const applied: string[] = [];
  try {
    await database.patiently((transaction) => prepareTable(transaction));
    for (const migration of migrations) {
      const isNew = await database.patiently((transaction) => applyOne(transaction, migration, migrations));
      if (!isNew) continue;
      applied.push(migration.tag);
      log.info({ migration: migration.tag }, 'database migrated');
    }
  } catch (error) {
    if (error instanceof StartFailure) throw error;
    throw new StartFailure('unavailable', `the database cannot be migrated: ${toDatabaseError(error).message}`, {
      cause: error,
    });
  }
  return applied;
}

/** From the source, or from the built programs' folder. */
function besideUs(): string {
  const built = fileURLToPath(new URL('./migrations', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('../migrations', import.meta.url));
}

function readMigrations(dir: string): Migration[] {
  const journal = JSON.parse(readFileSync(join(dir, 'meta/_journal.json'), 'utf8')) as {
    entries: { idx: number; tag: string }[];
  };
  return journal.entries
    .toSorted((a, b) => a.idx - b.idx)
    .map(({ tag }) => {
      const text = readFileSync(join(dir, `${tag}.sql`), 'utf8').replaceAll('\r\n', '\n');
      const statements = text.split('--> statement-breakpoint').map((statement) => statement.trim());
      return {
        tag,
        statements: statements.filter((statement) => statement !== ''),
        sha256: createHash('sha256').update(text).digest('hex'),
      };
    });
}

async function prepareTable(transaction: TransactionSql): Promise<void> {
  await lockMigrations(transaction);
  await transaction.unsafe(`create table if not exists schema_migrations (
    tag text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
}

async function lockMigrations(transaction: TransactionSql): Promise<void> {
  await transaction.unsafe(`set local statement_timeout = 0; set local lock_timeout = 0`);
  await transaction.unsafe(`select pg_advisory_xact_lock(${lockKey})`);
}

async function applyOne(
  transaction: TransactionSql,
  migration: Migration,
  known: readonly Migration[],
): Promise<boolean> {
  await lockMigrations(transaction);
  const rows = await transaction.unsafe<{ tag: string; sha256: string }[]>('select tag, sha256 from schema_migrations');
  const foreign = rows.find(({ tag }) => !known.some((own) => own.tag === tag));
  if (foreign !== undefined) {
    throw new StartFailure(
      'dataTooNew',
      `the database was used by a newer Runnerwatch (its step ${foreign.tag} is not known here); start that version, or restore the backup from before the upgrade`,
    );
  }
  const stored = rows.find(({ tag }) => tag === migration.tag);
  if (stored !== undefined) {
    if (stored.sha256 === migration.sha256) return false;
    throw new StartFailure(
      'dataTooNew',
      `the database got another text of step ${migration.tag} than this program has; start the version that made it`,
    );
  }
  for (const statement of migration.statements) await transaction.unsafe(statement);
  await transaction.unsafe('insert into schema_migrations (tag, sha256) values ($1, $2)', [
    migration.tag,
    migration.sha256,
  ]);
  return true;
}
