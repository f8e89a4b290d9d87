import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentClient, aHello, ended } from '../support/agent-client.ts';
import { type AgentsDoor, openAgentsDoor } from '../support/agents-door.ts';
import { AlertRig, startAlerting } from '../support/alert-rig.ts';
import { TestDatabase } from '../support/database.ts';
import { ManualClock } from '../support/manual-clock.ts';

const [first, second] = ['aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'] as const;
const nodeId = aHello().node_id;

describe('two agents with one identity, at the door', () => {
  let test: TestDatabase;
  let door: AgentsDoor;
  const clients: AgentClient[] = [];
  beforeAll(async () => {
    test = await TestDatabase.start('embedded');
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => {
    await test.clear();
    door = openAgentsDoor(test, { silentAfterMs: 30_000 });
    await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client[Symbol.asyncDispose]();
    await door.gateway[Symbol.asyncDispose]();
    await door.liveness[Symbol.asyncDispose]();
    await new Promise((resolve) => door.server.close(resolve));
  });

  const connect = (options: { isDeaf?: boolean } = {}) => {
    const { port } = door.server.address() as AddressInfo;
    const client = new AgentClient(`ws://127.0.0.1:${port}/agent/v1`, { token: 'good', ...options });
    clients.push(client);
    return client;
  };

  it('F048 keeps the second one out while the first one answers, and the first one notices nothing', async () => {
    const original = connect();
    await original.greet(aHello({ instance_id: first }));
    const copy = await connect().opened();

    copy.send(aHello({ instance_id: second, node: { ...aHello().node, name: 'copy' } }));

    expect(await copy.closed()).toMatchObject({ code: 4007 });
    expect(copy.frames).toMatchObject([{ kind: 'refused', code: 'duplicate' }]);
    original.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await original.acked('ends', 1);
    expect(door.duplicates.seen.get(nodeId)).toMatchObject({ admitted: '127.0.0.1', refused: '127.0.0.1' });
    expect(door.disconnected).toEqual([]);
  });

  it('F049 takes the same agent over a new connection at once, and its next start when the older connection is dead', async () => {
    const halfOpen = connect({ isDeaf: true });
    await halfOpen.greet(aHello({ instance_id: first }));
    const again = connect({ isDeaf: true });
    await again.greet(aHello({ instance_id: first }));
    expect(await halfOpen.closed()).toMatchObject({ code: 4002 });

    await connect().greet(aHello({ instance_id: second }));

    expect(await again.closed()).toMatchObject({ code: 4002 });
    expect(door.duplicates.seen.size).toBe(0);
  });

  it('F048 has the one that was kept out number its events anew when it comes in later', async () => {
    const original = connect();
    await original.greet(aHello({ instance_id: first }));
    const copy = await connect().opened();
    copy.send(aHello({ instance_id: second }));
    await copy.closed();
    original.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await original.acked('ends', 1);
    original.cut();
    const stillIts = { instance_id: first, last: { ends: 1, facts: 0 } };
    const its = await connect().greet(aHello(stillIts));
    door.gateway.disconnect(nodeId, 'goingAway');

    const later = await connect().greet(aHello({ instance_id: second, last: { ends: 1, facts: 0 } }));

    expect(its.committed).toEqual({ ends: 1, facts: 0 });
    expect(later.committed).toEqual({ ends: 2, facts: 1 });
  });

  it('F048 raises no alarm over a stranger who only names the node', async () => {
    const original = connect();
    await original.greet(aHello({ instance_id: first }));
    await test.database
      .sql`insert into agents (node_id, key_sha256, admitted_at) values (${nodeId}, 'its own key', now())`;
    const stranger = await connect().opened();

    stranger.send(aHello({ instance_id: second }));

    expect(await stranger.closed()).toMatchObject({ code: 4003 });
    expect(door.duplicates.seen.size).toBe(0);
  });
});

describe('AgentCloned', () => {
  it('F048 is told once while the second one knocks, and is over ten minutes after its last knock', async () => {
    await using test = await TestDatabase.start('embedded');
    const rig = new AlertRig(test);
    await rig.node('n1');
    const clock = new ManualClock();
    const sight = { admitted: '10.0.0.7', refused: '10.0.0.9', seenAt: clock.wallMs() };
    const notifications = { subscriptions: [{ name: 'everything', events: ['all'], receiver: 'log' }] };
    const { engine, ...rest } = startAlerting(rig, {
      notifications,
      engine: { clock, clones: () => new Map([['n1', sight]]) },
    });
    await using _alerting = rest;
    const told = () => rig.rows<{ type: string }>('select type from notifications order by created_at, id');

    await engine.round();
    await clock.advance(9 * 60_000);
    await engine.round();
    expect(await told()).toEqual([{ type: 'condition.fired' }]);
    await clock.advance(2 * 60_000);
    await engine.round();

    expect(await told()).toEqual([{ type: 'condition.fired' }, { type: 'condition.resolved' }]);
  });
});
