import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/** Which file a task wrote to. */
export interface LogFile {
  readonly isStderr: boolean;
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
}

/**
 * Where a scheduler is known to put the output of its tasks: `/shared/task_outputs/${task_id}.out`. Those that are there, are
 * files, and were written to since the task began; stderr is what is called so.
 */
export async function namedLogFiles(
  templates: readonly string[],
  { taskId, sinceMs }: { readonly taskId: string; readonly sinceMs: number },
): Promise<LogFile[]> {
  // An id is whatever somebody called a unit or a container: never a way into other folders.
  if (!/^\w[\w.-]{0,200}$/.test(taskId)) return [];
  const found = await Promise.all(
    templates.map(async (template) => {
      const path = template.replaceAll('${task_id}', taskId);
      const file = await lstat(path, { bigint: true }).catch(() => null);
      if (!file?.isFile() || Number(file.mtimeMs) < sinceMs) return [];
      return [{ isStderr: /\.err$|stderr/.test(path), path, dev: String(file.dev), ino: String(file.ino) }];
    }),
  );
  return found.flat();
}

/** Of the end of each file so much is read. */
const readBytes = 64 * 1024;
/** What came over stderr says more of a failure, but must not be all. */
const stderrShare = 0.75;

/**
 * The last lines of the files that a task's output went to, those of stderr behind the others and marked `stderr: `, for
 * nobody knows their common order. Null when none can be read any more. Read with no other right than our own.
 */
export async function readLogFiles(files: readonly LogFile[], lines: number): Promise<string[] | null> {
  const texts = await Promise.all(files.map(async (file) => ({ file, lines: await lastLinesOf(file) })));
  const read = (isStderr: boolean) =>
    texts.flatMap((text) => (text.file.isStderr === isStderr && text.lines !== null ? text.lines : []));
  if (texts.every((text) => text.lines === null)) return null;
  const [stdout, stderr] = [read(false), read(true)];
  const stderrLines = Math.min(stderr.length, Math.max(Math.ceil(lines * stderrShare), lines - stdout.length));
  return [...newest(stdout, lines - stderrLines), ...newest(stderr, stderrLines).map((line) => `stderr: ${line}`)];
}

function newest(lines: readonly string[], count: number): readonly string[] {
  return count > 0 ? lines.slice(-count) : [];
}

/** Null: gone, not ours to read, or another file has its name. */
async function lastLinesOf({ path, dev, ino }: LogFile): Promise<string[] | null> {
  // What has its name now may be a link, a pipe or a terminal: none of them is followed or waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const file = await open(path, flags).catch(() => null);
  if (file === null) return null;
  try {
    const found = await file.stat({ bigint: true });
    if (!found.isFile() || String(found.dev) !== dev || String(found.ino) !== ino) return null;
    return await lastLines(file, Number(found.size));
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

async function lastLines(file: FileHandle, sizeBytes: number): Promise<string[]> {
  const from = Math.max(0, sizeBytes - readBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(sizeBytes, readBytes)), { position: from });
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
  if (lines.at(-1) === '') lines.pop();
  // Its beginning is not known, and what is left of it may be half a secret.
  if (from > 0) lines[0] = `…${(lines[0] ?? '').replace(/^\S{1,200}/, '')}`;
  if (from > 0 && lines.length > 1) lines.shift();
  return lines;
}
