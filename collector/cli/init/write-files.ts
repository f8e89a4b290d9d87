import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GeneratedFile {
  readonly name: string;
  readonly content: string;
}

export type Written = 'written' | 'unchanged' | 'kept';

/** Writes each file into the folder; one that is there with other content is kept unless forced. */
export function writeFiles(
  folder: string,
  files: readonly GeneratedFile[],
  force: boolean,
): { path: string; outcome: Written }[] {
  mkdirSync(folder, { recursive: true });
  return files.map(({ name, content }) => {
    const path = join(folder, name);
    const present = readIfThere(path);
    if (present === content) return { path, outcome: 'unchanged' };
    if (present !== undefined && !force) return { path, outcome: 'kept' };
    writeFileSync(path, content, { mode: name.endsWith('.yaml') ? 0o640 : 0o644 });
    return { path, outcome: 'written' };
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
