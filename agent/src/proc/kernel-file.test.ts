import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readKernelBytes, readKernelFile, readKernelRecord } from './kernel-file.ts';

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
