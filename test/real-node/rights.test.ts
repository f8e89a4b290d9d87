import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '@runnerwatch/shared/model/finding.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';
import { installAgent } from '../support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';
import { mustSucceed } from '../support/real-node/run-command.ts';

/*
 * The agent as users of fewer rights start it, under a real systemd: what it says it does not see, and that a verdict it
 * cannot prove is unknown, never wrong.
 */
const installation = new Installation();
let machine: NamespaceMachine;

interface NodeRecord {
  id: string;
  name: string;
  status: string;
  sources: { name: string; state: string; reason: string | null }[];
}

interface Task {
  name: string;
  node: string;
  status: string;
  exit_code: number | null;
  verdict: { cause: string; confidence: string; summary: string };
  log_tail: string[] | null;
}

const users = [
  { name: 'plain', properties: '-p User=nobody', journal: 'blind' },
  { name: 'reader', properties: '-p User=nobody -p SupplementaryGroups=systemd-journal', journal: 'seeing' },
  {
    name: 'capable',
    properties: '-p User=nobody -p AmbientCapabilities=CAP_NET_ADMIN -p SupplementaryGroups=systemd-journal',
    journal: 'seeing',
  },
] as const;

beforeAll(async () => {
  await installation.collector({ log: { level: 'warn' } });
  machine = await bootNamespaceMachine({ network: 'host' });
  await machine.exec('systemctl is-system-running --wait', { timeoutMs: 60_000 });
  const tokenFile = join(installation.dataDir, 'collector', 'agent.token');
  await installAgent(
    {
      ssh: (command, options) => machine.exec(command, options),
      putFile: (local, inside) => machine.putFile(local, inside),
      putDir: (local, inside) => machine.putDir(local, inside),
    },
    { collectorUrl: installation.url, tokenFile, config: { node: { name: 'root' } } },
  );
  const token = readFileSync(tokenFile, 'utf8').trim();
  for (const { name, properties } of users) {
    const environment = Object.entries({
      RUNNERWATCH_COLLECTOR_URLS: installation.url,
      RUNNERWATCH_TOKEN: token,
      RUNNERWATCH_NODE_NAME: name,
      RUNNERWATCH_DATA_DIR: `/var/lib/agent-of-${name}`,
    }).map(([key, value]) => `-E ${key}=${value}`);
    await mustSucceed(
      machine.exec(
        `systemd-run --unit=agent-of-${name} ${properties} -p StateDirectory=agent-of-${name} ${environment.join(' ')} runnerwatch agent --config /dev/null`,
      ),
      `start the agent of ${name}`,
    );
  }
  await eventually(
    async () => {
      const online = (await nodes()).filter(({ status }) => status === 'online').map(({ name }) => name);
      if (online.length < 1 + users.length) throw new Error(`online: ${online.join(' ')}`);
      return true;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
});

afterAll(async () => {
  await machine?.stop();
  await installation[Symbol.asyncDispose]();
});

async function nodes(): Promise<NodeRecord[]> {
  return (await installation.get<{ items: NodeRecord[] }>('/nodes')).items;
}

async function endedOn(node: string, name: string): Promise<Task> {
  return eventually(
    async () => {
      const { items } = await installation.get<{ items: (Task & { id: string })[] }>('/tasks?limit=500');
      const found = items.find((task) => task.name === name && task.node === node && task.status !== 'running');
      if (!found) throw new Error(`no end of ${name} on ${node}`);
      return installation.get<Task>(`/tasks/${found.id}`);
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}

describe('an agent with fewer rights', () => {
  it.each(users)('of a $name user says what of the journal it sees', async ({ name, journal }) => {
    const source = await eventually(async () => {
      const node = (await nodes()).find((one) => one.name === name);
      const found = node?.sources.find((one) => one.name === 'journal');
      return found?.state === journal ? found : undefined;
    });

    expect(source.reason === null).toBe(journal === 'seeing');
  });

  it.each(users)('of a $name user never takes a failed scope for a success', async ({ name }) => {
    await machine.exec(`systemd-run --scope --unit=scope-for-${name} -- sh -c 'sleep 0.3; exit 3'`);

    const task = await endedOn(name, `scope-for-${name}`);

    expect(['failed', 'unknown']).toContain(task.status);
    expect(task.exit_code).toBe(task.status === 'failed' ? 3 : null);
    if (task.status === 'unknown') expect(task.verdict.summary).toMatch(/:/);
  });

  it.each(users)('of a $name user tells a failed service from the bus alone', async ({ name, journal }) => {
    await machine.exec(`systemd-run --wait --unit=service-for-${name} -- sh -c 'echo last words; exit 7'`);

    const task = await endedOn(name, `service-for-${name}`);

    expect([task.status, task.exit_code, task.verdict.cause]).toEqual(['failed', 7, 'exit_code']);
    expect(task.log_tail ?? []).toEqual(journal === 'seeing' ? ['last words'] : []);
  });
});

describe('doctor', () => {
  async function findings(user: string): Promise<Record<string, Finding>> {
    const { stdout } = await machine.exec(
      `setpriv ${user} env RUNNERWATCH_COLLECTOR_URLS=${installation.url} runnerwatch doctor --runner --runner-config /dev/null --json`,
    );
    const { parts } = JSON.parse(stdout) as { parts: { findings: Finding[] }[] };
    return Object.fromEntries(parts.flatMap((part) => part.findings.map((one) => [one.check, one])));
  }

  it('says as root that all sources of systemd are seen', async () => {
    const found = await findings('--reuid=0');

    expect([found['systemd']?.result, found['journal']?.result]).toEqual(['ok', 'ok']);
  });

  it('says as a plain user that the journal is not, and the group that cures it', async () => {
    const found = await findings('--reuid=65534 --regid=65534 --clear-groups');

    expect(found['systemd']?.result).toBe('ok');
    expect(found['journal']).toMatchObject({ result: 'failed', fix: expect.stringContaining('systemd-journal') });
    expect(found['collector']).toMatchObject({ result: 'failed', says: expect.stringContaining('401') });
  });
});
