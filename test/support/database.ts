import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Database } from '../../collector/src/db/database.ts';
import { migrate } from '../../collector/src/db/migrate.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { PostgresCluster } from './postgres.ts';

export const silentLog: Logger = pino({ level: 'silent' });

export type DatabaseKind = Database['kind'];

/** A database for one test file: the embedded engine in a temporary folder, or a real server of our own. */
export class TestDatabase implements AsyncDisposable {
  readonly kind: DatabaseKind;
  readonly dataDir: string;
  readonly cluster: PostgresCluster | null;
  readonly url: string | undefined;
  #open: Database | undefined;

  private constructor(kind: DatabaseKind, cluster: PostgresCluster | null) {
    this.kind = kind;
    this.cluster = cluster;
    this.dataDir = mkdtempSync(join(tmpdir(), 'runnerwatch-db-'));
    this.url = cluster?.createDatabase('runnerwatch_test');
  }

  /** `isDurable`: a server flushes what it commits, as in earnest. The embedded engine always does as in earnest. */
  static async start(kind: DatabaseKind, { isDurable = false } = {}): Promise<TestDatabase> {
    const cluster = kind === 'server' ? await PostgresCluster.start({ isDurable }) : null;
    const test = new TestDatabase(kind, cluster);
    if (kind === 'embedded') await copyTemplate(test.dataDir);
    const database = await test.open();
    await migrate(database, { log: silentLog });
    return test;
  }

  get database(): Database {
    if (this.#open === undefined) throw new Error('it is closed');
    return this.#open;
  }

  /** Opens it, again after {@link close}. */
  async open(): Promise<Database> {
    this.#open = await openDatabase({ url: this.url, dataDir: this.dataDir, log: silentLog });
    return this.#open;
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }

  /** Empties every table. */
  async clear(): Promise<void> {
    await this.database.sql`truncate nodes, condition_states, incidents, transitions, collector_state cascade`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.cluster?.[Symbol.asyncDispose]();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const repository = resolve(import.meta.dirname, '../..');

/** Files of a fresh embedded database with our schema, made once per schema and copied from then on: making them takes seconds of CPU. */
export async function copyTemplate(dataDir: string): Promise<void> {
  const template = join(repository, 'node_modules/.cache/runnerwatch', `embedded-${templateKey()}`);
  if (!existsSync(template)) {
    mkdirSync(join(template, '..'), { recursive: true });
    const building = mkdtempSync(`${template}-building-`);
    const database = await openDatabase({ dataDir: building, log: silentLog });
    await migrate(database, { log: silentLog });
    await database.close();
    try {
      renameSync(building, template);
    } catch (error) {
      // Another test file was faster.
      if (!existsSync(template)) throw error;
      rmSync(building, { recursive: true, force: true });
    }
  }
  cpSync(template, dataDir, { recursive: true });
}

function templateKey(): string {
  const migrations = join(repository, 'collector/src/migrations');
  const hash = createHash('sha256').update(
    readFileSync(join(repository, 'node_modules/@electric-sql/pglite/package.json')),
  );
  for (const name of readdirSync(migrations).toSorted()) {
    if (name.endsWith('.sql')) hash.update(readFileSync(join(migrations, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
