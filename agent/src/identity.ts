import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { readSmallFile, writeSmallFile } from './small-file.ts';
import { type Credential, createCredential } from './uplink/credential.ts';

/** The node's id: made at the agent's first start and kept in its folder, so that two hosts of one name stay two nodes. */
export function nodeIdentity(folder: string): string {
  const path = join(folder, 'node.json');
  const text = readSmallFile(path);
  if (text !== null) {
    const id = /"node_id":\s*"([0-9a-f-]{36})"/.exec(text)?.[1];
    if (id !== undefined) return id;
    throw new StartFailure(
      'dataTooNew',
      `${path}: this is not a node's identity; restore it, or remove it to become a new node`,
    );
  }
  const id = randomUUID();
  try {
    writeSmallFile(path, `${JSON.stringify({ node_id: id })}\n`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StartFailure(
      code === 'ENOSPC' ? 'diskFull' : 'noPermission',
      `${path}: the node's identity cannot be kept (${code ?? 'unknown reason'}); ${code === 'ENOSPC' ? 'free some space' : 'let this user write there'} and start again`,
      { cause: error },
    );
  }
  return id;
}

/** What the agent shows at a collector's door: the token of its configuration, or the key of its own that it keeps in its folder; `isKept` false: only to look, nothing is written. */
export function openCredential(
  folder: string,
  { token = '', isKept = true }: { token?: string | undefined; isKept?: boolean },
): Credential {
  const path = join(folder, 'key.json');
  const save = (text: string) => isKept && writeSmallFile(path, text);
  return createCredential({ token, load: () => readSmallFile(path), save });
}
