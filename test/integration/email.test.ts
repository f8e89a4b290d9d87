import { createEmailNotifier } from '@runnerwatch/collector/notifiers/email/email.ts';
import { emailSettings, smtpSettings } from '@runnerwatch/collector/notifiers/email/settings.ts';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { certificateFile, MailSink, type MailSinkOptions, NastyMailServer } from '../support/mail-sink.ts';
import { failedTask, samples } from '../support/notifications.ts';
import { parseMail } from '../support/parsed-mail.ts';

const signal = new AbortController().signal;
const account = { user: 'watch', password: 'pa55-word-of-the-sink' };
const login = { username: account.user, password: account.password };

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

function notifier(
  port: number,
  {
    smtp = {},
    ...more
  }: { smtp?: Record<string, unknown>; to?: string[]; timeout?: string; template?: Record<string, string> } = {},
) {
  const server = smtpSettings.parse({
    host: 'localhost',
    port,
    from: 'Watch <watch@example.org>',
    tls: 'starttls',
    ca_file: certificateFile,
    ...smtp,
  });
  // As a configuration is.
  Object.freeze(server.from);
  const made = createEmailNotifier(
    { ...emailSettings.parse({ type: 'email', to: ['ops@example.org'], ...more }), smtp: Object.freeze(server) },
    { hostname: 'collector-1', receiver: 'mail', log: pino({ level: 'silent' }) },
  );
  opened.push(made);
  return made;
}

async function sinkOf(options: MailSinkOptions = {}) {
  const sink = await MailSink.open(options);
  opened.push(sink);
  return sink;
}

async function nastyOf(answer: (line: string) => string | null, options?: { dripMs: number }) {
  const server = await NastyMailServer.open(answer, options);
  opened.push(server);
  return server;
}

/** An obedient server, but for one line. */
const except = (pattern: RegExp, reply: string | null) => (line: string) => {
  if (pattern.test(line)) return reply;
  if (line.startsWith('EHLO')) return '250 nasty\r\n';
  if (/^DATA$/.test(line)) return '354 go on\r\n';
  return /^(MAIL|RCPT|RSET|\.$|QUIT)/.test(line) ? '250 ok\r\n' : '';
};

describe('the email notifier', () => {
  it.each(['starttls', 'implicit'] as const)('logs in and delivers over TLS (%s)', async (tls) => {
    const sink = await sinkOf({ tls, account });

    expect(await notifier(sink.port, { smtp: { tls, ...login } }).deliver(samples.oom, { signal })).toEqual({
      outcome: 'delivered',
    });
    expect(sink.mails).toMatchObject([
      { from: 'watch@example.org', to: ['ops@example.org'], isSecure: true, user: 'watch', hello: 'collector-1' },
    ]);
    const { headers, parts } = parseMail(sink.mails[0]?.source ?? '');
    expect(Object.fromEntries([...headers].map(([name, [value]]) => [name, value]))).toMatchObject({
      from: 'Watch <watch@example.org>',
      to: 'ops@example.org',
      subject: 'Runnerwatch Alert: Task Failures - train-42 on gpu-7 was killed: out of memory (limit 4 GiB)',
      date: 'Sun, 22 Nov 2026 12:00:00 +0000',
      'message-id': '<0199f3a0-task.ended@example.org>',
      references: '<incident.0199f3a0-0000-7000-8000-000000000001@example.org>',
      'in-reply-to': '<incident.0199f3a0-0000-7000-8000-000000000001@example.org>',
      'auto-submitted': 'auto-generated',
      'x-auto-response-suppress': 'All',
      precedence: 'bulk',
    });
    expect(parts.get('text/plain')).toContain('Give it more than 4 GiB, or a smaller batch.');
    expect(parts.get('text/html')).toContain('Give it more than 4 GiB, or a smaller batch.');
  });

  it('keeps its connections for the next mail, two at most, and lets them go at the end', async () => {
    const sink = await sinkOf();
    const made = notifier(sink.port);

    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => made.deliver({ ...samples.failed, id: `n-${index}` }, { signal })),
    );
    expect(outcomes.every(({ outcome }) => outcome === 'delivered')).toBe(true);
    expect(sink.mails).toHaveLength(8);
    expect(sink.openConnections).toBeLessThanOrEqual(2);
    await made[Symbol.asyncDispose]();
    await eventually(() => sink.openConnections === 0);
  });

  it('F107 sends the same mail under the same id when it repeats it', async () => {
    const sink = await sinkOf();
    const made = notifier(sink.port);

    await made.deliver(samples.failed, { signal });
    await made.deliver(samples.failed, { signal });

    const ids = sink.mails.map(({ source }) => parseMail(source).headers.get('message-id'));
    expect(ids).toEqual([['<0199f3a0-task.ended@example.org>'], ['<0199f3a0-task.ended@example.org>']]);
  });
});

