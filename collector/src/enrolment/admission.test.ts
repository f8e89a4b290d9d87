import { describe, expect, it } from 'vitest';
import { judgeAdmission, sha256 } from './admission.ts';
import type { AgentRow, EnrollmentRow } from './store.ts';

const now = Date.UTC(2026, 10, 22, 12);
const joinToken = `rwj_${'j'.repeat(43)}`;
const ownKey = `rwk_${'k'.repeat(43)}`;

function enrollmentOf(changes: Partial<EnrollmentRow> = {}): EnrollmentRow {
  return {
    id: 'e1',
    tokenSha256: sha256(joinToken),
    note: null,
    labels: {},
    usesMax: 1,
    uses: 0,
    createdAt: new Date(now - 1000),
    createdBy: null,
    expiresAt: new Date(now + 1000),
    revokedAt: null,
    ...changes,
  };
}

function agentOf(changes: Partial<AgentRow> = {}): AgentRow {
  const key = { keySha256: sha256(ownKey), enrollmentId: 'e1' };
  return { nodeId: 'n1', ...key, labels: {}, admittedAt: new Date(now), revokedAt: null, ...changes };
}

function judge(
  shown: { token: string | null; key?: string },
  { enrollment, agent }: { enrollment?: EnrollmentRow; agent?: AgentRow } = {},
) {
  return judgeAdmission(
    { token: shown.token, key: shown.key ?? null },
    {
      isSharedToken: (token) => token === 'rwa_shared',
      enrollment: (digest) => (enrollment?.tokenSha256 === digest ? enrollment : undefined),
      agent: (digest) => (agent?.keySha256 === digest ? agent : undefined),
    },
    now,
  );
}

describe('the door of agents', () => {
  it('F052 takes a key it knows after any absence: keys of agents do not expire', () => {
    const admittedAt = new Date(now - 10 * 365 * 86_400_000);

    expect(judge({ token: ownKey }, { agent: agentOf({ admittedAt }) })).toMatchObject({ admitted: true });
  });

  it('takes the shared token, a join token that is good with a key, and a key it knows', () => {
    expect(judge({ token: 'rwa_shared' })).toEqual({ admitted: true, credential: { kind: 'shared' } });
    expect(judge({ token: joinToken, key: ownKey }, { enrollment: enrollmentOf() })).toEqual({
      admitted: true,
      credential: { kind: 'join', enrollmentId: 'e1', keySha256: sha256(ownKey) },
    });
    expect(judge({ token: ownKey }, { agent: agentOf() })).toEqual({
      admitted: true,
      credential: { kind: 'key', nodeId: 'n1' },
    });
  });

  it.each([
    ['unknown_token', 401, undefined],
    ['token_used_up', 403, enrollmentOf({ uses: 1 })],
    ['token_expired', 403, enrollmentOf({ expiresAt: new Date(now) })],
    ['token_revoked', 403, enrollmentOf({ revokedAt: new Date(now - 1) })],
  ] as const)('F050 refuses a join token as %s', (code, status, enrollment) => {
    const answer = judge({ token: joinToken, key: ownKey }, enrollment && { enrollment });

    expect(answer).toMatchObject({ admitted: false, code, status });
  });

  it('knows who has come before by the key, whatever became of the join token', () => {
    const enrollment = enrollmentOf({ uses: 1, expiresAt: new Date(now - 1) });

    expect(judge({ token: joinToken, key: ownKey }, { enrollment, agent: agentOf() })).toMatchObject({
      admitted: true,
      credential: { kind: 'key', nodeId: 'n1' },
    });
  });

  it('refuses who is revoked, who is unknown, and who brings no key or a bad one', () => {
    const agent = agentOf({ revokedAt: new Date(now) });
    expect(judge({ token: ownKey }, { agent })).toMatchObject({ status: 403, code: 'revoked' });
    expect(judge({ token: joinToken, key: ownKey }, { agent })).toMatchObject({ status: 403, code: 'revoked' });
    expect(judge({ token: ownKey })).toMatchObject({ status: 401, code: 'unknown_key' });
    expect(judge({ token: joinToken }, { enrollment: enrollmentOf() })).toMatchObject({ code: 'key_missing' });
    expect(judge({ token: joinToken, key: 'rwk_x' }, { enrollment: enrollmentOf() })).toMatchObject({
      code: 'key_missing',
    });
    expect(judge({ token: null })).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(judge({ token: 'rwp_of-a-person' })).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});
