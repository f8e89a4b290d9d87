import { mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { FactFile } from '../watchers/inbox/fact-file.ts';

export interface InboxCandidate {
  readonly dataDir: string;
  /** Whether to make the directory: no agent made it, it is ours to prepare for one that comes later. */
  readonly mayCreate: boolean;
}

export interface FactWriter {
  /** Durable when it resolves; false when no inbox takes it. */
  write(fact: FactFile): Promise<boolean>;
  /** Gives the file of the beginning this moment's time stamp. */
  touch(): void;
  /** What each inbox said, for the one warning. */
  readonly refusals: readonly string[];
}

/** Writes facts into the first inbox that takes them, and keeps to it. */
export function createFactWriter(candidates: readonly InboxCandidate[]): FactWriter {
  const refusals: string[] = [];
  let inOrder = candidates;
  let begun: string | null = null;
  return {
    refusals,
    write: async (fact) => {
      for (const candidate of inOrder) {
        const inbox = join(candidate.dataDir, 'agent', 'inbox');
        try {
          const file = await writeInto(inbox, candidate.mayCreate, fact);
          if (fact.ended === null) begun = file;
          inOrder = [candidate, ...candidates.filter((other) => other !== candidate)];
          return true;
        } catch (error) {
          refusals.push(`${inbox}: ${error instanceof Error && 'code' in error ? error.code : error}`);
        }
      }
      return false;
    },
    touch: () => {
      // The agent may have taken it away.
      if (begun !== null) utimes(begun, new Date(), new Date()).catch(() => undefined);
    },
  };
}

/** A reader sees the whole file or none: written aside, flushed, then renamed. Everybody may write in the inbox, few may list it. */
async function writeInto(inbox: string, mayCreate: boolean, fact: FactFile): Promise<string> {
  if (mayCreate) await mkdir(inbox, { recursive: true, mode: 0o755 });
  const name = `${fact.run_id}.${fact.ended === null ? 'begin' : 'end'}.json`;
  const aside = join(inbox, `.${name}.tmp`);
  const file = await open(aside, 'wx', 0o644);
  try {
    await file.chmod(0o644);
    await file.writeFile(JSON.stringify(fact));
    await file.sync();
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  const written = join(inbox, name);
  await rename(aside, written);
  await syncDirectory(inbox);
  return written;
}

async function syncDirectory(path: string): Promise<void> {
  let directory: Awaited<ReturnType<typeof open>>;
  try {
    directory = await open(path, 'r');
  } catch {
    // An inbox that others may write but not list: its directory entry is flushed by the file system's own commit, seconds later.
    return;
  }
  await directory.sync().finally(() => directory.close());
}
