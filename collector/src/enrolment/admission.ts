import { createHash } from 'node:crypto';
import { agentKeyPrefix, joinTokenPrefix, unknownKeyCode } from '@runnerwatch/shared/protocol/credentials.ts';
import type { AgentRow, EnrollmentRow } from './store.ts';

/** What an agent shows before it says who it is. */
export interface Shown {
  /** Of `Authorization: Bearer …`; null without one. */
  readonly token: string | null;
  /** The key of its own that it brings with a join token. */
  readonly key: string | null;
}

/** On what an agent was let in; its hello is held against it. */
export type Credential =
  /** The token that all agents share. */
  | { readonly kind: 'shared' }
  | { readonly kind: 'key'; readonly nodeId: string }
  | { readonly kind: 'join'; readonly enrollmentId: string; readonly keySha256: string };

export type Admission =
  | { readonly admitted: true; readonly credential: Credential }
  | { readonly admitted: false; readonly status: 401 | 403; readonly code: string; readonly message: string };

export interface Known {
  readonly isSharedToken: (token: string) => boolean;
  /** By the digest of its token. */
  readonly enrollment: (sha256: string) => EnrollmentRow | undefined;
  /** By the digest of its key. */
  readonly agent: (sha256: string) => AgentRow | undefined;
}

/** Whether an agent may come in with what it shows. Instants are epoch milliseconds. */
export function judgeAdmission({ token, key }: Shown, known: Known, now: number): Admission {
  if (token?.startsWith(agentKeyPrefix) === true) return judgeKey(known.agent(sha256(token)));
  if (token?.startsWith(joinTokenPrefix) === true) return judgeJoin({ token, key }, known, now);
  if (token !== null && known.isSharedToken(token)) return { admitted: true, credential: { kind: 'shared' } };
  return refused(
    401,
    'unauthorized',
    'this token does not admit agents here; make one with "runnerwatch enroll create" on the collector',
  );
}

/** What the collector keeps of a token or a key, in hex. 256 random bits need no slow digest. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function judgeKey(agent: AgentRow | undefined): Admission {
  if (agent === undefined)
    return refused(401, unknownKeyCode, "this collector does not know the agent's key; it was made for another one");
  if (agent.revokedAt !== null) return revoked;
  return { admitted: true, credential: { kind: 'key', nodeId: agent.nodeId } };
}

function judgeJoin({ token, key }: { token: string; key: string | null }, known: Known, now: number): Admission {
  if (key === null || !/^rwk_[\w-]{43}$/.test(key))
    return refused(401, 'key_missing', 'a join token takes an agent that brings a key of its own; update the agent');
  const keySha256 = sha256(key);
  // The collector's word on an earlier arrival was lost on the way.
  const agent = known.agent(keySha256);
  if (agent !== undefined) return judgeKey(agent);
  const enrollment = known.enrollment(sha256(token));
  const refusal = enrollment === undefined ? unknownToken : refusalOf(enrollment, now);
  if (enrollment === undefined || refusal !== null) return refusal ?? unknownToken;
  return { admitted: true, credential: { kind: 'join', enrollmentId: enrollment.id, keySha256 } };
}

type Refusal<Code extends string = string> = Extract<Admission, { admitted: false }> & { readonly code: Code };

/** Why this join token admits nobody any more; null while it does. */
export function refusalOf(
  enrollment: EnrollmentRow,
  now: number,
): Refusal<'token_revoked' | 'token_used_up' | 'token_expired'> | null {
  const { revokedAt, expiresAt, uses, usesMax } = enrollment;
  if (revokedAt !== null) return refused(403, 'token_revoked', `this join token was revoked; ${makeAnother}`);
  if (uses >= usesMax)
    return refused(403, 'token_used_up', `this join token has admitted all of its ${usesMax}; ${makeAnother}`);
  if (expiresAt.getTime() <= now)
    return refused(403, 'token_expired', `this join token expired at ${expiresAt.toISOString()}; ${makeAnother}`);
  return null;
}

const makeAnother = 'make another with "runnerwatch enroll create"';
const unknownToken = refused(401, 'unknown_token', `this join token was not made by this collector; ${makeAnother}`);
const revoked = refused(403, 'revoked', 'this agent was revoked here; an operator may approve it again');

function refused<Code extends string>(status: 401 | 403, code: Code, message: string): Refusal<Code> {
  return { admitted: false, status, code, message };
}
