import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootMachine, type Machine } from '../support/real-node/machine.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';
import type { CommandOptions, CommandResult } from '../support/real-node/run-command.ts';

type Run = (command: string, options?: CommandOptions) => Promise<CommandResult>;

const BUILD_AND_BOOT_MS = 15 * 60_000;
const GREETING = 'hello from the host';
const MEMORY_HOG = 'dd if=/dev/zero of=/dev/null bs=200M count=1';

let greeter: Server;
let greeterPort: number;
let folder: string;

beforeAll(async () => {
  greeter = createServer((_request, response) => response.end(GREETING));
  await new Promise<void>((resolve) => greeter.listen(0, '127.0.0.1', resolve));
  greeterPort = (greeter.address() as AddressInfo).port;
  folder = await mkdtemp(join(tmpdir(), 'rw-harness-'));
});

afterAll(async () => {
  greeter.close();
  await rm(folder, { recursive: true, force: true });
});

async function expectSystemd(run: Run): Promise<void> {
  const state = await run('systemctl is-system-running --wait');
  expect(['running', 'degraded']).toContain(state.stdout.trim());
  expect((await run('ps -o comm= -p 1')).stdout.trim()).toMatch(/^(systemd|init)$/);
  expect((await run('stat -fc %T /sys/fs/cgroup')).stdout.trim()).toBe('cgroup2fs');
}

async function expectScope(run: Run): Promise<void> {
  const scope = await run("systemd-run --scope --unit=smoke -- sh -c 'cat /proc/self/cgroup; exit 3'");
  expect(scope.code).toBe(3);
  expect(scope.stdout).toContain('/smoke.scope');
}

async function expectExitCodes(run: Run): Promise<void> {
  expect(await run('echo out; echo err >&2; exit 5')).toEqual({ code: 5, stdout: 'out\n', stderr: 'err\n' });
  expect((await run('kill -KILL $$')).code).toBe(137);
  expect((await run('cat', { stdin: 'given' })).stdout).toBe('given');
  await expect(run('sleep 60', { timeoutMs: 1_000 })).rejects.toThrow('no end after 1000 ms');
}

async function bootId(run: Run): Promise<string> {
  return (await run('cat /proc/sys/kernel/random/boot_id')).stdout.trim();
}

describe('the virtual machine', () => {
  let machine: Machine;
  const run: Run = (command, options) => machine.ssh(command, options);

  beforeAll(async () => {
    machine = await bootMachine();
  }, BUILD_AND_BOOT_MS);

  afterAll(async () => {
    await machine?.stop();
  });

  it('runs systemd with every controller', async () => {
    await expectSystemd(run);
    expect((await run('cat /sys/fs/cgroup/cgroup.controllers')).stdout).toContain('memory');
  });

  it('runs scopes', () => expectScope(run));

  it('answers exit codes, output and time-outs', () => expectExitCodes(run));

  it('says oom-kill of a scope above its memory limit', async () => {
    const hog = await run(`systemd-run --scope --unit=hog -p MemoryMax=50M -p MemorySwapMax=0 -- ${MEMORY_HOG}`);
    expect(hog.code).toBe(137);
    const journal = 'journalctl --sync; journalctl -u hog.scope UNIT_RESULT=oom-kill -o json --no-pager';
    expect((await run(journal)).stdout).toContain('"UNIT_RESULT":"oom-kill"');
  });

  it('runs containers', async () => {
    expect((await run("docker run --rm bb sh -c 'exit 7'")).code).toBe(7);
    expect((await run("podman run --rm bb sh -c 'exit 8'")).code).toBe(8);
  });

  it("runs this machine's node", async () => {
    expect((await run('node --version')).stdout.trim()).toBe(process.version);
  });

  it("reaches this machine's loopback, and is reached through a forwarded port", async () => {
    expect((await run(`curl -s http://${machine.hostAddress}:${greeterPort}/`)).stdout).toBe(GREETING);
    const server = "require('http').createServer((q, r) => r.end('from the guest')).listen(8080, '127.0.0.1')";
    await run(`systemd-run --unit=guest-server node -e "${server}"`);
    const port = await machine.forward(8080);
    await expect.poll(() => fetchText(port), { timeout: 30_000, interval: 500 }).toBe('from the guest');
  });

  it('carries files both ways', async () => {
    await writeFile(join(folder, 'note'), 'carried');
    await machine.putDir(folder, '/opt/carried');
    await machine.putFile(join(folder, 'note'), '/opt/single/note');
    await machine.getFile('/opt/carried/note', join(folder, 'returned'));
    expect(await readFile(join(folder, 'returned'), 'utf8')).toBe('carried');
    expect((await run('cat /opt/single/note')).stdout).toBe('carried');
  });

  it('comes back from a power cut with what was flushed, and from a reboot', async () => {
    const first = await bootId(run);
    await run('echo kept >/root/kept && sync /root/kept && echo lost >/root/lost');
    await machine.powerCut();
    await expect(async () => run('true')).rejects.toThrow('the machine is off');
    await machine.bootAgain();
    expect((await run('cat /root/kept')).stdout).toBe('kept\n');
    const second = await bootId(run);
    await machine.reboot();
    expect(new Set([first, second, await bootId(run)]).size).toBe(3);
  });
});

describe('a virtual machine that cannot boot', () => {
  it(
    'fails with the last lines of its console',
    async () => {
      await expect(bootMachine({ kernelArguments: ['init=/bin/false'] })).rejects.toThrow(
        /attempt 2[\s\S]*Kernel panic/,
      );
    },
    BUILD_AND_BOOT_MS,
  );
});

describe.each(['own', 'host'] as const)('the namespace machine with %s network', (network) => {
  let machine: NamespaceMachine;
  const run: Run = (command, options) => machine.exec(command, options);

  beforeAll(async () => {
    machine = await bootNamespaceMachine({ network });
  }, BUILD_AND_BOOT_MS);

  afterAll(async () => {
    await machine?.stop();
  });

  it('runs systemd', () => expectSystemd(run));

  it('runs scopes', () => expectScope(run));

  it('answers exit codes, output and time-outs', () => expectExitCodes(run));

  it("runs this machine's node", async () => {
    expect((await run('node --version')).stdout.trim()).toBe(process.version);
  });

  it("reaches this machine's loopback only when it shares the network", async () => {
    const answer = await run(`curl -s http://127.0.0.1:${greeterPort}/`);
    expect(answer.stdout).toBe(network === 'host' ? GREETING : '');
    expect(machine.hostAddress).toBe(network === 'host' ? '127.0.0.1' : undefined);
  });

  it('carries files both ways', async () => {
    await writeFile(join(folder, 'note'), 'carried');
    await machine.putDir(folder, '/opt/carried');
    await machine.putFile(join(folder, 'note'), '/opt/single/note');
    await machine.getFile('/opt/carried/note', join(folder, 'returned'));
    expect(await readFile(join(folder, 'returned'), 'utf8')).toBe('carried');
    expect((await run('cat /opt/single/note')).stdout).toBe('carried');
  });

  it('comes back from a power cut and from a reboot', async () => {
    const first = await bootId(run);
    await run('echo kept >/root/kept');
    await machine.powerCut();
    await expect(async () => run('true')).rejects.toThrow('the machine is off');
    await machine.bootAgain();
    expect((await run('cat /root/kept')).stdout).toBe('kept\n');
    const second = await bootId(run);
    await machine.reboot();
    expect(new Set([first, second, await bootId(run)]).size).toBe(3);
  });
});

function fetchText(port: number): Promise<string> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    }).on('error', (error) => resolve(error.message));
  });
}
