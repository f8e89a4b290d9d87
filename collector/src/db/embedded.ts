import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import type { Worker } from 'node:worker_threads';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Logger } from 'pino';
import { createDatabase, type Database } from './database.ts';
import { DatabaseSocket } from './database-socket.ts';
import { keepReserve } from './disk-reserve.ts';
import { unpackTemplate } from './embedded-template.ts';
import type { WorkerStart } from './embedded-worker.ts';
import { childArguments, type Entry, entryBeside, startThread } from './entry.ts';
import { DatabaseError } from './errors.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { startMaintenance } from './maintenance.ts';
import { Pool } from './pool.ts';

/** Major version of the engine in the package; a data folder belongs to one. */
export const embeddedMajor = '18';

/** sun_path holds 108 bytes on Linux, 104 elsewhere (unix(7)). */
const socketPathBytesMax = 100;
const restartAfterMs = 1000;
const closeTimeoutMs = 8000;
/** Of the engine: those of our tables and indexes, and of its own catalogue, that are in use. */
const filesMax = 256;
/** With less the engine cannot even begin a file of its log. */
const leastRoomBytes = 1024 * 1024;

export interface EmbeddedOptions {
  /** Everything of the database is in its subfolder `database`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** The thread's and the first start's program; given only when they are not beside this file. */
  readonly entries?: { readonly worker: Entry; readonly init: Entry };
  readonly acquireTimeoutMs?: number;
}

/**
 * The embedded database, running: `database/pg` holds its files, `database/owner.json` says who has it.
 * It survives a killed process, not a power cut: the engine never calls fsync.
 * @throws StartFailure when the folder is in use, from another engine version, or not writable.
 */
export async function openEmbeddedDatabase({
  dataDir,
  log,
  entries,
  acquireTimeoutMs = 20_000,
}: EmbeddedOptions): Promise<Database> {
  const { worker, init } = entries ?? { worker: entryBeside('embedded-worker'), init: entryBeside('embedded-init') };
  const home = join(dataDir, 'database');
  makeHome(home);
  const lock = await lockFolder(home).catch((error: unknown) => {
    throw cannotStart(error, home);
  });
  let socketPath: string | undefined;
  try {
    const files = join(home, 'pg');
    if (existsSync(join(files, 'PG_VERSION'))) refuseOtherVersion(files);
    else await initialise({ home, files, init, log });
    socketPath = chooseSocketPath(home);
    const engine = new Engine({ start: { dataDir: files, socketPath, home, filesMax }, entry: worker, log });
    await engine.start();
    return createOnEngine({ engine, lock, socketPath, home, log, acquireTimeoutMs });
  } catch (error) {
    if (socketPath !== undefined) removeSocket(socketPath, home);
    lock.release();
    throw cannotStart(error, home);
  }
}

/** A full disk shows in many ways, also in a child's complaint: the disk itself is asked. */
function cannotStart(error: unknown, home: string): StartFailure {
  if (error instanceof StartFailure) return error;
  const { bavail, bsize } = statfsSync(home);
  if (bavail * bsize < leastRoomBytes) {
    return new StartFailure(
      'diskFull',
      `${home}: the embedded database does not start: the disk is full; free some space and start again`,
      { cause: error },
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  return new StartFailure('unavailable', `${home}: the embedded database does not start: ${message}`, { cause: error });
}

function createOnEngine({
  engine,
  lock,
  socketPath,
  home,
  log,
  acquireTimeoutMs,
}: {
  engine: Engine;
  lock: FolderLock;
  socketPath: string;
  home: string;
  log: Logger;
  acquireTimeoutMs: number;
}): Database {
  const pool = new Pool({
    size: 1,
    acquireTimeoutMs,
    connect: async () => new DatabaseSocket(await connectUnix(socketPath), 0),
    session: { user: 'postgres', password: 'none', database: 'postgres' },
  });
  const maintenance = startMaintenance({ pool, log });
  const reserve = keepReserve({
    home,
    // The engine has one session for all its connections.
    setWritable: (isWritable) =>
      pool.use(async (client) => {
        await client.unsafe(`set default_transaction_read_only = ${isWritable ? 'off' : 'on'}`);
      }),
    clock: systemClock,
    log,
  });
  engine.onReserveGone = () => void reserve.look();
  return createDatabase({
    kind: 'embedded',
    descriptorsMax: filesMax,
    pool,
    obstacle: () => (reserve.isFull() ? `the disk is full: nothing is written down; free some space in ${home}` : null),
    beforeClose: async () => {
      await reserve[Symbol.asyncDispose]();
      await maintenance.stop();
    },
    closeEngine: async () => {
      await engine.stop();
      removeSocket(socketPath, home);
      lock.release();
    },
  });
}

function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new StartFailure(
      code === 'ENOSPC' ? 'diskFull' : 'noPermission',
      `${home}: cannot be made (${code}); run as a user who may write there, or set data_dir`,
      { cause: error },
    );
  }
}

