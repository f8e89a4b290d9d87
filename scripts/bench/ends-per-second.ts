/*
 * How many ends a second one node gets stored, sustained: a real spool full of them, sent by the agent's own uplink through
 * the real door, judged by the collector as always; against the same rows put into a table without an index in the same
 * database, one INSERT at a time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSpool, type Spool } from '@runnerwatch/agent/spool/spool.ts';
import { createUplink } from '@runnerwatch/agent/uplink/uplink.ts';
import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { createCredential } from '../../agent/src/uplink/credential.ts';
import type { Database } from '../../collector/src/db/database.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { silentLog } from '../../test/support/database.ts';
import { taskEnded } from '../../test/support/events.ts';
import { eventually } from '../../test/support/eventually.ts';
import { havePostgres, PostgresCluster } from '../../test/support/postgres.ts';
import { Installation } from '../../test/support/product.ts';
import { target } from './figures.ts';

/** 10,000 by default: some seconds at least. */
const ends = Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200) * 50;
const failsEvery = 10;
const appendsAtOnce = 500;

export async function benchEndsPerSecond(): Promise<void> {
  await benchOn('embedded database', null);
  if (!havePostgres()) return;
  await using cluster = await PostgresCluster.start({ isDurable: true });
  await benchOn('PostgreSQL', cluster.createDatabase('bench'));
}

async function benchOn(name: string, url: string | null): Promise<void> {
  await using installation = new Installation();
  const config = { log: { level: 'error' }, ...(url === null ? {} : { database: { url } }) };
  const collector = await installation.collector(config);
  const storedMs = await send(installation);
  await collector.end();
  const dataDir = join(installation.dataDir, 'collector');
  const database = await openDatabase({ url: url ?? undefined, dataDir, log: silentLog });
  try {
    const [stored] = await database.sql<{ ends: number }>`
      select count(*)::int as ends from tasks where ended_at is not null`;
    if (stored?.ends !== ends) throw new Error(`of ${ends} ends ${stored?.ends} are stored`);
    const plainMs = await insertPlainly(database);
    const [ours, plain] = [storedMs, plainMs].map((ms) => (ends / ms) * 1000);
    if (ours === undefined || plain === undefined) return;
    const ratio = ours / plain;
    process.stdout.write(
      `ends stored per second, ${name}: ${ours.toFixed(0)} · plain INSERTs of the same rows ${plain.toFixed(0)} · ratio ${ratio.toFixed(2)} ${target(ratio >= 1, '≥ 1')} (n ${ends})\n`,
    );
  } finally {
    await database.close();
  }
}

/** From the first byte on the wire to the last acknowledgement, which follows its commit. */
async function send(installation: Installation): Promise<number> {
  const spool = await openSpool({
    folder: join(installation.dataDir, 'bench-spool'),
    report: ({ kind }) => {
      throw new Error(`the spool has a problem: ${kind}`);
    },
    now: Date.now,
  });
  try {
    await fill(spool);
    const uplink = createUplink({
      spool,
      urls: [installation.url],
      credential: createCredential({
        token: readFileSync(join(installation.dataDir, 'collector', 'agent.token'), 'utf8').trim(),
        load: () => null,
        save: () => {},
      }),
      hello: () => ({
        node_id: '00000000-0000-4000-8000-00000000be7c',
        agent_version: '0.1.0',
        node: { name: 'bench', labels: {}, boot_id: null, inventory: null, sources: [] },
      }),
      heartbeatIntervalMs: 10_000,
      clock: systemClock,
      log: silentLog,
    });
    const beganAt = performance.now();
    uplink.start();
    await eventually(() => spool.acknowledged.ends >= ends, { timeoutMs: 600_000, everyMs: 5 });
    const tookMs = performance.now() - beganAt;
    await uplink.stop('stopping');
    return tookMs;
  } finally {
    await spool.close();
  }
}

async function fill(spool: Spool): Promise<void> {
  for (let from = 0; from < ends; from += appendsAtOnce) {
    const some = Array.from({ length: Math.min(appendsAtOnce, ends - from) }, (_, index) => endOf(from + index));
    await Promise.all(some.map((body) => spool.append(body, Date.now())));
  }
}

/** One in ten fails, and is judged. */
function endOf(index: number): EventBody {
  const body = taskEnded(`bench-${index}`, ['epoch 3', 'loss 0.25', 'saved']);
  if (body.kind !== 'task_ended') return body;
  const ending = { ...body.ending, ended_at: toInstant(Date.now()) };
  if (index % failsEvery === 0) return { ...body, ending };
  const verdict = { ...ending.verdict, cause: 'success' as const, summary: 'ended well' };
  return { ...body, ending: { ...ending, status: 'completed', exit_code: 0, verdict } };
}

async function insertPlainly(database: Database): Promise<number> {
  await database.sql`create table plain_ends (seq bigint, node_id text, at timestamptz, received_at timestamptz, body jsonb)`;
  const bodies = Array.from({ length: ends }, (_, index) => JSON.stringify(endOf(index)));
  const at = toInstant(Date.now());
  const beganAt = performance.now();
  for (const [seq, body] of bodies.entries())
    await database.sql`insert into plain_ends values (${seq}, ${'bench'}, ${at}::timestamptz, now(), ${body}::text::jsonb)`;
  return performance.now() - beganAt;
}
