import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

/**
 * A child that the kernel kills when this process ends, however it ends:
 * a test runner that is itself killed leaves no virtual machine behind.
 */
export function spawnOwned(command: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], { stdio });
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

export async function killAndWait(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}
