import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
    mkdirSync(path, { recursive: true, mode });
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
