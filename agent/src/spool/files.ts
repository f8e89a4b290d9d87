import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sparingLater } from '../proc/descriptors.ts';

/** The system's name of an error (`ENOSPC`, `EROFS`, …); undefined for anything that is no system error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The device or its quota is full: bytes or inodes (`statfs` tells which). */
export function isFull(error: unknown): boolean {
  return codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
}

/** write(2) may write less than asked for, also just before the device is full. */
export async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Up to `sizeBytes` from `position`; shorter at the end of the file. */
export async function readUpTo(handle: FileHandle, position: number, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const { bytesRead } = await handle.read(buffer, done, sizeBytes - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** A created, renamed or removed name is durable only when its folder is flushed (fsync(2), notes). */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await sparingLater(() => open(folder, 'r'));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function lstatOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Moves something we do not understand out of the way under its own name and a random one; it is neither read nor followed. */
export async function moveAside(path: string, quarantine: string): Promise<string> {
  await mkdir(quarantine, { recursive: true });
  const aside = join(quarantine, `${randomUUID()}-${basename(path)}`);
  await rename(path, aside);
  return aside;
}
