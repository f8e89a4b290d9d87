import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const installHint =
  'these tests need a PostgreSQL server program: install one (Debian: apt-get install postgresql; Fedora: dnf install postgresql-server) so that initdb is in PATH or in /usr/lib/postgresql/*/bin';

/**
 * A PostgreSQL cluster of our own in a temporary folder, on a free port of 127.0.0.1. Its files are owned by an ordinary
 * user, because the server refuses to run as root.
 */
export class PostgresCluster implements AsyncDisposable {
  readonly #bin: string;
  readonly #dir: string;
  readonly #port: number;
  readonly #account: Account | null;
  #server: ChildProcess | undefined;

  private constructor(bin: string, port: number) {
    this.#bin = bin;
    this.#port = port;
    this.#account = ordinaryAccount();
    this.#dir = mkdtempSync(join(tmpdir(), 'runnerwatch-pg-'));
    if (this.#account !== null) chownSync(this.#dir, this.#account.uid, this.#account.gid);
  }

  /** Made and running. @throws with an install hint when there is no PostgreSQL on this machine. */
  static async start(): Promise<PostgresCluster> {
    const cluster = new PostgresCluster(findBin(), await freePort());
    try {
      execFileSync(
        join(cluster.#bin, 'initdb'),
        ['-D', cluster.dataDir, '-U', 'runnerwatch', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'],
        { ...cluster.#identity(), cwd: cluster.#dir, stdio: ['ignore', 'ignore', 'pipe'] },
      );
      await cluster.startServer();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get dataDir(): string {
    return join(this.#dir, 'data');
  }

  url(database = 'postgres'): string {
    return `postgres://runnerwatch@127.0.0.1:${this.#port}/${database}`;
  }

  /** An empty database, and its URL. */
  createDatabase(name: string): string {
    this.psql(`create database ${name}`);
    return this.url(name);
  }

  /** Runs SQL beside the product, and returns what psql prints (tuples only). */
  psql(sql: string, database = 'postgres'): string {
    const arguments_ = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.#port),
      '-U',
      'runnerwatch',
      '-d',
      database,
      '-XAtqc',
      sql,
    ];
    return execFileSync(join(this.#bin, 'psql'), arguments_, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  async startServer(): Promise<void> {
    const settings = ['fsync=off', 'shared_buffers=16MB', `port=${this.#port}`, 'listen_addresses=127.0.0.1'];
    const server = spawn(
      join(this.#bin, 'postgres'),
      ['-D', this.dataDir, '-k', this.#dir, ...settings.flatMap((setting) => ['-c', setting])],
      { ...this.#identity(), cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaint = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-4000);
    });
    this.#server = server;
    await eventually(
      () => {
        if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}: ${complaint}`);
        return this.psql('select 1') === '1';
      },
      { everyMs: 50 },
    );
  }

  /** fast: roll back what runs and end; immediate: end as if killed (pg_ctl(1)). */
  async stopServer(mode: 'fast' | 'immediate'): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
    this.#server = undefined;
  }

  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    await this.stopServer(mode);
    await this.startServer();
  }

  /** Stops every process that serves the connections of one program, as a frozen disk would; the returned function lets them go on. */
  freezeBackends(applicationName: string): () => void {
    const pids = this.psql(`select pid from pg_stat_activity where application_name = '${applicationName}'`)
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of pids) {
        if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
      }
    };
  }

  /** Serves TLS from now on, with `localhost.crt` and `localhost.key` of the folder. */
  async enableTls(folder: string): Promise<void> {
    for (const kind of ['crt', 'key']) {
      const file = join(this.dataDir, `server.${kind}`);
      copyFileSync(join(folder, `localhost.${kind}`), file);
      chmodSync(file, 0o600);
      if (this.#account !== null) chownSync(file, this.#account.uid, this.#account.gid);
    }
    this.psql('alter system set ssl = on');
    this.psql('select pg_reload_conf()');
    await eventually(() => this.psql('show ssl') === 'on');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopServer('immediate');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #identity(): { uid: number; gid: number } | object {
    return this.#account === null ? {} : { uid: this.#account.uid, gid: this.#account.gid };
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Null when we are not root: then the server runs as us. */
function ordinaryAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody'].map((name) => lines.find((text) => text.startsWith(`${name}:`))).find(Boolean);
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
  return { uid: Number(uid), gid: Number(gid) };
}

function findBin(): string {
  const packaged = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql')
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => `/usr/lib/postgresql/${version}/bin`)
    : [];
  const folders = [...packaged, ...(process.env['PATH'] ?? '').split(':')];
  const found = folders.find((folder) =>
    ['initdb', 'postgres', 'psql'].every((name) => isExecutable(join(folder, name))),
  );
  if (found === undefined) throw new Error(installHint);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
