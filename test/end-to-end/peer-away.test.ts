import { afterEach, describe, expect, it } from 'vitest';
import {
  allTasks,
  calm,
  closed,
  holds,
  nodeBecomes,
  prepared,
  runCommand,
  runShell,
  telling,
  told,
  toldOf,
} from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import { Installation } from '../support/product.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

const stopLimitMs = 10_000;

async function timed<T>(work: Promise<T>): Promise<{ value: T; tookMs: number }> {
  const beganAt = performance.now();
  return { value: await work, tookMs: performance.now() - beganAt };
}

describe.skipIf(!havePostgres())('a database server that goes away', () => {
  it('F087 is waited for after a fast and after an immediate restart, under load, and nothing is lost or told twice', async () => {
    const cluster = await PostgresCluster.start();
    const sink = await HttpSink.open();
    const installation = new Installation();
    opened.push(cluster, sink, installation);
    const collector = await installation.collector({
      ...telling(sink, { events: ['end'] }),
      database: { url: cluster.createDatabase('product') },
    });
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');
    const { pid } = collector;

    let isOver = false;
    let runs = 0;
    const runner = async () => {
      while (!isOver) await closed(runCommand(installation, ['sh', '-c', 'exit 2'], ['--name', `run-${runs++}`]));
    };
    const load = [runner(), runner()];
    for (const mode of ['fast', 'immediate'] as const) {
      const before = runs;
      await holds(() => expect(runs).toBeGreaterThan(before + 5));
      await cluster.restart(mode);
    }
    isOver = true;
    await Promise.all(load);

    await holds(async () => expect((await allTasks(installation)).length).toBe(runs));
    await holds(() => expect(toldOf(sink, 'task.ended').length).toBe(runs));
    expect(new Set(told(sink).map(({ task }) => task?.id)).size).toBe(runs);
    expect([collector.pid, collector.isRunning]).toEqual([pid, true]);
    const stored = cluster.psql(
      "select count(*), count(distinct body->'task'->>'id') from events where kind = 'task_ended'",
      'product',
    );
    expect(stored).toBe(`${runs}|${runs}`);
    expect(await agent.end()).toBe(0);
    expect(await collector.end()).toBe(0);
  });
});

describe('stopping while the other side cannot be reached', () => {
  it('F014 takes the agent at most ten seconds with a backlog behind a black hole, and the backlog arrives later', async () => {
    const installation = await prepared();
    opened.push(installation);
    const collector = await installation.collector();
    const proxy = await TcpProxy.start(Number(new URL(installation.url).port));
    opened.push(proxy);
    const agent = installation.agent({ ...calm, collector_urls: [`http://127.0.0.1:${proxy.port}`] });
    await nodeBecomes(installation, 'online');
    proxy.isBlackHole = true;
    for (const code of [11, 12, 13]) expect(await runShell(installation, `exit ${code}`)).toBe(code);

    const { value, tookMs } = await timed(agent.end('SIGTERM'));
    expect(value).toBe(0);
    expect(tookMs).toBeLessThan(stopLimitMs);
    expect(await allTasks(installation)).toEqual([]);

    proxy.isBlackHole = false;
    agent.startAgain();
    await holds(async () =>
      expect((await allTasks(installation)).map(({ exit_code }) => exit_code).toSorted()).toEqual([11, 12, 13]),
    );
    expect(collector.isRunning).toBe(true);
  });

  it('F014 takes the collector at most ten seconds with deliveries under way, none of which counts as made', async () => {
    const sink = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
    const installation = await prepared();
    opened.push(sink, installation);
    const collector = await installation.collector(telling(sink, { events: ['end'] }));
    installation.agent(calm);
    await nodeBecomes(installation, 'online');
    for (const code of [21, 22, 23]) expect(await runShell(installation, `exit ${code}`)).toBe(code);
    await holds(() => expect(new Set(sink.ids).size).toBeGreaterThan(0));

    const { value, tookMs } = await timed(collector.end('SIGTERM'));
    expect(value).toBe(0);
    expect(tookMs).toBeLessThan(stopLimitMs);

    const hungIds = new Set(sink.ids);
    const hung = sink.requests.length;
    sink.answer = () => ({ kind: 'status', status: 204 });
    collector.startAgain();
    await installation.ready(collector);
    await holds(() => {
      const arrived = sink.requests.slice(hung).map(({ headers, body }) => ({
        id: headers['webhook-id'] ?? '',
        code: (JSON.parse(body) as { task: { exit_code: number } }).task.exit_code,
      }));
      expect(arrived.map(({ code }) => code).toSorted()).toEqual([21, 22, 23]);
      for (const id of hungIds) expect(arrived.map((one) => one.id)).toContain(id);
    });
  });
});
