import { createServer } from 'node:net';
import { createWebhookNotifier } from '@runnerwatch/collector/notifiers/webhook/webhook.ts';
import { type Notification, notification as notificationSchema } from '@runnerwatch/shared/model/notification.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink } from '../support/http-sink.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const message: Notification = {
  version: 1,
  id: 'msg-1',
  type: 'test',
  at: '2026-11-22T12:00:00.000Z',
  incident: null,
  node: null,
  transition: 'test',
  repeat: 0,
};
const signal = new AbortController().signal;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function sinkAnd(answer: Answer, more: { timeoutMs?: number; url?: string } = {}) {
  const sink = await HttpSink.open({ answer: () => answer });
  opened.push(sink);
  return { sink, notifier: open(more.url ?? sink.url, more) };
}

function open(url: string, { timeoutMs = 500 }: { timeoutMs?: number } = {}) {
  const notifier = createWebhookNotifier(
    { type: 'webhook', url, secret, secrets: [], headers: { 'x-team': 'ops' }, timeout: timeoutMs },
    { receiver: 'hook', clock: systemClock },
  );
  opened.push(notifier);
  return notifier;
}

describe('the webhook notifier', () => {
  it('posts the public body, signed, with its own headers and the configured ones', async () => {
    const { sink, notifier } = await sinkAnd({ kind: 'status', status: 200, body: 'thanks' });

    expect(await notifier.deliver(message, { signal })).toEqual({ outcome: 'delivered', httpStatus: 200 });

    const [request] = sink.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'runnerwatch',
        'x-team': 'ops',
        'webhook-id': 'msg-1',
      },
    });
    expect(notificationSchema.parse(new Webhook(secret).verify(request?.body ?? '', { ...request?.headers }))).toEqual(
      message,
    );
  });

  it('uses one connection again, and a new one when the kept one is dead', async () => {
    const { sink, notifier } = await sinkAnd({ kind: 'status', status: 200, body: 'ok' });

    for (let count = 0; count < 3; count += 1) await notifier.deliver(message, { signal });
    expect(sink.openSockets).toBe(1);
    const port = sink.port;
    await sink[Symbol.asyncDispose]();
    opened.splice(opened.indexOf(sink), 1);
    opened.push(await HttpSink.open({ port }));

    expect((await notifier.deliver(message, { signal })).outcome).toBe('delivered');
  });

  it.each<[string, Answer, RegExp]>([
    ['hangs before it answers', { kind: 'hang-before-headers' }, /no answer within 500 ms/],
    ['drips its answer', { kind: 'drip', everyMs: 40 }, /no answer within 500 ms/],
    ['resets the connection', { kind: 'reset' }, /closed before an answer/],
    ['does not speak HTTP', { kind: 'garbage' }, /not HTTP/],
  ])('F103 tries a receiver again that %s', async (_name, answer, error) => {
    const { notifier } = await sinkAnd(answer);

    expect(await notifier.deliver(message, { signal })).toMatchObject({
      outcome: 'retry',
      error: expect.stringMatching(error),
    });
  });

  it.each<[string, Answer]>([
    ['never sends its body', { kind: 'hang-after-headers' }],
    ['never ends its body', { kind: 'endless-body' }],
  ])('F103 takes the word of a receiver that %s, and lets its connection go', async (_name, answer) => {
    const { sink, notifier } = await sinkAnd(answer);

    expect(await notifier.deliver(message, { signal })).toEqual({ outcome: 'delivered', httpStatus: 200 });

    await eventually(() => expect(sink.openSockets).toBe(0));
  });

  it('F103 gives up on a receiver that refuses, has no name, or is not there', async () => {
    expect(await open('http://127.0.0.1:1/').deliver(message, { signal })).toMatchObject({
      outcome: 'retry',
      error: 'connection refused',
    });
    expect(await open('http://receiver.invalid/').deliver(message, { signal })).toMatchObject({ outcome: 'retry' });
  });

  it('F103 gives up on a connection that takes too long, TLS included', async () => {
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    const startedAt = performance.now();
    const outcome = await open(`https://127.0.0.1:${port}/`, { timeoutMs: 20_000 }).deliver(message, { signal });

    expect(outcome).toMatchObject({ outcome: 'retry', error: 'no connection within 5000 ms' });
    expect(performance.now() - startedAt).toBeLessThan(6500);
    await new Promise<void>((resolve) => silent.close(() => resolve()));
  });

  it('F107 tries again, under the same id, what was taken but not answered', async () => {
    const { sink, notifier } = await sinkAnd({ kind: 'accept-then-cut' });

    expect((await notifier.deliver(message, { signal })).outcome).toBe('retry');

    expect(new Set(sink.ids)).toEqual(new Set(['msg-1']));
  });

  it('F104 hands on when the receiver wants to be asked again', async () => {
    const { notifier } = await sinkAnd({ kind: 'status', status: 429, retryAfter: '120' });

    expect(await notifier.deliver(message, { signal })).toMatchObject({
      outcome: 'retry',
      httpStatus: 429,
      afterMs: 120_000,
    });
  });

  it('F112 follows no redirect', async () => {
    const { sink, notifier } = await sinkAnd({ kind: 'status', status: 307, headers: { location: '/elsewhere' } });

    expect(await notifier.deliver(message, { signal })).toMatchObject({ outcome: 'refused', httpStatus: 307 });
    expect(sink.requests).toHaveLength(1);
  });

  it('F124 says nothing of address or answer in an error', async () => {
    const { notifier, sink } = await sinkAnd({ kind: 'status', status: 403, body: 'internal detail' });
    const secretUrl = open(`http://127.0.0.1:${sink.port}/hooks/T0KEN`);

    for (const outcome of [
      await notifier.deliver(message, { signal }),
      await secretUrl.deliver(message, { signal }),
      await open('http://127.0.0.1:1/T0KEN').deliver(message, { signal }),
    ]) {
      expect(JSON.stringify(outcome)).not.toMatch(/T0KEN|127\.0\.0\.1|internal detail/);
    }
  });

  it('breaks off when told to stop', async () => {
    const { notifier } = await sinkAnd({ kind: 'hang-before-headers' }, { timeoutMs: 10_000 });
    const stopping = new AbortController();

    const answered = notifier.deliver(message, { signal: stopping.signal });
    stopping.abort();

    expect(await answered).toEqual({ outcome: 'retry', error: 'stopped' });
  });
});
