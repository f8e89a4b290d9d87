import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill, pid as ownPid } from 'node:process';
import { sparingLater } from '../proc/descriptors.ts';
import { codeOf } from './files.ts';
import type { ReportProblem } from './problem.ts';

/** Another agent works on the same spool; trying again helps only after that one has stopped. */
export class SpoolLockedError extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(
      `the spool ${folder} is in use by another agent (pid ${pid}); stop it first, or give this one its own data_dir`,
    );
    this.name = 'SpoolLockedError';
    this.pid = pid;
  }
}

export interface SpoolLock {
  /** False when the lock file is gone or names somebody else. */
  isHeld(): Promise<boolean>;
  /** Puts the lock file back after its folder was lost. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

interface LockOptions {
  readonly folder: string;
  readonly report: ReportProblem;
  /** Where the kernel tells of processes; `/proc`. */
  readonly procRoot: string;
}

/**
 * Takes the folder for this process. The lock is a file naming its holder by boot id, pid and start time, so that it is stale
 * after a reboot, and also when the pid belongs to somebody else by now. It appears whole or not at all (`link`), and a stale one
 * is moved away before it is judged a second time, so of two takers only one wins.
 */
export async function acquireLock({ folder, report, procRoot }: LockOptions): Promise<SpoolLock> {
  const path = join(folder, 'lock');
  const own = JSON.stringify(await identify(procRoot, ownPid));
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await place(path, own)) return heldLock(path, own);
    const found = await readOrUndefined(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && (await isAlive(procRoot, holder))) throw new SpoolLockedError(folder, holder.pid);
    if (await moveAway(path, found)) report({ kind: 'stale_lock', pid: holder?.pid ?? null });
  }
  throw new Error(`the lock of the spool ${folder} changes hands too quickly to be taken`);
}

function heldLock(path: string, own: string): SpoolLock {
  return {
    isHeld: async () => (await readOrUndefined(path)) === own,
    renew: async () => {
      await place(path, own);
    },
    release: async () => {
      if ((await readOrUndefined(path)) === own) await unlink(path);
    },
  };
}

async function place(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** False when it was not the judged lock any more; a fresh one is put back. */
async function moveAway(path: string, judged: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  const moved = await readFile(aside, 'utf8');
  if (moved !== judged) await place(path, moved);
  await unlink(aside);
  return moved === judged;
}

interface Holder {
  readonly boot_id: string | null;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks after boot (proc(5)). */
  readonly start_ticks: number | null;
}

async function identify(procRoot: string, pid: number): Promise<Holder> {
  const bootId = await readOrUndefined(join(procRoot, 'sys/kernel/random/boot_id'));
  return { boot_id: bootId?.trim() ?? null, pid, start_ticks: await startTicks(procRoot, pid) };
}

async function isAlive(procRoot: string, holder: Holder): Promise<boolean> {
  const now = await identify(procRoot, holder.pid);
  if (holder.boot_id !== null && now.boot_id !== null) {
    return holder.boot_id === now.boot_id && now.start_ticks !== null && now.start_ticks === holder.start_ticks;
  }
  try {
    return kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Null when there is no such process, or it has ended and only waits to be collected. */
async function startTicks(procRoot: string, pid: number): Promise<number | null> {
  const stat = await readOrUndefined(join(procRoot, String(pid), 'stat'));
  // The name in brackets may hold spaces and brackets itself; the fields begin after the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return null;
  return Number(fields[19]);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { boot_id, pid, start_ticks } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
    return { boot_id: boot_id ?? null, pid, start_ticks: start_ticks ?? null };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await sparingLater(() => readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}
