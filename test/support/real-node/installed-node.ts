import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Machine } from './machine.ts';
import { mustSucceed } from './run-command.ts';

const repository = resolve(import.meta.dirname, '../../..');

/** Packs the built product as it is released, and returns the folder that the archive unpacks to. */
export function packProduct(): string {
  const packed = spawnSync('npm', ['run', '--silent', 'package'], { cwd: repository, encoding: 'utf8' });
  const archive = packed.stdout.trim().split('\n').at(-1) ?? '';
  if (packed.status !== 0 || !archive.endsWith('.tgz'))
    throw new Error(`npm run package failed: ${packed.stderr}${packed.stdout}`);
  return archive.replace(/\.tgz$/, '');
}

/** What an installation needs of a machine; one without ssh gives its `exec` in place of it. */
export type InstallTarget = Pick<Machine, 'ssh' | 'putFile' | 'putDir'>;

export interface AgentInstallation {
  readonly collectorUrl: string;
  /** A file on this machine; the agent gets its content. */
  readonly tokenFile: string;
  readonly config?: object;
}

/** Puts the packed product on the machine and starts the agent from the unit it generates for itself. */
export async function installAgent(
  machine: InstallTarget,
  { collectorUrl, tokenFile, config = {} }: AgentInstallation,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'install-'));
  const put = async (name: string, content: string, remote: string) => {
    writeFileSync(join(folder, name), content);
    await machine.putFile(join(folder, name), remote);
  };
  await machine.putDir(packProduct(), '/opt/runnerwatch');
  await mustSucceed(
    machine.ssh(
      'mkdir -p /etc/runnerwatch && ln -sf /opt/runnerwatch/scripts/runnerwatch.mjs /usr/local/bin/runnerwatch',
    ),
    'prepare',
  );
  await put('agent.token', readFileSync(tokenFile, 'utf8'), '/etc/runnerwatch/agent.token');
  await put(
    'agent.yaml',
    stringify({
      collector_urls: [collectorUrl],
      token_file: '/etc/runnerwatch/agent.token',
      heartbeat_interval: '2s',
      ...config,
    }),
    '/etc/runnerwatch/agent.yaml',
  );
  rmSync(folder, { recursive: true });
  await mustSucceed(
    machine.ssh(
      'chmod +x /opt/runnerwatch/scripts/runnerwatch.mjs && runnerwatch init service --runner --output-dir /etc/systemd/system',
      {
        timeoutMs: 60_000,
      },
    ),
    'init service',
  );
  await mustSucceed(
    machine.ssh('systemctl daemon-reload && systemctl enable --now runnerwatch-agent.service', { timeoutMs: 60_000 }),
    'start',
  );
}

/** Kills the agent with SIGKILL and keeps systemd from starting it again until `systemctl start`. */
export const killAgentForGood = [
  'mkdir -p /run/systemd/system/runnerwatch-agent.service.d',
  "printf '[Service]\\nRestart=no\\n' >/run/systemd/system/runnerwatch-agent.service.d/no-restart.conf",
  'systemctl daemon-reload',
  'systemctl kill -s KILL runnerwatch-agent.service',
].join(' && ');
