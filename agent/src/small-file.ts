import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { isOutOfDescriptors, sparing, sparingLater } from './proc/descriptors.ts';

/** The text of a small file of ours; null when it is not there or cannot be read. @throws when only a descriptor is missing: it is not to be taken for absent. */
export function readSmallFile(path: string): string | null {
  try {
    return sparing(() => readFileSync(path, 'utf8'));
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return null;
  }
}

/** Replaces a small file for good: whoever reads it sees the old text or the new one, also after a power cut. One at a time of each file. */
export async function replaceSmallFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await sparingLater(() => open(temporary, 'w', 0o600));
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** {@link replaceSmallFile}, while everything else stands still: for what must be on disk before anything else happens. */
export function writeSmallFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = sparing(() => openSync(temporary, 'w', 0o600));
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
