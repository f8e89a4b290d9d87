import { existsSync, readlinkSync } from 'node:fs';
import { pathBelow, readKernelFile, readKernelRecord } from './kernel-file.ts';

/** What `/proc/PID/stat` says of a process (proc_pid_stat(5)). */
export interface PidStat {
  readonly pid: number;
  /** At most 15 bytes; it may hold spaces, parentheses and line ends. */
  readonly comm: string;
  /** R, S, D, Z (ended, not yet reaped), T, t, X, I. */
  readonly state: string;
  readonly ppid: number;
  readonly threads: number;
  /** Time spent by all threads that live or ended, in clock ticks ({@link TICKS_PER_SECOND}). */
  readonly cpuTicks: number;
  /** Of the children it has waited for, with theirs. */
  readonly waitedCpuTicks: number;
  /** Clock ticks after boot; with boot id and pid, the identity of a process. */
  readonly startTicks: number;
  readonly rssPages: number;
  /** As wait(2) gives it, for a process that has ended and waits for its parent; null in life and where we may not know. */
  readonly exitCode: number | null;
}

/** USER_HZ: what the kernel's interfaces count in, 100 on every architecture Node runs on. */
export const TICKS_PER_SECOND = 100;

/** One process, or null when it is gone (F044) or hidden (hidepid). */
export function readPidStat(root: string, pid: number): PidStat | null {
  const text = readKernelRecord(root, `/proc/${pid}/stat`);
  const stat = text === null ? null : parsePidStat(text);
  if (stat === null || stat.exitCode === null) return stat;
  return mayKnowExitCode(root, pid) ? stat : { ...stat, exitCode: null };
}

/** Whether there is such a process, ended and not yet reaped ones too. Asked without a descriptor: that none is left to read with makes nobody gone. */
export function isPidThere(root: string, pid: number): boolean {
  return existsSync(pathBelow(root, `/proc/${pid}`));
}

/** Null when the text is not a whole `stat` line. */
export function parsePidStat(text: string): PidStat | null {
  // The command is whatever the process calls itself, so its end is the last parenthesis of the line, never the first.
  const nameStart = text.indexOf('(');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 1 || nameEnd < nameStart) return null;
  const state = text.charAt(nameEnd + 2);
  const isOver = state === 'Z' || state === 'X';
  // The rest says nothing of a living process.
  const fields = text.slice(nameEnd + 2).split(' ', isOver ? 50 : 22);
  const pid = Number(text.slice(0, nameStart));
  const startTicks = Number(fields[19]);
  const rssPages = Number(fields[21]);
  if (fields.length < 22 || !Number.isSafeInteger(pid) || Number.isNaN(startTicks) || Number.isNaN(rssPages))
    return null;
  return {
    pid,
    comm: text.slice(nameStart + 1, nameEnd),
    state,
    ppid: Number(fields[1]),
    threads: Number(fields[17]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    waitedCpuTicks: Number(fields[13]) + Number(fields[14]),
    startTicks,
    rssPages,
    exitCode: isOver ? parseExitCode(fields[49]) : null,
  };
}

/** The process's path below the cgroup2 mount (`0::` of cgroups(7)), `/system.slice/t1.scope`; null when gone or without one. */
export function readPidCgroup(root: string, pid: number): string | null {
  const text = readKernelFile(root, `/proc/${pid}/cgroup`);
  return text === null ? null : parsePidCgroup(text);
}

export function parsePidCgroup(text: string): string | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith('0::'));
  if (line === undefined) return null;
  const path = line.slice(3).replace(/ \(deleted\)$/, '');
  return path.startsWith('/') ? path : null;
}

/** Whether it is process 1 of a pid namespace below ours (`NSpid` of proc_pid_status(5)); false when it is gone. */
export function readIsInit(root: string, pid: number): boolean {
  const status = readKernelFile(root, `/proc/${pid}/status`);
  const pids = status === null ? null : /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/);
  return pids != null && pids.length > 1 && pids.at(-1) === '1';
}

/** Where the process works (proc_pid_cwd(5)), by the names of its own mounts; null when it is gone or not ours to ask. */
export function readPidDirectory(root: string, pid: number): string | null {
  try {
    return readlinkSync(pathBelow(root, `/proc/${pid}/cwd`)).replace(/ \(deleted\)$/, '');
  } catch {
    return null;
  }
}

function parseExitCode(field: string | undefined): number | null {
  const code = Number.parseInt(field ?? '', 10);
  return Number.isNaN(code) ? null : code;
}

/**
 * The kernel prints field 52 as 0 to a reader without ptrace access, which would make every failure a success. The link
 * `exe` is guarded by the same check: forbidden there means the 0 is no answer; of an ended process it is just absent.
 */
function mayKnowExitCode(root: string, pid: number): boolean {
  try {
    readlinkSync(pathBelow(root, `/proc/${pid}/exe`));
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' && isPidThere(root, pid);
  }
}
