import { describe, expect, it } from 'vitest';
import { createCredential } from './credential.ts';

const joinToken = `rwj_${'a'.repeat(43)}`;

function aDisk(text: string | null = null) {
  const disk = { text, load: () => disk.text, save: (next: string) => void (disk.text = next) };
  return disk;
}

describe('what an agent shows', () => {
  it('is the shared token, as it is', () => {
    const disk = aDisk();
    const credential = createCredential({ token: 'rwa_x', ...disk });

    expect(credential.show()).toEqual({ token: 'rwa_x', key: null });
    credential.welcomed();
    expect(disk.text).toBeNull();
  });

  it('is its join token with a key of its own until it is welcomed, then the key alone, also in its next life', () => {
    const disk = aDisk();
    const credential = createCredential({ token: joinToken, ...disk });

    const first = credential.show();
    expect(first).toEqual({ token: joinToken, key: expect.stringMatching(/^rwk_[\w-]{43}$/) });
    expect(credential.show()).toEqual(first);

    credential.welcomed();
    expect(credential.show()).toEqual({ token: first.key, key: null });
    expect(createCredential({ token: joinToken, ...disk }).show()).toEqual({ token: first.key, key: null });
    expect(createCredential({ token: '', ...disk }).show()).toEqual({ token: first.key, key: null });
  });

  it('F056 is nothing while its key cannot be kept, and the join token once it can', () => {
    let isFull = true;
    const disk = aDisk();
    const save = (text: string) => {
      if (isFull) throw new Error('ENOSPC');
      disk.save(text);
    };
    const credential = createCredential({ token: joinToken, load: disk.load, save });

    expect(() => credential.show()).toThrow('ENOSPC');
    isFull = false;
    expect(credential.show().token).toBe(joinToken);
  });

  it('F053 is the join token again only when the collector says that it does not know the key', () => {
    const disk = aDisk();
    const credential = createCredential({ token: joinToken, ...disk });
    const { key } = credential.show();
    credential.welcomed();

    for (const code of [null, 'unauthorized', 'revoked', 'token_expired']) {
      credential.refused(code);
      expect(credential.show()).toEqual({ token: key, key: null });
    }
    credential.refused('unknown_key');
    expect(credential.show()).toEqual({ token: joinToken, key });
  });

  it('is the shared token of a collector that the node was moved to, in every life', () => {
    const disk = aDisk();
    const before = createCredential({ token: joinToken, ...disk });
    before.show();
    before.welcomed();

    for (let life = 0; life < 2; life += 1) {
      const moved = createCredential({ token: 'rwa_other', ...disk });
      expect(moved.show().token).toMatch(/^rwk_/);
      moved.refused('unknown_key');
      expect(moved.show()).toEqual({ token: 'rwa_other', key: null });
      moved.welcomed();
      expect(moved.show()).toEqual({ token: 'rwa_other', key: null });
    }
  });

  it('is a new key when what was kept is damaged', () => {
    const credential = createCredential({ token: joinToken, ...aDisk('{"key":"rwk_') });

    expect(credential.show().token).toBe(joinToken);
  });
});
