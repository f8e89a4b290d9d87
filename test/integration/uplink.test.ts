import { join } from 'node:path';
import { openSpool, type Spool } from '@runnerwatch/agent/spool/spool.ts';
import { createUplink, type Uplink, type UplinkOptions } from '@runnerwatch/agent/uplink/uplink.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { type Logger, pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCredential } from '../../agent/src/uplink/credential.ts';
import { noon, taskEnded, taskIdOf, taskStarted } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { FakeCollector } from '../support/fake-collector.ts';
import { freePort } from '../support/real-node/free-port.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const quick = {
  pingIntervalMs: 100,
  pongDeadlineMs: 100,
  welcomeDeadlineMs: 500,
  ackDeadlineMs: 2000,
  goodbyeMs: 400,
  connectTimeoutMs: 500,
  backoffBaseMs: 20,
  backoffCapMs: 100,
};

async function spoolOf(count = 0): Promise<Spool> {
  const spool = await openSpool({ folder: await temporaryFolder(), report: () => {}, now: Date.now, reserveBytes: 0 });
  onTestFinished(() => spool.close());
  for (let index = 1; index <= count; index++) await spool.append(taskEnded(`t${index}`), noon);
  return spool;
}

function begin(spool: Spool, urls: readonly string[], options: Partial<UplinkOptions> = {}): Uplink {
  const uplink = createUplink({
    spool,
    urls,
    credential: createCredential({ token: 'secret', load: () => null, save: () => {} }),
    hello: () => ({
      node_id: '00000000-0000-4000-8000-000000000001',
      agent_version: '0.1.0',
      node: { name: 'n1', labels: {}, boot_id: null, inventory: null, sources: [] },
    }),
    heartbeatIntervalMs: 50,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    timings: quick,
    ...options,
  });
  onTestFinished(() => uplink.stop('stopping'));
  uplink.start();
  return uplink;
}

async function collectorOf(options: Parameters<typeof FakeCollector.start>[0] = {}): Promise<FakeCollector> {
  const collector = await FakeCollector.start(options);
  onTestFinished(() => collector.stop());
  return collector;
}

