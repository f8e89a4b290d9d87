import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { calm, holds, nodes, pass, prepared, runShell, secret, telling } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink, type SunkRequest } from '../support/http-sink.ts';
import { LightFleet } from '../support/light-fleet.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import { Installation, type Program } from '../support/product.ts';
import { freePort } from '../support/real-node/free-port.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Long enough for every rank to have spoken, and for one that speaks twice to have done it. */
const quietMs = 8000;

/** Three, each with a data folder of its own, as on a machine of its own; the first has the installation's. */
function threeAgents(installation: Installation, fallback: object): Program[] {
  return [0, 1, 2].map((index) => {
    const dataDir = join(installation.dataDir, index === 0 ? '' : `node-${index}`);
    mkdirSync(dataDir, { recursive: true });
    const environment = { RUNNERWATCH_DATA_DIR: dataDir, RUNNERWATCH_NODE_NAME: `n${index}` };
    return installation.agent({ ...calm, fallback }, environment);
  });
}

const ofType = (sink: HttpSink, type: string) => sink.requests.filter(({ body }) => JSON.parse(body).type === type);
const fired = (sink: HttpSink) => ofType(sink, 'collector.unreachable');
const resolved = (sink: HttpSink) => ofType(sink, 'collector.recovered');
const idsOf = (requests: readonly SunkRequest[]) => [...new Set(requests.map(({ headers }) => headers['webhook-id']))];

/** The rank that an agent was told last; null when it is no deputy. */
const rankOf = ({ output }: Program) => /.*"rank":(\w+),"msg":"whether this agent speaks/s.exec(output)?.[1] ?? 'null';
const allAreNamed = (agents: readonly Program[]) =>
  holds(() => expect(agents.map(rankOf).toSorted()).toEqual(agents.map((_, rank) => String(rank))));

it('F128 tells with one to three messages of a thousand agents that the collector is dead, and once that it is back', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  const collector = await installation.collector();
  const token = readFileSync(join(installation.dataDir, 'collector', 'agent.token'), 'utf8').trim();
  const size = 1000;
  await using fleet = new LightFleet(size, {
    url: `${installation.url.replace('http', 'ws')}/agent/v1`,
    token,
    fallback: { webhook: sink.url, secret, afterMs: 5000 },
  });
  fleet.start();
  await holds(() => expect([fleet.welcomed, fleet.deputies.length]).toEqual([size, 3]), { timeoutMs: 60_000 });
  expect(fleet.deputies.map(({ rank }) => rank).toSorted()).toEqual([0, 1, 2]);

  await collector.end('SIGKILL');
  await holds(() => expect(fired(sink)).toHaveLength(3), { timeoutMs: 60_000 });
  await pass(quietMs);
  expect(sink.requests).toHaveLength(3);
  expect(idsOf(sink.requests)).toHaveLength(1);

  collector.startAgain();
  await holds(() => expect(resolved(sink)).toHaveLength(1), { timeoutMs: 60_000 });
  await holds(() => expect(fleet.welcomed).toBe(size), { timeoutMs: 60_000 });
  await pass(quietMs);
  expect(sink.requests).toHaveLength(4);
  expect(fleet.deputies.map(({ rank }) => rank).toSorted()).toEqual([0, 1, 2]);
  expect(new Set(fleet.deputies.map(({ key }) => key)).size).toBe(1);
}, 240_000);

it('F128 tells it although the first deputy dies with the collector, signed, in words for a chat, with what waits', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  const collector = await installation.collector();
  const agents = threeAgents(installation, { webhook: `${sink.url}?token=canary`, secret, after: '3s' });
  await allAreNamed(agents);
  expect((await installation.cli(['status'])).stdout).toMatch(/deputies +n\d, n\d, n\d\n/);

  const [first] = agents.filter((agent) => rankOf(agent) === '0');
  const survivors = agents.filter((agent) => agent !== first);
  await collector.end('SIGKILL');
  await first?.end('SIGKILL');
  if (first !== agents[0]) expect(await runShell(installation, 'exit 3')).toBe(3);
  await holds(() => expect(fired(sink)).toHaveLength(survivors.length));
  await pass(quietMs);

  expect(sink.requests).toHaveLength(survivors.length);
  const [request] = sink.requests;
  expect(new Webhook(secret).verify(request?.body ?? '', { ...request?.headers })).toMatchObject({
    version: 1,
    type: 'collector.unreachable',
    cause: 'unreachable',
    collector_urls: [installation.url],
    rank: 1,
    text: expect.stringMatching(/^Node n\d does not reach its Runnerwatch collector \(http:.*which may be dead/),
  });
  expect(agents.map(({ output }) => output).join('')).not.toContain('canary');
  const failures = sink.bodies.map(({ unsent }) => (unsent as { task_failures: number }).task_failures);
  expect(Math.max(...failures)).toBe(first === agents[0] ? 0 : 1);
  expect(idsOf(sink.requests)).toHaveLength(1);

  collector.startAgain();
  await holds(() => expect(resolved(sink)).toHaveLength(1));
  first?.startAgain();
  await pass(quietMs);
  expect([fired(sink).length, resolved(sink).length]).toEqual([2, 1]);
  expect(resolved(sink)[0]?.headers['webhook-id']).toBe(idsOf(fired(sink))[0]?.replace('fired', 'resolved'));
});

