import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../../collector/src/enrolment/admission.ts';
import type { AgentRegister } from '../../collector/src/enrolment/register.ts';
import { TestDatabase } from '../support/database.ts';
import { aRegister } from '../support/enrolment.ts';
import { describeOnDatabases } from '../support/on-databases.ts';

const keyOf = (letter: string) => `rwk_${letter.repeat(43)}`;

describeOnDatabases('the register of agents', (kind) => {
  let test: TestDatabase;
  let register: AgentRegister;
  beforeAll(async () => {
    test = await TestDatabase.start(kind);
    register = aRegister(test.database, { sharedToken: 'rwa_shared' });
  });
  afterAll(() => test[Symbol.asyncDispose]());

  const made = async (id: string, usesMax = 1) =>
    register.enroll({
      id,
      note: null,
      labels: {},
      usesMax,
      createdBy: 'ada',
      expiresAt: new Date(Date.now() + 60_000),
    });
  /** Knocks and says hello. */
  const come = async (nodeId: string, token: string, key: string | null = null) => {
    const admission = register.admit({ token, key });
    if (!admission.admitted) return admission.code;
    try {
      const isNew = await test.database.drizzle.transaction((tx) => register.settle(tx, admission.credential, nodeId));
      if (isNew) await register.refresh();
      return isNew ? 'new' : 'known';
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };

  it('takes one use for one key, also when the answer to the first arrival was lost', async () => {
    const { token } = await made('once');

    expect(await come('n1', token, keyOf('a'))).toBe('new');
    expect(await come('n1', token, keyOf('a'))).toBe('known');
    expect(await come('n1', keyOf('a'))).toBe('known');
    expect(await come('n2', token, keyOf('b'))).toBe('token_used_up');
  });

  it('gives the last use to one of two that come at once', async () => {
    const { token } = await made('race');

    const answers = await Promise.all([come('r1', token, keyOf('r')), come('r2', token, keyOf('s'))]);

    expect(answers.toSorted()).toEqual(['new', 'token_used_up']);
  });

  it('F055 refuses the key of one node to another, and a node with a key to whoever shows none', async () => {
    expect(await come('n9', keyOf('a'))).toBe('foreign_key');
    expect(await come('n1', 'rwa_shared')).toBe('key_needed');
    expect(await come('n1', (await made('more', 5)).token, keyOf('z'))).toBe('key_needed');
    expect(await come('n8', 'rwa_shared')).toBe('known');
  });

  it('lets a revoked agent in again only when it is approved, also one with the shared token', async () => {
    await register.revokeAgent('n1');
    await register.revokeAgent('n8');
    expect([await come('n1', keyOf('a')), await come('n8', 'rwa_shared')]).toEqual(['revoked', 'revoked']);

    expect(await register.approveAgent('n1')).toBe(true);
    expect(await register.approveAgent('n8')).toBe(true);
    expect(await register.approveAgent('n8')).toBe(false);
    expect([await come('n1', keyOf('a')), await come('n8', 'rwa_shared')]).toEqual(['known', 'known']);
  });

  it('keeps digests only, and knows everybody again after a restart', async () => {
    const { token, row } = await made('kept');
    expect(row.tokenSha256).toBe(sha256(token));

    register = aRegister(test.database, { sharedToken: 'rwa_shared' });
    await register.refresh();

    expect(await come('n1', keyOf('a'))).toBe('known');
    expect(await come('k1', token, keyOf('k'))).toBe('new');
    expect(await register.revokeToken('kept')).toBe(true);
    expect(await register.revokeToken('kept')).toBe(false);
    expect(await come('k1', keyOf('k'))).toBe('known');
  });

  it('F054 answers bad tokens from memory, though the database is gone', async () => {
    await test.database.close();

    const codes = Array.from({ length: 1000 }, (_, n) => register.admit({ token: `rwj_${n}`, key: keyOf('x') }));

    expect(new Set(codes.map((answer) => (answer.admitted ? 'in' : answer.code)))).toEqual(new Set(['unknown_token']));
  });
});
