import { readKernelBytes } from './kernel-file.ts';

const AT_PAGESZ = 6n;
const ENTRY_BYTES = 16;

/** What the kernel counts memory pages in (AT_PAGESZ of getauxval(3), from `/proc/self/auxv`), or null when unread. */
export function readPageSizeBytes(root: string): number | null {
  const bytes = readKernelBytes(root, '/proc/self/auxv');
  return bytes === null ? null : parsePageSizeBytes(bytes);
}

/** Pairs of 64-bit words in the machine's order; every architecture Node 20 runs on but s390x is little-endian. */
export function parsePageSizeBytes(bytes: Buffer): number | null {
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    if (bytes.readBigUInt64LE(at) === AT_PAGESZ) return Number(bytes.readBigUInt64LE(at + 8));
    if (bytes.readBigUInt64BE(at) === AT_PAGESZ) return Number(bytes.readBigUInt64BE(at + 8));
  }
  return null;
}
