import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asc } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { events, nodes, refusedEvents, streams, tasks } from '../../collector/src/db/tables/schema.ts';
import { findNodes, raisedConditions } from '../../collector/src/nodes/store.ts';
import { markLost } from '../../collector/src/tasks/store.ts';
import { AgentClient, aHello, anEvent, ended, started } from '../support/agent-client.ts';
import { type AgentsDoor, openAgentsDoor } from '../support/agents-door.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const nodeId = aHello().node_id;

describeOnDatabases('the agents’ door', (kind) => {
  let test: TestDatabase;
  let server: Server;
  let door: AgentsDoor;
  const clients: AgentClient[] = [];
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => {
    await test.clear();
    door = openAgentsDoor(test);
    server = door.server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client[Symbol.asyncDispose]();
    await door.gateway[Symbol.asyncDispose]();
    await door.liveness[Symbol.asyncDispose]();
    await new Promise((resolve) => server.close(resolve));
  });

  const connect = (token: string | undefined = 'good') => {
    const { port } = server.address() as AddressInfo;
    const client = new AgentClient(`ws://127.0.0.1:${port}/agent/v1`, { token });
    clients.push(client);
    return client;
  };
  const storedEvents = async () =>
    (await test.database.drizzle.select().from(events).orderBy(asc(events.id))).map(
      ({ lane, seq, kind: what }) => `${lane} ${seq} ${what}`,
    );
  const storedTask = async (id: string) =>
    (await test.database.drizzle.select().from(tasks)).find((task) => task.id === id);

  it('does not upgrade without a token that admits', async () => {
    const none = connect('');
    const wrong = connect('wrong');

    for (const client of [none, wrong]) {
      const refusal = await eventually(() => client.refusal);
      expect(refusal.status).toBe(401);
      expect(JSON.parse(refusal.body)).toMatchObject({ error: { code: 'unauthorized' } });
    }
  });

  it('welcomes an agent, writes its node down, and acknowledges batches after their commit', async () => {
    const client = connect();

    const welcome = await client.greet(aHello());
    client.send({ kind: 'batch', lane: 'facts', events: [started(1, 't1'), started(2, 't2')] });
    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await client.acked('facts', 2);
    await client.acked('ends', 1);

    expect(welcome).toMatchObject({ protocol: 1, collector_id: 'collector-1', committed: { ends: 0, facts: 0 } });
    expect((await findNodes(test.database.drizzle, 'n1'))[0]).toMatchObject({
      id: nodeId,
      status: 'online',
      labels: { rack: 'r7' },
    });
    expect(await storedEvents()).toEqual(['facts 1 task_started', 'facts 2 task_started', 'ends 1 task_ended']);
    expect(await storedTask('t1')).toMatchObject({
      status: 'failed',
      exitCode: 3,
      cause: 'exit_code',
      logTail: ['last words'],
      amendments: 0,
    });
    expect(await storedTask('t2')).toMatchObject({ status: 'running', endedAt: null });
    expect(door.committed.flatMap(({ taskIds }) => taskIds)).toEqual(['t1', 't2', 't1']);
    expect(door.connected).toEqual([nodeId]);
  });

  it('F065 stores a batch once that is sent again because its ack was lost', async () => {
    const first = connect();
    await first.greet(aHello());
    const batch = { kind: 'batch', lane: 'ends', events: [ended(1, 't1'), ended(2, 't2')] } as const;
    first.send({ ...batch, events: [...batch.events] });
    await eventually(async () => (await storedEvents()).length === 2);
    first.cut();

    const second = connect();
    const welcome = await second.greet(aHello());
    second.send({ ...batch, events: [...batch.events, ended(3, 't3')] });
    await second.acked('ends', 3);

    expect(welcome.committed).toEqual({ ends: 2, facts: 0 });
    expect(await storedEvents()).toEqual(['ends 1 task_ended', 'ends 2 task_ended', 'ends 3 task_ended']);
    expect(door.committed.flatMap(({ taskIds }) => taskIds)).toEqual(['t1', 't2', 't3']);
    expect(await storedTask('t1')).toMatchObject({ amendments: 0 });
  });

  it('F066 answers old, doubled and disordered numbers with the right position and no second effect', async () => {
    const client = connect();
    await client.greet(aHello());

    client.send({
      kind: 'batch',
      lane: 'ends',
      events: [ended(3, 't3'), ended(2, 't2'), ended(3, 'other'), ended(2, 't2')],
    });
    await client.acked('ends', 3);
    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 'late')] });
    client.send({ kind: 'batch', lane: 'ends', events: [ended(3, 'again'), ended(9, 't9')] });
    await client.acked('ends', 9);

    expect(await storedEvents()).toEqual(['ends 2 task_ended', 'ends 3 task_ended', 'ends 9 task_ended']);
    expect(client.acks().map(({ seq }) => seq)).toEqual([3, 3, 9]);
    expect((await test.database.drizzle.select().from(tasks)).map(({ id }) => id).toSorted()).toEqual([
      't2',
      't3',
      't9',
    ]);
  });

  it('keeps the end when the start arrives later, and learns what was not known', async () => {
    const client = connect();
    await client.greet(aHello());
    client.send({
      kind: 'batch',
      lane: 'ends',
      events: [
        anEvent(1, {
          ...bodyOf(ended(1, 't1')),
          task: { ...bodyOf(ended(1, 't1')).task, started_at: null, job: null },
        }),
      ],
    });
    await client.acked('ends', 1);

    client.send({ kind: 'batch', lane: 'facts', events: [started(1, 't1', { job: 'nightly' })] });
    await client.acked('facts', 1);

    expect(await storedTask('t1')).toMatchObject({
      status: 'failed',
      exitCode: 3,
      job: 'nightly',
      startedAt: new Date('2026-11-22T04:00:00.000Z'),
      amendments: 0,
    });
  });

  it('amends a lost task when the truth arrives, and an unproven end by a proven one, and nothing else', async () => {
    const client = connect();
    await client.greet(aHello());
    client.send({ kind: 'batch', lane: 'facts', events: [started(1, 'lost'), started(2, 'ended')] });
    client.send({
      kind: 'batch',
      lane: 'ends',
      events: [ended(1, 'ended', { status: 'unknown', exit_code: null, verdict: unproven }), ended(2, 'sure')],
    });
    await client.acked('ends', 2);
    const at = new Date('2026-11-22T05:00:00.000Z');
    const verdict = { ...unproven, cause: 'node_lost' as const, confidence: 'likely' as const };
    const lost = await test.database.drizzle.transaction((transaction) =>
      markLost(transaction, nodeId, { at, verdict }),
    );
    expect(lost.map(({ id, status, endedAtApproximate }) => ({ id, status, endedAtApproximate }))).toEqual([
      { id: 'lost', status: 'lost', endedAtApproximate: true },
    ]);

    client.send({
      kind: 'batch',
      lane: 'ends',
      events: [
        ended(3, 'lost', { status: 'unknown', verdict: unproven }),
        ended(4, 'ended'),
        ended(5, 'sure', { exit_code: 9 }),
      ],
    });
    await client.acked('ends', 5);

    expect(await storedTask('lost')).toMatchObject({ status: 'unknown', cause: 'unknown', amendments: 1 });
    expect(await storedTask('ended')).toMatchObject({ status: 'failed', exitCode: 3, amendments: 1 });
    expect(await storedTask('sure')).toMatchObject({ exitCode: 3, amendments: 0 });
    const judged = (await test.database.drizzle.select().from(events)).filter(({ judgedAt }) => judgedAt !== null);
    expect(judged.map(({ seq }) => seq)).toEqual([5]);
  });

  it('takes conditions, sources, descriptions and gaps in', async () => {
    const client = connect();
    await client.greet(aHello());
    const report = {
      condition: 'MemoryPressure',
      component: 'agent',
      subject: '',
      severity: 'warning',
      value: 95,
      threshold: 90,
      since: '2026-11-22T04:00:00.000Z',
    } as const;
    const source = { name: 'docker', state: 'blind', reason: 'no socket', since: '2026-11-22T04:00:00.000Z' } as const;

    client.send({
      kind: 'batch',
      lane: 'facts',
      events: [
        anEvent(1, { kind: 'condition', report: { ...report, status: 'false', reason: 'memory 20% used' } }),
        anEvent(2, { kind: 'condition', report: { ...report, status: 'true', reason: 'memory 95% used' } }),
        anEvent(3, {
          kind: 'node',
          node: { name: 'renamed', labels: { a: 'b' }, boot_id: 'boot-2', inventory: null, sources: [] },
        }),
        anEvent(4, { kind: 'source', source: { ...source, state: 'seeing', reason: null } }),
        anEvent(5, { kind: 'source', source }),
        anEvent(6, { kind: 'agent_started', agent_version: '0.1.0', boot_id: 'boot-2', previous: 'killed' }),
      ],
    });
    await client.acked('facts', 6);

    const raised = await raisedConditions(test.database.drizzle, [nodeId]);
    expect(raised.get(nodeId)).toMatchObject([
      { condition: 'MemoryPressure', status: 'true', reason: 'memory 95% used', value: 95 },
    ]);
    const [node] = await findNodes(test.database.drizzle, 'renamed');
    expect(node).toMatchObject({ labels: { a: 'b' }, bootId: 'boot-2', sources: [source] });
  });

  it('F077 cuts huge fields at a character, with a mark, and stores the rest', async () => {
    const client = connect();
    await client.greet(aHello());
    const huge = '\u{1f600}'.repeat(30_000);
    const end = ended(1, 't1', { error_message: 'nul \0 and half a pair \ud83d' });

    client.send({
      kind: 'batch',
      lane: 'ends',
      events: [
        {
          ...end,
          body: {
            ...bodyOf(end),
            task: { ...bodyOf(end).task, command: huge },
            log_tail: Array.from({ length: 700 }, (_, index) => `line ${index}`),
          },
        },
      ],
    });
    await client.acked('ends', 1);

    const task = await storedTask('t1');
    expect(Buffer.byteLength(task?.command ?? '')).toBeLessThanOrEqual(8192);
    expect(task?.command).toMatch(/^(\u{1f600})+…\[\+\d+ bytes\]$/u);
    expect(task?.errorMessage).toBe('nul \ufffd and half a pair \ufffd');
    expect(task?.logTail).toHaveLength(500);
    expect(task?.logTail?.[0]).toBe('…[200 earlier lines cut]');
    expect(task?.logTail?.at(-1)).toBe('line 699');
  });

  it('F074 sets an event aside that it does not understand, says so by a gap, and goes on with its lane', async () => {
    const client = connect();
    await client.greet(aHello());
    const bad = { ...ended(2, 't2'), body: { ...bodyOf(ended(2, 't2')), ending: 'tomorrow' } };
    const impossible = ended(3, 't3', { ended_at: '2026-13-99T04:00:05.000Z' });

    client.sendText(
      JSON.stringify({ kind: 'batch', lane: 'ends', events: [ended(1, 't1'), bad, impossible, ended(4, 't4')] }),
    );
    await client.acked('ends', 4);

    expect(await storedEvents()).toEqual(['ends 1 task_ended', 'ends 2 gap', 'ends 3 gap', 'ends 4 task_ended']);
    const refused = await test.database.drizzle.select().from(refusedEvents).orderBy(asc(refusedEvents.seq));
    expect(refused).toMatchObject([
      { seq: 2, reason: expect.stringContaining('body.ending') },
      { seq: 3, reason: 'body.ending.ended_at: not an instant' },
    ]);
    expect(JSON.parse(refused[0]?.raw ?? '')).toEqual(bad);
  });

  it('F049 lets a newer session of an agent take over, without an alarm', async () => {
    const older = connect();
    await older.greet(aHello());

    const newer = connect();
    await newer.greet(aHello());

    expect(await older.closed()).toMatchObject({ code: 4002 });
    newer.send({ kind: 'ping', id: 7, at: '2026-11-22T04:00:00.000Z' });
    await eventually(() => newer.frames.some((frame) => frame.kind === 'pong' && frame.id === 7));
    expect(door.gateway.connected().map((connected) => connected.nodeId)).toEqual([nodeId]);
    expect(door.disconnected).toEqual([]);
  });

  it('takes a goodbye for what it is, after everything that was sent before it', async () => {
    const client = connect();
    await client.greet(aHello());

    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    client.send({ kind: 'goodbye', reason: 'upgrading' });

    expect(await client.closed()).toMatchObject({ code: 1000 });
    expect(client.acks()).toEqual([{ lane: 'ends', seq: 1 }]);
    const [node] = await test.database.drizzle.select().from(nodes);
    expect(node).toMatchObject({ status: 'stopped', goodbyeReason: 'upgrading', deadlineAt: null });
    expect(door.liveness.overdue()).toEqual([]);
    expect(door.disconnected).toEqual([[nodeId, 'goodbye']]);
  });

  it.each([
    [
      'a batch before hello',
      (client: AgentClient) => client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't')] }),
      1002,
    ],
    ['text that is no frame', (client: AgentClient) => client.sendText('{"kind":'), 1007],
    ['no common version (F075)', (client: AgentClient) => client.send(aHello({ protocol: { min: 7, max: 9 } })), 4004],
    ['a frame above the limit (F068)', (client: AgentClient) => client.sendText(`"${'x'.repeat(1_100_000)}"`), 1009],
    ['nothing at all (F071)', () => {}, 4000],
  ])('closes a session that begins with %s', async (_, act, code) => {
    const client = await connect().opened();

    act(client);

    expect(await client.closed()).toMatchObject({ code });
  });

  it('skips a frame of a kind it has not heard of', async () => {
    const client = connect();
    await client.greet(aHello());

    client.sendText('{"kind":"dance","steps":3}');
    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });

    await client.acked('ends', 1);
  });

  it('F058 closes a session of which nothing is heard any more', async () => {
    const client = connect();
    await client.greet(aHello());

    expect(await client.closed()).toMatchObject({ code: 4001 });
    expect(door.disconnected).toEqual([[nodeId, 'silent']]);
  });

  it('refuses a stream that belongs to another node', async () => {
    const first = connect();
    await first.greet(aHello());
    first.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await first.acked('ends', 1);

    const thief = await connect().opened();
    thief.send(aHello({ node_id: '33333333-3333-4333-8333-333333333333' }));

    expect(await thief.closed()).toMatchObject({ code: 1002 });
    expect(await test.database.drizzle.$count(nodes)).toBe(1);
  });

  it('enters a node again that was removed while it was connected', async () => {
    const client = connect();
    await client.greet(aHello());
    await test.database.sql`delete from nodes`;
    client.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    expect(await client.closed()).toMatchObject({ code: 1000 });

    const again = connect();
    expect((await again.greet(aHello())).committed).toEqual({ ends: 0, facts: 0 });
    again.send({ kind: 'batch', lane: 'ends', events: [ended(1, 't1')] });
    await again.acked('ends', 1);
  });

  it('writes down who was heard, by the time of receipt whatever the agent’s clock says (F019)', async () => {
    const client = connect();
    await client.greet(aHello({ at: '2036-11-22T04:00:00.000Z' }));
    client.send({
      kind: 'heartbeat',
      at: '2036-11-22T04:00:00.000Z',
      spool: { pending_records: 4, bytes: 10, evicted_records: 0, durable: true },
    });
    await eventually(() => door.gateway.connected()[0]?.pendingRecords === 4);
    await door.liveness.saveNow();

    const [node] = await test.database.drizzle.select().from(nodes);
    expect(Math.abs((node?.lastHeardAt.getTime() ?? 0) - Date.now())).toBeLessThan(10_000);
    expect(node?.clockSkewMs).toBeGreaterThan(3e9);
    expect(door.liveness.overdue()).toEqual([]);
  });

  it('keeps what was told of two lanes of one task apart from their order, when both are written at once', async () => {
    const client = connect();
    await client.greet(aHello());
    for (let n = 1; n <= 30; n++) {
      client.send({ kind: 'batch', lane: 'facts', events: [started(n, `t${n}`)] });
      client.send({ kind: 'batch', lane: 'ends', events: [ended(n, `t${n}`)] });
    }
    await client.acked('facts', 30);
    await client.acked('ends', 30);

    const stored = await test.database.drizzle.select().from(tasks);
    expect(stored.filter(({ status }) => status === 'failed')).toHaveLength(30);
    expect(await test.database.drizzle.select().from(streams)).toMatchObject([
      { committedSeq: 30 },
      { committedSeq: 30 },
    ]);
  });
});

const unproven = {
  cause: 'unknown' as const,
  confidence: 'unknown' as const,
  summary: 'nobody saw it',
  evidence: [],
  advice: [],
};

function bodyOf(event: ReturnType<typeof ended>) {
  if (event.body.kind !== 'task_ended') throw new Error('not an end');
  return event.body;
}