describe('a mail with a template', () => {
  it('has the words of the template, in its text and on its page', async () => {
    const sink = await sinkOf();
    const template = { subject: '{{ task.name }} is gone', text: 'See <b>{{ link }}</b>\n{{ sentence }}' };

    expect(await notifier(sink.port, { template }).deliver(samples.failed, { signal })).toEqual({
      outcome: 'delivered',
    });
    const { headers, parts } = parseMail(sink.mails[0]?.source ?? '');
    expect(headers.get('subject')).toEqual(['train-42 is gone']);
    expect(parts.get('text/plain')).toMatch(/^See <b>https:.*<\/b>\nFailed with exit 1\.\n?$/);
    expect(parts.get('text/html')).toContain('See &#60;b&#62;https:');
  });

  it('F109 is sent in the built-in words when its template fails, which is said', async () => {
    const sink = await sinkOf();
    const made = notifier(sink.port, { template: { text: '{{ nothing.of.it }}' } });

    expect(await made.deliver(samples.failed, { signal })).toEqual({
      outcome: 'delivered',
      note: expect.stringMatching(/^the template failed and the built-in text stands in: undefined variable/),
    });
    expect(parseMail(sink.mails[0]?.source ?? '').parts.get('text/plain')).toContain('Failed with exit 1.');
  });
});