function refuseOtherVersion(files: string): void {
  const version = readFileSync(join(files, 'PG_VERSION'), 'utf8').trim();
  if (version === embeddedMajor) return;
  throw new StartFailure(
    'dataTooNew',
    `${files}: made by PostgreSQL ${version}, and this program brings PostgreSQL ${embeddedMajor}; start the version of Runnerwatch that made it, or give this one its own data_dir`,
  );
}

/** Into a folder that gets its name only when it is whole: a killed first start leaves nothing half. */
async function initialise({
  home,
  files,
  init,
  log,
}: {
  home: string;
  files: string;
  init: Entry;
  log: Logger;
}): Promise<void> {
  for (const name of readdirSync(home)) {
    if (name.startsWith('init-')) rmSync(join(home, name), { recursive: true, force: true });
  }
  rmSync(files, { recursive: true, force: true });
  const startedAtMs = performance.now();
  let unfinished = mkdtempSync(join(home, 'init-'));
  const isUnpacked = await unpackTemplate(unfinished);
  if (!isUnpacked) {
    rmSync(unfinished, { recursive: true });
    unfinished = mkdtempSync(join(home, 'init-'));
    await makeAnew(unfinished, init);
  }
  renameSync(unfinished, files);
  log.info(
    { dir: files, duration_ms: Math.round(performance.now() - startedAtMs), from_template: isUnpacked },
    'made the files of the embedded database',
  );
}

/** In a child of its own: initdb takes memory that it never gives back. */
async function makeAnew(folder: string, init: Entry): Promise<void> {
  const child = spawn(execPath, [...childArguments(init), folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'));
  });
  if (code !== 0) throw new Error(`making its files ended with ${code}: ${complaint.trim().split('\n').at(-1) ?? ''}`);
}

/** In the data folder, or in a private temporary one when that path is too long for a socket. */
function chooseSocketPath(home: string): string {
  const beside = join(home, '.s.PGSQL.5432');
  if (Buffer.byteLength(beside) <= socketPathBytesMax) {
    rmSync(beside, { force: true });
    return beside;
  }
  const base = Buffer.byteLength(tmpdir()) < 60 ? tmpdir() : '/tmp';
  return join(mkdtempSync(join(base, 'runnerwatch-')), 's');
}

function removeSocket(socketPath: string, home: string): void {
  rmSync(socketPath, { force: true });
  if (dirname(socketPath) !== home) rmSync(dirname(socketPath), { recursive: true, force: true });
}

function connectUnix(path: string) {
  return new Promise<Socket>((resolve, reject) => {
    const socket = connectSocket({ path });
    const onError = (error: Error) =>
      reject(
        new DatabaseError('unreachable', `the embedded database is not running: ${error.message}`, { cause: error }),
      );
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** The thread with the engine in it; started again when it ends by itself. */
class Engine {
  readonly #options: { readonly start: WorkerStart; readonly entry: Entry; readonly log: Logger };
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isStopping = false;
  onReserveGone: () => void = () => {};

  constructor(options: { readonly start: WorkerStart; readonly entry: Entry; readonly log: Logger }) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { entry, start, log } = this.#options;
    const worker = startThread(entry, start);
    let complaint = '';
    worker.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000);
    });
    worker.stdout.resume();
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: { kind: string; reason?: string }) => {
        if (message.kind === 'listening') resolve();
        else if (message.kind === 'reserveGone') this.onReserveGone();
        else log.error({ reason: message.reason }, 'the embedded database failed');
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`its thread ended with ${code}: ${complaint.trim()}`)));
    });
    this.#worker = worker;
    worker.on('error', (error) => log.error({ err: error }, 'the embedded database threw'));
    worker.once('exit', (code) => {
      this.#worker = undefined;
      if (!this.#isStopping) this.#startAgain(code);
    });
  }

  #startAgain(code: number): void {
    const { log, start } = this.#options;
    log.error({ code }, 'the embedded database ended; starting it again');
    this.#restart = setTimeout(() => {
      rmSync(start.socketPath, { force: true });
      this.start().catch((error: unknown) => {
        log.error({ err: error }, 'the embedded database does not start again');
        if (!this.#isStopping) this.#startAgain(-1);
      });
    }, restartAfterMs);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => void worker.terminate().then(() => resolve()), closeTimeoutMs);
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage('close');
    });
  }
}
