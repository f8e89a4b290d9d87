import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, killAndWait, spawnOwned } from './owned-process.ts';
import { type CommandOptions, type CommandResult, mustSucceed, runCommand } from './run-command.ts';

export interface SshTarget {
  readonly port: number;
  readonly key: string;
  readonly controlPath: string;
}

/** One authenticated connection that every command shares: a new one costs seconds under emulation. */
export interface SshConnection {
  run(command: string, options?: CommandOptions): Promise<CommandResult>;
  copyTo(local: string, remote: string): Promise<void>;
  copyFrom(remote: string, local: string): Promise<void>;
  forward(hostPort: number, guestPort: number): Promise<void>;
  close(): Promise<void>;
}

const BANNER_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 60_000;
const COPY_TIMEOUT_MS = 180_000;

export async function openSsh(target: SshTarget, signal: AbortSignal): Promise<SshConnection> {
  await waitForBanner(target.port, signal);
  const master = await startMaster(target, signal);
  const client = [...commonArguments(target), '-p', String(target.port), 'root@127.0.0.1'];

  async function run(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    if (!isRunning(master)) throw new Error(`no connection to the machine for: ${command}`);
    // A shell around it turns death by a signal into 128 + signal, where ssh alone would say 255.
    const result = await runCommand('ssh', [...client, `/bin/sh -c ${shellQuoted(command)}; exit $?`], options);
    if (result.code === 255 && !isRunning(master)) throw new Error(`connection lost during: ${command}`);
    return result;
  }

  async function copy(from: string, to: string): Promise<void> {
    const args = ['-q', '-p', '-P', String(target.port), ...commonArguments(target), from, to];
    await mustSucceed(runCommand('scp', args, { timeoutMs: COPY_TIMEOUT_MS }), `copying ${from} to ${to}`);
  }

  async function forward(hostPort: number, guestPort: number): Promise<void> {
    const address = `127.0.0.1:${hostPort}:127.0.0.1:${guestPort}`;
    await mustSucceed(runCommand('ssh', ['-O', 'forward', '-L', address, ...client]), 'port forward');
  }

  return {
    run,
    copyTo: (local, remote) => copy(local, `root@127.0.0.1:${remote}`),
    copyFrom: (remote, local) => copy(`root@127.0.0.1:${remote}`, local),
    forward,
    close: () => killAndWait(master),
  };
}

export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function commonArguments(target: SshTarget): string[] {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
  ];
  const control = `ControlPath=${target.controlPath}`;
  return ['-F', 'none', '-i', target.key, ...[control, ...options].flatMap((option) => ['-o', option])];
}

/** QEMU accepts connections before the guest listens; only the server's own first words prove it is up. */
async function waitForBanner(port: number, signal: AbortSignal): Promise<void> {
  while (!(await hearsBanner(port))) {
    signal.throwIfAborted();
    await sleep(200, undefined, { signal });
  }
}

function hearsBanner(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (heard: boolean): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.setTimeout(BANNER_TIMEOUT_MS, () => settle(false));
    socket.once('data', (data) => settle(data.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

async function startMaster(target: SshTarget, signal: AbortSignal): Promise<ChildProcess> {
  const announce = ['-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=echo connected'];
  const args = ['-M', '-N', ...announce, ...commonArguments(target), '-p', String(target.port), 'root@127.0.0.1'];
  const master = spawnOwned('ssh', args, ['ignore', 'pipe', 'pipe']);
  let complaint = '';
  master.stderr?.on('data', (data: Buffer) => {
    complaint += data.toString('utf8');
  });
  const connected = new Promise<void>((resolve, reject) => {
    master.stdout?.once('data', () => resolve());
    master.once('error', reject);
    master.once('exit', () => reject(new Error(`ssh did not connect: ${complaint}`)));
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  try {
    await Promise.race([connected, aborted(limit)]);
    return master;
  } catch (cause) {
    await killAndWait(master);
    throw cause;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
