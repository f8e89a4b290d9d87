import type { AddressInfo } from 'node:net';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Deputies } from '../../collector/src/deputies/deputies.ts';
import { loadDeputies, saveDeputies } from '../../collector/src/deputies/store.ts';
import { AgentClient, aHello } from '../support/agent-client.ts';
import { type AgentsDoor, openAgentsDoor } from '../support/agents-door.ts';
import { silentLog, TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const idOf = (index: number) => `0000000${index}-0000-4000-8000-000000000000`;
const expectedMs = 700;

describe('F128 deputies over the agents’ own connections', () => {
  let test: TestDatabase;
  let door: AgentsDoor;
  let deputies: Deputies;
  let obstacle: string | null;
  const clients: AgentClient[] = [];
  beforeAll(async () => {
    test = await TestDatabase.start('server');
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => {
    obstacle = null;
    await test.clear();
    await open();
  });
  afterEach(() => close());

  async function open() {
    deputies = new Deputies({
      send: (nodeId, frame) => door.gateway.say(nodeId, frame),
      obstacle: async () => obstacle,
      load: () => loadDeputies(test.database.drizzle),
      save: (record) => saveDeputies(test.database.drizzle, record),
      clock: systemClock,
      log: silentLog,
      expectedMs,
      tickMs: 20,
      examineEveryMs: 50,
    });
    await deputies.start();
    door = openAgentsDoor(test, {}, deputies);
    await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
  }
  async function close() {
    for (const client of clients.splice(0)) await client[Symbol.asyncDispose]();
    await door.gateway[Symbol.asyncDispose]();
    await deputies[Symbol.asyncDispose]();
    await door.liveness[Symbol.asyncDispose]();
    door.server.close();
  }
  /** An agent of a machine of its own. */
  async function agent(index: number, { can = true } = {}) {
    const { port } = door.server.address() as AddressInfo;
    const client = new AgentClient(`ws://127.0.0.1:${port}/agent/v1`, { token: 'good' });
    clients.push(client);
    await client.greet(
      aHello({
        node_id: idOf(index),
        stream_id: idOf(index),
        node: { ...aHello().node, name: `n${index}`, boot_id: `boot-${index}` },
        ...(can ? { can_fall_back: true } : {}),
      }),
    );
    return client;
  }
  const words = (client: AgentClient) => client.frames.flatMap((frame) => (frame.kind === 'deputy' ? [frame] : []));
  const placeOf = (client: AgentClient) => eventually(() => words(client).at(-1)).then(({ place }) => place);
  const becomes = (client: AgentClient, rank: number | null) =>
    eventually(async () => expect((await placeOf(client))?.rank ?? null).toBe(rank) ?? true);
  const told = (client: AgentClient, key: string, transition: 'fired' | 'resolved' = 'fired') => {
    const before = client.frames.length;
    client.send({ kind: 'fallback', key, transition });
    return eventually(() => client.frames.slice(before).find((frame) => frame.kind === 'all_clear')).then(
      (frame) => frame.kind === 'all_clear' && frame.teller,
    );
  };

  it('names three with one key, and says nothing of it to an agent that does not know the word', async () => {
    const old = await agent(0, { can: false });
    const four = [await agent(1), await agent(2), await agent(3), await agent(4)];

    const places = await Promise.all(four.map(placeOf));

    expect(places.map((place) => place?.rank ?? null)).toEqual([0, 1, 2, null]);
    expect(new Set(places.flatMap((place) => place?.key ?? [])).size).toBe(1);
    expect(old.frames.map(({ kind }) => kind)).toEqual(['welcome']);
    expect(deputies.states().map(({ name, isConnected }) => [name, isConnected])).toEqual([
      ['n1', true],
      ['n2', true],
      ['n3', true],
    ]);
  });

  it('waits for a deputy that went away, and then names another in its rank', async () => {
    const [first, , , fourth] = [await agent(1), await agent(2), await agent(3), await agent(4)];
    await becomes(fourth, null);

    first?.cut();
    await eventually(() => deputies.states()[0]?.isConnected === false);
    const back = await agent(1);
    await becomes(back, 0);
    await becomes(fourth, null);
    back.cut();

    await becomes(fourth, 0);
    expect(deputies.states().map(({ nodeId }) => nodeId)).toEqual([idOf(4), idOf(2), idOf(3)]);
  });

  it('tells a node that is removed that it is no deputy any more', async () => {
    const [first, , , fourth] = [await agent(1), await agent(2), await agent(3), await agent(4)];
    await becomes(fourth, null);

    deputies.forget(idOf(1));

    await becomes(first, null);
    await becomes(fourth, 0);
  });

  it('keeps its deputies when it begins anew, and gives them another key', async () => {
    const before = await Promise.all([await agent(1), await agent(2), await agent(3)].map(placeOf));

    await eventually(async () => expect((await loadDeputies(test.database.drizzle)).places).toHaveLength(3) ?? true);
    await close();
    await open();
    const [fourth, third, second] = [await agent(4), await agent(3), await agent(2)];

    await becomes(third, 2);
    await becomes(second, 1);
    expect((await placeOf(second))?.key).not.toBe(before[1]?.key);
    await becomes(fourth, 0);
  });

  it('has the all-clear told by one of those that ask, and by another only when that one does not come back', async () => {
    const [first, second, third] = [await agent(1), await agent(2), await agent(3)];

    expect(await told(first, 'outage-1')).toBe('you');
    expect(await told(first, 'outage-1')).toBe('you');
    expect(await told(second, 'outage-1')).toBe('other');
    first.cut();
    await eventually(async () => (await told(second, 'outage-1')) === 'you');
    expect(await told(third, 'outage-1')).toBe('other');
    expect(await told(second, 'outage-1', 'resolved')).toBe('nobody');
    expect(await told(third, 'outage-1')).toBe('nobody');
  });

  it('remembers over its own death whom it chose', async () => {
    const first = await agent(1);
    expect(await told(first, 'outage-1')).toBe('you');

    await close();
    await open();
    const [second, again] = [await agent(2), await agent(1)];

    expect(await told(second, 'outage-1')).toBe('other');
    expect(await told(again, 'outage-1', 'resolved')).toBe('nobody');
    expect(await told(second, 'outage-1')).toBe('nobody');
  });

  it('gives the next outage a key of its own once one was told', async () => {
    const [first, second] = [await agent(1), await agent(2)];
    const key = (await placeOf(first))?.key ?? '';

    await told(first, key);

    await eventually(async () => (await placeOf(second))?.key !== key);
    expect((await placeOf(second))?.key).toBe((await placeOf(first))?.key);
  });

  it('says to its deputies what it fails to do, and has nobody tell that it is back before it works', async () => {
    const first = await agent(1);
    await becomes(first, 0);

    obstacle = 'the database takes no writes';
    await eventually(() => words(first).at(-1)?.obstacle === obstacle);
    expect(await told(first, 'outage-1')).toBe('other');
    obstacle = null;

    await eventually(() => words(first).at(-1)?.obstacle === null);
    expect(await told(first, 'outage-1')).toBe('you');
  });

  it('listens to nobody that has not said that it can, and to no endless key', async () => {
    const stranger = await agent(1, { can: false });
    const first = await agent(2);

    stranger.send({ kind: 'fallback', key: 'outage-1', transition: 'resolved' });
    expect(await told(first, 'outage-1')).toBe('you');
    first.send({ kind: 'fallback', key: 'x'.repeat(101), transition: 'fired' });

    expect((await first.closed()).code).toBe(1007);
    expect(stranger.frames.map(({ kind }) => kind)).toEqual(['welcome']);
  });
});
