import { open, unlink } from 'node:fs/promises';
import { codeOf, lstatOrUndefined, writeAll } from './files.ts';

/** A file of real blocks and one inode that is given back to a full disk, so that the last important records still fit. */
export class Reserve {
  readonly #path: string;
  readonly #sizeBytes: number;

  constructor(path: string, sizeBytes: number) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  async isThere(): Promise<boolean> {
    const stat = await lstatOrUndefined(this.#path);
    return stat !== undefined && stat.isFile() && stat.size >= this.#sizeBytes;
  }

  /** Makes it when it is missing; false when the disk has no room for it. */
  async fill(): Promise<boolean> {
    if (this.#sizeBytes === 0 || (await this.isThere())) return true;
    try {
      const handle = await open(this.#path, 'w', 0o600);
      try {
        const block = Buffer.alloc(Math.min(this.#sizeBytes, 64 * 1024), 0x5a);
        for (let done = 0; done < this.#sizeBytes; done += block.length) {
          await writeAll(handle, block.subarray(0, Math.min(block.length, this.#sizeBytes - done)), done);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      return true;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      await this.release();
      return false;
    }
  }

  /** True when there was something to give back. */
  async release(): Promise<boolean> {
    try {
      await unlink(this.#path);
      return true;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return false;
    }
  }
}
