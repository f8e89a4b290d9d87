import { statfs } from 'node:fs/promises';
import { codeOf } from './files.ts';

/** Room left on a file system, for an ordinary user. */
export interface Room {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Null where the file system counts no inodes (btrfs). */
  readonly totalInodes: number | null;
  readonly freeInodes: number | null;
}

/** Undefined when the file system does not answer. */
export async function readRoom(folder: string): Promise<Room | undefined> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(folder);
    const hasInodes = files > 0;
    return {
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      totalInodes: hasInodes ? files : null,
      freeInodes: hasInodes ? ffree : null,
    };
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Under 16 MiB or 64 inodes, or on a small file system under a twentieth. */
export function isLow({ totalBytes, freeBytes, totalInodes, freeInodes }: Room): boolean {
  const isLowOnInodes = totalInodes !== null && freeInodes !== null && freeInodes < Math.min(64, totalInodes / 20);
  return freeBytes < Math.min(16 * 1024 * 1024, totalBytes / 20) || isLowOnInodes;
}

/** What a write that failed with ENOSPC was short of. */
export function shortOf(room: Room | undefined): 'space' | 'inodes' {
  return room?.freeInodes === 0 && room.freeBytes > 0 ? 'inodes' : 'space';
}