async function proxyTo(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(port);
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** Every sentence about the connection, in order. */
function listeningLog(): { log: Logger; messages: string[] } {
  const messages: string[] = [];
  const write = (line: string) => {
    const { message, msg } = JSON.parse(line) as { message?: string; msg: string };
    messages.push(message ?? msg);
  };
  return { log: pino({ level: 'info' }, { write }), messages };
}

const idsAt = (collector: FakeCollector) => collector.stored('ends').map((event) => taskIdOf(JSON.stringify(event)));
const idsUpTo = (count: number) => Array.from({ length: count }, (_, index) => `t${index + 1}`);

function sampleOf(load1: number): NodeSample {
  const nothing = {
    uptime_s: null,
    cpu_count: null,
    cpu_percent: null,
    load5: null,
    load15: null,
    memory_total_bytes: null,
    memory_available_bytes: null,
  };
  const none = {
    swap_total_bytes: null,
    swap_free_bytes: null,
    network_rx_bytes_per_s: null,
    network_tx_bytes_per_s: null,
  };
  const psi = { psi_cpu: null, psi_memory: null, psi_io: null, disks: null, processes: null };
  return {
    at: '2026-01-01T12:00:00.000Z',
    load1,
    ...nothing,
    ...none,
    ...psi,
    self: { rss_bytes: null, cpu_percent: null },
  };
}

describe('uplink', () => {
  it('delivers what waits and what comes, moves the cursor on the ack, and says goodbye', async () => {
    const collector = await collectorOf();
    const spool = await spoolOf(3);
    const uplink = begin(spool, [collector.url]);

    await eventually(() => spool.acknowledged.ends === 3);
    await spool.append(taskEnded('t4'), noon);
    await eventually(() => spool.acknowledged.ends === 4);
    const { connected, lastError } = uplink.state();
    await uplink.stop('rebooting');

    expect([connected, lastError]).toEqual([true, null]);
    expect(idsAt(collector)).toEqual(idsUpTo(4));
    expect(collector.received[0]).toMatchObject({
      kind: 'hello',
      stream_id: spool.streamId,
      last: { ends: 3, facts: 0 },
      oldest: { ends: 1, facts: 1 },
    });
    expect(collector.of('goodbye')).toEqual([{ kind: 'goodbye', reason: 'rebooting' }]);
    expect([collector.repeats, collector.sessions, collector.invalid]).toEqual([0, 1, []]);
  });

  it('keeps the path of a collector behind a prefix and takes its clock from pongs', async () => {
    const collector = await collectorOf();
    collector.clockOffsetMs = 3_600_000;
    const uplink = begin(await spoolOf(), [`${collector.url}/watch/`]);

    const offset = await eventually(() => uplink.state().clockOffsetMs);

    expect(uplink.state().url).toBe(`ws://127.0.0.1:${collector.port}/watch/agent/v1`);
    expect(Math.abs(offset - 3_600_000)).toBeLessThan(1000);
  });

  it('F018 sends every end before any fact, and all of a large backlog in small batches', async () => {
    const collector = await collectorOf();
    const spool = await spoolOf();
    const appends = Array.from({ length: 3000 }, (_, index) => [
      spool.append(taskStarted(`f${index}`), noon),
      spool.append(taskEnded(`t${index + 1}`), noon),
    ]).flat();
    await Promise.all(appends);

    begin(spool, [collector.url]);
    await eventually(() => spool.acknowledged.facts === 3000);

    const lanesInOrder = collector.of('batch').map((batch) => batch.lane);
    expect(lanesInOrder.lastIndexOf('ends')).toBeLessThan(lanesInOrder.indexOf('facts'));
    expect(idsAt(collector)).toEqual(idsUpTo(3000));
    expect(collector.stored('facts')).toHaveLength(3000);
    expect(Math.max(...collector.of('batch').map((batch) => JSON.stringify(batch).length))).toBeLessThan(300 * 1024);
    expect(collector.repeats).toBe(0);
  });

  it('sends live samples beside a slow lane, and never keeps old ones', async () => {
    const collector = await collectorOf();
    collector.isAcknowledging = false;
    const spool = await spoolOf(1);
    const uplink = begin(spool, [collector.url]);
    uplink.sendSample(sampleOf(1));
    await eventually(() => uplink.state().connected);

    uplink.sendSample(sampleOf(2));

    await eventually(() => collector.of('sample').length === 1);
    expect(collector.of('sample')[0]?.sample.load1).toBe(2);
    expect(collector.of('heartbeat')[0]?.spool).toMatchObject({
      pending_records: 1,
      evicted_records: 0,
      durable: true,
    });
  });

  it('F092 sends again what a collector restored from a backup has lost', async () => {
    const collector = await collectorOf();
    const spool = await spoolOf(10);
    begin(spool, [collector.url]);
    await eventually(() => spool.acknowledged.ends === 10);

    collector.forgetAfter({ ends: 4, facts: 0 });
    collector.cutAll();

    await eventually(() => collector.stored('ends').length === 10);
    expect(idsAt(collector)).toEqual(idsUpTo(10));
  });

  it('F005 begins a new stream when the collector has numbers the spool never gave, and loses nothing', async () => {
    const collector = await collectorOf();
    const folder = await temporaryFolder();
    const options = { folder, report: () => {}, now: Date.now, reserveBytes: 0, segmentBytes: 1 };
    const first = await openSpool(options);
    const { cp, rm } = await import('node:fs/promises');
    await first.append(taskEnded('t1'), noon);
    await cp(folder, `${folder}.image`, { recursive: true });
    await rm(join(`${folder}.image`, 'lock'));
    onTestFinished(() => rm(`${folder}.image`, { recursive: true, force: true }));
    for (const id of ['t2', 't3']) await first.append(taskEnded(id), noon);
    const uplink = begin(first, [collector.url]);
    await eventually(() => collector.stored('ends').length === 3);
    await uplink.stop('stopping');
    await first.close();

    const restored = await openSpool({ ...options, folder: `${folder}.image` });
    onTestFinished(() => restored.close());
    await restored.append(taskEnded('new'), noon);
    begin(restored, [collector.url]);

    await eventually(() => idsAt(collector).includes('new'));
    expect(collector.streams).toHaveLength(2);
  });

  it('F014 stops within its bound while the peer swallows everything, and loses nothing', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf(1);
    const uplink = begin(spool, [proxy.url], { timings: { ...quick, pingIntervalMs: 60_000, goodbyeMs: 2000 } });
    await eventually(() => spool.acknowledged.ends === 1);
    proxy.isBlackHole = true;
    for (const id of ['t2', 't3']) await spool.append(taskEnded(id), noon);

    const beganAt = performance.now();
    await uplink.stop('stopping');
    const tookMs = performance.now() - beganAt;

    expect(tookMs).toBeLessThan(3000);
    expect((await spool.read('ends', spool.acknowledged.ends, 1e6)).map((event) => taskIdOf(event.text))).toEqual([
      't2',
      't3',
    ]);
  });

  it('F014 stops at once while it connects to a peer that never answers, and while it waits to try again', async () => {
    const proxy = await proxyTo(await freePort());
    proxy.isBlackHole = true;
    const connecting = begin(await spoolOf(), [proxy.url], { timings: { ...quick, connectTimeoutMs: 60_000 } });
    const waiting = begin(await spoolOf(), [`http://127.0.0.1:${await freePort()}`], {
      random: () => 0.99,
      timings: { ...quick, backoffBaseMs: 60_000, backoffCapMs: 60_000 },
    });
    await eventually(() => proxy.connections === 1 && waiting.state().lastError !== null);

    const beganAt = performance.now();
    await Promise.all([connecting.stop('stopping'), waiting.stop('stopping')]);

    // Each would wait a minute.
    expect(performance.now() - beganAt).toBeLessThan(5000);
  });

  it('F057 tries every address in turn and names why each one failed', async () => {
    const collector = await collectorOf();
    const dead = await freePort();
    const spool = await spoolOf(1);
    const uplink = begin(spool, [`http://127.0.0.1:${dead}`, collector.url]);

    await eventually(() => spool.acknowledged.ends === 1);
    await uplink.stop('stopping');

    const only = begin(await spoolOf(), [`http://127.0.0.1:${dead}`]);
    const message = await eventually(() => only.state().lastError);
    expect(message).toBe(`nothing listens at 127.0.0.1:${dead} (connection refused)`);
    expect(only.state().connected).toBe(false);
  });

  it('F057 resolves the name anew for every try and follows an address that changes', async () => {
    const collector = await collectorOf({ host: '127.0.0.2' });
    const spool = await spoolOf(1);
    let asked = 0;
    const { log, messages } = listeningLog();
    begin(spool, [`http://collector.test:${collector.port}`], {
      log,
      lookup: (hostname, _options, callback) => {
        const query = ++asked;
        const fail = (code: string) =>
          callback(Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code }), '', 4);
        setImmediate(() => {
          if (query === 1) fail('ENOTFOUND');
          else if (query === 2) fail('EAI_AGAIN');
          // The third query is never answered.
          else if (query > 3) callback(null, [{ address: query === 4 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
        });
      },
    });

    await eventually(() => spool.acknowledged.ends === 1);

    expect(asked).toBe(5);
    expect(messages).toEqual([
      'the name collector.test does not exist (ENOTFOUND)',
      'no name server answered for collector.test (EAI_AGAIN)',
      'the name collector.test was not resolved in 1 s (DNS timeout)',
      `nothing listens at collector.test:${collector.port} (connection refused)`,
      'connected',
    ]);
  });

  it('F057 reaches a collector by IPv4 when its IPv6 address is broken', async () => {
    const collector = await collectorOf();
    const spool = await spoolOf(1);
    begin(spool, [`http://collector.test:${collector.port}`], {
      lookup: (_hostname, _options, callback) =>
        callback(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });

    await eventually(() => spool.acknowledged.ends === 1);

    expect(idsAt(collector)).toEqual(['t1']);
  });

  it('F058 notices a black hole, begins a new session and delivers once', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf(1);
    const { log, messages } = listeningLog();
    begin(spool, [proxy.url], { log });
    await eventually(() => spool.acknowledged.ends === 1);

    proxy.isBlackHole = true;
    await spool.append(taskEnded('t2'), noon);
    await eventually(() => messages.some((message) => message.includes('the connection is dead')));
    proxy.isBlackHole = false;

    await eventually(() => spool.acknowledged.ends === 2);
    expect(idsAt(collector)).toEqual(['t1', 't2']);
  });

  it('F058 notices with its own timings in less than 30 s', async () => {
    const { ManualClock } = await import('../support/manual-clock.ts');
    const clock = new ManualClock();
    const collector = await collectorOf();
    const spool = await spoolOf(1);
    const uplink = begin(spool, [collector.url], { clock, timings: {} });
    await eventually(() => spool.acknowledged.ends === 1);
    collector.isSilent = true;

    let passedMs = 0;
    for (; uplink.state().connected && passedMs < 60_000; passedMs += 250) await clock.advance(250);

    expect(uplink.state().lastError).toContain('the connection is dead');
    expect(passedMs).toBeLessThan(30_000);
    const stopped = uplink.stop('stopping');
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    await eventually(async () => {
      await clock.advance(250);
      return isStopped;
    });
  });

  it('F058 F049 is not fooled by a half-open connection', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf(1);
    begin(spool, [proxy.url]);
    await eventually(() => spool.acknowledged.ends === 1);

    proxy.halfOpenAll();
    await spool.append(taskEnded('t2'), noon);

    await eventually(() => spool.acknowledged.ends === 2);
    expect(idsAt(collector)).toEqual(['t1', 't2']);
  });

  it('F059 makes progress under resets, stores nothing twice, and backs off until there was useful work', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf();
    const waits: number[] = [];
    begin(spool, [proxy.url], {
      random: () => 0.5,
      clock: {
        ...systemClock,
        sleep: (durationMs, signal) => {
          if (durationMs <= 50 && durationMs >= 10 && durationMs !== 50) waits.push(durationMs);
          return systemClock.sleep(durationMs, signal);
        },
      },
    });

    for (let round = 1; round <= 8; round++) {
      await spool.append(taskEnded(`t${round}`), noon);
      await eventually(() => spool.acknowledged.ends === round);
      proxy.resetAll();
    }
    proxy.isRefusing = true;
    proxy.resetAll();
    await eventually(() => waits.includes(40));
    proxy.isRefusing = false;
    await spool.append(taskEnded('t9'), noon);
    await eventually(() => spool.acknowledged.ends === 9);
    waits.length = 0;
    proxy.resetAll();
    await eventually(() => waits.length > 0);

    expect(waits[0]).toBe(10);
    expect(idsAt(collector)).toEqual(idsUpTo(9));
    expect(collector.stored('ends')).toHaveLength(9);
  });

  it('F062 names the status and the first words of what answers in place of the collector', async () => {
    const collector = await collectorOf();
    const { log, messages } = listeningLog();
    begin(await spoolOf(), [collector.url], { log });
    const says = async (answer: FakeCollector['answer'], expected: RegExp) => {
      collector.answer = answer;
      collector.cutAll();
      await eventually(() => messages.some((message) => expected.test(message)));
    };

    await says(
      { status: 502, body: '<html><style>p{}</style><h1>Bad\u0007 Gateway</h1>' },
      /answered HTTP 502: Bad Gateway$/,
    );
    await says(
      { status: 301, headers: { location: 'https://login.test/' }, body: '' },
      /redirects \(HTTP 301 to https:\/\/login\.test\/\); redirects are not followed/,
    );
    await says({ status: 200, body: '<p>Please sign in</p>' }, /answered HTTP 200: Please sign in$/);
    await says({ status: 401, body: 'unknown token' }, /does not admit this agent's token \(HTTP 401\): unknown token/);
  });

  it('F065 sends again under the same number when the connection is cut after the commit and before the ack', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf(1);
    begin(spool, [proxy.url]);
    await eventually(() => spool.acknowledged.ends === 1);

    proxy.cutOnce({ direction: 'down', at: '"kind":"ack"', passes: false });
    await Promise.all([spool.append(taskEnded('t2'), noon), spool.append(taskEnded('t3'), noon)]);

    await eventually(() => spool.acknowledged.ends === 3);
    expect(idsAt(collector)).toEqual(['t1', 't2', 't3']);
    expect(collector.sessions).toBe(2);
    expect(collector.committed(spool.streamId).ends).toBe(3);
  });

  it('F065 sends the whole batch again when the connection is cut in the middle of it', async () => {
    const collector = await collectorOf();
    const proxy = await proxyTo(collector.port);
    const spool = await spoolOf(500);
    proxy.cutOnce({ direction: 'up', at: 40_000, passes: true });

    begin(spool, [proxy.url]);
    await eventually(() => spool.acknowledged.ends === 500);

    expect(idsAt(collector)).toEqual(idsUpTo(500));
    expect([collector.sessions, collector.invalid]).toEqual([2, []]);
  });

  it('F066 takes no notice of repeated, old and unknown frames', async () => {
    const collector = await collectorOf();
    const spool = await spoolOf(5);
    const uplink = begin(spool, [collector.url]);
    await eventually(() => spool.acknowledged.ends === 5);

    collector.send({ kind: 'ack', lane: 'ends', seq: 2 });
    collector.send({ kind: 'ack', lane: 'ends', seq: 5 });
    collector.send({ kind: 'pong', id: 4711, at: '2026-01-01T00:00:00.000Z' });
    collector.send({
      kind: 'welcome',
      protocol: 1,
      collector_id: 'again',
      committed: { ends: 1, facts: 0 },
      at: '2026-01-01T00:00:00.000Z',
    });
    collector.sendText('{"kind":"from_the_future","x":1}');
    await spool.append(taskEnded('t6'), noon);
    await eventually(() => spool.acknowledged.ends === 6);

    expect(uplink.state().connected).toBe(true);
    expect([collector.sessions, collector.repeats]).toEqual([1, 0]);
  });

  it('F066 moves no cursor for an ack of what was not sent, and ends the session', async () => {
    const collector = await collectorOf();
    collector.isAcknowledging = false;
    const spool = await spoolOf(2);
    begin(spool, [collector.url]);
    await eventually(() => collector.stored('ends').length === 2);

    collector.send({ kind: 'ack', lane: 'ends', seq: 900 });
    await eventually(() => collector.sessions === 2);

    expect(spool.acknowledged.ends).toBeLessThanOrEqual(2);
  });

  it('ends a session whose batches are never acknowledged, and one whose collector never says welcome', async () => {
    const collector = await collectorOf();
    collector.isAcknowledging = false;
    const { log, messages } = listeningLog();
    begin(await spoolOf(1), [collector.url], { log, timings: { ...quick, ackDeadlineMs: 300 } });

    await eventually(() => messages.includes('the collector does not acknowledge what it was sent'));
    collector.isSilent = true;
    collector.cutAll();

    await eventually(() => messages.includes('the collector did not answer our hello in time'));
  });

  it('waits long when the collector says that a person must act first', async () => {
    const collector = await collectorOf();
    const waits: number[] = [];
    const uplink = begin(await spoolOf(), [collector.url], {
      timings: { ...quick, backoffCapMs: 7000 },
      clock: {
        ...systemClock,
        sleep: (durationMs, signal) => {
          waits.push(durationMs);
          return systemClock.sleep(durationMs, signal);
        },
      },
    });
    await eventually(() => uplink.state().connected);

    collector.send({ kind: 'refused', code: 'version', message: 'update this agent' });
    collector.closeAll('versionMismatch');

    await eventually(() => waits.some((waitMs) => waitMs >= 3500 && waitMs <= 7000));
    expect(uplink.state().lastError).toBe(
      'the collector refuses this agent: update this agent (version) (4004 versionMismatch)',
    );
  });

  it('F075 ends the session by name when the collector chose a version it does not speak', async () => {
    const collector = await collectorOf();
    collector.isSilent = true;
    const { log, messages } = listeningLog();
    begin(await spoolOf(), [collector.url], { log });
    await eventually(() => collector.of('hello').length > 0);

    collector.send({
      kind: 'welcome',
      protocol: 9,
      collector_id: 'new',
      committed: { ends: 0, facts: 0 },
      at: '2026-01-01T00:00:00.000Z',
    });

    await eventually(() => messages.some((message) => message.includes('speaks version 9 of the protocol')));
  });

  it('F128 tries at once again when it is asked to, however long it would have waited', async () => {
    const port = await freePort();
    const away = await freePort();
    const uplink = begin(await spoolOf(), [`http://127.0.0.1:${away}`, `http://127.0.0.1:${port}`], {
      timings: { ...quick, backoffBaseMs: 120_000, backoffCapMs: 120_000 },
      random: () => 0.999,
    });
    await eventually(() => uplink.state().lastError !== null);
    const { signal } = new AbortController();

    expect(await uplink.tryAll(signal)).toBe(false);
    await collectorOf({ port });
    expect(await uplink.tryAll(signal)).toBe(true);
  });

  it('F128 knows a collector that does not want it from one that is away', async () => {
    const collector = await collectorOf({ token: 'another' });
    collector.answer = { status: 401, body: '{"error":{"code":"revoked","message":"this agent was revoked"}}' };
    const uplink = begin(await spoolOf(), [collector.url]);
    await eventually(() => uplink.state().isUnwanted);

    collector.answer = { status: 502, body: 'Bad Gateway' };
    await eventually(() => !uplink.state().isUnwanted);

    collector.answer = { status: 403, body: '<html>a proxy has its own opinion</html>' };
    await eventually(() => uplink.state().lastError?.includes('403'));
    expect(uplink.state().isUnwanted).toBe(false);
  });

  it('F128 hears who speaks for a silent collector, and says what was told', async () => {
    const collector = await collectorOf();
    const heard: unknown[] = [];
    const uplink = begin(await spoolOf(), [collector.url], { hear: (frame) => heard.push(frame) });
    await eventually(() => uplink.state().connected);
    const deputy = { kind: 'deputy', place: { key: 'k1', rank: 1 }, obstacle: null } as const;

    collector.send(deputy);
    uplink.say({ kind: 'fallback', key: 'k0', transition: 'fired' });

    await eventually(() => heard.length === 1 && collector.of('fallback').length === 1);
    expect(heard).toEqual([deputy]);
    expect(collector.of('hello')[0]).not.toHaveProperty('can_fall_back');
  });
});
