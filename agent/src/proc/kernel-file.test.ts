import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readKernelBytes, readKernelFile, readKernelRecord, StandingKernelFile } from './kernel-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'kernel-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('reading a kernel file', () => {
  it('reads a file larger than its buffer whole', () => {
    writeFileSync(join(folder, 'large'), 'é'.repeat(50_000));

    expect(readKernelFile(folder, '/large')).toBe('é'.repeat(50_000));
  });

  it('keeps two readings apart although they share a buffer', () => {
    writeFileSync(join(folder, 'one'), 'first');
    writeFileSync(join(folder, 'two'), '2');

    const one = readKernelBytes(folder, '/one');
    const two = readKernelRecord(folder, '/two');

    expect(one?.toString()).toBe('first');
    expect(two).toBe('2');
  });

  it('F044 answers null for what is absent, a folder, or more than any kernel file', () => {
    writeFileSync(join(folder, 'huge'), Buffer.alloc(4 * 1024 * 1024 + 1));

    expect(readKernelFile(folder, '/absent')).toBeNull();
    expect(readKernelFile(folder, '/')).toBeNull();
    expect(readKernelFile(folder, '/huge')).toBeNull();
  });
});

describe('a standing kernel file', () => {
  const same = (text: string) => text;

  it('reads what the text says now, whole, however large', () => {
    const file = new StandingKernelFile(folder, '/standing', 'many');
    expect(file.read(same)).toBeNull();

    for (const text of ['one', 'x'.repeat(70_000), 'é']) {
      writeFileSync(join(folder, 'standing'), text);
      expect(file.read(same)).toBe(text);
    }
    file.close();
  });

  it('takes one piece that fills the buffer for the beginning of a larger one', () => {
    const piece = new StandingKernelFile(folder, '/piece', 'one');
    writeFileSync(join(folder, 'piece'), 'y'.repeat(300_000));

    expect(piece.read(same)).toHaveLength(300_000);
    piece.close();
  });

  it('holds one descriptor, and none when it is closed, twice without harm; then it is opened anew', () => {
    const held = () => readdirSync('/proc/self/fd').length;
    const before = held();
    const file = new StandingKernelFile('/', '/proc/uptime', 'one');

    expect([file.read(same), file.read(same)].every((text) => /^\d/.test(text ?? ''))).toBe(true);
    expect(held()).toBe(before + 1);
    file.close();
    file.close();
    expect(held()).toBe(before);
    expect(file.read(same)).not.toBeNull();
    file.close();
  });
});
