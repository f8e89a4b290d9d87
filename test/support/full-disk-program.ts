/*
 * Writes into an embedded database on a disk that is filled up until its log must begin a new file, in a process of its own,
 * where `/mnt` is that disk. Prints how it went as JSON: {@link FullDiskCourse}.
 */

import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import type { Database } from '../../collector/src/db/database.ts';
import { toDatabaseError } from '../../collector/src/db/errors.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { copyTemplate, silentLog } from './database.ts';
import { eventually } from './eventually.ts';

export interface FullDiskCourse {
  readonly problemsWhileFull: readonly string[];
  readonly healthWhileFull: string | null;
  readonly hadReserve: boolean;
  /** Numbers that were committed, as the writer was told, and as they can be read afterwards. */
  readonly committed: readonly number[];
  readonly stored: readonly number[];
}

const folder = '/mnt/collector';
const reserve = `${folder}/database/reserve`;
const patient = { timeoutMs: 30_000, everyMs: 50 };
const committed: number[] = [];

await copyTemplate(folder);
const database = await openDatabase({ dataDir: folder, log: silentLog });
await database.sql`create table numbers (value int)`;
await eventually(() => existsSync(reserve), patient);
fill(6 * 1024 * 1024);
const problems = new Set<string>();
for (let value = 0; value < 60; value++) {
  const problem = await write(database, value);
  if (problem !== null) problems.add(problem);
}
await eventually(async () => (await write(database, 60)) !== null, patient);
const { reason } = await database.check();
const hadReserve = existsSync(reserve);
rmSync('/mnt/filler');
await eventually(async () => (await write(database, 61)) === null, patient);
const rows = await database.sql<{ value: number }>`select value from numbers order by value`;
await database.close();
const course: FullDiskCourse = {
  problemsWhileFull: [...problems],
  healthWhileFull: reason,
  hadReserve,
  committed,
  stored: rows.map(({ value }) => value),
};
process.stdout.write(`${JSON.stringify(course)}\n`);

/** A number, and half a megabyte of the log. @returns what went wrong. */
async function write({ sql }: Database, value: number): Promise<string | null> {
  try {
    await sql`with entry as (select pg_logical_emit_message(true, 'x', repeat('x', 500000))) insert into numbers select ${value}::int from entry`;
    committed.push(value);
    return null;
  } catch (error) {
    return toDatabaseError(error).problem;
  }
}

function fill(leaveBytes: number): void {
  const { bavail, bsize } = statfsSync('/mnt');
  writeFileSync('/mnt/filler', Buffer.alloc(bavail * bsize - leaveBytes));
}
