import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { encode } from '@runnerwatch/shared/protocol/codec.ts';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { AgentClient, aHello, ended } from '../support/agent-client.ts';
import { type AgentsDoor, openAgentsDoor } from '../support/agents-door.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { RawPeer } from '../support/raw-peer.ts';

describe('a peer at the agents’ door', () => {
  let test: TestDatabase;
  let door: AgentsDoor;
  let port: number;
  let bystander: AgentClient;
  let bystanderSeq: number;
  const peers: RawPeer[] = [];
  beforeAll(async () => {
    test = await TestDatabase.start('embedded');
  });
  afterAll(async () => test[Symbol.asyncDispose]());
  beforeEach(async () => {
    await test.clear();
    door = openAgentsDoor(test, { silentAfterMs: 60_000, budget: { perSecond: 1e6, savedMax: 1e6 } });
    await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
    port = (door.server.address() as AddressInfo).port;
    bystander = new AgentClient(`ws://127.0.0.1:${port}/agent/v1`, { token: 'good' });
    bystanderSeq = 0;
    await bystander.greet(aHello());
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer[Symbol.dispose]();
    await bystander[Symbol.asyncDispose]();
    await door.gateway[Symbol.asyncDispose]();
    await door.liveness[Symbol.asyncDispose]();
    await new Promise((resolve) => door.server.close(resolve));
  });

  const anAgent = async () => {
    const peer = await RawPeer.agent(port);
    peers.push(peer);
    return peer;
  };
  const otherHello = encode(
    aHello({
      node_id: '33333333-3333-4333-8333-333333333333',
      stream_id: '44444444-4444-4444-8444-444444444444',
    }),
  );
  const othersAreServed = async () => {
    bystanderSeq += 1;
    bystander.send({ kind: 'batch', lane: 'ends', events: [ended(bystanderSeq, `t${bystanderSeq}`)] });
    await bystander.acked('ends', bystanderSeq);
  };

  it.each([
    ['a reserved bit', { payload: '{}', reserved: 0x40 }, 1002],
    ['another reserved bit', { payload: '{}', reserved: 0x10 }, 1002],
    ['an opcode that does not exist', { opcode: 0xb }, 1002],
    ['a fragmented control frame', { opcode: 9, isFinal: false }, 1002],
    ['a control frame that is too long', { opcode: 9, payload: Buffer.alloc(126) }, 1002],
    ['a continuation of nothing', { opcode: 0, payload: '{}' }, 1002],
    ['a frame without a mask', { payload: '{}', isMasked: false }, 1002],
    ['bytes that are no UTF-8', { payload: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }, 1007],
    ['a close code that may not be sent', { opcode: 8, payload: Buffer.from([0x03, 0xed]) }, 1002],
    ['half a close code', { opcode: 8, payload: Buffer.from([0x03]) }, 1002],
  ])('F067 that sends %s is told so and closed, and others are served', async (_, frame, code) => {
    const peer = await anAgent();

    peer.send(frame);

    expect(await peer.closeCode()).toBe(code);
    await othersAreServed();
  });

  it('F067 that cuts a character between two fragments badly is closed, and one that cuts it well is not', async () => {
    const [torn, whole] = [await anAgent(), await anAgent()];
    const text = Buffer.from('{"kind":"dänce"}');
    const cutAt = text.indexOf(0xc3) + 1;

    torn.send({ isFinal: false, payload: text.subarray(0, cutAt) });
    torn.send({ opcode: 0, payload: '"}' });
    whole.send({ isFinal: false, payload: text.subarray(0, cutAt) });
    whole.send({ opcode: 0, payload: text.subarray(cutAt) });
    whole.send({ payload: otherHello });

    expect(await torn.closeCode()).toBe(1007);
    await eventually(() => whole.text.includes('"welcome"'));
  });

  it.each([
    ['2^63 bytes', 2n ** 63n],
    ['2^53 bytes', 2n ** 53n],
    ['one byte more than is allowed', 1_048_577n],
  ])('F068 that claims %s is closed before anything of it is kept', async (_, claimedBytes) => {
    const peer = await anAgent();

    peer.send({ claimedBytes });

    expect(await peer.closeCode()).toBe(1009);
    await othersAreServed();
  });

  it('F069 that sends one message in thousands of pieces is closed after a few hundred, also before its hello', async () => {
    const greeted = await anAgent();
    greeted.send({ payload: otherHello });
    await eventually(() => greeted.text.includes('"welcome"'));

    for (const peer of [greeted, await anAgent()]) {
      peer.send({ isFinal: false, payload: '"' });
      for (let piece = 0; piece < 600; piece += 1) peer.send({ opcode: 0, isFinal: false, payload: 'x' });

      expect(await peer.closeCode()).toBe(1008);
    }
    await othersAreServed();
  });

  it('F070 that offers compression gets none', async () => {
    const peer = await RawPeer.connect(port);
    peers.push(peer);

    peer.upgrade('/agent/v1', {
      authorization: 'Bearer good',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    });
    await eventually(() => peer.status);

    expect(peer.status).toBe(101);
    expect(peer.text.toLowerCase()).not.toContain('sec-websocket-extensions');
  });

  it('F072 that asks and never reads is closed, and what waits for it stays small', async () => {
    const peer = await anAgent();
    peer.send({ payload: otherHello });
    await eventually(() => door.gateway.connected().length === 2);
    peer.pause();
    const ping = encode({ kind: 'ping', id: 1, at: '2026-11-22T04:00:00.000Z' });

    await eventually(
      () => {
        for (let n = 0; n < 2000; n += 1) peer.send({ payload: ping });
        return door.gateway.connected().length === 1;
      },
      { timeoutMs: 60_000 },
    );

    expect(door.disconnected).toEqual([['33333333-3333-4333-8333-333333333333', 'tooSlow']]);
    await othersAreServed();
  });

  it.each([
    ['a million levels of arrays', '['.repeat(1_000_000), 'too_deep'],
    ['a number beyond 2^53', '{"kind":"ping","id":9007199254740993,"at":"2026-11-22T04:00:00.000Z"}', 'invalid'],
    ['NaN', '{"kind":"ping","id":NaN}', 'not_json'],
  ])('F074 that sends %s is refused by name', async (_, text, code) => {
    const peer = await anAgent();

    peer.send({ payload: text });

    expect(await peer.closeCode()).toBe(1007);
    expect(peer.text).toContain(`"code":"${code}"`);
    await othersAreServed();
  });

  it.each([
    ['a cookie and no token', { cookie: 'session=x', origin: 'https://evil.example' }],
    ['the token in the address', { origin: 'http://localhost' }, '/agent/v1?token=good'],
    ['the token as a protocol, the way pages do', { 'sec-websocket-protocol': 'bearer, good' }],
  ])('F076 that is a page with %s gets no socket', async (_, headers, path = '/agent/v1') => {
    const peer = await RawPeer.connect(port);
    peers.push(peer);

    peer.upgrade(path, headers);
    await eventually(() => peer.isOver);

    expect(peer.status).toBe(401);
    expect(door.gateway.connected()).toHaveLength(1);
  });
});

