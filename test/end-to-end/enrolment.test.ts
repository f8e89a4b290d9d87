import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holds } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { Installation, type Program } from '../support/product.ts';

interface Agent {
  id: string;
  node: string;
  connected: boolean;
  admitted_by: string;
  revoked_at: string | null;
}

const calm = {
  token_file: undefined,
  sample_interval: '1s',
  heartbeat_interval: '1s',
  tasks: { containers: { sockets: [] } },
};

describe('enrolment, by hand', () => {
  const installation = new Installation();
  let joinToken = '';
  let agent: Program;
  const dataDir = join(installation.dataDir, 'first');
  const key = join(dataDir, 'agent', 'key.json');

  beforeAll(() => installation.collector({ log: { level: 'info' } }));
  afterAll(() => installation[Symbol.asyncDispose]());

  const agents = async () => (await installation.get<{ items: Agent[] }>('/agents')).items;
  const agentIs = (expected: Partial<Agent>) =>
    eventually(async () => {
      const [found] = await agents();
      expect(found).toMatchObject(expected);
      return found;
    });
  const post = async (path: string) => fetch(`${installation.url}/api/v1${path}`, { method: 'POST' });

  it('admits a node once with a token that the command line made, and with its own key from then on', async () => {
    const made = await installation.cli(['enroll', 'create', '--label', 'rack=r1', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const answer = JSON.parse(made.stdout) as { token: string; state: string };
    joinToken = answer.token;
    expect(answer.state).toBe('active');

    agent = installation.agent({ ...calm, token: joinToken, data_dir: dataDir, node: { name: 'first' } });
    await agentIs({ node: 'first', connected: true, admitted_by: 'enrollment', revoked_at: null });
    const { items } = await installation.get<{ items: { labels: Record<string, string> }[] }>('/nodes');
    expect(items[0]?.labels).toEqual({ rack: 'r1' });
    await eventually(() => /"is_known":true/.test(readFileSync(key, 'utf8')));
    expect(statSync(key).mode & 0o777).toBe(0o600);

    const listed = await installation.cli(['enroll', 'list']);
    expect(listed.stdout).toMatch(/used up +1 of 1/);
    expect(listed.stdout).not.toContain(joinToken);
    await agent.end();
    agent = installation.agent({ ...calm, data_dir: dataDir, node: { name: 'first' } });
    await agentIs({ connected: true, admitted_by: 'enrollment' });
  });

  it('F050 tells a second node that the token is used up, in the log of its agent', async () => {
    const second = installation.agent({ ...calm, token: joinToken, data_dir: join(installation.dataDir, 'second') });

    await holds(() => expect(second.output).toMatch(/this join token has admitted all of its 1/));
    expect(second.output).not.toContain(joinToken);
    await second.end();
    expect(await agents()).toHaveLength(1);
  });

  it('F051 ends the session of an agent that is revoked, which keeps what it has until it is approved again', async () => {
    const before = await agentIs({ connected: true });
    const revokedAt = performance.now();

    expect((await post(`/agents/${before?.id}/revoke`)).status).toBe(200);

    await agentIs({ connected: false });
    expect(performance.now() - revokedAt).toBeLessThan(5000);
    await holds(() => expect(agent.output).toMatch(/revoked/));
    await installation.cli(['run', '--name', 'meanwhile', '--', 'sh', '-c', 'exit 3'], {
      RUNNERWATCH_DATA_DIR: dataDir,
    });
    expect((await installation.get<{ items: unknown[] }>('/tasks')).items).toEqual([]);

    expect((await post(`/agents/${before?.id}/approve`)).status).toBe(200);

    await holds(async () => {
      const { items } = await installation.get<{ items: { name: string; exit_code: number }[] }>('/tasks');
      expect(items).toMatchObject([{ name: 'meanwhile', exit_code: 3 }]);
    });
  });

  it('forgets the key of a node that is removed', async () => {
    const [before] = await agents();
    await agent.end();

    await fetch(`${installation.url}/api/v1/nodes/${before?.id}`, { method: 'DELETE' });
    agent = installation.agent({ ...calm, data_dir: dataDir, node: { name: 'first' } });

    await holds(() => expect(agent.output).toMatch(/does not know the agent's key/));
    expect(await agents()).toEqual([]);
    expect(existsSync(key)).toBe(true);
  });
});
