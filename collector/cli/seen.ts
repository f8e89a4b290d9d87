import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { CliFailure } from './failure.ts';

/** What a look has found: by id, what it is called and how it was. */
export type Seen = Readonly<Record<string, { readonly name: string; readonly state: string }>>;

export interface Change {
  readonly name: string;
  /** `unknown` for what was not there, or is not any more. */
  readonly before: string;
  readonly now: string;
}

const unknownState = 'unknown';
const seenFile = z.record(z.string(), z.object({ name: z.string(), state: z.string() }));

/** Of the last look; null before the first. @throws CliFailure for a file that is something else. */
export function readSeen(path: string): Seen | null {
  const text = readIfThere(path);
  if (text === null || text === '') return null;
  const parsed = z.safeParse(seenFile, parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CliFailure('cannotSee', `--state ${path}: this file is not of an earlier check; name another`);
}

/** Whole or not at all. @throws CliFailure */
export function writeSeen(path: string, seen: Seen): void {
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(seen)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new CliFailure('cannotSee', `--state ${path}: cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** In the order of `now`, then what is gone. */
export function changesBetween(before: Seen, now: Seen): Change[] {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].flatMap((id) => {
    const change = {
      name: (now[id] ?? before[id])?.name ?? id,
      before: before[id]?.state ?? unknownState,
      now: now[id]?.state ?? unknownState,
    };
    return change.before === change.now ? [] : [change];
  });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CliFailure('cannotSee', `--state ${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
