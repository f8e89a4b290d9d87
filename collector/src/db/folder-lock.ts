import { createHash } from 'node:crypto';
import {
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pid } from 'node:process';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';

/*
 * One program at a time in a data folder. Two guards, because each sees what the other cannot:
 *   an abstract unix socket named after the folder: the kernel frees it with its owner, but only for one network namespace
 *   a file saying who (boot, pid namespace, pid, start time), touched every few seconds: for containers that share a volume
 * A file left behind is recognised: its process is gone, or is another one, or (in a foreign namespace, where processes
 * cannot be looked up) the file is no longer touched.
 */
export interface FolderLock {
  release(): void;
}

export interface FolderLockOptions {
  readonly touchEveryMs?: number;
  /** Root of /proc. */
  readonly procDir?: string;
}

interface Owner {
  readonly boot_id: string | null;
  readonly pid_namespace: string | null;
  readonly pid: number;
  readonly start_ticks: string | null;
}

const lockFile = 'owner.json';

/** @throws StartFailure (`alreadyRunning`) naming the owner. */
export async function lockFolder(
  dir: string,
  { touchEveryMs = 5000, procDir = '/proc' }: FolderLockOptions = {},
): Promise<FolderLock> {
  const socket = await listenAbstract(realpathSync(dir));
  const path = join(dir, lockFile);
  try {
    await refuseLivingOwner({ path, dir, procDir, patienceMs: touchEveryMs * 2 + 1000 });
    writeFileSync(`${path}.new`, `${JSON.stringify(ourselves(procDir))}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    socket?.close();
    throw error;
  }
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      writeFileSync(path, `${JSON.stringify(ourselves(procDir))}\n`, { mode: 0o600 });
    }
  }, touchEveryMs);
  touch.unref();
  return {
    release: () => {
      clearInterval(touch);
      rmSync(path, { force: true });
      socket?.close();
    },
  };
}

/** Null where the system has no abstract sockets (macOS): the file alone guards then. */
async function listenAbstract(realDir: string): Promise<Server | null> {
  const name = `\0runnerwatch:${createHash('sha256').update(realDir).digest('hex').slice(0, 32)}`;
  const server = createServer((connection) => connection.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(name, resolve);
    });
    server.unref();
    return server;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw inUse(realDir, 'another collector on this machine');
    return null;
  }
}

async function refuseLivingOwner({
  path,
  dir,
  procDir,
  patienceMs,
}: {
  path: string;
  dir: string;
  procDir: string;
  patienceMs: number;
}): Promise<void> {
  const owner = readOwner(path);
  if (owner === null) return;
  const us = ourselves(procDir);
  if (owner.boot_id !== null && owner.boot_id === us.boot_id && owner.pid_namespace === us.pid_namespace) {
    const startTicks = startTicksOf(owner.pid, procDir);
    if (owner.pid !== pid && startTicks !== null && startTicks === owner.start_ticks) {
      throw inUse(dir, `the collector with process id ${owner.pid}`);
    }
    return;
  }
  const before = modifiedAtMs(path);
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = modifiedAtMs(path);
    if (now === null) return;
    if (now !== before)
      throw inUse(dir, `a collector in another container or on another machine (process id ${owner.pid} there)`);
  }
}

function inUse(dir: string, who: string): StartFailure {
  return new StartFailure(
    'alreadyRunning',
    `${dir}: in use by ${who}; stop that one, or give this one its own data_dir`,
  );
}

function readOwner(path: string): Owner | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<Owner>;
    if (typeof value.pid !== 'number') return null;
    return {
      boot_id: value.boot_id ?? null,
      pid_namespace: value.pid_namespace ?? null,
      pid: value.pid,
      start_ticks: value.start_ticks ?? null,
    };
  } catch (error) {
    // Half a file is left by a death while writing; nobody holds it.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function ourselves(procDir: string): Owner {
  return {
    boot_id: readOrNull(() => readFileSync(join(procDir, 'sys/kernel/random/boot_id'), 'utf8').trim()),
    pid_namespace: readOrNull(() => readlinkSync(join(procDir, 'self/ns/pid'))),
    pid,
    start_ticks: startTicksOf(pid, procDir),
  };
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); null when there is no such process. */
function startTicksOf(processId: number, procDir: string): string | null {
  const stat = readOrNull(() => readFileSync(join(procDir, String(processId), 'stat'), 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function modifiedAtMs(path: string): number | null {
  return readOrNull(() => statSync(path).mtimeMs);
}

/** Null for what is not there or may not be read; the caller treats it as unknown. */
function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return null;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