describe('a peer at the people’s door', () => {
  const things: FastifyPluginAsyncZod = async (app) => {
    app.post('/things', { config: { role: 'viewer' }, schema: { body: z.object({}) } }, async () => ({}));
  };
  let api: TestApi;
  beforeEach(async () => {
    api = await startApi({ headersWithinMs: 300, routes: [things] });
  });
  afterEach(async () => api[Symbol.asyncDispose]());

  it.each([
    ['says nothing', ''],
    ['begins a request and never ends it', 'GET /healthz HTTP/1.1\r\nHost: local'],
  ])('F071 that %s is cut off, and others are answered meanwhile', async (_, words) => {
    const port = Number(new URL(api.url).port);
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawPeer.connect(port)));
    for (const peer of slow) peer.write(words);

    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    await eventually(() => slow.every(({ isOver }) => isOver));
  });

  it.each([
    ['says nothing', ''],
    ['begins a request and never ends it', 'GET /healthz HTTP/1.1\r\nHost: local'],
    ['sends its body drop by drop', 'POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'],
  ])('F071 F014 that %s does not keep the collector from stopping', async (_, words) => {
    await using stopping = await startApi({ routes: [things] });
    const peer = await RawPeer.connect(Number(new URL(stopping.url).port));
    peer.write(words);
    expect((await fetch(`${stopping.url}/healthz`)).status).toBe(200);

    await stopping[Symbol.asyncDispose]();

    await eventually(() => peer.isOver);
  });

  it('F070 that sends a packed body has it refused, not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));

    const answer = await fetch(`${api.url}/api/v1/things`, {
      method: 'POST',
      body: bomb,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });

    expect(bomb.length).toBeLessThan(64 * 1024);
    expect(answer.status).toBe(400);
  });
});
