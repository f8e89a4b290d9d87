import { existsSync, rmSync } from 'node:fs';
import { open, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import type { Logger } from 'pino';

/*
 * Space on the disk that the embedded database keeps for its last words. Its engine must be able to begin the next file of its log;
 * whatever else does not fit is an error like others, rolled back and tried again. So there is a file of that size, given up for
 * the log when the disk is full. Nothing is written then but what is under way: the database takes no more writes until there is
 * space for such a file again, so that the log does not grow beyond it. Reading goes on.
 */
export interface DiskReserveOptions {
  /** The database's folder. */
  readonly home: string;
  /** Whether the engine takes writes from now on. */
  readonly setWritable: (isWritable: boolean) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

export interface DiskReserve extends AsyncDisposable {
  readonly isFull: () => boolean;
  /** Looks at once: the reserve may be gone. */
  readonly look: () => Promise<void>;
}

/** A file of the engine's log has 16 MiB. */
const reserveBytes = 17 * 1024 * 1024;
/** Writing ends with less, and begins again with twice that. */
const leastBytes = 4 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

const pathIn = (home: string) => join(home, 'reserve');

/** Called in the thread of the engine. @returns whether there was one. */
export function giveUpReserve(home: string): boolean {
  const had = existsSync(pathIn(home));
  rmSync(pathIn(home), { force: true });
  return had;
}

export function keepReserve({ home, setWritable, clock, log, everyMs = 1000 }: DiskReserveOptions): DiskReserve {
  let isFull = false;
  let isFailing = false;
  const look = async () => {
    const wasFull = isFull;
    isFull = !(await hasRoom(home, wasFull));
    if (isFull && !wasFull)
      log.error({ dir: home }, 'the disk is full: nothing is written down and no ack is given; free some space');
    if (isFull || wasFull) await setWritable(!isFull);
    if (!isFull && wasFull) log.info({ dir: home }, 'there is space on the disk again');
  };
  const round = async () => {
    try {
      await look();
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.warn({ err: error, dir: home }, 'the space on the disk is not looked after; it is tried again');
      isFailing = true;
    }
  };
  const loop = repeat(round, { clock, everyMs, isFirstLater: true });
  return { isFull: () => isFull, look: round, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}

async function hasRoom(home: string, wasFull: boolean): Promise<boolean> {
  const { bavail, bsize } = await statfs(home);
  const freeBytes = bavail * bsize;
  const neededBytes = wasFull ? 2 * leastBytes : leastBytes;
  if (existsSync(pathIn(home))) return freeBytes >= neededBytes;
  return freeBytes >= neededBytes + reserveBytes && makeReserve(pathIn(home));
}

/** Under its name only when it is whole. */
async function makeReserve(path: string): Promise<boolean> {
  const unfinished = `${path}.new`;
  try {
    const file = await open(unfinished, 'w', 0o600);
    try {
      const piece = Buffer.alloc(pieceBytes);
      for (let written = 0; written < reserveBytes; written += pieceBytes) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    return true;
  } catch {
    await rm(unfinished, { force: true });
    return false;
  }
}
