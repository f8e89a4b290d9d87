import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { haveRight, haveTool, isRoot } from './tool.ts';

const namespaces = isRoot ? ['--mount'] : ['--mount', '--user', '--map-root-user'];

/** Whether this machine lets us mount in a namespace of our own. */
export function canMount(): boolean {
  if (!haveTool('unshare', 'Debian: apt-get install util-linux') || !haveTool('mount', 'Debian: apt-get install mount'))
    return false;
  const tried = spawnSync('unshare', [...namespaces, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return haveRight(tried.status === 0, 'right to mount: run the tests as root, or allow user namespaces');
}

export interface PrivateMount {
  /** The mount seen from here. */
  readonly folder: string;
  /** A command that becomes what it is given, where `/mnt` is the mount. */
  readonly enter: readonly string[];
  /** Runs a shell command where `/mnt` is the mount. */
  readonly run: (command: string) => Promise<void>;
}

/**
 * A tmpfs with the given options (`size=4m,nr_inodes=20`) in the mount namespace of a process that holds it; the kernel takes it
 * away with that process, at the end of the test at the latest.
 */
export async function mountTmpfs(options: string): Promise<PrivateMount> {
  const script = `mount -t tmpfs -o ${options} tmpfs /mnt && echo 0; while read -r line; do sh -c "$line" >/dev/null; echo $?; done`;
  const holder: ChildProcess = spawn('unshare', [...namespaces, 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    holder.stdin?.end();
    if (holder.exitCode === null) await once(holder, 'exit');
  });
  if (holder.stdout === null || holder.stdin === null) throw new Error('the holder of the mount has no pipes');
  const { stdin } = holder;
  const statuses = createInterface(holder.stdout)[Symbol.asyncIterator]();
  const expectZero = async (what: string) => {
    const { value } = (await statuses.next()) as { value: string | undefined };
    if (value !== '0') throw new Error(`${what} failed with ${value ?? 'the end of its process'}`);
  };
  await expectZero('mount');
  return {
    folder: `/proc/${holder.pid}/root/mnt`,
    enter: [
      'nsenter',
      `--target=${holder.pid}`,
      '--mount',
      `--wd=${process.cwd()}`,
      ...(isRoot ? [] : ['--user', '--preserve-credentials']),
    ],
    run: async (command) => {
      stdin.write(`${command}\n`);
      await expectZero(command);
    },
  };
}
