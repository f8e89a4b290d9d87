import { createNotifiers } from '@runnerwatch/collector/notifiers/catalogue.ts';
import { notificationsConfig, notifiersOf } from '@runnerwatch/collector/routing/config.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { eventually } from '../support/eventually.ts';
import { type Answer, HttpSink } from '../support/http-sink.ts';
import { samples } from '../support/notifications.ts';

const deps = {
  log: pino({ level: 'silent' }),
  clock: systemClock,
  hostname: 'collector-1',
  system: { env: {}, kill: () => true },
};
const signal = new AbortController().signal;
const { failed } = samples;
const incidentId = failed.incident?.id;
/* Made of pieces, so that nobody takes a line of this file for a secret. */
const secret = ['s3cr3t', 'Kx9', 'qWz7'].join('');
const path = `/services/T0/B0/${secret}`;

interface Case {
  readonly settings: (base: string) => object;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the payload. */
  readonly holds: object;
  readonly taken: { readonly status: number; readonly body: string };
  /** Status, body, what becomes of it, its error. */
  readonly others: readonly [number, string, 'retry' | 'refused', RegExp, number?][];
}

const json = JSON.stringify;
const hook = (base: string) => ({ url: `${base}${path}` });

const cases: Readonly<Record<string, Case>> = {
  'slack webhook': {
    settings: (base) => ({ type: 'slack', ...hook(base) }),
    path,
    holds: { text: expect.stringMatching(/^train-42 on gpu-7 failed/) },
    taken: { status: 200, body: 'ok' },
    others: [
      [200, 'invalid_payload', 'refused', /^the service did not take it: invalid_payload$/],
      [200, '<html>Sign in</html>', 'retry', /not one of this service/],
      [404, 'no_service', 'refused', /^HTTP 404: .*\(no_service\)$/],
      [403, 'action_prohibited', 'refused', /action_prohibited/],
      [429, 'rate_limited', 'retry', /HTTP 429/],
      [500, 'rollup_error', 'retry', /rollup_error/],
    ],
  },
  'slack bot': {
    settings: (base) => ({ type: 'slack', bot_token: secret, channel: '#ops', api_url: `${base}/api` }),
    path: '/api/chat.postMessage',
    headers: { authorization: `Bearer ${secret}` },
    holds: { channel: '#ops' },
    taken: { status: 200, body: json({ ok: true, channel: 'C1', ts: '1.2' }) },
    others: [
      [
        200,
        json({ ok: false, error: 'channel_not_found' }),
        'refused',
        /^the service did not take it: channel_not_found$/,
      ],
      [200, json({ ok: false, error: 'invalid_auth' }), 'refused', /invalid_auth/],
      [200, json({ ok: false, error: 'ratelimited' }), 'retry', /ratelimited/],
      [200, json({ ok: false, error: 'internal_error' }), 'retry', /internal_error/],
      [200, json({ ok: false, error: `bad token ${secret}` }), 'refused', /^the service did not take it$/],
      [200, 'ok', 'retry', /not one of this service/],
      [503, 'down', 'retry', /^HTTP 503$/],
    ],
  },
  mattermost: {
    settings: (base) => ({ type: 'mattermost', ...hook(base) }),
    path,
    holds: { attachments: [{ text: expect.stringContaining('ValueError') }] },
    taken: { status: 200, body: 'ok' },
    others: [
      [200, '<html></html>', 'retry', /not one of this service/],
      [400, json({ id: 'x', message: 'Invalid webhook.', status_code: 400 }), 'refused', /\(Invalid webhook\.\)$/],
      [404, 'not found', 'refused', /HTTP 404/],
      [500, '', 'retry', /HTTP 500/],
    ],
  },
  discord: {
    settings: (base) => ({ type: 'discord', url: `${base}${path}?thread_id=7` }),
    path: `${path}?thread_id=7&wait=true`,
    holds: { allowed_mentions: { parse: [] } },
    taken: { status: 200, body: json({ id: '1' }) },
    others: [
      [429, json({ message: 'You are being rate limited.', retry_after: 0.25 }), 'retry', /rate limited/, 250],
      [429, json({ message: 'x', retry_after: 1e9 }), 'retry', /HTTP 429/, 3_600_000],
      [429, json({ message: 'x', retry_after: -5 }), 'retry', /HTTP 429/],
      [404, json({ message: 'Unknown Webhook', code: 10_015 }), 'refused', /\(Unknown Webhook\)$/],
      [
        400,
        json({ message: `Cannot ${secret}` }),
        'refused',
        /^HTTP 400: the receiver does not understand the message$/,
      ],
      [502, '<html>', 'retry', /^HTTP 502$/],
    ],
  },
  teams: {
    settings: (base) => ({ type: 'teams', url: `${base}${path}?sig=${secret}` }),
    path: `${path}?sig=${secret}`,
    holds: { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive' }] },
    taken: { status: 202, body: '' },
    others: [
      [
        200,
        'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId tcid=1',
        'refused',
        /^the service did not take it: HTTP 413 inside$/,
      ],
      [
        200,
        'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=1',
        'retry',
        /HTTP 429 inside/,
      ],
      [400, json({ error: { code: 'TriggerInputSchemaMismatch' } }), 'refused', /HTTP 400/],
      [200, '<html>Sign in</html>', 'retry', /not one of this service/],
      [429, '', 'retry', /HTTP 429/],
    ],
  },
  telegram: {
    settings: (base) => ({ type: 'telegram', bot_token: secret, chat_id: -100_123, topic_id: 9, api_url: base }),
    path: `/bot${secret}/sendMessage`,
    holds: { chat_id: '-100123', message_thread_id: 9, text: expect.stringContaining('train-42') },
    taken: { status: 200, body: json({ ok: true, result: { message_id: 7 } }) },
    others: [
      [200, json({ ok: false, description: 'Bad Request: chat not found' }), 'refused', /Bad Request: chat not found/],
      [
        429,
        json({ ok: false, description: 'Too Many Requests: retry after 35', parameters: { retry_after: 35 } }),
        'retry',
        /Too Many Requests/,
        35_000,
      ],
      [401, json({ ok: false, description: 'Unauthorized' }), 'refused', /\(Unauthorized\)$/],
      [403, json({ ok: false, description: 'Forbidden: bot was kicked from the group chat' }), 'refused', /kicked/],
      [200, 'half of an ans', 'retry', /not one of this service/],
      [502, '<html>', 'retry', /^HTTP 502$/],
    ],
  },
  ntfy: {
    settings: (base) => ({ type: 'ntfy', topic: 'alarm', token: secret, api_url: `${base}/ntfy/` }),
    path: '/ntfy/',
    headers: { authorization: `Bearer ${secret}` },
    holds: { topic: 'alarm', priority: 5, title: expect.stringContaining('failed: exit code 1') },
    taken: { status: 200, body: json({ id: 'a', time: 1, event: 'message' }) },
    others: [
      [200, '<html></html>', 'retry', /not one of this service/],
      [429, json({ code: 42_901, http: 429, error: 'limit reached: too many requests' }), 'retry', /too many requests/],
      [403, json({ error: 'forbidden' }), 'refused', /\(forbidden\)$/],
      [413, '', 'refused', /too large/],
    ],
  },
  pagerduty: {
    settings: (base) => ({ type: 'pagerduty', routing_key: secret, api_url: base }),
    path: '/v2/enqueue',
    holds: { routing_key: secret, event_action: 'trigger', dedup_key: incidentId },
    taken: { status: 202, body: json({ status: 'success', message: 'Event processed', dedup_key: incidentId }) },
    others: [
      [
        202,
        json({ status: 'invalid event', message: 'Event object is invalid' }),
        'refused',
        /Event object is invalid/,
      ],
      [
        400,
        json({ status: 'invalid event', message: 'x', errors: ["'routing_key' is missing or blank"] }),
        'refused',
        /routing_key/,
      ],
      [429, '', 'retry', /HTTP 429/],
      [500, '', 'retry', /HTTP 500/],
    ],
  },
  opsgenie: {
    settings: (base) => ({ type: 'opsgenie', api_key: secret, api_url: base }),
    path: '/v2/alerts',
    headers: { authorization: `GenieKey ${secret}` },
    holds: { alias: incidentId, priority: 'P1' },
    taken: { status: 202, body: json({ result: 'Request will be processed', requestId: 'r' }) },
    others: [
      [200, '{}', 'retry', /not one of this service/],
      [403, json({ message: 'You are not authorized' }), 'refused', /You are not authorized/],
      [422, json({ message: 'Request body is not processable.' }), 'refused', /not processable/],
      [429, json({ message: 'You are making too many requests!' }), 'retry', /HTTP 429/],
    ],
  },
  gotify: {
    settings: (base) => ({ type: 'gotify', token: secret, api_url: `${base}/gotify` }),
    path: '/gotify/message',
    headers: { 'x-gotify-key': secret },
    holds: { priority: 8, title: expect.stringContaining('train-42') },
    taken: { status: 200, body: json({ id: 25, appid: 5, message: 'x' }) },
    others: [
      [200, '<html></html>', 'retry', /not one of this service/],
      [
        401,
        json({ error: 'Unauthorized', errorCode: 401, errorDescription: 'you need to provide a valid access token' }),
        'refused',
        /valid access token/,
      ],
      [500, '', 'retry', /HTTP 500/],
    ],
  },
};

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** Through the configuration's own schema, as the collector sets it up. */
async function open({ settings }: Case, answer: (index: number) => Answer, more = {}) {
  const sink = await HttpSink.open({ answer: (_request, index) => answer(index) });
  const config = z.parse(notificationsConfig, {
    notifiers: { chat: { ...settings(`http://127.0.0.1:${sink.port}`), timeout: '500ms', ...more } },
  });
  const notifier = createNotifiers(notifiersOf(config), deps).get('chat');
  if (notifier === undefined) throw new Error('there is no notifier');
  opened.push(sink, notifier);
  return { sink, notifier };
}

describe.each(Object.entries(cases))('the notifier %s', (_kind, one) => {
  it('posts JSON where its service takes it', async () => {
    const { sink, notifier } = await open(one, () => ({ kind: 'status', ...one.taken }));

    expect(await notifier.deliver(failed, { signal })).toMatchObject({
      outcome: 'delivered',
      httpStatus: one.taken.status,
    });

    const [request] = sink.requests;
    expect(request).toMatchObject({ method: 'POST', path: one.path });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'runnerwatch',
      ...one.headers,
    });
    expect(JSON.parse(request?.body ?? '')).toMatchObject(one.holds);
  });

  it('R77 R95 says neither log lines nor proof nor advice when it is to be brief', async () => {
    const { sink, notifier } = await open(one, () => ({ kind: 'status', ...one.taken }), { brief: true });
    const { verdict, log_tail = [], error_message = null, name = '' } = failed.task ?? {};
    const details = [
      ...(log_tail ?? []),
      ...(verdict?.evidence ?? []).map(({ fact }) => fact),
      ...(verdict?.advice ?? []),
    ];

    await notifier.deliver(failed, { signal });

    const body = sink.requests[0]?.body ?? '';
    expect(details.length).toBeGreaterThan(3);
    const others = details.filter((detail) => detail !== error_message);
    expect(others.filter((detail) => body.includes(JSON.stringify(detail).slice(1, -1)))).toEqual([]);
    expect(body).toContain(name);
  });

  it.each(one.others)('F104 F105 F106 takes %i %s for %s', async (...row) => {
    const [status, body, outcome, error, afterMs] = row;
    const { notifier } = await open(one, () => ({ kind: 'status', status, body }));

    const answer = await notifier.deliver(failed, { signal });

    expect(answer).toMatchObject({ outcome, httpStatus: status, error: expect.stringMatching(error) });
    if (answer.outcome === 'retry') expect(answer.afterMs).toBe(afterMs);
  });

  it.each<Answer>([
    { kind: 'hang-before-headers' },
    { kind: 'hang-after-headers' },
    { kind: 'endless-body' },
    { kind: 'reset' },
    { kind: 'garbage' },
  ])('F103 is done within its limits with a service that is broken: $kind', async (answer) => {
    const { sink, notifier } = await open(one, () => answer);

    const { outcome } = await notifier.deliver(failed, { signal });

    // Nobody can tell whether it was taken, but where the service need not say anything at all.
    expect(outcome).toBe(one.taken.body === '' && answer.kind === 'endless-body' ? 'delivered' : 'retry');
    await eventually(() => expect(sink.openSockets).toBe(0));
  });

  it('F109 sends what its service refuses for what is in it once more, shortened', async () => {
    const { sink, notifier } = await open(one, (index) =>
      index === 0 ? { kind: 'status', status: 400, body: 'too long' } : { kind: 'status', ...one.taken },
    );

    expect(await notifier.deliver(failed, { signal })).toMatchObject({ outcome: 'delivered' });

    const [whole = '', short = ''] = sink.requests.map(({ body }) => body);
    expect([whole, short].map((body) => body.includes('Traceback'))).toEqual([true, false]);
    expect(short).toContain('ValueError');
    expect(JSON.parse(short)).toMatchObject(one.holds);
  });

  it('F125 previews its words without sending them, and without its secrets', async () => {
    const { sink, notifier } = await open(one, () => ({ kind: 'status', ...one.taken }));

    const preview = await notifier.preview?.(failed);

    expect(preview).toEqual({
      subject: 'train-42 on gpu-7 failed: exit code 1',
      text: expect.stringContaining('ValueError: bad batch'),
    });
    expect(json(preview)).not.toContain(secret);
    expect(sink.requests).toEqual([]);
  });

  it('says it in the words of its template, and previews them', async () => {
    const template = { subject: 'A {{ task.name }}', text: 'B {{ task.owner }}' };
    const { sink, notifier } = await open(one, () => ({ kind: 'status', ...one.taken }), { template });

    expect(await notifier.preview?.(failed)).toEqual({ subject: 'A train-42', text: 'B ada' });
    expect(await notifier.deliver(failed, { signal })).not.toHaveProperty('note');

    const body = (sink.requests[0]?.body ?? '').replaceAll('\\', '');
    expect(body).toContain('A train-42');
    expect(body).toContain('B ada');
    expect(body).not.toContain('exit code 1');
  });

  it('F109 says it in the built-in words when its template fails, or its service refuses what that says', async () => {
    const failing = await open(one, () => ({ kind: 'status', ...one.taken }), { template: { text: '{{ taks }}' } });
    const refused = await open(
      one,
      (index) => (index === 0 ? { kind: 'status', status: 400, body: 'no' } : { kind: 'status', ...one.taken }),
      { template: { text: 'B' } },
    );

    expect([
      await failing.notifier.deliver(failed, { signal }),
      await refused.notifier.deliver(failed, { signal }),
    ]).toEqual([
      expect.objectContaining({ note: expect.stringMatching(/^the template failed .*: undefined variable: taks/) }),
      expect.objectContaining({ note: expect.stringMatching(/^the service refused the words of the template/) }),
    ]);
    expect((await failing.notifier.preview?.(failed))?.note).toMatch(/^the template failed/);
    for (const { sink } of [failing, refused]) expect(sink.requests.at(-1)?.body).toContain('exit code 1');
  });

  it('F125 has no secret in any error, also when its service repeats it', async () => {
    const statuses = [200, 202, 301, 400, 401, 403, 404, 413, 429, 500, 503];
    const echoes = [secret, path, json({ ok: false, error: secret, message: `no ${secret}`, description: secret })];
    const { notifier } = await open(one, (index) => ({
      kind: 'status',
      status: statuses[index % statuses.length] ?? 500,
      body: echoes[index % echoes.length] ?? '',
    }));

    for (let count = 0; count < statuses.length * echoes.length; count += 1)
      expect(json(await notifier.deliver(failed, { signal }))).not.toContain(secret);
  });
});

