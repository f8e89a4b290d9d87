import { resourceRoutes } from '@runnerwatch/collector/api/resources.ts';
import { deleteAuditBefore, insertAudit } from '@runnerwatch/collector/people/audit.ts';
import type { PeopleRegister } from '@runnerwatch/collector/people/register.ts';
import { newToken } from '@runnerwatch/collector/people/tokens.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { unconnectedParts } from '../support/api-document.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { TestDatabase } from '../support/database.ts';
import { aRegister } from '../support/enrolment.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { aPeopleRegister } from '../support/people.ts';
import { routingParts } from '../support/routing-parts.ts';

interface Person {
  id: string;
  name: string;
  role: string;
  state: string;
  last_used_at: string | null;
  expires_at: string | null;
  token: string;
}

interface Entry {
  person: string | null;
  method: string;
  route: string;
  subject: string | null;
  outcome: string;
  address: string;
}

describeOnDatabases('people and their roles', (kind) => {
  const collectorToken = newToken('api');
  let test: TestDatabase;
  let register: PeopleRegister;
  let api: TestApi;
  let ahead = 0;
  const now = () => Date.now() + ahead;

  beforeAll(async () => {
    test = await TestDatabase.start(kind);
    const queries = test.database.drizzle;
    register = aPeopleRegister(queries, { collectorToken, now });
    let count = 0;
    api = await startApi({
      routes: resourceRoutes({
        ...unconnectedParts(),
        ...routingParts(test.database, { now }),
        pings: { queries, clock: systemClock, onTaken: () => undefined },
        enrollments: {
          queries,
          register: aRegister(test.database),
          connected: () => [],
          onRevoked: () => undefined,
          now,
        },
        people: { people: register, now },
        audit: { queries, now },
      }),
      auth: {
        now,
        findAsker: (presented) => register.find(presented),
        isStill: (asker) => register.isStill(asker),
      },
      audit: {
        write: (entry) =>
          insertAudit(queries, { ...entry, id: String((count += 1)).padStart(8, '0'), at: new Date(now()) }),
      },
    });
  });
  beforeEach(() => {
    ahead += 120_000;
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await test[Symbol.asyncDispose]();
  });

  const ask = async <T>(
    method: string,
    path: string,
    { token, body, from }: { token?: string; body?: object; from?: string } = {},
  ): Promise<{ status: number; body: T & { error?: { code: string; message: string; field?: string } } }> => {
    const answer = await fetch(`${api.url}/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(from === undefined ? {} : { 'x-forwarded-for': from }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: JSON.parse(text || '{}') };
  };
  const add = async (name: string, role: string, expires_in?: string) => {
    const { status, body } = await ask<Person>('POST', '/people', {
      body: { name, role, ...(expires_in === undefined ? {} : { expires_in }) },
    });
    expect(status).toBe(201);
    return body;
  };
  const list = async () => (await ask<{ items: Person[] }>('GET', '/people')).body.items;
  const trail = async (query = '') => (await ask<{ items: Entry[] }>('GET', `/audit${query}`)).body.items;
  /** Resolves when the collector ends it. */
  const openStream = async (token: string) => {
    const answer = await fetch(`${api.url}/api/v1/stream`, { headers: { authorization: `Bearer ${token}` } });
    const body = answer.body?.getReader();
    await body?.read();
    const ended = (async () => {
      while (body !== undefined && !(await body.read()).done);
    })().catch(() => undefined);
    return { status: answer.status, ended };
  };

  it('shows a token once, keeps only its digest, and knows its person from then on, also after a restart', async () => {
    const ada = await add('Ada L.', 'operator', '90d');

    expect(ada.token).toMatch(/^rwp_[\w-]{43}$/);
    expect((await ask('GET', '/me', { token: ada.token })).body).toEqual({
      name: 'Ada L.',
      role: 'operator',
      kind: 'person',
    });
    expect((await ask('GET', '/me')).body).toEqual({ name: null, role: 'admin', kind: 'local' });
    expect((await ask('GET', '/me', { token: collectorToken })).body).toMatchObject({ kind: 'collector_token' });
    const [listed] = await list();
    expect(listed).toMatchObject({ name: 'Ada L.', role: 'operator', state: 'active' });
    expect(Date.parse(listed?.expires_at ?? '') - now()).toBeGreaterThan(89 * 86_400_000);
    await eventually(async () => expect((await list())[0]?.last_used_at).not.toBeNull());
    const restarted = aPeopleRegister(test.database.drizzle, { now });
    await restarted.open();
    expect(restarted.find(ada.token)).toMatchObject({ name: 'Ada L.' });
    const stored = JSON.stringify([await test.database.sql`select * from people`, await trail()]);
    expect(stored).toContain('Ada L.');
    expect(stored).not.toContain(ada.token);
  });

  it('takes no name twice, none that nobody could tell apart from ours, and none that is no name', async () => {
    await add('grace', 'viewer');

    const answers = await Promise.all(
      ['grace', 'local', 'API.token', '', '-x', 'a\u202Eb', '<b>', 'x'.repeat(101)].map((name) =>
        ask('POST', '/people', { body: { name, role: 'viewer' } }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([409, 400, 400, 400, 400, 400, 400, 400]);
    expect(answers.slice(1).every(({ body }) => body.error?.field === 'name')).toBe(true);
  });

  it('F119 gives another role from the next request on, and takes a token away', async () => {
    const { id, token } = await add('linus', 'viewer');
    const silence = { matchers: { node: 'n1' }, reason: 'x', for: '1h' };

    expect((await ask('POST', '/silences', { token, body: silence })).body.error).toEqual({
      code: 'forbidden',
      message:
        'this takes the role operator, and linus is viewer; ask an admin for `runnerwatch people set linus --role operator`',
    });
    expect((await ask('PATCH', `/people/${id}`, { body: { role: 'operator' } })).status).toBe(200);
    expect((await ask('POST', '/silences', { token, body: silence })).status).toBe(201);
    expect((await ask('POST', '/people', { token, body: { name: 'x', role: 'admin' } })).status).toBe(403);
    expect((await ask('DELETE', `/people/${id}`)).status).toBe(204);
    expect((await ask('GET', '/me', { token })).status).toBe(401);
    expect((await ask('DELETE', `/people/${id}`)).status).toBe(404);
  });

  it('takes a token away although the answer to an earlier removal was lost', async () => {
    const { id, token } = await add('alan', 'admin');
    await test.database.sql`delete from people where id = ${id}`;

    expect((await ask('GET', '/me', { token })).status).toBe(200);
    expect((await ask('DELETE', `/people/${id}`)).status).toBe(404);
    expect((await ask('GET', '/me', { token })).status).toBe(401);
  });

  it("writes down the token's person as the author, whatever the request claims", async () => {
    const { token } = await add('margaret', 'admin');
    const matchers = { node: 'n1' };

    const made = [
      await ask('POST', '/silences', { token, body: { matchers, author: 'somebody', reason: 'x', for: '1h' } }),
      await ask('POST', '/silences', { body: { matchers, author: 'somebody', reason: 'x', for: '1h' } }),
      await ask('POST', '/subscriptions', { token, body: { created_by: 'somebody' } }),
      await ask('POST', '/watches', { token, body: { started_by: 'somebody' } }),
      await ask('POST', '/enrollments', { token, body: {} }),
      await ask('POST', '/enrollments', { body: {} }),
    ];

    expect(made.map(({ body }) => ({ ...body }))).toMatchObject([
      { author: 'margaret' },
      { author: 'somebody' },
      { created_by: 'margaret' },
      { started_by: 'margaret' },
      { created_by: 'margaret' },
      { created_by: 'local' },
    ]);
    const nobody = await ask('POST', '/silences', { body: { matchers, reason: 'x', for: '1h' } });
    expect(nobody).toMatchObject({ status: 400, body: { error: { field: 'author' } } });
  });

  it('tells in the audit trail who changed what from where, and who was not let, page by page', async () => {
    const { id, token } = await add('edsger', 'operator');
    const body = { matchers: { node: 'n1' }, reason: 'canary-in-the-body', for: '1h' };
    const { body: silence } = await ask<{ id: string }>('POST', '/silences', { token, body, from: '203.0.113.7' });
    await ask('POST', '/silences?dry_run', { token, body });
    await ask('DELETE', `/silences/${silence.id}`, { token });
    await ask('DELETE', '/silences/none', { token });
    await ask('DELETE', '/nodes/gpu%00-7', { token });
    await ask('GET', '/people', { token });
    await ask('GET', '/silences', { token });
    await ask('PATCH', `/people/${id}`, { body: { role: 'viewer' } });

    const entries = await trail('?person=edsger');

    expect(entries.map(({ method, route, subject, outcome }) => [method, route, subject, outcome])).toEqual([
      ['GET', '/people', null, 'refused'],
      ['DELETE', '/nodes/{id}', 'gpu-7', 'refused'],
      ['DELETE', '/silences/{id}', 'none', 'invalid'],
      ['DELETE', '/silences/{id}', silence.id, 'done'],
      ['POST', '/silences', 'dry run', 'done'],
      ['POST', '/silences', silence.id, 'done'],
    ]);
    expect(entries.at(-1)).toMatchObject({ address: '203.0.113.7', role: 'operator', status: 201 });
    expect((await trail())[0]).toMatchObject({ person: 'local', subject: 'edsger: viewer', route: '/people/{id}' });
    expect(JSON.stringify(await trail())).not.toContain('canary');
    const first = await ask<{ items: Entry[]; next_cursor: string }>('GET', '/audit?person=edsger&limit=4');
    const second = await ask<{ items: Entry[]; next_cursor: null }>(
      'GET',
      `/audit?person=edsger&limit=4&cursor=${first.body.next_cursor}`,
    );
    expect([...first.body.items, ...second.body.items]).toEqual(entries);
    expect(second.body.next_cursor).toBeNull();
  });

  it('forgets the audit trail before a day, in steps', async () => {
    const queries = test.database.drizzle;
    const before = new Date('2020-01-02T00:00:00.000Z');
    const entry = { person: 'old', role: null, address: null, method: 'POST', route: '/x', subject: null, status: 200 };
    for (const id of ['a', 'b', 'c']) await insertAudit(queries, { ...entry, id, at: new Date(before.getTime() - 1) });

    const deleted = [await deleteAuditBefore(queries, before, 2), await deleteAuditBefore(queries, before, 2)];

    expect(deleted).toEqual([2, 1]);
    expect(await trail('?person=old')).toEqual([]);
    expect((await trail()).length).toBeGreaterThan(0);
  });

  it('F122 ends the streams of a token that is removed, gets another role or expires, within five seconds', async () => {
    const [removed, lowered, expiring, staying] = await Promise.all([
      add('removed', 'admin'),
      add('lowered', 'admin'),
      add('expiring', 'viewer', '30m'),
      add('staying', 'viewer', '2h'),
    ]);
    const streams = await Promise.all([removed, lowered, expiring, staying].map(({ token }) => openStream(token)));
    let isStaying = true;
    void streams[3]?.ended.then(() => {
      isStaying = false;
    });
    const changedAt = performance.now();

    await ask('DELETE', `/people/${removed.id}`);
    await ask('PATCH', `/people/${lowered.id}`, { body: { role: 'viewer' } });
    ahead += 31 * 60_000;
    await Promise.all(streams.slice(0, 3).map(({ ended }) => ended));

    expect(performance.now() - changedAt).toBeLessThan(5000);
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(isStaying).toBe(true);
    expect((await ask('GET', '/me', { token: expiring.token })).status).toBe(401);
    expect((await ask('GET', '/me', { token: lowered.token })).body).toMatchObject({ role: 'viewer' });
    expect((await list()).find(({ name }) => name === 'expiring')).toMatchObject({ state: 'expired' });
    await ask('DELETE', `/people/${staying.id}`);
    await streams[3]?.ended;
  });

  it('F120 judges ten of a hundred wrong tokens at once, and goes on serving others', async () => {
    const { token } = await add('barbara', 'viewer');
    const from = '203.0.113.66';

    const guesses = await Promise.all(
      Array.from({ length: 100 }, (_, number) => ask('GET', '/me', { token: `rwp_${number}`, from })),
    );

    const statuses = guesses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(90);
    expect((await ask('GET', '/me', { token, from })).status).toBe(200);
    expect((await ask('GET', '/me', { token, from: '203.0.113.67' })).status).toBe(200);
    expect((await ask('GET', '/me', { token })).status).toBe(200);
    expect((await ask('GET', '/me')).status).toBe(200);
    expect((await trail()).filter(({ outcome }) => outcome === 'wrong_tokens')).toMatchObject([
      { person: null, address: from, route: '/me' },
    ]);
    ahead += 60_000;
    expect((await ask('GET', '/me', { token: 'rwp_late', from })).status).toBe(401);
  });

  it('F120 answers every kind of wrong token alike', async () => {
    const { id, token: removed } = await add('gone', 'admin');
    const { token: expired } = await add('late', 'admin', '1m');
    await ask('DELETE', `/people/${id}`);
    ahead += 61_000;

    const answers = await Promise.all(
      [removed, expired, newToken('api'), newToken('agent'), 'x'].map((token) => ask('GET', '/me', { token })),
    );

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
  });

  it('shows a viewer no address that may be a secret', async () => {
    const { token } = await add('reader', 'viewer');
    const { token: operator } = await add('writer', 'operator');
    const job = encodeURIComponent('lm/nightly');
    await ask('POST', `/ping/${job}`, { token: operator });
    const target = 'http://127.0.0.1:9/hook/canary-token';
    const made = await ask('POST', `/jobs/${job}/alerts`, { token: operator, body: { alert_type: 'webhook', target } });

    const [read, written] = await Promise.all(
      [token, operator].map((one) =>
        ask<{ items: { target: string }[] }>('GET', `/jobs/${job}/alerts`, { token: one }),
      ),
    );

    expect(made.status).toBe(201);
    expect(read?.body.items).toMatchObject([{ target: 'http://127.0.0.1:9/…' }]);
    expect(written?.body.items).toMatchObject([{ target }]);
  });
});
