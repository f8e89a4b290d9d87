import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkToken,
  createTokenCheck,
  ensureToken,
  newToken,
  type StoredToken,
  TokenFileError,
  type TokenKind,
  type TokenStore,
} from './tokens.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tokens-'));
});
afterEach(() => rm(dir, { recursive: true }));

const now = Date.parse('2026-11-22T04:00:00.000Z');

function memoryStore(): TokenStore & { saved: Map<TokenKind, readonly StoredToken[]> } {
  const saved = new Map<TokenKind, readonly StoredToken[]>();
  return {
    saved,
    load: async (kind) => saved.get(kind) ?? [],
    save: async (kind, tokens) => void saved.set(kind, tokens),
  };
}

describe('ensureToken', () => {
  it('makes a token at the first start, readable by its owner alone, and stores only its digest', async () => {
    const store = memoryStore();
    const file = join(dir, 'collector', 'api.token');

    const made = await ensureToken({ store, file, kind: 'api', now });

    expect(made.isNew).toBe(true);
    expect((await readFile(file, 'utf8')).trim()).toBe(made.token);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(store.saved.get('api'))).not.toContain(made.token);
    expect(checkToken(made.token, made.accepted)).toBe(true);
  });

  it('keeps the token at the next start', async () => {
    const store = memoryStore();
    const file = join(dir, 'api.token');

    const first = await ensureToken({ store, file, kind: 'api', now });
    const second = await ensureToken({ store, file, kind: 'api', now });

    expect(second).toMatchObject({ token: first.token, isNew: false, accepted: first.accepted });
  });

  it('adopts the file when the database was lost, and goes on admitting old tokens when the file was lost', async () => {
    const file = join(dir, 'agent.token');
    const before = await ensureToken({ store: memoryStore(), file, kind: 'agent', now });
    const store = memoryStore();

    const adopted = await ensureToken({ store, file, kind: 'agent', now });
    await rm(file);
    const replaced = await ensureToken({ store, file, kind: 'agent', now });

    expect(adopted.token).toBe(before.token);
    expect(replaced.token).not.toBe(before.token);
    expect(checkToken(before.token, replaced.accepted)).toBe(true);
    expect(checkToken(replaced.token, replaced.accepted)).toBe(true);
  });

  it('closes a file that others could read, and says so', async () => {
    const file = join(dir, 'api.token');
    await writeFile(file, `${newToken('api')}\n`);
    await chmod(file, 0o644);

    const found = await ensureToken({ store: memoryStore(), file, kind: 'api', now });

    expect(found.wasExposed).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('says what to do about a file that holds no token', async () => {
    const file = join(dir, 'api.token');
    await writeFile(file, 'short\n', { mode: 0o600 });

    await expect(ensureToken({ store: memoryStore(), file, kind: 'api', now })).rejects.toThrow(TokenFileError);
  });
});

describe('checkToken', () => {
  it('refuses every other token', async () => {
    const { accepted, token } = await ensureToken({ store: memoryStore(), file: join(dir, 't'), kind: 'api', now });

    expect(checkToken(`${token}x`, accepted)).toBe(false);
    expect(checkToken('', accepted)).toBe(false);
    expect(checkToken(token, [])).toBe(false);
    expect(checkToken(token, [{ sha256: 'ab', created_at: '' }])).toBe(false);
  });

  it('F121 judges 5,000 bad tokens in well under a second, without asking disk or database', async () => {
    const { accepted } = await ensureToken({ store: memoryStore(), file: join(dir, 't'), kind: 'api', now });
    const isToken = createTokenCheck(accepted);
    const startedAt = performance.now();

    const admitted = Array.from({ length: 5000 }, (_, number) => isToken(`rwp_${number}`)).filter(Boolean);

    expect(admitted).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
