import { readKernelBytes, readKernelFile } from './kernel-file.ts';

const valueCharactersMax = 256;

/**
 * The named variables of a process, and nothing else of its environment (proc_pid_environ(5): as it was when the program
 * was started). Values lose control characters and all behind 256 characters. Empty when the process is gone, or is not
 * ours to read.
 */
export function readEnvironment(
  root: string,
  pid: number,
  names: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const environ = readKernelBytes(root, `/proc/${pid}/environ`);
  return environ === null ? {} : pickVariables(environ, names);
}

/** Of `NAME=value` texts with a NUL behind each, those that are asked for; of a name that comes twice, the first, as getenv(3) has it. */
export function pickVariables(environ: Buffer, names: ReadonlySet<string>): Readonly<Record<string, string>> {
  const picked = new Map<string, string>();
  for (let start = 0; start < environ.length; ) {
    const found = environ.indexOf(0, start);
    const end = found === -1 ? environ.length : found;
    const equals = environ.indexOf('=', start);
    const name = equals === -1 || equals > end ? '' : environ.toString('latin1', start, equals);
    if (names.has(name) && !picked.has(name)) picked.set(name, clean(environ.toString('utf8', equals + 1, end)));
    start = end + 1;
  }
  return Object.fromEntries([...picked].filter(([, value]) => value !== ''));
}

/** The processes in a cgroup below a mount of cgroup2; none where there are none, or they are not to be seen. */
export function pidsIn(cgroupRoot: string, cgroupPath: string): number[] {
  const lines = readKernelFile(cgroupRoot, `${cgroupPath}/cgroup.procs`)?.split('\n') ?? [];
  return lines.filter((line) => /^[1-9]\d*$/.test(line)).map(Number);
}

/** The first of them. */
export function firstPidIn(cgroupRoot: string, cgroupPath: string): number | null {
  return pidsIn(cgroupRoot, cgroupPath)[0] ?? null;
}

function clean(value: string): string {
  return value
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, valueCharactersMax);
}