describe('a secret from a file', () => {
  it.each([
    { type: 'slack', bot_token: `${secret}\nx: y`, channel: 'C1', api_url: 'http://x', timeout: 1 },
    { type: 'gotify', token: `${secret}ж`, api_url: 'http://x', timeout: 1 },
    { type: 'pagerduty', routing_key: '', api_url: 'http://x', timeout: 1 },
    { type: 'telegram', bot_token: undefined, chat_id: '1', api_url: 'http://x', timeout: 1 },
    { type: 'discord', url: `not a url: ${secret}`, timeout: 1 },
    { type: 'teams', url: `file:///${secret}`, timeout: 1 },
  ] as const)('F086 F125 that is none stops the start of $type, and is not repeated', (settings) => {
    const start = () => createNotifiers({ chat: settings }, deps);

    expect(start).toThrow(/^notifications\.notifiers\.chat\.(bot_token|token|routing_key|url): expected/);
    expect(start).not.toThrow(secret);
  });
});

describe('an incident that is over', () => {
  it('is resolved at PagerDuty and closed at Opsgenie', async () => {
    const { pagerduty, opsgenie } = cases;
    if (pagerduty === undefined || opsgenie === undefined) throw new Error('there is no such case');
    const pager = await open(pagerduty, () => ({ kind: 'status', ...pagerduty.taken }));
    const genie = await open(opsgenie, () => ({ kind: 'status', ...opsgenie.taken }));

    await pager.notifier.deliver(samples.resolved, { signal });
    await genie.notifier.deliver(samples.resolved, { signal });

    expect(pager.sink.bodies).toEqual([{ routing_key: secret, event_action: 'resolve', dedup_key: incidentId }]);
    await pager.notifier.deliver({ ...samples.resolved, incident: samples.fired.incident }, { signal });
    expect(pager.sink.requests).toHaveLength(1);
    expect(genie.sink.requests[0]?.path).toBe(`/v2/alerts/${incidentId}/close?identifierType=alias`);
  });
});

