import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../collector/src/db/database.ts';
import { embeddedMajor, openEmbeddedDatabase } from '../../collector/src/db/embedded.ts';
import { lockFolder } from '../../collector/src/db/folder-lock.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { copyTemplate, silentLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

describe('the embedded database in its folder', () => {
  let dataDir: string;
  const opened: Database[] = [];
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'runnerwatch-db-'));
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const open = async (dir = dataDir) => {
    const database = await openDatabase({ dataDir: dir, log: silentLog });
    opened.push(database);
    return database;
  };
  const childHolding = async (dir: string) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', resolve(import.meta.dirname, '../support/hold-database.ts'), dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((ready) => child.stdout.once('data', ready));
    return child;
  };

  it('makes its files at the first start, in a folder that no one else may enter', async () => {
    const database = await open();

    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(readFileSync(join(dataDir, 'database/pg/PG_VERSION'), 'utf8').trim()).toBe(embeddedMajor);
    expect(readdirSync(join(dataDir, 'database')).filter((name) => name.startsWith('init-'))).toEqual([]);
  });

  it('starts anew where a first start was killed half-way', async () => {
    mkdirSync(join(dataDir, 'database/init-abc/base'), { recursive: true });
    mkdirSync(join(dataDir, 'database/pg'), { recursive: true });

    const database = await open();

    expect(await database.check()).toEqual({ healthy: true, reason: null });
    expect(existsSync(join(dataDir, 'database/init-abc'))).toBe(false);
  });

  it('F080 refuses a folder that this machine already uses, and names the reason', async () => {
    await copyTemplate(dataDir);
    await open();

    await expect(openDatabase({ dataDir, log: silentLog })).rejects.toMatchObject({
      name: 'StartFailure',
      exitCode: 75,
      message: expect.stringMatching(/in use by .*; stop that one, or give this one its own data_dir/),
    });
  });

  it('takes a folder over from a process that was killed', async () => {
    await copyTemplate(dataDir);
    const child = await childHolding(dataDir);
    await expect(openDatabase({ dataDir, log: silentLog })).rejects.toMatchObject({ exitCode: 75 });
    const gone = new Promise((resolveExit) => child.once('exit', resolveExit));
    child.kill('SIGKILL');
    await gone;

    const database = await open();

    expect(await database.sql<{ v: number }>`select value::int as v from collector_state where key = 'held'`).toEqual([
      { v: 1 },
    ]);
  });

  it('refuses the files of another engine version', async () => {
    await copyTemplate(dataDir);
    writeFileSync(join(dataDir, 'database/pg/PG_VERSION'), '99\n');

    await expect(openDatabase({ dataDir, log: silentLog })).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining('made by PostgreSQL 99'),
    });
  });

  it('says where it cannot write', async () => {
    writeFileSync(join(dataDir, 'file'), '');

    await expect(openDatabase({ dataDir: join(dataDir, 'file'), log: silentLog })).rejects.toMatchObject({
      exitCode: 77,
      message: expect.stringContaining('set data_dir'),
    });
  });

  it('works in a folder whose path is too long for a socket', async () => {
    const deep = join(dataDir, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(deep, { recursive: true });
    await copyTemplate(deep);

    const database = await open(deep);

    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it('starts its engine again when that fails, and says so', async () => {
    await copyTemplate(dataDir);
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const worker = { path: resolve(import.meta.dirname, '../support/failing-worker.ts'), loader: 'tsx' } as const;
    const database = await openEmbeddedDatabase({ dataDir, log, entries: { worker, init: worker } });
    opened.push(database);
    await eventually(() => lines.some((line) => line.includes('the embedded database ended; starting it again')));

    await expect(database.sql`select 1`).rejects.toMatchObject({ problem: 'unreachable', retryable: true });
    await eventually(async () => (await database.check()).healthy);
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it('refuses a second connection inside a transaction instead of waiting for ever', async () => {
    await copyTemplate(dataDir);
    const database = await openEmbeddedDatabase({ dataDir, log: silentLog, acquireTimeoutMs: 100 });
    opened.push(database);

    const failure = database.drizzle.transaction(async () => {
      await database.sql`select 1`;
    });

    await expect(failure).rejects.toMatchObject({ problem: 'timeout' });
    expect(await database.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe('the lock of a folder', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'runnerwatch-lock-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const procAsSeenElsewhere = () => {
    const procDir = join(dir, 'proc');
    mkdirSync(join(procDir, 'sys/kernel/random'), { recursive: true });
    writeFileSync(join(procDir, 'sys/kernel/random/boot_id'), 'another-boot\n');
    return procDir;
  };

  it('is free again when it is released', async () => {
    const first = await lockFolder(dir);
    first.release();

    const second = await lockFolder(dir);
    second.release();
  });

  it('is not fooled by a process id that now belongs to another process', async () => {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(
      join(dir, 'owner.json'),
      JSON.stringify({ boot_id: bootId, pid_namespace: null, pid: 1, start_ticks: '12345678901' }),
    );

    const lock = await lockFolder(dir, { touchEveryMs: 50 });
    lock.release();
  });

  it('waits for a sign of life from an owner in another container, and takes over without one', async () => {
    writeFileSync(
      join(dir, 'owner.json'),
      JSON.stringify({ boot_id: 'another-boot', pid_namespace: 'pid:[1]', pid: 1, start_ticks: '1' }),
    );

    const lock = await lockFolder(dir, { touchEveryMs: 50 });
    lock.release();
  });

  it('refuses while an owner in another container gives signs of life', async () => {
    const file = join(dir, 'owner.json');
    writeFileSync(file, JSON.stringify({ boot_id: null, pid_namespace: 'pid:[1]', pid: 7, start_ticks: '1' }));
    let second = 0;
    const living = setInterval(() => utimesSync(file, 1_000_000, 1_000_000 + second++), 20);
    try {
      await expect(lockFolder(dir, { touchEveryMs: 500, procDir: procAsSeenElsewhere() })).rejects.toMatchObject({
        exitCode: 75,
        message: expect.stringContaining('process id 7'),
      });
    } finally {
      clearInterval(living);
    }
  });

  it('shows its own signs of life', async () => {
    const lock = await lockFolder(dir, { touchEveryMs: 10 });
    try {
      const file = join(dir, 'owner.json');
      utimesSync(file, 1000, 1000);
      await eventually(async () => (await import('node:fs')).statSync(file).mtimeMs > 2_000_000);
    } finally {
      lock.release();
    }
  });
});
