import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingFolderVariable, skipped } from './tool.ts';

/** vitest calls it once before a run, and what it returns once after: says which tests this machine could not run, and why. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'runnerwatch-missing-'));
  process.env[missingFolderVariable] = folder;
  return () => {
    for (const name of readdirSync(folder).toSorted())
      process.stderr.write(`${skipped(readFileSync(join(folder, name), 'utf8'))}\n`);
    rmSync(folder, { recursive: true, force: true });
  };
}
