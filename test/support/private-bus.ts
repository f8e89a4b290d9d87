import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { haveTool } from './tool.ts';

export function haveBus(): boolean {
  return haveTool('dbus-daemon', 'Debian: apt-get install dbus-daemon, Fedora: dnf install dbus-daemon');
}

/** A real dbus-daemon of our own on a socket in a temporary folder. */
export class PrivateBus {
  readonly address: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'runnerwatch-bus-'));
  #daemon: ChildProcess | null = null;

  constructor() {
    this.address = `unix:path=${join(this.#folder, 'socket')}`;
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  async start(): Promise<void> {
    const config = fileURLToPath(new URL('../fixtures/dbus/private-bus.conf', import.meta.url));
    const daemon = spawn(
      'dbus-daemon',
      [`--config-file=${config}`, `--address=${this.address}`, '--nofork', '--print-address=1'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    this.#daemon = daemon;
    // It prints its address once it listens.
    const gone = once(daemon, 'exit').then(([code]) =>
      Promise.reject(new Error(`dbus-daemon ended with ${String(code)}`)),
    );
    await Promise.race([once(daemon.stdout, 'data'), gone]);
    gone.catch(() => {});
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon !== null && daemon.exitCode === null) {
      const exited = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await exited;
    }
    rmSync(join(this.#folder, 'socket'), { force: true });
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
