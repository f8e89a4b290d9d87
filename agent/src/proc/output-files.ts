import { readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pathBelow, readKernelFile } from './kernel-file.ts';
import { type Mount, parseMountInfo, readMountInfo } from './mountinfo.ts';

/** A regular file that a task writes to, and which one: a name can come to mean another. */
export interface OutputFile {
  readonly isStderr: boolean;
  /** As we would open it. */
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
}

/**
 * The files that a process writes its standard output and error to (proc_pid_fd(5)); none when these are pipes, sockets,
 * terminals, or not to be seen. Both into one file is one. Rejects when a file system does not answer as it should.
 */
export async function findOutputFiles(root: string, pid: number): Promise<OutputFile[]> {
  const found: OutputFile[] = [];
  for (const fd of [1, 2]) {
    const link = `/proc/${pid}/fd/${fd}`;
    const path = readLink(root, link);
    if (path === null || !isFilePath(path) || !isWritten(root, { pid, fd })) continue;
    // Through the descriptor: whatever the name means to us, this is the file.
    const { dev, ino, ...kind } = await stat(pathBelow(root, link), { bigint: true }).then((one) => ({
      dev: String(one.dev),
      ino: String(one.ino),
      isFile: one.isFile(),
    }));
    const ourPath = ourNameOf(root, pid, path);
    if (!kind.isFile || ourPath === null || found.some((other) => other.dev === dev && other.ino === ino)) continue;
    found.push({ isStderr: fd === 2, path: ourPath, dev, ino });
  }
  return found;
}

/**
 * When one of the processes last wrote to its standard output or error, in milliseconds since the epoch, as far as the
 * kernel notes it: for files, named pipes and terminals (these within 8 s), not for sockets, nor for other pipes since
 * Linux 6.15. Null when none of them is to be seen.
 */
export async function lastWrittenAt(root: string, pids: readonly number[]): Promise<number | null> {
  let newestMs: number | null = null;
  for (const path of pids.flatMap((pid) => [1, 2].map((fd) => `/proc/${pid}/fd/${fd}`))) {
    const found = await stat(pathBelow(root, path)).catch(() => null);
    if (found !== null && !found.isSocket()) newestMs = Math.max(newestMs ?? 0, found.mtimeMs);
  }
  return newestMs;
}

/**
 * What a path of one mount name space is called in another, by the file system it lies on; null where that is not mounted.
 * Of a bind mount (`docker run --volume`) the other name is the one on the node.
 */
export function translatePath(path: string, from: readonly Mount[], to: readonly Mount[]): string | null {
  const mount = from
    .filter(({ mountPoint }) => isBelow(path, mountPoint))
    .toSorted(byLength('mountPoint'))
    .at(-1);
  if (mount === undefined) return null;
  const onDevice = join(mount.fsRoot, path.slice(mount.mountPoint === '/' ? 0 : mount.mountPoint.length));
  const ours = to
    .filter((one) => one.deviceNumber === mount.deviceNumber && isBelow(onDevice, one.fsRoot))
    .toSorted(byLength('fsRoot'))
    .at(-1);
  return ours === undefined
    ? null
    : join(ours.mountPoint, onDevice.slice(ours.fsRoot === '/' ? 0 : ours.fsRoot.length));
}

function ourNameOf(root: string, pid: number, path: string): string | null {
  const theirs = readLink(root, `/proc/${pid}/ns/mnt`);
  if (theirs === null || theirs === readLink(root, '/proc/self/ns/mnt')) return path;
  const mounts = readKernelFile(root, `/proc/${pid}/mountinfo`);
  return mounts === null
    ? null
    : translatePath(path, parseMountInfo(mounts), parseMountInfo(readMountInfo(root) ?? ''));
}

/** Sockets, pipes and the like are not paths; devices and kernel files are no logs. */
function isFilePath(path: string): boolean {
  return path.startsWith('/') && !/^\/(?:dev|proc|sys)\//.test(path) && !path.endsWith(' (deleted)');
}

/** Its `flags` are those of open(2), in octal (proc_pid_fdinfo(5)): what is open for reading only is not the task's output. */
function isWritten(root: string, { pid, fd }: { pid: number; fd: number }): boolean {
  const [, flags] = /^flags:\s+([0-7]+)$/m.exec(readKernelFile(root, `/proc/${pid}/fdinfo/${fd}`) ?? '') ?? [];
  return flags !== undefined && (Number.parseInt(flags, 8) & 0o3) !== 0;
}

/** The kernel's own word, without asking the file system that the link leads to. */
function readLink(root: string, path: string): string | null {
  try {
    return readlinkSync(pathBelow(root, path));
  } catch {
    return null; // gone, or not ours to see
  }
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function join(folder: string, rest: string): string {
  return `${folder === '/' ? '' : folder}${rest.startsWith('/') || rest === '' ? rest : `/${rest}`}` || '/';
}

function byLength<K extends string>(key: K): (a: Record<K, string>, b: Record<K, string>) => number {
  return (a, b) => a[key].length - b[key].length;
}
