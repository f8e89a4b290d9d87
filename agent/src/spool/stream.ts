import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { codeOf, syncFolder } from './files.ts';

const seq = z.int().check(z.gte(0));

/** The life of a spool: its numbers mean something only together with `stream_id`. */
const stream = z.object({
  version: z.literal(1),
  stream_id: z.string().check(z.regex(/^[0-9a-f-]{36}$/)),
  /** Records up to these numbers belong to an earlier stream and are not offered under this one. */
  base: z.object({ ends: seq, facts: seq }),
});
export type Stream = z.infer<typeof stream>;

/** The folder cannot hold a spool, and a person must act. */
export class SpoolFolderError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SpoolFolderError';
  }
}

export function newStream(base: Stream['base'] = { ends: 0, facts: 0 }): Stream {
  return { version: 1, stream_id: randomUUID(), base };
}

/** Undefined when there is none, or none that can be read. */
export async function readStream(folder: string): Promise<Stream | undefined> {
  const path = join(folder, 'stream.json');
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    const parsed = stream.safeParse(json);
    if (parsed.success) return parsed.data;
    if (
      typeof json === 'object' &&
      json !== null &&
      'version' in json &&
      typeof json.version === 'number' &&
      json.version > 1
    ) {
      throw new SpoolFolderError(
        `${path} was made by a newer version of the agent (format ${json.version}); install that version, or move the folder away`,
      );
    }
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function writeStream(folder: string, value: Stream): Promise<void> {
  const path = join(folder, 'stream.json');
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(value)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncFolder(folder);
}
