import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { HttpSink } from '../support/http-sink.ts';
import { certificateFile, MailSink } from '../support/mail-sink.ts';
import { parseMail } from '../support/parsed-mail.ts';
import { Installation, Program } from '../support/product.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function kept<T extends AsyncDisposable>(one: T): T {
  onTestFinished(() => one[Symbol.asyncDispose]());
  return one;
}

describe('the built collector with notifiers of every kind', () => {
  it('F124 delivers a test by mail, program and Apprise, and says no secret anywhere', async () => {
    const folder = await temporaryFolder();
    const account = { user: 'watch', password: 'canary-mail-password' };
    const mail = kept(await MailSink.open({ account }));
    const apprise = kept(await HttpSink.open({ answer: () => ({ kind: 'status', status: 200 }) }));
    writeFileSync(join(folder, 'password'), `${account.password}\n`);
    writeFileSync(join(folder, 'url'), `http://127.0.0.1:${apprise.port}/notify/canary-key`);
    const site = kept(new Installation());
    const collector = await site.collector({
      notifications: {
        smtp: {
          host: 'localhost',
          port: mail.port,
          tls: 'starttls',
          ca_file: certificateFile,
          username: account.user,
          password_file: join(folder, 'password'),
          from: 'watch@example.org',
        },
        notifiers: {
          ops: { type: 'email', to: ['ops@example.org'], template: { subject: 'Mine: {{ title }}' } },
          script: { type: 'exec', command: ['/bin/sh', '-c', `cat > "${join(folder, 'told')}"`] },
          many: { type: 'apprise', url_file: join(folder, 'url') },
          wrong: { type: 'exec', command: ['/bin/sh', '-c', 'echo no such pager >&2; exit 1'] },
        },
      },
    });

    for (const name of ['ops', 'script', 'many']) {
      expect(await site.cli(['notify', 'test', name])).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(new RegExp(`^${name} took the test notification after`)),
      });
    }
    expect(await site.cli(['notify', 'test', 'wrong'])).toMatchObject({
      code: 1,
      stdout: 'wrong did not take the test notification: exit code 1: no such pager\n',
    });
    const preview = await site.cli(['notify', 'preview', 'ops']);

    const { headers } = parseMail(mail.mails[0]?.source ?? '');
    expect(headers.get('subject')).toEqual(['Mine: This is a test of Runnerwatch']);
    expect(apprise.requests[0]?.path).toBe('/notify/canary-key');
    expect(preview.stdout).toMatch(
      /^Subject: Mine: This is a test of Runnerwatch\n\nThis is a test of Runnerwatch\n\nNothing happened\./,
    );
    const said = `${collector.output}${JSON.stringify(await site.get('/deliveries'))}${preview.stdout}`;
    expect(said).not.toMatch(/canary/);
    expect(await collector.end()).toBe(0);
  });

  it('F086 does not start with a template that cannot be read, and says where', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'collector.yaml');
    const many = { type: 'apprise', url: 'http://127.0.0.1:9/notify', template: { text: 'a\n{% bad %}' } };
    writeFileSync(file, stringify({ data_dir: folder, notifications: { notifiers: { many } } }));
    const collector = resolve(import.meta.dirname, '../../dist/collector.mjs');
    const program = new Program(() =>
      spawn(process.execPath, [collector, '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );

    expect(await program.exit()).toBe(78);
    expect(program.output).toMatch(
      /notifications\.notifiers\.many\.template\.text: not a template: tag "bad" not found, line:2/,
    );
  });
});
