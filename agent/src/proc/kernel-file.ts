import { closeSync, openSync, readSync } from 'node:fs';
import { closeSparing, hasRoomFor, isOutOfDescriptors, openSparing } from './descriptors.ts';

const MAX_BYTES = 4 * 1024 * 1024;
let buffer = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * The text of one file below `root` (`/`, or a captured tree), or null when it is absent, forbidden, switched off
 * (PSI answers EOPNOTSUPP) or its process went away while it was read (ESRCH). Kernel files tell no size, so it is
 * read to the end into one buffer kept for all reads; more than 4 MiB is no kernel file and counts as unread.
 */
export function readKernelFile(root: string, path: string): string | null {
  const sizeBytes = readInto(pathBelow(root, path), readToEnd);
  return sizeBytes === null ? null : buffer.toString('utf8', 0, sizeBytes);
}

/** As {@link readKernelFile}, for files the kernel writes in one piece of less than a page: one read fewer, which counts a hundred times a second. */
export function readKernelRecord(root: string, path: string): string | null {
  const sizeBytes = readInto(pathBelow(root, path), readOnce);
  return sizeBytes === null ? null : buffer.toString('utf8', 0, sizeBytes);
}

/** As {@link readKernelFile}, for binary files: a copy of the bytes. */
export function readKernelBytes(root: string, path: string): Buffer | null {
  const sizeBytes = readInto(pathBelow(root, path), readToEnd);
  return sizeBytes === null ? null : Buffer.from(buffer.subarray(0, sizeBytes));
}

/**
 * A kernel file that is read again and again: opened once, and each reading one pread(2). Where there is no room to hold it
 * (descriptors.ts) it is opened at every reading.
 */
export class KeptKernelFile {
  readonly #path: string;
  #fd: number | null = null;
  #isHeld = true;
  #isGone = false;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'r');
      if (!hasRoomFor(this.#fd)) this.#letGo();
    } catch (error) {
      this.#isHeld = !isOutOfDescriptors(error);
    }
  }

  /** What it belonged to was removed (ENODEV of kernfs) while it was open. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The text as it is now; null when it is absent, forbidden, switched off or gone, and then for good. */
  read(): string | null {
    if (!this.#isHeld) return readKernelRecord('/', this.#path);
    if (this.#fd === null) return null;
    try {
      const sizeBytes = readSync(this.#fd, buffer, 0, buffer.length, 0);
      if (!hasRoomFor(this.#fd)) this.#letGo();
      return buffer.toString('utf8', 0, sizeBytes);
    } catch (error) {
      this.#isGone = error instanceof Error && 'code' in error && error.code === 'ENODEV';
      this.close();
      return null;
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#isHeld = true;
  }

  #letGo(): void {
    this.close();
    this.#isHeld = false;
  }
}

/**
 * A file of `/proc` itself, which is there for as long as the kernel, read at every tick: it stays open, and is opened anew
 * after it could not be read. `one`: the kernel writes it in one piece, so that a short reading is all of it.
 */
export class StandingKernelFile {
  readonly #path: string;
  readonly #read: (fd: number) => number | null;
  #fd: number | null = null;

  constructor(root: string, path: string, pieces: 'one' | 'many') {
    this.#path = pathBelow(root, path);
    this.#read = pieces === 'one' ? readPieceAgain : readAgain;
  }

  /** What the text says now, or null as with {@link readKernelFile}. */
  read<T>(parse: (text: string) => T | null): T | null {
    const sizeBytes = this.#readOrClose();
    return sizeBytes === null ? null : parse(buffer.toString('utf8', 0, sizeBytes));
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #readOrClose(): number | null {
    try {
      this.#fd ??= openSync(this.#path, 'r');
      return this.#read(this.#fd);
    } catch {
      this.close();
      return null;
    }
  }
}

/** An absolute path as seen below `root`. */
export function pathBelow(root: string, path: string): string {
  return root === '/' ? path : root + path;
}

function readInto(path: string, read: (fd: number) => number | null): number | null {
  let fd: number;
  try {
    fd = openSparing(path);
  } catch {
    return null;
  }
  try {
    return read(fd);
  } catch {
    return null;
  } finally {
    closeSparing(fd);
  }
}

function readOnce(fd: number): number {
  return readSync(fd, buffer, 0, buffer.length, null);
}

function readToEnd(fd: number): number | null {
  return readPieces(fd, { isAgain: false, isOne: false });
}

function readAgain(fd: number): number | null {
  return readPieces(fd, { isAgain: true, isOne: false });
}

function readPieceAgain(fd: number): number | null {
  return readPieces(fd, { isAgain: true, isOne: true });
}

function readPieces(fd: number, { isAgain, isOne }: { isAgain: boolean; isOne: boolean }): number | null {
  let sizeBytes = 0;
  for (;;) {
    const gotBytes = readSync(fd, buffer, sizeBytes, buffer.length - sizeBytes, isAgain ? sizeBytes : null);
    sizeBytes += gotBytes;
    if (gotBytes === 0 || (isOne && sizeBytes < buffer.length)) return sizeBytes;
    if (sizeBytes < buffer.length) continue;
    if (buffer.length >= MAX_BYTES) return null;
    const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
    buffer.copy(larger, 0, 0, sizeBytes);
    buffer = larger;
  }
}
