import { mkdirSync, readFileSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { recordedSeries } from '@runnerwatch/shared/model/recording.ts';
import * as z from 'zod/mini';

/** What was read since the part before. */
const recordedPart = z.object({
  interval_ms: z.int().check(z.gte(1)),
  /** The number of its last row, and when that was read, in milliseconds since the epoch. */
  tick: z.int().check(z.gte(0)),
  until_ms: z.number(),
  node: recordedSeries,
  /** By the run's key. */
  runs: z.record(z.string(), recordedSeries),
});
export type RecordedPart = z.infer<typeof recordedPart>;

export interface RecorderFileOptions {
  /** Made when it is not there. */
  readonly folder: string;
  readonly windowMs: number;
  /** Of either file; 8 MiB. */
  readonly maxBytes?: number;
}

const names = ['readings.0', 'readings.1'] as const;

/**
 * What the recorder holds, on disk, for a later life of the agent: two files that take turns, each begun anew when the other
 * holds a whole window. A part is one line, its CRC-32 before it and a line break on either side, so that a torn write
 * spoils that part and no other. Nothing is flushed to the device: the agent's own death loses nothing that was appended,
 * a power cut may.
 */
export class RecorderFile {
  readonly #options: RecorderFileOptions;
  #current: (typeof names)[number] = names[0];
  #beganMs: number | null = null;
  #bytes = 0;

  constructor(options: RecorderFileOptions) {
    this.#options = options;
  }

  /** Every sound part, oldest first. @throws when the folder cannot be made. */
  load(): RecordedPart[] {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    const files = names.map((name) => ({ name, parts: readParts(join(this.#options.folder, name)) }));
    files.sort((a, b) => (a.parts.at(-1)?.until_ms ?? 0) - (b.parts.at(-1)?.until_ms ?? 0));
    // What is newest goes on being written to, until it is full in turn.
    const newest = files.at(-1);
    if (newest !== undefined) this.#current = newest.name;
    this.#beganMs = newest?.parts[0]?.until_ms ?? null;
    return files.flatMap(({ parts }) => parts);
  }

  /** Calls must not overlap. */
  async append(part: RecordedPart): Promise<void> {
    const { folder, windowMs, maxBytes = 8 * 1024 * 1024 } = this.#options;
    const json = JSON.stringify(part);
    const line = `\n${checksum(json)} ${json}\n`;
    const isFull =
      this.#beganMs !== null && (part.until_ms - this.#beganMs >= windowMs || this.#bytes + line.length > maxBytes);
    if (isFull) this.#current = this.#current === names[0] ? names[1] : names[0];
    if (isFull || this.#beganMs === null) {
      this.#beganMs = part.until_ms;
      this.#bytes = 0;
      await writeFile(join(folder, this.#current), line, { mode: 0o600 });
    } else {
      await appendFile(join(folder, this.#current), line, { mode: 0o600 });
    }
    this.#bytes += line.length;
  }
}

function readParts(path: string): RecordedPart[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const json = line.slice(9);
    if (line[8] !== ' ' || json === '' || line.slice(0, 8) !== checksum(json)) return [];
    const parsed = recordedPart.safeParse(JSON.parse(json));
    return parsed.success ? [parsed.data] : [];
  });
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
