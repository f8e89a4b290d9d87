import { expect, it } from 'vitest';
import { fixtureTree } from '../../../test/fixtures/proc/trees.ts';
import { parsePageSizeBytes, readPageSizeBytes } from './page-size.ts';

it('reads the page size that the kernel gave this process', () => {
  expect(readPageSizeBytes(fixtureTree('debian-12'))).toBe(4096);
});

it('reads it in either byte order', () => {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64BE(6n, 0);
  bytes.writeBigUInt64BE(65_536n, 8);

  expect(parsePageSizeBytes(bytes)).toBe(65_536);
});

it('F044 has none where it is not told', () => {
  expect(readPageSizeBytes('/nowhere')).toBeNull();
  expect(parsePageSizeBytes(Buffer.alloc(40))).toBeNull();
});
