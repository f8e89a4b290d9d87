import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Finding } from '../model/finding.ts';
import { formatSize } from './size.ts';

/** Whether state can be kept at `path`: this user may write there, or make it, and there is room for `neededBytes`. */
export function examineFolder(path: string, { neededBytes }: { readonly neededBytes: number }): Finding {
  const check = 'data folder';
  const place = nearestExisting(path);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    const says = `${place} is not writable for this user, so that ${path} cannot be used`;
    return { check, result: 'failed', says, fix: 'run as the user the service has, or set data_dir' };
  }
  const { bavail, bsize, ffree, files } = statfsSync(place);
  const freeBytes = bavail * bsize;
  if (files > 0 && ffree === 0) {
    const says = `${path} is on a disk without free inodes`;
    return { check, result: 'failed', says, fix: 'delete small files there, or set data_dir to another disk' };
  }
  if (freeBytes < neededBytes) {
    const says = `${path} is on a disk with ${formatSize(freeBytes)} free, and ${formatSize(neededBytes)} may be needed`;
    return { check, result: 'warning', says, fix: 'free some space, or set data_dir to another disk' };
  }
  const made = existsSync(path) ? '' : ', to be made at the first start';
  return { check, result: 'ok', says: `${path}${made}; ${formatSize(freeBytes)} free`, fix: null };
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}
