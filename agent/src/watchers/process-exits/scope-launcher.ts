import { readKernelFile } from '../../proc/kernel-file.ts';

/** The scope that a process is about to become, if it is a `systemd-run`; see {@link scopeOfLauncher}. */
export function readLaunchedScope(root: string, pid: number): string | null {
  const commandLine = readKernelFile(root, `/proc/${pid}/cmdline`);
  return commandLine === null ? null : scopeOfLauncher(commandLine.split('\0'));
}

/**
 * The scope that a `systemd-run --scope --unit=NAME` is about to become, from its arguments; null for any other program.
 * systemd-run(1) moves itself into the scope and then executes the command in its own place, so that the process with
 * these arguments is the scope's main process from its next exec on: known also where it ends before its cgroup is read.
 */
export function scopeOfLauncher(commandLine: readonly string[]): string | null {
  const [program = '', ...args] = commandLine;
  if (program.slice(program.lastIndexOf('/') + 1) !== 'systemd-run') return null;
  let isScope = false;
  let unit: string | null = null;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--' || !arg.startsWith('-')) break;
    if (arg === '--scope') isScope = true;
    else if (arg.startsWith('--unit=')) unit = arg.slice('--unit='.length);
    else if (arg === '--unit' || arg === '-u') unit = args[(index += 1)] ?? null;
    else if (takesValue.has(arg)) index += 1;
  }
  if (!isScope || unit === null || unit === '') return null;
  return unit.endsWith('.scope') ? unit : `${unit}.scope`;
}

/** Options of systemd-run(1) whose value is the next argument; with `=` they are one word. */
const takesValue: ReadonlySet<string> = new Set(
  `-H -M -p -E --host --machine --property --description --slice --setenv --uid --gid --nice --working-directory
  --service-type --on-active --on-boot --on-calendar --path-property --socket-property --timer-property --job-mode`.split(
    /\s+/,
  ),
);
