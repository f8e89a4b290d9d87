import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the files of one run gather what they miss, so that each thing is said once; `announce-missing.ts` makes it and reads it out. */
export const missingFolderVariable = 'RUNNERWATCH_TEST_MISSING';

/**
 * Whether a program that a test runs is on this machine. Where CI runs it must be, and its absence is an error;
 * elsewhere the tests that need it are skipped, and the end of the run says so.
 * @param install how to get it: `Debian: apt-get install strace`
 */
export function haveTool(command: string, install: string, folders: readonly string[] = []): boolean {
  return orMissing(findTool(command, folders) !== undefined, `${command} is not on this machine: ${install}`);
}

/** As {@link haveTool}, for what a user or a kernel is allowed: `haveRight(isRoot, 'the rights of root: run the tests as root')`. */
export function haveRight(isGiven: boolean, what: string): boolean {
  return orMissing(isGiven, `no ${what}`);
}

export const isRoot = process.getuid?.() === 0;

/** For tests that become another user, or look at what only root may see. */
export function haveRoot(): boolean {
  return haveRight(isRoot, 'rights of root: run the tests as root');
}

/** The folder of PATH, or of those given, that holds a program of this name. */
export function findTool(command: string, folders: readonly string[] = []): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...folders];
  return places.find((folder) => folder !== '' && isExecutable(join(folder, command)));
}

function orMissing(isThere: boolean, missing: string): boolean {
  if (isThere) return true;
  if (process.env['CI']) throw new Error(missing);
  const folder = process.env[missingFolderVariable];
  if (folder === undefined) process.stderr.write(`${skipped(missing)}\n`);
  else writeFileSync(join(folder, encodeURIComponent(missing).slice(0, 200)), missing);
  return false;
}

/** What a person reads of a thing that is not there. */
export function skipped(missing: string): string {
  return `SKIPPED the tests that need it: ${missing}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
