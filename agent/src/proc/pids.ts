import { readdirSync } from 'node:fs';
import { sparing } from './descriptors.ts';
import { pathBelow, readKernelFile } from './kernel-file.ts';

/** Every process that we may see, as its folder's name; null when `/proc` cannot be listed. */
export function listPids(root: string): string[] | null {
  try {
    return sparing(() => readdirSync(pathBelow(root, '/proc'))).filter(isPid);
  } catch {
    return null;
  }
}

/** The arguments of a process joined by blanks (proc_pid_cmdline(5)); '' for kernel threads and zombies, null when gone or hidden. */
export function readCommandLine(root: string, pid: number): string | null {
  const text = readKernelFile(root, `/proc/${pid}/cmdline`);
  return text === null ? null : text.replace(/\0+$/, '').replaceAll('\0', ' ');
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 49 && first <= 57;
}
