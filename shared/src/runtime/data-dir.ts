import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartFailure } from './start-failure.ts';

/** Where state lives when nobody said: the system's place for root, the user's own (XDG base directories) otherwise. */
export function defaultDataDir({
  uid,
  home,
  xdgStateHome,
}: {
  uid: number;
  home: string;
  xdgStateHome: string | undefined;
}): string {
  if (uid === 0) return '/var/lib/runnerwatch';
  return join(xdgStateHome ?? join(home, '.local', 'state'), 'runnerwatch');
}

/** Makes a folder of ours with the mode, if it is not there. @throws StartFailure with what to do. */
export function ensureDir(path: string, mode: number): string {
  try {
    makeFolders(path, mode);
    chmodSync(path, mode);
    return path;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC')
      throw new StartFailure('diskFull', `${path}: cannot be made: the disk is full; free some space and start again`, {
        cause: error,
      });
    throw new StartFailure(
      'noPermission',
      `${path}: cannot be made or owned (${code ?? 'unknown reason'}); run as a user who may write there, or set data_dir`,
      {
        cause: error,
      },
    );
  }
}

/** As mkdir(2) with its parents. Node's own recursive one never returns where a file system takes no folder and says ENOENT (`/proc`). */
function makeFolders(path: string, mode: number): void {
  const failure = makeFolder(path, mode);
  if (failure?.code !== 'ENOENT' || dirname(path) === path) {
    if (failure !== null) throw failure;
    return;
  }
  makeFolders(dirname(path), mode);
  const again = makeFolder(path, mode);
  if (again !== null) throw again;
}

/** Null: it is there, made by us or by another. */
function makeFolder(path: string, mode: number): NodeJS.ErrnoException | null {
  try {
    mkdirSync(path, { mode });
    return null;
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    return failure.code === 'EEXIST' && statSync(path).isDirectory() ? null : failure;
  }
}
