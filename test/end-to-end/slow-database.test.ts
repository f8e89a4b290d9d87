import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allTasks, calm, holds, nodeBecomes, nodes, pass, runShell, telling, toldOf } from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import { Installation } from '../support/product.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const names = Array.from({ length: 30 }, (_, index) => `slow ${index}`);

describe.skipIf(!havePostgres())('a database whose every answer takes two seconds', () => {
  let cluster: PostgresCluster;
  let proxy: TcpProxy;
  const opened: AsyncDisposable[] = [];
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
    proxy = await TcpProxy.start(Number(new URL(cluster.url()).port));
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await proxy.stop();
    await cluster[Symbol.asyncDispose]();
  });

  it('F095 holds no node for dead, leaves with the agents what it cannot store yet, and tells every end once', async () => {
    const sink = await HttpSink.open();
    const installation = new Installation();
    opened.push(sink, installation);
    const url = new URL(cluster.url());
    url.port = String(proxy.port);
    await installation.collector({
      ...telling(sink, { events: ['fail', 'unreachable', 'condition'] }),
      database: { url: url.href },
      heartbeat_timeout: '3s',
    });
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');

    proxy.latencyMs = 1000;
    const until = performance.now() + 12_000;
    for (const name of names) await runShell(installation, 'exit 3', ['--name', name]);
    await pass(Math.max(0, until - performance.now()));
    const healthz = await fetch(`${installation.url}/healthz`);
    proxy.latencyMs = 0;

    await holds(async () => {
      const stored = (await allTasks(installation)).map(({ name }) => name);
      expect(stored.toSorted()).toEqual(names.toSorted());
    });
    await holds(() =>
      expect(
        toldOf(sink, 'task.ended')
          .flatMap(({ task, group }) => group?.map((one) => one.task?.name) ?? [task?.name])
          .toSorted(),
      ).toEqual(names.toSorted()),
    );
    expect(healthz.status).toBe(200);
    expect(agent.output.match(/"connected"/g)).toHaveLength(1);
    expect(toldOf(sink, 'node.unreachable')).toEqual([]);
    expect((await nodes(installation)).map(({ status }) => status)).toEqual(['online']);
  });
});
