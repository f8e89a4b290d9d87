import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.ts';
import { type NodeImage, realNodeImage, type Suite } from './image.ts';
import { isRunning, killAndWait } from './owned-process.ts';
import { consoleTail, endedSignal, startQemu } from './qemu.ts';
import { type CommandOptions, type CommandResult, mustSucceed, runCommand } from './run-command.ts';
import { openSsh, type SshConnection, shellQuoted } from './ssh-connection.ts';

export interface MachineOptions {
  readonly suite?: Suite;
  readonly memoryMiB?: number;
  /** Units that do not start, `docker.service` for instance, for a shorter boot. */
  readonly mask?: readonly string[];
  readonly kernelArguments?: readonly string[];
}

/** A virtual machine on a disk of its own. Times inside are roughly ten times those of a real one. */
export interface Machine extends AsyncDisposable {
  /** The guest's name for the loopback of the machine the test runs on. */
  readonly hostAddress: string;
  ssh(command: string, options?: CommandOptions): Promise<CommandResult>;
  putFile(local: string, remote: string): Promise<void>;
  /** Copies what is in the folder into the remote folder, which need not exist. */
  putDir(local: string, remote: string): Promise<void>;
  getFile(remote: string, local: string): Promise<void>;
  /** Resolves to a port on this machine's 127.0.0.1 that leads to the guest's; it outlives reboots. */
  forward(guestPort: number): Promise<number>;
  /** What the guest did not flush to its disk is lost; `bootAgain` boots what is left. */
  powerCut(): Promise<void>;
  bootAgain(): Promise<void>;
  /** An orderly `systemctl reboot`. */
  reboot(): Promise<void>;
  /** Stands still with its connections open, as a hung node does, until `thaw`. */
  freeze(): void;
  thaw(): void;
  consoleTail(lines?: number): Promise<string>;
  stop(): Promise<void>;
}

interface Running {
  readonly qemu: ChildProcess;
  readonly connection: SshConnection;
}

interface Hardware {
  readonly image: NodeImage;
  readonly folder: string;
  readonly memoryMiB: number;
  readonly kernelArguments: readonly string[];
}

const HOST_ADDRESS = '10.0.2.2';
const BOOT_TIMEOUT_MS = 120_000;
const BOOT_ATTEMPTS = 2;
const SHUTDOWN_TIMEOUT_MS = 120_000;
const TRANSFER_TIMEOUT_MS = 180_000;

