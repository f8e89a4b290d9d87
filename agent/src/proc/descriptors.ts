import { closeSync, openSync, readSync } from 'node:fs';

/*
 * A process has one table of file descriptors; so this module has one state. A new descriptor has the lowest number that is
 * free (open(2)), and the limit is one on the number (getrlimit(2), RLIMIT_NOFILE): the number itself says how much room is
 * left. What is held only because it is cheaper or surer so (pidfds, files read every second) stays below a ceiling; above it
 * is room for the work: spool, connections, children, small files. Below all lie a few spare ones, opened first: on them files
 * are read and the spool is written even when the limit was lowered to less than is in use, or when the whole machine has no
 * more (ENFILE).
 */
const keptForWork = 64;
const sparesMax = 4;

let ceiling = Number.POSITIVE_INFINITY;
let limit: number | null = null;
let limitsFile: number | null = null;
const spares: number[] = [];
let isGiven = false;
const buffer = Buffer.allocUnsafeSlow(4096);

/** Takes the spare ones, and looks at the limit, which may be changed at any time (prlimit(2)). Again and again. */
export function lookAtLimit(): void {
  refill();
  try {
    limitsFile ??= openSync('/proc/self/limits', 'r');
    const sizeBytes = readSync(limitsFile, buffer, 0, buffer.length, 0);
    limit = parseOpenFilesLimit(buffer.toString('latin1', 0, sizeBytes));
    ceiling = limit === null ? Number.POSITIVE_INFINITY : limit - keptForWork;
  } catch {
    limitsFile = null; // no such file here: no ceiling is known
  }
}

/** The soft limit as last looked at; null: unlimited, or not known. */
export function openFilesLimit(): number | null {
  return limit;
}

/** Whether a descriptor of this number may be held for convenience. */
export function hasRoomFor(fd: number): boolean {
  return fd < ceiling;
}

/** As openSync, at the last on a spare one. To be closed with {@link closeSparing}, soon. */
export function openSparing(path: string, flags: string | number = 'r'): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (!giveSpare(error)) throw error;
    return openSync(path, flags);
  }
}

export function closeSparing(fd: number): void {
  closeSync(fd);
  if (isGiven) refill();
}

/** Something that opens and closes descriptors, one at a time. */
export function sparing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!giveSpare(error)) throw error;
    try {
      return work();
    } finally {
      refill();
    }
  }
}

/** As {@link sparing}; what the work leaves open stays on the spare one until there are others. */
export async function sparingLater<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!giveSpare(error)) throw error;
    return work();
  }
}

export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

/** An error in words; of this one with its cure. */
export function describeFailure(error: unknown): string {
  if (isOutOfDescriptors(error)) return outOfDescriptors();
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}

export function outOfDescriptors(): string {
  const known = limit === null ? '' : ` (${limit})`;
  return `out of file descriptors${known}: raise LimitNOFILE= of the agent's unit, or ulimit -n`;
}

/** The soft limit of proc_pid_limits(5); null: unlimited. */
export function parseOpenFilesLimit(limits: string): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}

function giveSpare(error: unknown): boolean {
  if (!isOutOfDescriptors(error)) return false;
  const spare = spares.pop();
  if (spare === undefined) return false;
  closeSync(spare);
  isGiven = true;
  return true;
}

function refill(): void {
  try {
    while (spares.length < sparesMax) spares.push(openSync('/dev/null', 'r'));
    isGiven = false;
  } catch {
    // Tried again at the next look.
  }
}