describe('a thread', () => {
  const bot = cases['slack bot'];
  const reply = (body: object): Answer => ({ kind: 'status', status: 200, body: json(body) });
  const posted = (ts: string) => reply({ ok: true, channel: 'C1', ts });
  const methods = (sink: HttpSink) => sink.requests.map((request) => request.path.replace('/api/', ''));

  it('of Slack has its first message edited and the news below it', async () => {
    if (bot === undefined) throw new Error('there is no such case');
    const { sink, notifier } = await open(bot, (index) => posted(`${index}.0`));

    const first = await notifier.deliver(samples.fired, { signal, thread: null });
    const thread = first.outcome === 'delivered' ? (first.handle ?? null) : null;
    const second = await notifier.deliver(samples.renotified, { signal, thread });
    const third = await notifier.deliver(samples.resolved, { signal, thread });

    expect([second, third]).toEqual([
      { outcome: 'delivered', httpStatus: 200 },
      { outcome: 'delivered', httpStatus: 200 },
    ]);
    expect(methods(sink)).toEqual([
      'chat.postMessage',
      'chat.update',
      'chat.postMessage',
      'chat.update',
      'chat.postMessage',
    ]);
    const [, edit, reminder, lastEdit, end] = sink.bodies;
    expect(edit).toMatchObject({ channel: 'C1', ts: '0.0', parse: 'none', blocks: [{ type: 'context' }] });
    expect(edit).not.toHaveProperty('attachments');
    expect(reminder).toMatchObject({ channel: 'C1', thread_ts: '0.0', reply_broadcast: true });
    expect(json(lastEdit)).toContain('🟢 resolved');
    expect(end).toMatchObject({ thread_ts: '0.0', attachments: [{ color: '#2eb67d' }] });
    expect(end).not.toHaveProperty('reply_broadcast');
  });

  it('of Slack that is gone, or in a channel no longer configured, begins anew', async () => {
    if (bot === undefined) throw new Error('there is no such case');
    const { sink, notifier } = await open(bot, (index) =>
      index === 0 ? reply({ ok: false, error: 'message_not_found' }) : posted(`${index}.0`),
    );

    const gone = await notifier.deliver(samples.resolved, { signal, thread: json(['C1', '0.0', '#ops']) });
    const moved = await notifier.deliver(samples.resolved, { signal, thread: json(['C1', '0.0', '#old']) });
    const foreign = await notifier.deliver(samples.resolved, { signal, thread: 'not ours' });

    expect([gone, moved, foreign].map((one) => one.outcome === 'delivered' && one.handle)).toEqual([
      json(['C1', '1.0', '#ops']),
      json(['C1', '2.0', '#ops']),
      json(['C1', '3.0', '#ops']),
    ]);
    expect(methods(sink)).toEqual(['chat.update', 'chat.postMessage', 'chat.postMessage', 'chat.postMessage']);
  });

  it('of Slack is not written to while its edit has to wait', async () => {
    if (bot === undefined) throw new Error('there is no such case');
    const { sink, notifier } = await open(bot, () => ({ kind: 'status', status: 429, retryAfter: '3' }));

    expect(await notifier.deliver(samples.resolved, { signal, thread: json(['C1', '0.0', '#ops']) })).toMatchObject({
      outcome: 'retry',
      afterMs: 3000,
    });
    expect(methods(sink)).toEqual(['chat.update']);
  });

  it('of Telegram is answers to its first message', async () => {
    const { telegram } = cases;
    if (telegram === undefined) throw new Error('there is no such case');
    const { sink, notifier } = await open(telegram, () => ({ kind: 'status', ...telegram.taken }));

    const first = await notifier.deliver(samples.fired, { signal });
    const thread = first.outcome === 'delivered' ? (first.handle ?? null) : null;
    const second = await notifier.deliver(samples.resolved, { signal, thread });
    await notifier.deliver(samples.resolved, { signal, thread: json(['-5', 7]) });

    expect(thread).toBe(json(['-100123', 7]));
    expect(second).toEqual({ outcome: 'delivered', httpStatus: 200 });
    expect(sink.bodies.map((body) => body['reply_parameters'])).toEqual([
      undefined,
      { message_id: 7, allow_sending_without_reply: true },
      undefined,
    ]);
  });

  it('does not begin with a test', async () => {
    if (bot === undefined) throw new Error('there is no such case');
    const { notifier } = await open(bot, () => posted('1.0'));

    expect(await notifier.deliver(samples.test, { signal })).toEqual({ outcome: 'delivered', httpStatus: 200 });
  });
});
