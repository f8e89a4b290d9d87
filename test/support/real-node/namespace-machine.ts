import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeImage, realNodeImage, realNodeScript, type Suite } from './image.ts';
import { isRunning, killAndWait, spawnOwned } from './owned-process.ts';
import { type CommandOptions, type CommandResult, mustSucceed, runCommand } from './run-command.ts';

export interface NamespaceMachineOptions {
  readonly suite?: Suite;
  /** `host` shares this machine's network: its 127.0.0.1 is reached, and its ports and abstract sockets are shared. */
  readonly network?: 'own' | 'host';
  readonly mask?: readonly string[];
  /** Docker and Podman with the image `bb`, without network or limits for their containers; new ones after each boot. */
  readonly containers?: boolean;
}

/** systemd in namespaces of this machine's own kernel: native speed, up in a second, no memory controller. */
export interface NamespaceMachine extends AsyncDisposable {
  /** The inside's name for this machine's loopback; none with a network of its own. */
  readonly hostAddress: string | undefined;
  exec(command: string, options?: CommandOptions): Promise<CommandResult>;
  putFile(local: string, inside: string): Promise<void>;
  /** Copies what is in the folder into the folder inside, which need not exist. */
  putDir(local: string, inside: string): Promise<void>;
  getFile(inside: string, local: string): Promise<void>;
  /** Kills every process at once. Unlike a real cut it loses no written byte: the page cache is this machine's. */
  powerCut(): Promise<void>;
  bootAgain(): Promise<void>;
  /** An orderly `systemctl reboot`. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

interface Place {
  readonly image: NodeImage;
  readonly folder: string;
  readonly network: 'own' | 'host';
  readonly mask: readonly string[];
  readonly containers: boolean;
}

interface Running {
  readonly launcher: ChildProcess;
  readonly initPid: number;
}

const BOOT_TIMEOUT_MS = 30_000;
const SHUTDOWN_TIMEOUT_MS = 30_000;
const NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
// Commands get a cgroup beside systemd's, as those of a login have; outside one they would show as `/..`.
const ENTER = 'mkdir -p /sys/fs/cgroup/exec && echo 0 >/sys/fs/cgroup/exec/cgroup.procs && exec /bin/sh -c "$1"';

/** Each would touch this machine's kernel, devices or network, or cannot work in namespaces. */
const MASKED_UNITS = `
  docker.service docker.socket containerd.service podman.service podman.socket podman-restart.service
  ssh.service ssh.socket systemd-networkd.service systemd-networkd.socket console-getty.service
  systemd-journald-audit.socket systemd-sysctl.service apparmor.service systemd-random-seed.service
  systemd-modules-load.service kmod-static-nodes.service systemd-udevd.service systemd-udev-trigger.service
  modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service
  modprobe@fuse.service modprobe@loop.service sys-fs-fuse-connections.mount sys-kernel-config.mount
  sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount proc-sys-fs-binfmt_misc.automount
`
  .trim()
  .split(/\s+/);

/**
 * Nothing of them may reach this machine's network or kernel settings. Overlays lie on no overlay: their files are in memory.
 * crun wants a right that is not always there (CAP_SYS_RESOURCE), runc does not.
 */
const START_ENGINES = `
  cd /etc/systemd/system && rm -f docker.service docker.socket containerd.service podman.service podman.socket
  mkdir -p /etc/docker /etc/containers /var/lib/docker /var/lib/containers
  mount -t tmpfs tmpfs /var/lib/docker && mount -t tmpfs tmpfs /var/lib/containers
  echo '{"iptables":false,"ip6tables":false,"ip-forward":false,"bridge":"none"}' >/etc/docker/daemon.json
  printf '[engine]\\nruntime = "runc"\\n[containers]\\npids_limit = 0\\nnetns = "none"\\n' >/etc/containers/containers.conf
  systemctl daemon-reload && systemctl start docker.service podman.socket
  docker import --change 'CMD ["sh"]' /usr/local/lib/real-node/bb.tar bb
  podman import --quiet --change CMD=sh /usr/local/lib/real-node/bb.tar bb
`;

export async function bootNamespaceMachine(options: NamespaceMachineOptions = {}): Promise<NamespaceMachine> {
  const image = await realNodeImage(options.suite);
  const folder = await mkdtemp(join(tmpdir(), 'rw-ns-'));
  const place: Place = {
    image,
    folder,
    network: options.network ?? 'own',
    mask: [...MASKED_UNITS, ...(options.mask ?? [])],
    containers: options.containers ?? false,
  };
  try {
    return new SystemdInNamespaces(place, await boot(place));
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

class SystemdInNamespaces implements NamespaceMachine {
  readonly hostAddress: string | undefined;
  readonly #place: Place;
  #running: Running | undefined;

  constructor(place: Place, running: Running) {
    this.hostAddress = place.network === 'host' ? '127.0.0.1' : undefined;
    this.#place = place;
    this.#running = running;
  }

  exec(command: string, options: CommandOptions = {}): Promise<CommandResult> {
    return enter(this.#on().initPid, command, options);
  }

  async putFile(local: string, inside: string): Promise<void> {
    await this.#copy(['-p', local, this.#path(inside)], dirname(inside));
  }

  async putDir(local: string, inside: string): Promise<void> {
    await this.#copy(['-dR', '--preserve=mode,timestamps', `${local}/.`, this.#path(inside)], inside);
  }

  async getFile(inside: string, local: string): Promise<void> {
    await this.#copy(['-p', this.#path(inside), local]);
  }

  async powerCut(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await turnOff(running);
  }

  async bootAgain(): Promise<void> {
    if (this.#running !== undefined) throw new Error('the machine is on: cut its power or reboot it');
    this.#running = await boot(this.#place);
  }

  async reboot(): Promise<void> {
    const { launcher } = this.#on();
    const ended = new Promise<boolean>((resolve) => launcher.once('exit', () => resolve(true)));
    await this.exec('systemctl reboot').catch(() => undefined);
    const orderly = await Promise.race([ended, sleep(SHUTDOWN_TIMEOUT_MS, false, { ref: false })]);
    await this.powerCut();
    if (!orderly) throw new Error(`systemd did not shut down within ${SHUTDOWN_TIMEOUT_MS} ms`);
    await this.bootAgain();
  }

  async stop(): Promise<void> {
    await this.powerCut();
    await rm(this.#place.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #on(): Running {
    if (this.#running === undefined) throw new Error('the machine is off');
    return this.#running;
  }

  #path(inside: string): string {
    return `/proc/${this.#on().initPid}/root${inside}`;
  }

  async #copy(args: readonly string[], folderInside?: string): Promise<void> {
    if (folderInside !== undefined) await mustSucceed(runCommand('mkdir', ['-p', this.#path(folderInside)]), 'mkdir');
    await mustSucceed(runCommand('cp', args), `copying ${args.slice(-2).join(' to ')}`);
  }
}

function enter(initPid: number, command: string, options: CommandOptions): Promise<CommandResult> {
  const inside = ['/usr/bin/env', '-i', `PATH=${PATH}`, 'HOME=/root', '/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'];
  const shell = ['/bin/sh', '-c', ENTER, 'sh', command];
  return runCommand('nsenter', ['--target', String(initPid), ...NAMESPACES, '--', ...inside, ...shell], options);
}

async function boot(place: Place): Promise<Running> {
  const pidFile = join(place.folder, 'pid');
  await rm(pidFile, { force: true });
  const args = ['start', place.image.rootFolder, place.folder, place.network, ...place.mask];
  const launcher = spawnOwned(realNodeScript('start-namespaces.sh'), args, ['ignore', 'ignore', 'pipe']);
  let complaint = '';
  launcher.stderr?.on('data', (data: Buffer) => {
    complaint += data.toString('utf8');
  });
  const limit = AbortSignal.timeout(BOOT_TIMEOUT_MS);
  try {
    const initPid = await systemdPid(pidFile, launcher, limit);
    await systemdReady(initPid, launcher, limit);
    if (place.containers)
      await mustSucceed(enter(initPid, `set -e\n${START_ENGINES}`, {}), 'starting Docker and Podman');
    return { launcher, initPid };
  } catch (cause) {
    await killAndWait(launcher);
    throw new Error(`systemd did not boot in namespaces: ${complaint}`, { cause });
  }
}

async function systemdPid(pidFile: string, launcher: ChildProcess, limit: AbortSignal): Promise<number> {
  for (;;) {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    if (!isRunning(launcher)) throw new Error('the launcher ended');
    await sleep(20, undefined, { signal: limit });
  }
}

async function systemdReady(initPid: number, launcher: ChildProcess, limit: AbortSignal): Promise<void> {
  for (;;) {
    const state = await enter(initPid, 'systemctl is-system-running --wait', { timeoutMs: BOOT_TIMEOUT_MS });
    if (['running', 'degraded'].includes(state.stdout.trim())) return;
    if (!isRunning(launcher)) throw new Error('the launcher ended');
    await sleep(50, undefined, { signal: limit });
  }
}

async function turnOff({ launcher, initPid }: Running): Promise<void> {
  if (!isRunning(launcher)) return;
  const ended = new Promise<void>((resolve) => launcher.once('exit', () => resolve()));
  process.kill(initPid, 'SIGKILL');
  await ended;
}