export async function bootMachine(options: MachineOptions = {}): Promise<Machine> {
  const image = await realNodeImage(options.suite);
  const folder = await mkdtemp(join(tmpdir(), 'rw-node-'));
  const hardware: Hardware = {
    image,
    folder,
    memoryMiB: options.memoryMiB ?? 2048,
    // Every machine is its own node: the image's identity must not be shared by two of them.
    kernelArguments: [
      `systemd.machine_id=${randomBytes(16).toString('hex')}`,
      ...(options.mask ?? []).map((unit) => `systemd.mask=${unit}`),
      ...(options.kernelArguments ?? []),
    ],
  };
  try {
    await mustSucceed(
      runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', image.disk, diskOf(hardware)]),
      'creating the disk overlay',
    );
    return new VirtualMachine(hardware, await boot(hardware));
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

class VirtualMachine implements Machine {
  readonly hostAddress = HOST_ADDRESS;
  readonly #hardware: Hardware;
  readonly #forwards = new Map<number, number>();
  #running: Running | undefined;

  constructor(hardware: Hardware, running: Running) {
    this.#hardware = hardware;
    this.#running = running;
  }

  ssh(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    return this.#connection().run(command, options);
  }

  async putFile(local: string, remote: string): Promise<void> {
    await mustSucceed(this.ssh(`mkdir -p ${shellQuoted(dirname(remote))}`), `folder of ${remote}`);
    await this.#connection().copyTo(local, remote);
  }

  async putDir(local: string, remote: string): Promise<void> {
    const archive = join(this.#hardware.folder, `${randomBytes(6).toString('hex')}.tar`);
    const limit = { timeoutMs: TRANSFER_TIMEOUT_MS };
    try {
      await mustSucceed(runCommand('tar', ['-C', local, '-cf', archive, '.'], limit), `packing ${local}`);
      const unpack = `mkdir -p ${shellQuoted(remote)} && tar -C ${shellQuoted(remote)} --no-same-owner -xf -`;
      await mustSucceed(this.ssh(unpack, { ...limit, stdin: createReadStream(archive) }), `unpacking into ${remote}`);
    } finally {
      await rm(archive, { force: true });
    }
  }

  getFile(remote: string, local: string): Promise<void> {
    return this.#connection().copyFrom(remote, local);
  }

  async forward(guestPort: number): Promise<number> {
    const existing = this.#forwards.get(guestPort);
    if (existing !== undefined) return existing;
    const hostPort = await freePort();
    await this.#connection().forward(hostPort, guestPort);
    this.#forwards.set(guestPort, hostPort);
    return hostPort;
  }

  async powerCut(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await turnOff(running);
  }

  async bootAgain(): Promise<void> {
    if (this.#running !== undefined) throw new Error('the machine is on: cut its power or reboot it');
    const running = await boot(this.#hardware);
    this.#running = running;
    for (const [guestPort, hostPort] of this.#forwards) await running.connection.forward(hostPort, guestPort);
  }

  async reboot(): Promise<void> {
    const { qemu, connection } = this.#on();
    const ended = new Promise<void>((resolve) => qemu.once('exit', () => resolve()));
    await connection.run('systemctl reboot').catch(() => undefined);
    const limit = setTimeout(() => qemu.kill('SIGKILL'), SHUTDOWN_TIMEOUT_MS);
    await ended;
    clearTimeout(limit);
    const orderly = qemu.exitCode === 0;
    await this.powerCut();
    if (!orderly) throw new Error(`the guest did not shut down:\n${await this.consoleTail()}`);
    await this.bootAgain();
  }

  freeze(): void {
    this.#on().qemu.kill('SIGSTOP');
  }

  thaw(): void {
    this.#on().qemu.kill('SIGCONT');
  }

  consoleTail(lines?: number): Promise<string> {
    return consoleTail(consoleOf(this.#hardware), lines);
  }

  async stop(): Promise<void> {
    await this.powerCut();
    await rm(this.#hardware.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #on(): Running {
    if (this.#running === undefined) throw new Error('the machine is off');
    return this.#running;
  }

  #connection(): SshConnection {
    return this.#on().connection;
  }
}

async function boot(hardware: Hardware): Promise<Running> {
  const failures: string[] = [];
  for (let attempt = 1; attempt <= BOOT_ATTEMPTS; attempt += 1) {
    try {
      return await bootOnce(hardware);
    } catch (cause) {
      failures.push(`attempt ${attempt}: ${String(cause)}\n${await consoleTail(consoleOf(hardware))}`);
    }
  }
  throw new Error(`the machine did not boot\n${failures.join('\n')}`);
}

async function bootOnce(hardware: Hardware): Promise<Running> {
  const sshPort = await freePort();
  const qemu = startQemu({
    imageFolder: hardware.image.folder,
    disk: diskOf(hardware),
    sshPort,
    consoleLog: consoleOf(hardware),
    memoryMiB: hardware.memoryMiB,
    kernelArguments: hardware.kernelArguments,
  });
  const target = { port: sshPort, key: hardware.image.sshKey, controlPath: join(hardware.folder, 'ssh') };
  try {
    const signal = AbortSignal.any([endedSignal(qemu), AbortSignal.timeout(BOOT_TIMEOUT_MS)]);
    return { qemu, connection: await openSsh(target, signal) };
  } catch (cause) {
    await killAndWait(qemu);
    throw cause;
  }
}

async function turnOff(running: Running): Promise<void> {
  // The power goes first: a connection closed in order would be a sign that a cut does not give.
  if (isRunning(running.qemu)) await killAndWait(running.qemu);
  await running.connection.close();
}

function diskOf(hardware: Hardware): string {
  return join(hardware.folder, 'disk.qcow2');
}

function consoleOf(hardware: Hardware): string {
  return join(hardware.folder, 'console.log');
}
