import { readKernelFile } from './kernel-file.ts';

/** One mounted file system (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `major:minor` of its super block: the same for every place one file system is mounted at. */
  readonly deviceNumber: string;
  /** Which folder of the file system is mounted; other than `/` for a bind mount or a subvolume. */
  readonly fsRoot: string;
  readonly mountPoint: string;
  readonly fstype: string;
  readonly source: string;
}

/** The mounts of our own mount namespace, as text, so that a caller can tell cheaply that nothing changed. */
export function readMountInfo(root: string): string | null {
  return readKernelFile(root, '/proc/self/mountinfo');
}

/** In the order of mounting; lines that are not whole are left out. */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    // Any number of optional fields stand before the lone hyphen.
    const [before, after] = line.split(' - ', 2);
    const [, , deviceNumber, fsRoot, mountPoint] = before?.split(' ') ?? [];
    const [fstype, source] = after?.split(' ') ?? [];
    if (!deviceNumber || !fsRoot || !mountPoint || !fstype || source === undefined) return [];
    return [
      { deviceNumber, fsRoot: unescape(fsRoot), mountPoint: unescape(mountPoint), fstype, source: unescape(source) },
    ];
  });
}

/** Blank, tab, line end and backslash are written as three octal digits per byte. */
function unescape(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
