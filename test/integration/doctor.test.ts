import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examineCollector } from '@runnerwatch/collector/doctor/doctor.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AlertRig } from '../support/alert-rig.ts';
import { TestDatabase } from '../support/database.ts';
import { HttpSink } from '../support/http-sink.ts';
import { certificateFile, MailSink, type MailSinkOptions } from '../support/mail-sink.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startRouting } from '../support/routing-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const account = { user: 'watch', password: 'pa55-word-of-the-sink' };
/** A name that no name server needs to be asked about: RFC 1035 has labels of 63 octets. */
const noName = `${'x'.repeat(64)}.example`;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** What a collector with these notifications hears of a check, by what was looked at. */
async function examine(notifications: object, { listen = '127.0.0.1:1' } = {}) {
  const folder = await temporaryFolder();
  const path = join(folder, 'collector.yaml');
  writeFileSync(path, stringify({ listen, data_dir: folder, notifications }));
  const findings = await examineCollector({ config: { file: { path, required: true }, environment: {} }, uid: 0 });
  return (check: string) => findings.filter((one) => one.check === check);
}

async function mailServer(options: MailSinkOptions, more: object = {}) {
  const sink = await MailSink.open(options);
  opened.push(sink);
  const smtp = { host: 'localhost', port: sink.port, from: 'w@example.org', ca_file: certificateFile, ...more };
  return { sink, smtp };
}

describe('doctor and mail servers', () => {
  const login = { tls: 'starttls', username: account.user, password: account.password };

  it('connects, turns on TLS, logs in, and sends nothing', async () => {
    const { sink, smtp } = await mailServer({ account }, login);

    const found = await examine({ smtp, notifiers: { ops: { type: 'email', to: ['ops@example.org'] } } });

    expect(found('mail server')).toEqual([
      { check: 'mail server', result: 'ok', says: `localhost:${sink.port} takes the log-in of watch`, fix: null },
    ]);
    expect(sink.passwords).toEqual([account.password]);
    expect(sink.mails).toEqual([]);
  });

  it.each([
    ['a wrong password', { account }, { ...login, password: 'wrong' }, /does not accept the user name and password/],
    ['a server without STARTTLS', { tls: 'off', account } as const, login, /STARTTLS/],
    ['a certificate nobody knows', { account }, { ...login, ca_file: undefined }, /no TLS with the mail server/],
    ['a CA file that is not there', { account }, { ...login, ca_file: '/nowhere/ca.pem' }, /cannot read \/nowhere/],
  ])('F110 says of %s what is wrong, without the password', async (...row) => {
    const [, options, more, sentence] = row;
    const { smtp } = await mailServer(options, more);

    const [finding, ...others] = (await examine({ smtp }))('mail server');

    expect(others).toEqual([]);
    expect(finding).toMatchObject({ result: 'failed', says: expect.stringMatching(sentence) });
    expect(finding?.fix).toContain('smtp in collector.yaml');
    expect(JSON.stringify(finding)).not.toMatch(/pa55-word|wrong/);
  });

  it('F103 does not wait for one that is not there', async () => {
    const smtp = { host: '127.0.0.1', port: 1, from: 'w@example.org' };

    expect((await examine({ smtp }))('mail server')).toMatchObject([
      { result: 'failed', says: '127.0.0.1:1: connection refused' },
    ]);
  });
});

describe('doctor and notifiers', () => {
  it('tries every template on made-up news, and every address on the name server', async () => {
    const url = 'http://localhost:1/hook';
    const found = await examine({
      notifiers: {
        good: { type: 'discord', url, template: { text: '{{ sentence }}{% if task %}{{ task.name }}{% endif %}' } },
        careless: { type: 'slack', url, template: { text: '{{ task.name }}' } },
        mistyped: { type: 'ntfy', topic: 'x', api_url: 'http://127.0.0.1', template: { subject: '{{ titel }}' } },
        nowhere: { type: 'webhook', url: `https://${noName}/hook/s3cret` },
      },
    });

    expect(found('notifier good')).toMatchObject([
      { result: 'ok', says: 'localhost:1 resolves; its template renders', fix: null },
    ]);
    expect(found('notifier careless')).toMatchObject([
      {
        result: 'warning',
        says: expect.stringMatching(/^of a condition: .*built-in text stands in: nothing came out of it/),
        fix: expect.stringContaining('{% if task %}'),
      },
    ]);
    expect(found('notifier mistyped')).toMatchObject([
      { result: 'warning', says: expect.stringMatching(/^of a failed task: .*titel/) },
    ]);
    expect(found('notifier nowhere')).toMatchObject([
      { result: 'failed', says: expect.stringMatching(new RegExp(`^${noName} `)) },
    ]);
    expect(JSON.stringify(found('notifier nowhere'))).not.toContain('s3cret');
  });

  it('F086 says of an address in a file that it is none, without repeating it', async () => {
    const file = join(await temporaryFolder(), 'hook.url');
    writeFileSync(file, 'hooks.example.org/s3cret');

    const [finding] = (await examine({ notifiers: { a: { type: 'teams', url_file: file } } }))('notifier a');

    expect(finding).toMatchObject({
      result: 'failed',
      says: expect.stringMatching(/notifiers\.a\.url: expected a URL/),
    });
    expect(JSON.stringify(finding)).not.toContain('s3cret');
  });

  it('posts nothing to them', async () => {
    await using sink = await HttpSink.open();

    const found = await examine({ notifiers: { a: { type: 'webhook', url: sink.url } } });

    expect(found('notifier a')).toMatchObject([{ result: 'ok' }]);
    expect(sink.requests).toEqual([]);
  });
});

describe('doctor and addresses typed by people', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await TestDatabase.start('embedded');
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('F112 says which of them the guard would not dial, and how to open their network', async () => {
    const rig = new AlertRig(database);
    await using product = await startRouting(rig, { clock: new ManualClock(Date.now()) });
    const listen = new URL(product.url).host;
    const subscribe = (name: string, address: string) =>
      product.ask('POST', '/subscriptions', { name, events: ['fail'], target: { type: 'webhook', address } });
    await subscribe('inside', 'http://localhost:9/hook');
    await subscribe('nowhere', `https://${noName}/hook`);

    const closed = await examine({}, { listen });
    const open = await examine({ allowed_cidrs: ['127.0.0.0/8', '::1/128'] }, { listen });

    expect(closed('targets')).toMatchObject([
      {
        result: 'warning',
        says: 'subscription inside: localhost is not public, so it is not dialled',
        fix: expect.stringMatching(/^open its network in notifications\.allowed_cidrs, or "runnerwatch unsubscribe /),
      },
      { result: 'warning', says: expect.stringMatching(/^subscription nowhere: xxx/) },
    ]);
    expect(open('targets')).toMatchObject([{ says: expect.stringMatching(/^subscription nowhere/) }]);
  });
});
