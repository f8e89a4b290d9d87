import { constants, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { closeSparing, isOutOfDescriptors, openSparing } from '../../proc/descriptors.ts';
import { type FactFile, factFile, MAX_FACT_BYTES } from './fact-file.ts';

export type ReadFactFile =
  | { readonly kind: 'fact'; readonly file: FactFile }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'gone' }
  /** For want of a file descriptor; later it may be. */
  | { readonly kind: 'unread' };

/**
 * Reads a file anybody may have put there: no link is followed, nothing but a regular file of its own (not a second name
 * of another one) is read, a pipe does not make us wait, and no more than 256 KiB is taken in.
 */
export function readFactFile(directory: string, name: string): ReadFactFile {
  let fd: number;
  try {
    fd = openSparing(join(directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT') return { kind: 'gone' };
    if (isOutOfDescriptors(error)) return { kind: 'unread' };
    return { kind: 'refused', reason: code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened: ${code}` };
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { kind: 'refused', reason: 'it is no regular file' };
    if (stat.nlink > 1) return { kind: 'refused', reason: 'it has a second name' };
    if (stat.size > MAX_FACT_BYTES) return { kind: 'refused', reason: `it is larger than ${MAX_FACT_BYTES} bytes` };
    return parseFactFile(readWhole(fd, stat.size), name);
  } catch (error) {
    return { kind: 'refused', reason: `it cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    closeSparing(fd);
  }
}

/** The file's name must be the one its content asks for, so that settling a run removes just its own files. */
export function parseFactFile(text: string, name: string): ReadFactFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refused', reason: 'it is no JSON' };
  }
  const parsed = factFile.safeParse(value);
  if (!parsed.success)
    return {
      kind: 'refused',
      reason: `field ${parsed.error.issues[0]?.path.join('.') || '(whole)'}: ${parsed.error.issues[0]?.message}`,
    };
  const file = parsed.data;
  const expected = `${file.run_id}.${file.ended === null ? 'begin' : 'end'}.json`;
  return name === expected ? { kind: 'fact', file } : { kind: 'refused', reason: 'its name and its content disagree' };
}

function readWhole(fd: number, sizeBytes: number): string {
  const buffer = Buffer.alloc(sizeBytes);
  let gotBytes = 0;
  while (gotBytes < sizeBytes) {
    const count = readSync(fd, buffer, gotBytes, sizeBytes - gotBytes, gotBytes);
    if (count === 0) break;
    gotBytes += count;
  }
  return buffer.toString('utf8', 0, gotBytes);
}
