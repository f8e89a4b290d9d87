import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endOrphanedJobAlerts } from '@runnerwatch/collector/routing/store.ts';
import { jobId } from '@runnerwatch/collector/tasks/jobs.ts';
import { deleteTasksEndedBefore } from '@runnerwatch/collector/tasks/store.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { MailSink } from '../support/mail-sink.ts';
import { ownRig } from '../support/own-rig.ts';
import { parseMail } from '../support/parsed-mail.ts';
import { startRouting } from '../support/routing-rig.ts';

/* The alerts of a job, as their specification (R57 to R73) has them. Without a configured notifier nobody else is told. */
describe('an alert of a job', () => {
  const rig = ownRig();
  const train = { job: 'train', project: 'ml' };
  const path = `/jobs/${jobId({ project: 'ml', name: 'train' })}/alerts`;

  beforeEach(async () => {
    await rig.node('n1');
    await rig.taskEnded('n1', 'earlier', { status: 'completed', ...train });
  });

  const start = () =>
    startRouting(rig, { clock: systemClock, notifications: { subscriptions: [{ events: ['begin'] }] } });

  it('R57 has its table by a numbered migration', () => {
    const folder = fileURLToPath(new URL('../../collector/src/migrations/', import.meta.url));

    expect(readdirSync(folder).filter((name) => /^\d{4}_subscriptions\.sql$/.test(name))).toHaveLength(1);
  });

  it('R58 R60 has an id, its job, a type, a target, and two switches that are on unless turned off', async () => {
    await using product = await start();
    const target = 'http://127.0.0.1:9/x';

    const { status, body } = await product.ask('POST', path, { alert_type: 'webhook', target });
    const off = await product.ask('POST', path, { alert_type: 'webhook', target, on_failure: false });

    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        job_id: jobId({ project: 'ml', name: 'train' }),
        alert_type: 'webhook',
        target,
        on_failure: true,
        on_timeout: true,
        created_at: expect.stringMatching(/Z$/),
      },
    });
    expect(off.body).toMatchObject({ on_failure: false, on_timeout: true });
    expect((await product.ask('POST', path, { alert_type: 'fax', target })).status).toBe(400);
  });

  it('R59 dies with its job', async () => {
    await using product = await start();
    await product.ask('POST', path, { alert_type: 'webhook', target: 'http://127.0.0.1:9/x' });

    expect(await endOrphanedJobAlerts(rig.db.drizzle, new Date())).toBe(0);
    await deleteTasksEndedBefore(rig.db.drizzle, new Date(Date.now() + 1000), 100);
    expect(await endOrphanedJobAlerts(rig.db.drizzle, new Date())).toBe(1);
    await product.policy.refresh();

    expect((await product.ask('GET', path)).status).toBe(404);
    expect((await product.ask('GET', '/subscriptions')).body.items.map(({ origin }) => origin)).toEqual(['file']);
    expect(product.policy.current().subscriptions.map(({ name }) => name)).toEqual(['subscription-1']);
  });

  it('R61 R62 R63 R70 posts a failed run of that job within 5 seconds, and of no other', async () => {
    await using sink = await HttpSink.open();
    await using product = await start();
    product.start();
    await product.ask('POST', path, { alert_type: 'webhook', target: sink.url });

    await rig.taskEnded('n1', 'r0', { status: 'failed', job: 'train', project: 'other' });
    await rig.taskEnded('n1', 'r1', { status: 'failed', job: 'train' });
    await rig.taskEnded('n1', 'r2', { status: 'completed', ...train });
    await rig.taskEnded('n1', 'r3', { status: 'failed', exit_code: 7, ...train });
    const committedAt = Date.now();
    product.engine.nudge();

    await eventually(() => expect(sink.requests).toHaveLength(1), { timeoutMs: 5000 });
    expect(Date.now() - committedAt).toBeLessThan(5000);
    expect(sink.requests[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
    expect(sink.bodies[0]).toMatchObject({
      type: 'task.ended',
      task: { id: 'r3', job: 'train', project: 'ml', status: 'failed', exit_code: 7 },
    });
  });

  it('R60 R61 heeds its two switches: failures, time limits', async () => {
    await using failures = await HttpSink.open();
    await using limits = await HttpSink.open();
    await using product = await start();
    product.start();
    await product.ask('POST', path, { alert_type: 'webhook', target: failures.url, on_timeout: false });
    await product.ask('POST', path, { alert_type: 'webhook', target: limits.url, on_failure: false });

    await rig.taskEnded('n1', 'r1', { status: 'failed', ...train });
    await rig.taskEnded('n1', 'r2', { status: 'timed_out', ...train });
    product.engine.nudge();

    await eventually(() => expect([failures.requests.length, limits.requests.length]).toEqual([1, 1]));
    expect(failures.bodies[0]).toMatchObject({ task: { id: 'r1', status: 'failed' } });
    expect(limits.bodies[0]).toMatchObject({ task: { id: 'r2', status: 'timed_out' } });
  });

  it('R64 R71 refuses an email as long as there is no SMTP server, and says so', async () => {
    await using product = await start();

    expect(await product.ask('POST', path, { alert_type: 'email', target: 'ops@example.org' })).toMatchObject({
      status: 400,
      body: { error: { field: 'target', message: expect.stringContaining('notifications.smtp') } },
    });
  });

  const withMail = (sink: MailSink, smtp: object = {}) => ({
    subscriptions: [{ events: ['begin'] }],
    smtp: { host: 'localhost', port: sink.port, from: 'Watch <watch@example.org>', tls: 'off', ...smtp },
  });

  it('R64 R71 mails a run that is over its time limit, when there is a mail server', async () => {
    await using sink = await MailSink.open({ tls: 'off' });
    await using product = await startRouting(rig, { clock: systemClock, notifications: withMail(sink) });
    product.start();
    const asked = { alert_type: 'email', target: 'ops@example.org', on_failure: false };
    expect((await product.ask('POST', path, asked)).status).toBe(201);
    expect((await product.ask('POST', path, { ...asked, target: 'not an address' })).status).toBe(400);

    await rig.taskEnded('n1', 'r1', { status: 'failed', ...train });
    await rig.taskEnded('n1', 'r2', { status: 'timed_out', name: 'nightly', ...train });
    const committedAt = Date.now();
    product.engine.nudge();

    await eventually(() => expect(sink.mails).toHaveLength(1), { timeoutMs: 5000 });
    expect(Date.now() - committedAt).toBeLessThan(5000);
    expect(sink.mails[0]).toMatchObject({ to: ['ops@example.org'], from: 'watch@example.org' });
    const { headers, parts } = parseMail(sink.mails[0]?.source ?? '');
    expect(headers.get('subject')?.[0]).toContain('nightly');
    expect(parts.get('text/plain')).toContain('ran out of time');
  });

  it('R65 R72 changes nothing about the run when its mail is refused, and says why without a secret', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const password = 'pa55-word-of-the-sink';
    await using sink = await MailSink.open({ tls: 'off', account: { user: 'watch', password } });
    const login = { username: 'watch', password: 'another-pa55-word' };
    await using product = await startRouting(rig, {
      clock: systemClock,
      notifications: withMail(sink, login),
      deliverer: { log },
    });
    product.start();
    await product.ask('POST', path, { alert_type: 'email', target: 'ops@example.org' });

    await rig.taskEnded('n1', 'r1', { status: 'timed_out', ...train });
    product.engine.nudge();

    await eventually(async () =>
      expect(
        await rig.rows<{ last_error: string }>("select last_error from notifications where state = 'dead'"),
      ).toEqual([{ last_error: expect.stringContaining('535') }]),
    );
    expect(sink.passwords).toEqual([login.password]);
    const { body } = await product.ask('GET', '/tasks/r1');
    expect(body).toMatchObject({ status: 'timed_out' });
    const shown = JSON.stringify([lines, await product.ask('GET', '/explain/tasks/r1'), body]);
    expect(shown).toContain('535');
    expect(shown).not.toMatch(/pa55-word/);
  });

  it('R65 R72 changes nothing about the run when it cannot be told, and delays nobody', async () => {
    await using dead = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
    await using sink = await HttpSink.open();
    await using product = await start();
    product.start();
    await product.ask('POST', path, { alert_type: 'webhook', target: dead.url });
    await product.ask('POST', path, { alert_type: 'webhook', target: 'http://127.0.0.1:9/nobody' });
    await product.ask('POST', path, { alert_type: 'webhook', target: sink.url });

    await rig.taskEnded('n1', 'r1', { status: 'failed', ...train });
    product.engine.nudge();

    await eventually(() => expect(sink.requests).toHaveLength(1), { timeoutMs: 3000 });
    await eventually(async () =>
      expect(
        await rig.rows("select 1 from notifications where state = 'pending' and last_error is not null"),
      ).toHaveLength(1),
    );
    expect(await product.ask('GET', '/tasks/r1')).toMatchObject({
      status: 200,
      body: { status: 'failed', exit_code: 3 },
    });
  });

  it('R66 leaves a line at INFO for each that was told, and one of trouble that names no address', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    await using sink = await HttpSink.open();
    await using product = await startRouting(rig, {
      clock: systemClock,
      notifications: { subscriptions: [{ events: ['begin'] }] },
      deliverer: { log },
    });
    product.start();
    const { body } = await product.ask('POST', path, { alert_type: 'webhook', target: sink.url });
    await product.ask('POST', path, { alert_type: 'webhook', target: 'http://127.0.0.1:9/token-of-theirs' });
    await rig.taskEnded('n1', 'r1', { status: 'failed', ...train });
    product.engine.nudge();

    await eventually(() =>
      expect(lines).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ level: 30, receiver: `webhook:${body['id']}`, msg: 'notification delivered' }),
          expect.objectContaining({ level: 40, error: 'connection refused' }),
        ]),
      ),
    );
    expect(JSON.stringify(lines)).not.toContain('token-of-theirs');
  });

  it('R67 R68 R73 is listed, added and deleted by the API', async () => {
    await using product = await start();
    const { body } = await product.ask('POST', path, { alert_type: 'webhook', target: 'http://127.0.0.1:9/x' });

    expect((await product.ask('GET', path)).body.items).toEqual([body]);
    expect((await product.ask('GET', '/jobs/ml%2Ftrain/alerts')).body.items).toHaveLength(1);
    expect((await product.ask('DELETE', `/alerts/${body['id']}`)).status).toBe(204);
    expect((await product.ask('DELETE', `/alerts/${body['id']}`)).status).toBe(404);
    expect((await product.ask('GET', path)).body.items).toEqual([]);
    expect((await product.ask('GET', '/jobs/none/alerts')).status).toBe(404);
    expect((await product.ask('POST', path, { alert_type: 'webhook', target: 'ftp://x' })).status).toBe(400);
  });

  it('is of exactly its job, though its name could be read as a pattern', async () => {
    await using sink = await HttpSink.open();
    await using product = await start();
    product.start();
    await rig.taskEnded('n1', 'star', { status: 'completed', job: 'a*' });
    await product.ask('POST', `/jobs/${jobId({ project: null, name: 'a*' })}/alerts`, {
      alert_type: 'webhook',
      target: sink.url,
    });

    await rig.taskEnded('n1', 'r1', { status: 'failed', job: 'ab' });
    await rig.taskEnded('n1', 'r2', { status: 'failed', job: 'a*' });
    product.engine.nudge();

    await eventually(() => expect(sink.bodies).toMatchObject([{ task: { id: 'r2' } }]));
  });
});
