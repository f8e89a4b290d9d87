import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './real-node/free-port.ts';
import { findTool, haveRight, haveTool, isRoot } from './tool.ts';

/** Whether tests can have a PostgreSQL server of their own: its programs, and as root an account to run them. */
export function havePostgres(): boolean {
  return (
    haveTool('initdb', 'Debian: apt-get install postgresql, Fedora: dnf install postgresql-server', serverFolders()) &&
    haveRight(
      !isRoot || ordinaryAccount() !== null,
      'user postgres or nobody, as whom a database server of root can run',
    )
  );
}

/**
 * A PostgreSQL cluster of our own in a temporary folder, on a free port of 127.0.0.1. Its files are owned by an ordinary
 * user, because the server refuses to run as root.
 */
export class PostgresCluster implements AsyncDisposable {
  readonly #bin: string;
  readonly #dir: string;
  readonly #port: number;
  readonly #account: Account | null;
  readonly #isDurable: boolean;
  #server: ChildProcess | undefined;

  private constructor(bin: string, port: number, isDurable: boolean) {
    this.#bin = bin;
    this.#port = port;
    this.#isDurable = isDurable;
    this.#account = isRoot ? ordinaryAccount() : null;
    this.#dir = mkdtempSync(join(tmpdir(), 'runnerwatch-pg-'));
    if (this.#account !== null) chownSync(this.#dir, this.#account.uid, this.#account.gid);
  }

  /** Made and running; for machines where {@link havePostgres}. `isDurable`: flushes what it commits, as in earnest. */
  static async start({ isDurable = false } = {}): Promise<PostgresCluster> {
    const cluster = new PostgresCluster(findBin(), await freePort(), isDurable);
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
    const fsync = `fsync=${this.#isDurable ? 'on' : 'off'}`;
    const settings = [fsync, 'shared_buffers=16MB', `port=${this.#port}`, 'listen_addresses=127.0.0.1'];
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

function ordinaryAccount(): Account | null {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody'].map((name) => lines.find((text) => text.startsWith(`${name}:`))).find(Boolean);
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

function findBin(): string {
  const folder = findTool('initdb', serverFolders());
  if (folder === undefined) throw new Error('no initdb on this machine');
  return dirname(realpathSync(join(folder, 'initdb')));
}

/** Where Debian keeps the servers, the newest first; only their clients are in PATH there. */
function serverFolders(): string[] {
  const packaged = '/usr/lib/postgresql';
  if (!existsSync(packaged)) return [];
  return readdirSync(packaged)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(packaged, version, 'bin'));
}