describe('a mail server that refuses', () => {
  it('F110 takes the others when it refuses one recipient, who is named and not tried again', async () => {
    const sink = await sinkOf({ answerRecipient: (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : null) });
    const made = notifier(sink.port, { to: ['ada@example.org', 'gone@example.org', 'bob@example.org'] });

    expect(await made.deliver(samples.failed, { signal })).toEqual({
      outcome: 'delivered',
      note: 'not to everyone: gone@example.org: 550 5.1.1 no such user',
    });
    expect(sink.mails.map(({ to }) => to)).toEqual([['ada@example.org', 'bob@example.org']]);
  });

  it('F110 tries again only for the recipient who was put off', async () => {
    let replies = ['451 4.7.1 greylisted', null];
    const sink = await sinkOf({
      answerRecipient: (to) => {
        if (to.startsWith('gone')) return '550 5.1.1 no such user';
        if (!to.startsWith('slow')) return null;
        const [reply = null, ...rest] = replies;
        replies = rest;
        return reply;
      },
    });
    const made = notifier(sink.port, { to: ['ada@example.org', 'slow@example.org', 'gone@example.org'] });

    expect(await made.deliver(samples.failed, { signal })).toEqual({
      outcome: 'retry',
      error: 'slow@example.org: 451 4.7.1 greylisted',
    });
    expect(await made.deliver(samples.failed, { signal })).toEqual({
      outcome: 'delivered',
      note: 'not to everyone: gone@example.org: 550 5.1.1 no such user',
    });
    expect(sink.mails.map(({ to }) => to)).toEqual([['ada@example.org'], ['slow@example.org']]);
  });

  it.each([
    ['451 4.3.0 later', 'retry'],
    ['550 5.1.1 no such user', 'refused'],
  ] as const)('F110 all recipients with %s is %s', async (reply, outcome) => {
    const sink = await sinkOf({ answerRecipient: () => reply });

    expect(await notifier(sink.port).deliver(samples.failed, { signal })).toEqual({
      outcome,
      error: `ops@example.org: ${reply}`,
    });
  });

  it('F110 F124 says that it does not take the password, and not which', async () => {
    const sink = await sinkOf({ account });
    const made = notifier(sink.port, { smtp: { username: 'watch', password: 'wrong-canary' } });

    const outcome = await made.deliver(samples.failed, { signal });

    expect(outcome).toEqual({
      outcome: 'refused',
      error: 'the mail server does not accept the user name and password (535)',
    });
    expect(sink.passwords).toEqual(['wrong-canary']);
  });

  it('F110 F063 gets neither password nor mail when it does not offer STARTTLS', async () => {
    const server = await nastyOf((line) =>
      line.startsWith('EHLO') ? '250-nasty\r\n250 AUTH PLAIN LOGIN\r\n' : '502 5.5.1 what is that\r\n',
    );

    expect(await notifier(server.port, { smtp: login }).deliver(samples.failed, { signal })).toEqual({
      outcome: 'refused',
      error: 'the mail server does not offer STARTTLS (502), and without it nothing is sent',
    });
    expect(server.lines.filter((line) => !/^(EHLO|STARTTLS|QUIT)/.test(line))).toEqual([]);
  });

  it('F063 gets neither when its certificate is not known', async () => {
    const sink = await sinkOf({ account });

    expect(
      await notifier(sink.port, { smtp: { ...login, ca_file: undefined } }).deliver(samples.failed, { signal }),
    ).toEqual({
      outcome: 'retry',
      error: 'no TLS with the mail server: its certificate is self-signed; give its CA as ca_file',
    });
    expect(sink.passwords).toEqual([]);
    expect(sink.mails).toEqual([]);
  });

  it.each([
    ['MAIL', /^MAIL/, '451 4.3.1 full\r\n', 'retry', 'the server said 451 4.3.1 full'],
    ['MAIL', /^MAIL/, '553 5.7.1 not you\r\n', 'refused', 'the server said 553 5.7.1 not you'],
    ['DATA', /^DATA/, '421 4.3.2 closing\r\n', 'retry', 'the server said 421 4.3.2 closing'],
    ['the end of the mail', /^\.$/, '554 5.6.0 spam\r\n', 'refused', 'the mail was not taken: 554 5.6.0 spam'],
    ['the end of the mail', /^\.$/, '452 4.2.2 later\r\n', 'retry', 'the mail was not taken: 452 4.2.2 later'],
  ] as const)('F110 at %s, %s %j is %s', async (...[, pattern, reply, outcome, error]) => {
    const server = await nastyOf(except(pattern, reply));

    expect(await notifier(server.port, { smtp: { tls: 'off' } }).deliver(samples.failed, { signal })).toEqual({
      outcome,
      error,
    });
  });

  it('F110 a connection cut after DATA is tried again', async () => {
    const server = await nastyOf(except(/^\.$/, null));

    expect(await notifier(server.port, { smtp: { tls: 'off' } }).deliver(samples.failed, { signal })).toEqual({
      outcome: 'retry',
      error: 'the connection to the mail server was lost',
    });
    expect(server.lines.filter((line) => line === 'DATA')).toHaveLength(1);
  });

  it('is tried again when nobody listens', async () => {
    const server = await nastyOf(() => '');
    const { port } = server;
    await server[Symbol.asyncDispose]();
    opened.pop();

    expect(await notifier(port).deliver(samples.failed, { signal })).toEqual({
      outcome: 'retry',
      error: 'connection refused',
    });
  });

  it('F110 is left when it speaks a byte at a time', async () => {
    const server = await nastyOf(except(/never/, ''), { dripMs: 20 });

    const outcome = await notifier(server.port, { smtp: { tls: 'off' }, timeout: '300ms' }).deliver(samples.failed, {
      signal,
    });

    expect(outcome).toEqual({ outcome: 'retry', error: 'the mail server did not take it within 300 ms' });
    await eventually(() => server.openConnections === 0);
  });

  it('is left at once when the collector stops', async () => {
    const server = await nastyOf(() => '');
    const stop = new AbortController();

    const delivering = notifier(server.port).deliver(samples.failed, { signal: stop.signal });
    await eventually(() => server.lines.length > 0);
    stop.abort();

    expect(await delivering).toEqual({ outcome: 'retry', error: 'stopped' });
    await eventually(() => server.openConnections === 0);
  });
});

describe('hostile words in a mail', () => {
  it('F111 F115 add no header, no recipient and no markup', async () => {
    const sink = await sinkOf();
    const name =
      'x\r\nBcc: eve@evil.example\r\n\r\n.\r\nRCPT TO:<eve@evil.example>, "a" <script>alert(1)</script> grün 🚀';
    const task = { ...failedTask, name, command: name, node: name, log_tail: ['.', name], error_excerpt: null };

    expect(await notifier(sink.port).deliver({ ...samples.failed, task }, { signal })).toEqual({
      outcome: 'delivered',
    });

    expect(sink.mails.map(({ to }) => to)).toEqual([['ops@example.org']]);
    const { headers, parts } = parseMail(sink.mails[0]?.source ?? '');
    expect([...headers.values()].every((values) => values.length === 1)).toBe(true);
    expect(headers.get('bcc')).toBeUndefined();
    expect(headers.get('subject')?.[0]).toContain('Bcc: eve@evil.example');
    expect(headers.get('subject')?.[0]).toMatch(/^Runnerwatch Alert: Task Failures - x {1,2}Bcc/);
    expect(parts.get('text/html')).not.toMatch(/<script/i);
    expect(parts.get('text/plain')).toContain('grün 🚀');
    expect(parts.get('text/plain')).toContain('\n| .\n');
  });
});