it.each(['fallback_noted', 'fallback_posted', 'all_clear_posted'])(
  'F128 repeats with the same id what an agent was at when it was killed (%s), and no more',
  async (moment) => {
    await using sink = await HttpSink.open();
    await using installation = await prepared();
    const collector = await installation.collector();
    const config = { ...calm, fallback: { webhook: sink.url, secret, after: '2s' } };
    let agent = installation.agent(config, { RUNNERWATCH_CRASH_POINT: moment });
    await allAreNamed([agent]);
    await collector.end('SIGKILL');
    if (moment === 'all_clear_posted') {
      await holds(() => expect(fired(sink)).toHaveLength(1));
      collector.startAgain();
    }
    await eventually(() => !agent.isRunning, { timeoutMs: 40_000 });
    agent = installation.agent(config);
    if (moment !== 'all_clear_posted') {
      await holds(() => expect(agent.output).toContain('told people that the collector is silent'));
      collector.startAgain();
    }
    await holds(() => expect(agent.output).toContain('told people that the collector is back'));
    await pass(3000);

    expect(fired(sink)).toHaveLength(moment === 'fallback_posted' ? 2 : 1);
    expect(resolved(sink)).toHaveLength(moment === 'all_clear_posted' ? 2 : 1);
    expect([idsOf(fired(sink)).length, idsOf(resolved(sink)).length]).toEqual([1, 1]);
  },
);

it('F128 says nothing of its own network that was gone, when both come back', async () => {
  await using installation = await prepared();
  await installation.collector();
  await using way = await TcpProxy.start(Number(new URL(installation.url).port));
  const sinkPort = await freePort();
  const agent = installation.agent({
    ...calm,
    collector_urls: [way.url],
    fallback: { webhook: `http://127.0.0.1:${sinkPort}/hook`, after: '2s' },
  });
  await allAreNamed([agent]);

  way.isRefusing = true;
  way.resetAll();
  await holds(() => expect(agent.output).toContain('fallback.webhook is not reached'));
  // The receiver can be reached before the agent has tried its collector again.
  await using sink = await HttpSink.open({ port: sinkPort });
  way.isRefusing = false;
  await holds(async () => expect((await nodes(installation))[0]?.status).toBe('online'));
  await pass(quietMs);

  expect(sink.requests).toEqual([]);
  expect(agent.output).not.toContain('told people');
});

it('F128 says nothing of a collector that does not want it any more, dead or alive', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  const collector = await installation.collector();
  const made = await installation.cli(['enroll', 'create', '--json']);
  const { token } = JSON.parse(made.stdout) as { token: string };
  const fallback = { webhook: sink.url, after: '2s' };
  const agent = installation.agent({ ...calm, token_file: undefined, token, fallback });
  await allAreNamed([agent]);

  const [node] = await nodes(installation);
  await fetch(`${installation.url}/api/v1/agents/${node?.id}/revoke`, { method: 'POST' });
  await holds(() => expect(agent.output).toMatch(/revoked/));
  await pass(quietMs);
  await collector.end('SIGKILL');
  await pass(quietMs);

  expect(sink.requests).toEqual([]);
});

it('F128 forgets neither its place nor how long it has waited when it is restarted meanwhile', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  const collector = await installation.collector();
  const agent = installation.agent({ ...calm, fallback: { webhook: sink.url, secret, after: '10s' } });
  await allAreNamed([agent]);

  await collector.end('SIGKILL');
  await pass(7000);
  await agent.end();
  expect(sink.requests).toEqual([]);
  const againAt = performance.now();
  agent.startAgain();
  await holds(() => expect(fired(sink)).toHaveLength(1));

  expect(performance.now() - againAt).toBeLessThan(9000);
});

it('F113 F128 tells that a collector which lives reaches no receiver, and that it does again', async () => {
  await using sink = await HttpSink.open();
  await using receiver = await HttpSink.open({ answer: () => ({ kind: 'status', status: 500 }) });
  await using installation = await prepared();
  await installation.collector(telling(receiver, { events: ['end'] }));
  const agent = installation.agent({ ...calm, fallback: { webhook: sink.url, secret, after: '2s' } });
  await allAreNamed([agent]);

  for (const _ of Array.from({ length: 6 })) await runShell(installation, 'exit 3');
  await holds(() => expect(fired(sink)).toHaveLength(1), { timeoutMs: 150_000 });
  expect(sink.bodies[0]).toMatchObject({ cause: 'hindered', reason: 'no receiver takes notifications' });
  receiver.answer = () => ({ kind: 'status', status: 204 });
  await holds(() => expect(resolved(sink)).toHaveLength(1), { timeoutMs: 150_000 });

  expect(sink.requests).toHaveLength(2);
}, 360_000);

it.skipIf(!havePostgres)(
  'F088 F128 tells that the database of a collector is away, and that it is there again',
  async () => {
    await using sink = await HttpSink.open();
    await using cluster = await PostgresCluster.start();
    await using installation = new Installation();
    await installation.collector({ database: { url: cluster.createDatabase('product') } });
    const agent = installation.agent({ ...calm, fallback: { webhook: sink.url, secret, after: '2s' } });
    await allAreNamed([agent]);

    await cluster.stopServer('fast');
    await holds(() => expect(fired(sink)).toHaveLength(1), { timeoutMs: 150_000 });
    await cluster.startServer();
    await holds(() => expect(resolved(sink)).toHaveLength(1), { timeoutMs: 150_000 });

    expect(sink.requests).toHaveLength(2);
  },
  360_000,
);
