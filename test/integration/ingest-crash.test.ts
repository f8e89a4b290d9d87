import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../collector/src/db/open.ts';
import { AgentClient, aHello, ended } from '../support/agent-client.ts';
import { copyTemplate, silentLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';

const program = resolve(import.meta.dirname, '../support/ingest-program.ts');

/** A collector's door that can be killed, and an agent that holds everything until it is acknowledged. */
class Killable {
  readonly #dataDir: string;
  readonly #url: string;
  readonly #clients: AgentClient[] = [];
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(dataDir: string, url: string) {
    this.#dataDir = dataDir;
    this.#url = url;
  }

  async start(dieAt = '', passings = 1): Promise<void> {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', program, this.#dataDir, this.#url, dieAt, String(passings)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    this.#child = child;
    this.#port = await new Promise<number>((resolvePort, reject) => {
      child.stdout.once('data', (chunk: Buffer) => resolvePort(Number(chunk.toString())));
      child.once('exit', (code) => reject(new Error(`it ended with ${code} before it listened`)));
    });
  }

  connect(): AgentClient {
    const client = new AgentClient(`ws://127.0.0.1:${this.#port}/agent/v1`);
    this.#clients.push(client);
    return client;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.dead();
  }

  async end(): Promise<void> {
    await this.kill();
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
  }

  async dead(): Promise<void> {
    const child = this.#child;
    await eventually(() => child === undefined || child.signalCode !== null || child.exitCode !== null);
  }
}

describeOnDatabases('a collector killed while it takes events in', (kind) => {
  let cluster: PostgresCluster | null = null;
  let dataDir: string;
  let url = '';
  let killable: Killable;
  let databases = 0;
  beforeAll(async () => {
    cluster = kind === 'server' ? await PostgresCluster.start() : null;
  });
  afterAll(async () => cluster?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'runnerwatch-kill-'));
    if (cluster === null) await copyTemplate(dataDir);
    else url = cluster.createDatabase(`kill_${++databases}`);
    killable = new Killable(dataDir, url);
  });
  afterEach(async () => {
    await killable.end();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** What the database holds when nobody runs, and that its indexes agree with it. */
  const stored = async () => {
    const database = await openDatabase({ url: cluster === null ? undefined : url, dataDir, log: silentLog });
    try {
      const seqs = await database.sql<{ seq: number }>`select seq from events order by id`;
      const tasks = await database.sql<{
        id: string;
        amendments: number;
      }>`select id, amendments from tasks where status = 'failed' order by id`;
      const [stream] = await database.sql<{
        committed_seq: number;
      }>`select committed_seq from streams where lane = 'ends'`;
      return { seqs: seqs.map(({ seq }) => seq), tasks, committed: stream?.committed_seq ?? 0 };
    } finally {
      await database.close();
    }
  };

  it.each([
    ['received', 0],
    ['before-commit', 0],
    ['committed', 2],
  ] as const)('F079 dying at “%s” loses nothing and stores nothing twice', async (step, storedBefore) => {
    await killable.start(step);
    const first = killable.connect();
    await first.greet(aHello());
    first.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1'), ended(2, 't2')] });
    await killable.dead();
    expect(first.acks()).toEqual([]);

    await killable.start();
    const second = killable.connect();
    const { committed } = await second.greet(aHello());
    second.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1'), ended(2, 't2'), ended(3, 't3')] });
    await second.acked('ends', 3);
    await killable.kill();

    expect(committed.ends).toBe(storedBefore);
    expect(await stored()).toEqual({
      seqs: [1, 2, 3],
      tasks: ['t1', 't2', 't3'].map((id) => ({ id, amendments: 0 })),
      committed: 3,
    });
  });

  it('holds every acknowledged event after kill -9 in mid-stream, again and again', async () => {
    const total = 400;
    let acknowledged = 0;
    for (let life = 1; acknowledged < total; life++) {
      await killable.start();
      const client = killable.connect();
      const { committed } = await client.greet(aHello());
      expect(committed.ends).toBeGreaterThanOrEqual(acknowledged);
      for (let seq = committed.ends + 1; seq <= total; seq += 4) {
        const numbers = [seq, seq + 1, seq + 2, seq + 3].filter((number) => number <= total);
        client.send({ kind: 'batch', lane: 'ends', events: numbers.map((number) => ended(number, `t${number}`)) });
      }
      await client.acked('ends', Math.min(total, life * 110));
      await killable.kill();
      acknowledged = Math.max(acknowledged, ...client.acks().map(({ seq }) => seq));
    }

    const { seqs, tasks, committed } = await stored();

    expect(seqs).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(tasks).toHaveLength(total);
    expect(tasks.every(({ amendments }) => amendments === 0)).toBe(true);
    expect(committed).toBe(total);
  });
});

describe.skipIf(!havePostgres())('a collector whose database server comes and goes', () => {
  let cluster: PostgresCluster;
  const dataDir = mkdtempSync(join(tmpdir(), 'runnerwatch-away-'));
  let killable: Killable;
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
    killable = new Killable(dataDir, cluster.createDatabase('away'));
    await killable.start();
  });
  afterAll(async () => {
    await killable.end();
    await cluster[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('F087 F088 withholds acks while the server is away, hears heartbeats, and goes on by itself', async () => {
    const client = killable.connect();
    await client.greet(aHello());
    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await client.acked('ends', 1);
    await cluster.stopServer('immediate');

    client.send({ kind: 'batch', lane: 'ends', events: [ended(2, 't2')] });
    client.send({ kind: 'batch', lane: 'ends', events: [ended(3, 't3')] });
    client.send({ kind: 'ping', id: 1, at: '2026-11-22T04:00:00.000Z' });
    await eventually(() => client.frames.some((frame) => frame.kind === 'pong'));
    expect(client.acks()).toEqual([{ lane: 'ends', seq: 1 }]);
    const latecomer = await killable.connect().opened();
    latecomer.send(
      aHello({ node_id: '44444444-4444-4444-8444-444444444444', stream_id: '55555555-5555-4555-8555-555555555555' }),
    );
    expect(await latecomer.closed()).toMatchObject({ code: 1013 });
    await cluster.startServer();

    await client.acked('ends', 3);
    expect(cluster.psql("select string_agg(seq::text, ',' order by id) from events", 'away')).toBe('1,2,3');
  });

  it('F087 survives restarts in the middle of a stream of batches', async () => {
    const client = killable.connect();
    const { committed } = await client.greet(aHello());
    const last = committed.ends + 300;
    const sending = (async () => {
      for (let seq = committed.ends + 1; seq <= last; seq++) {
        client.send({ kind: 'batch', lane: 'ends', events: [ended(seq, `s${seq}`)] });
        await new Promise((resolveTurn) => setTimeout(resolveTurn, 5));
      }
    })();

    await cluster.restart('immediate');
    await cluster.restart('fast');
    await sending;
    await client.acked('ends', last);

    expect(cluster.psql('select count(*), count(distinct seq), max(seq) from events', 'away')).toBe(
      `${last}|${last}|${last}`,
    );
  });
});
