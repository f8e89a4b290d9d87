import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { instant } from '@runnerwatch/shared/model/instant.ts';
import * as z from 'zod/mini';
import { sparingLater } from '../proc/descriptors.ts';
import { codeOf, readUpTo, writeAll } from './files.ts';

const seq = z.int().check(z.gte(0));
const evicted = z.object({
  from_seq: seq,
  to_seq: seq,
  from: z.nullable(instant),
  to: z.nullable(instant),
  cause: z.string(),
});

const slotState = z.object({
  /** Grows by one with every write; the higher sound slot counts. */
  generation: seq,
  /** Highest number per lane that the collector has committed. */
  acknowledged: z.object({ ends: seq, facts: seq }),
  /** The stretch behind it that was given up and whose gap the collector has not acknowledged yet. */
  evicted: z.object({ ends: z.nullable(evicted), facts: z.nullable(evicted) }),
  /** Up to here acknowledged records were removed after their time. */
  forgotten: z.object({ ends: seq, facts: seq }),
});

export type Evicted = z.infer<typeof evicted>;
export type CursorState = Omit<z.infer<typeof slotState>, 'generation'>;
export type CursorReading =
  | { readonly kind: 'read'; readonly state: CursorState; readonly isPartlyDamaged: boolean }
  | { readonly kind: 'missing' | 'damaged' };

const slotBytes = 1024;

export function emptyCursor(): CursorState {
  return {
    acknowledged: { ends: 0, facts: 0 },
    evicted: { ends: null, facts: null },
    forgotten: { ends: 0, facts: 0 },
  };
}

/**
 * How far the collector is, in one file of two slots written in turn: a write that is cut short leaves the other one sound. The file
 * never grows after it was made, so the cursor moves on a full disk too. A slot is a line: checksum, JSON, spaces.
 */
export class Cursor {
  readonly #path: string;
  #generation = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<CursorReading> {
    const bytes = await this.#slots();
    if (bytes === undefined) return { kind: 'missing' };
    const slots = [0, 1].map((index) => parseSlot(bytes.subarray(index * slotBytes, (index + 1) * slotBytes)));
    const [best] = slots.filter((slot) => slot !== undefined).sort((a, b) => b.generation - a.generation);
    if (best === undefined) return { kind: 'damaged' };
    this.#generation = best.generation;
    const { generation: _, ...state } = best;
    return { kind: 'read', state, isPartlyDamaged: slots.includes(undefined) };
  }

  async write(state: CursorState): Promise<void> {
    const generation = this.#generation + 1;
    const handle = await this.#open();
    try {
      const line = encodeSlot({ generation, ...state });
      const isFresh = (await handle.stat()).size < 2 * slotBytes;
      if (isFresh) await writeAll(handle, Buffer.concat([line, line]), 0);
      else await writeAll(handle, line, (generation % 2) * slotBytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    this.#generation = generation;
  }

  async #slots(): Promise<Buffer | undefined> {
    try {
      const handle = await sparingLater(() => open(this.#path, 'r'));
      try {
        return await readUpTo(handle, 0, 2 * slotBytes);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await sparingLater(() => open(this.#path, 'r+'));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return open(this.#path, 'wx+', 0o600);
      throw error;
    }
  }
}

function encodeSlot(state: z.infer<typeof slotState>): Buffer {
  const json = JSON.stringify(state).padEnd(slotBytes - 10);
  const line = Buffer.from(`${checksum(json)} ${json}\n`);
  if (line.length !== slotBytes) throw new RangeError(`a cursor of ${line.length} bytes does not fit its slot`);
  return line;
}

function parseSlot(bytes: Buffer): z.infer<typeof slotState> | undefined {
  const text = bytes.toString('utf8');
  const json = text.slice(9, -1);
  if (bytes.length !== slotBytes || text.slice(0, 8) !== checksum(json)) return undefined;
  const parsed = slotState.safeParse(JSON.parse(json));
  return parsed.success ? parsed.data : undefined;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
