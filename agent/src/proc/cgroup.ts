import { existsSync } from 'node:fs';
import { pathBelow } from './kernel-file.ts';

/**
 * Where cgroup2 is mounted below `root`: alone (`/sys/fs/cgroup`) or beside version 1 (`/sys/fs/cgroup/unified`), as a
 * path that already contains `root`; null when there is none.
 */
export function findCgroup2Root(root: string): string | null {
  const places = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((path) => pathBelow(root, path));
  return places.find((place) => existsSync(`${place}/cgroup.controllers`)) ?? null;
}

/** A file of one number; null for "max" and for anything else that is no number. */
export function parseAmount(text: string | null): number | null {
  return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null;
}

/** One value of a file of `key value` lines. */
export function parseFlatKeyed(text: string | null, key: string): number | null {
  if (text === null) return null;
  const label = `${key} `;
  const start = text.startsWith(label) ? 0 : text.indexOf(`\n${label}`) + 1;
  if (start === 0 && !text.startsWith(label)) return null;
  const end = text.indexOf('\n', start);
  return parseAmount(text.slice(start + label.length, end === -1 ? text.length : end));
}

/** A path with `..` comes from a cgroup namespace that does not contain the process; below our mount it would name another cgroup. */
export function isInside(cgroupPath: string): boolean {
  return cgroupPath.startsWith('/') && !cgroupPath.split('/').includes('..');
}
