import { randomBytes } from 'node:crypto';
import { agentKeyPrefix, joinTokenPrefix, unknownKeyCode } from '@runnerwatch/shared/protocol/credentials.ts';

/** What the agent shows at a collector's door. */
export interface Shown {
  readonly token: string;
  /** With a join token: the key that it will show from then on. */
  readonly key: string | null;
}

export interface Credential {
  /** For the next connection. @throws Error when the agent's key cannot be kept: it must not be lost once it is known. */
  show(): Shown;
  /** The collector welcomed what was shown. */
  welcomed(): void;
  /** The collector refused what was shown, with the code of its answer. */
  refused(code: string | null): void;
}

export interface CredentialOptions {
  /** `token` of the configuration. */
  readonly token: string;
  /** What was kept of an earlier life; null: nothing. */
  readonly load: () => string | null;
  /** For good, readable by nobody else. */
  readonly save: (text: string) => unknown;
}

/**
 * A token that all agents share is shown as it is. With a join token the agent makes a key of its own, keeps it before anybody
 * hears of it, shows both until it is welcomed, and then the key alone. Only a collector that says it does not know the key is
 * shown the configured token again.
 */
export function createCredential({ token, load, save }: CredentialOptions): Credential {
  let kept = readKept(load());
  const isJoining = token.startsWith(joinTokenPrefix);
  if (kept === null && !isJoining) return { show: () => ({ token, key: null }), welcomed: () => {}, refused: () => {} };
  const keep = (next: Kept) => {
    save(`${JSON.stringify({ version: 1, key: next.key, is_known: next.isKnown })}\n`);
    kept = next;
  };
  return {
    show: () => {
      if (kept === null) keep({ key: `${agentKeyPrefix}${randomBytes(32).toString('base64url')}`, isKnown: false });
      const { key, isKnown } = kept ?? { key: '', isKnown: false };
      return isKnown ? { token: key, key: null } : { token, key: isJoining ? key : null };
    },
    welcomed: () => {
      if (isJoining && kept !== null && !kept.isKnown) keep({ ...kept, isKnown: true });
    },
    refused: (code) => {
      if (code === unknownKeyCode && kept?.isKnown === true && token !== '') kept = { ...kept, isKnown: false };
    },
  };
}

interface Kept {
  readonly key: string;
  readonly isKnown: boolean;
}

/** Null for anything that {@link createCredential} did not write. */
function readKept(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== 'object' || raw === null || !('key' in raw) || !('is_known' in raw)) return null;
    const { key, is_known: isKnown } = raw;
    return typeof key === 'string' && /^rwk_[\w-]{43}$/.test(key) ? { key, isKnown: isKnown === true } : null;
  } catch {
    return null;
  }
}
