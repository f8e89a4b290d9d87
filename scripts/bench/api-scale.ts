/*
 * How soon the API answers where there is a lot: 1,000 nodes, 200,000 tasks of 60 days, 10,000 incidents. Every question that a page
 * of the dashboard asks, as that page asks it, to the built collector in a process of its own; against `/healthz` of the same run. Then
 * each page in a browser.
 */
import { join } from 'node:path';
import { migrate } from '../../collector/src/db/migrate.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { haveBrowser } from '../../test/support/browser.ts';
import { silentLog } from '../../test/support/database.ts';
import { havePostgres, PostgresCluster } from '../../test/support/postgres.ts';
import { Installation } from '../../test/support/product.ts';
import { dashboardPages, type Page } from './dashboard-pages.ts';
import { target } from './figures.ts';
import { firstPaints } from './first-paint.ts';
import { cpuMs, percentile } from './process-cost.ts';
import { receivers, seedIncidents, seedPeople } from './scale-incidents.ts';
import { seedNodes, seedTasks, size } from './scale-tasks.ts';

const rounds = Math.ceil(Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200) / 4);
const warmUps = 5;
const targetMs = 150;
const paintTargetMs = 1000;

export async function benchApiScale(): Promise<void> {
  await benchOn('embedded database', null);
  if (!havePostgres()) return;
  await using cluster = await PostgresCluster.start();
  await benchOn('PostgreSQL', cluster.createDatabase('bench'));
}

async function benchOn(name: string, url: string | null): Promise<void> {
  await using installation = new Installation();
  await seed(join(installation.dataDir, 'collector'), url);
  const collector = await installation.collector({
    log: { level: 'error' },
    // Nobody speaks for these nodes, and nothing is told of that while it is measured.
    heartbeat_timeout: '24h',
    notifications: {
      notifiers: Object.fromEntries(
        receivers.map((receiver) => [receiver, { type: 'webhook', url: 'http://127.0.0.1:9/' }]),
      ),
      subscriptions: receivers.map((receiver) => ({ receiver, events: ['fail'] })),
    },
    ...(url === null ? {} : { database: { url } }),
  });
  const ask = async (path: string) => {
    const answer = await fetch(`${installation.url}${path}`);
    const body = await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${Buffer.from(body).toString().slice(0, 300)}`);
    return body.byteLength;
  };
  const floor = await measure(async () => [await ask('/healthz')], collector.pid);
  process.stdout.write(
    `API with ${size.tasks} tasks, ${name}, milliseconds, n ${rounds}: p50, p95, p95 to that of /healthz (${floor.p95.toFixed(1)}), CPU of the collector, KiB\n`,
  );
  const pages = await dashboardPages((question) => installation.get(question));
  const p95s: number[] = [];
  for (const { address, questions } of pages) {
    const askAll = () => Promise.all(questions.map((question) => ask(`/api/v1${question}`)));
    for (const question of questions) {
      const measured = await measure(async () => [await ask(`/api/v1${question}`)], collector.pid);
      p95s.push(measured.p95);
      print(question, measured, floor.p95);
    }
    if (questions.length > 1) print(`${address}, all at once`, await measure(askAll, collector.pid), floor.p95);
  }
  printWorst('slowest p95', p95s, targetMs);
  if (haveBrowser()) await paint(installation.url, pages);
}

/** Each page opened in Chromium, until it shows what it is about, and until it shows all that it asked for. */
async function paint(url: string, pages: readonly Page[]): Promise<void> {
  const paints = await firstPaints(
    url,
    pages.flatMap(({ address }) => (address === null ? [] : [address])),
  );
  process.stdout.write('Pages, milliseconds: first useful paint, all shown\n');
  for (const { address, usefulMs, wholeMs } of paints)
    process.stdout.write(
      `  ${address.padEnd(88)}${[usefulMs, wholeMs].map((ms) => ms.toFixed(0).padStart(7)).join('')}\n`,
    );
  printWorst(
    'slowest first useful paint',
    paints.map(({ usefulMs }) => usefulMs),
    paintTargetMs,
  );
}

function printWorst(what: string, values: readonly number[], wantedMs: number): void {
  const worst = Math.max(...values);
  process.stdout.write(`  ${what} ${worst.toFixed(0)} ms ${target(worst < wantedMs, `< ${wantedMs} ms`)}\n`);
}

async function seed(dataDir: string, url: string | null): Promise<void> {
  await using database = await openDatabase({ url: url ?? undefined, dataDir, log: silentLog });
  await migrate(database, { log: silentLog });
  const nowMs = Date.now();
  await seedNodes(database, nowMs);
  await seedIncidents(database, await seedTasks(database, nowMs), nowMs);
  await seedPeople(database, nowMs);
  // As hourly maintenance and autovacuum leave it.
  await database.drizzle.execute('vacuum (analyze)');
}

interface Measured {
  readonly p50: number;
  readonly p95: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

async function measure(work: () => Promise<number[]>, pid: number): Promise<Measured> {
  for (let round = 0; round < warmUps; round += 1) await work();
  const tookMs: number[] = [];
  let bytes = 0;
  const cpuBefore = cpuMs(pid);
  for (let round = 0; round < rounds; round += 1) {
    const beganAt = performance.now();
    bytes = (await work()).reduce((sum, one) => sum + one, 0);
    tookMs.push(performance.now() - beganAt);
  }
  return {
    p50: percentile(tookMs, 0.5),
    p95: percentile(tookMs, 0.95),
    cpuMs: (cpuMs(pid) - cpuBefore) / rounds,
    bytes,
  };
}

function print(what: string, { p50, p95, cpuMs: cpu, bytes }: Measured, floorMs: number): void {
  const figures = [
    p50.toFixed(0),
    p95.toFixed(0),
    `${(p95 / floorMs).toFixed(0)}×`,
    cpu.toFixed(0),
    (bytes / 1024).toFixed(0),
  ];
  process.stdout.write(`  ${what.slice(0, 88).padEnd(88)}${figures.map((figure) => figure.padStart(7)).join('')}\n`);
}
