import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/*
 * A token is 256 random bits, so a plain digest is enough to store: there is nothing to guess and nothing to slow down.
 * The file on this machine holds the token itself; the database holds digests only. The file is written first:
 * a death between the two leaves a token that the next start adopts.
 */

export type TokenKind = 'agent' | 'api';

/** What the database knows of one token. */
export interface StoredToken {
  /** Hex. */
  readonly sha256: string;
  readonly created_at: string;
}

export interface TokenStore {
  load(kind: TokenKind): Promise<readonly StoredToken[]>;
  save(kind: TokenKind, tokens: readonly StoredToken[]): Promise<void>;
}

export interface EnsuredToken {
  readonly token: string;
  readonly file: string;
  readonly isNew: boolean;
  /** Every token of this kind that admits, to be given to {@link createTokenCheck}. */
  readonly accepted: readonly StoredToken[];
  /** The file was open to others and has been closed. */
  readonly wasExposed: boolean;
}

/** A token file that holds no token. The message says what to do. */
export class TokenFileError extends Error {
  readonly file: string;

  constructor(file: string, message: string) {
    super(message);
    this.name = 'TokenFileError';
    this.file = file;
  }
}

/** Keeps the number of tokens a lost data directory can leave behind within bounds. */
const acceptedAtMost = 16;

/**
 * Makes sure that there is a token in `file` (mode 0600) and that the database admits it. A file put there by a person is
 * taken over as it is. A file that is gone is replaced by a new token; tokens handed out before go on admitting.
 * Throws {@link TokenFileError}, or the file system's error.
 */
export async function ensureToken(options: {
  readonly store: TokenStore;
  readonly file: string;
  readonly kind: TokenKind;
  readonly now: number;
}): Promise<EnsuredToken> {
  const { store, file, kind, now } = options;
  const found = await readTokenFile(file);
  const token = found?.token ?? newToken(kind);
  if (found === null) await writeTokenFile(file, token);
  const stored = await store.load(kind);
  const sha256 = digestOf(token);
  const isKnown = stored.some((known) => known.sha256 === sha256);
  const accepted = isKnown
    ? stored
    : [...stored, { sha256, created_at: new Date(now).toISOString() }].slice(-acceptedAtMost);
  if (!isKnown) await store.save(kind, accepted);
  return { token, file, isNew: found === null, accepted, wasExposed: found?.wasExposed ?? false };
}

/** `rwa_…` admits agents, `rwp_…` people and their scripts: whoever mixes them up sees it. */
export function newToken(kind: TokenKind): string {
  return `${kind === 'agent' ? 'rwa' : 'rwp'}_${randomBytes(32).toString('base64url')}`;
}

/** Is the presented token one of the accepted? One digest, and a comparison that takes the same time for every answer. */
export function checkToken(presented: string, accepted: readonly StoredToken[]): boolean {
  return createTokenCheck(accepted)(presented);
}

/** {@link checkToken} with its digests decoded once. Touches neither disk nor database. */
export function createTokenCheck(accepted: readonly StoredToken[]): (presented: string) => boolean {
  const digests = accepted.map((token) => Buffer.from(token.sha256, 'hex')).filter((bytes) => bytes.length === 32);
  return (presented) => {
    const offered = digest(presented);
    let isAccepted = false;
    for (const known of digests) isAccepted = timingSafeEqual(offered, known) || isAccepted;
    return isAccepted;
  };
}

/** What is kept of a token, in hex. */
export function digestOf(token: string): string {
  return digest(token).toString('hex');
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

async function readTokenFile(file: string): Promise<{ token: string; wasExposed: boolean } | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const token = text.trim();
  if (!/^[\w.~+/=-]{32,512}$/.test(token)) {
    throw new TokenFileError(
      file,
      `${file} holds no token (one line of at least 32 letters and digits); put one there, or delete the file to have a new one made`,
    );
  }
  const wasExposed = ((await stat(file)).mode & 0o077) !== 0;
  if (wasExposed) await chmod(file, 0o600);
  return { token, wasExposed };
}

async function writeTokenFile(file: string, token: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
