import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { notification } from '@runnerwatch/shared/model/notification.ts';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { calm, closed, holds, secret, type TaskItem, toldOf } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { Program } from '../support/product.ts';
import { freePort } from '../support/real-node/free-port.ts';

const runnerwatch = resolve(import.meta.dirname, '../../scripts/runnerwatch.mjs');

/* One story, told in order: a person's first minutes with `runnerwatch up`. */
describe('the main job', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runnerwatch-'));
  const dataDir = join(folder, 'data');
  let sink: HttpSink;
  let url: string;
  let up: Program;
  let failed: TaskItem;

  beforeAll(async () => {
    sink = await HttpSink.open();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const notifications = {
      notifiers: { ops: { type: 'webhook', url: sink.url, secret } },
      subscriptions: [{ receiver: 'ops' }],
    };
    writeFileSync(join(folder, 'collector.yaml'), stringify({ notifications }));
    writeFileSync(join(folder, 'agent.yaml'), stringify(calm));
    const args = ['up', '--port', String(port), '--data-dir', dataDir];
    const files = ['--config', join(folder, 'collector.yaml'), '--agent-config', join(folder, 'agent.yaml')];
    up = new Program(() =>
      spawn(process.execPath, [runnerwatch, ...args, ...files], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  });
  afterAll(async () => {
    await up.end('SIGINT');
    await sink[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return cliAt(url, args);
  }
  async function cliAt(at: string, args: readonly string[]) {
    const child = spawn(process.execPath, [runnerwatch, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RUNNERWATCH_URL: at, RUNNERWATCH_DATA_DIR: dataDir },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk.toString();
    });
    return { code: await closed(child), ...said };
  }

  async function greeted(times: number): Promise<void> {
    await eventually(
      () => {
        if (!up.isRunning) throw new Error(up.output);
        return up.output.split('Try it:').length === times + 1;
      },
      { timeoutMs: 100_000, everyMs: 50 },
    );
  }

  it('starts with one line, and says where it is, what it watches, and what not and why', async () => {
    await greeted(1);

    expect(up.output).toContain(`Dashboard   ${url}/`);
    expect(up.output).toContain(`State       ${dataDir}`);
    expect(up.output).toContain(`then:       npx runnerwatch --url ${url} tasks\n`);
    expect(up.output).toMatch(/is watched: .*run/);
    for (const [, reason] of up.output.matchAll(/^ {4}not \S+: (.*)$/gm)) expect(reason?.length).toBeGreaterThan(10);
    if (!existsSync('/run/systemd/system')) expect(up.output).toContain('not systemd: PID 1 is not systemd');
    const page = await fetch(`${url}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
  });

  it('passes output and exit code of a command through, and tells a signed webhook why it failed, once', async () => {
    const run = await cli(
      'run',
      '--job',
      'nightly',
      '--project',
      'demo',
      '--',
      'sh',
      '-c',
      'echo out; echo oh no >&2; exit 3',
    );
    await holds(() => expect(sink.requests.length).toBe(1));

    expect(run).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'oh no\n' });
    const [request] = sink.requests;
    const body = notification.parse(new Webhook(secret).verify(request?.body ?? '', { ...request?.headers }));
    expect(body).toMatchObject({
      version: 1,
      id: request?.headers['webhook-id'],
      type: 'task.ended',
      transition: 'fired',
      repeat: 0,
      incident: { status: 'open', title: expect.stringContaining('failed') as string },
      condition: { type: 'TaskFailed', active: true, component: 'agent' },
      node: { status: 'online', labels: {} },
      task: {
        name: 'sh',
        job: 'nightly',
        project: 'demo',
        source: 'run',
        status: 'failed',
        exit_code: 3,
        signal: null,
        verdict: { cause: 'exit_code', confidence: 'proven' },
      },
    });
    expect(body.task?.log_tail?.toSorted()).toEqual(['out', 'stderr: oh no']);
  });

  it('shows the task, and explains who was told and why', async () => {
    const listed = await cli('tasks', '--json');
    const { items } = JSON.parse(listed.stdout) as { items: TaskItem[] };
    expect(items.length).toBe(1);
    failed = items[0] as TaskItem;
    const shown = await cli('tasks', 'show', failed.id);
    const explained = await cli('explain', 'task', failed.id);

    expect(shown.stdout).toContain('exit 3');
    expect(shown.stdout).toContain('stderr: oh no');
    expect(explained.code).toBe(0);
    expect(explained.stdout).toMatch(/→ ops: notified \(matched\)/);
    expect(explained.stdout).toContain('HTTP 204');
  });

  it('answers every listing of the command line', async () => {
    const commands = [['tasks'], ['nodes'], ['status'], ['incidents'], ['subscriptions'], ['deliveries']];
    const answers = await Promise.all(commands.map((args) => cli(...args)));

    expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(commands.map(() => [0, '']));
    const [tasks, nodes, status, incidents, subscriptions] = answers.map(({ stdout }) => stdout);
    expect(tasks).toContain(failed.id);
    expect(nodes).toContain('online');
    expect(status).toMatch(/agents\s+1 connected/);
    expect(incidents).toMatch(/open\s+\S+\s+sh failed/);
    expect(subscriptions).toContain('ops');
  });

  it('speaks to cron through exit codes: 1 something failed, 0 nothing, 2 cannot see', async () => {
    const found = await cli('check', 'tasks');
    const nothing = await cli('check', 'tasks', '--since', '2040-01-01T00:00:00Z');
    const fine = await cli('check', 'nodes');
    const blind = await cliAt('http://127.0.0.1:9', ['check', 'tasks']);

    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`--- Task ID: ${failed.id} ---`);
    expect([nothing.code, nothing.stdout]).toEqual([0, '']);
    expect(fine.code).toBe(0);
    expect([blind.code, blind.stdout]).toEqual([2, '']);
    expect(blind.stderr).toMatch(/^.+127\.0\.0\.1:9.+\n$/);
  });

  it('sends a test notification through the real path', async () => {
    const answer = await cli('notify', 'test', 'ops');
    await holds(() => expect(toldOf(sink, 'test').length).toBe(1));

    expect(answer).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ops took the test notification') as string,
    });
  });

  it('stops on Ctrl-C within ten seconds and leaves no process', async () => {
    const before = processesOf(dataDir);
    const beganAt = performance.now();
    const code = await up.end('SIGINT');

    expect(code).toBe(0);
    expect(performance.now() - beganAt).toBeLessThan(10_000);
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(processesOf(dataDir)).toEqual([]);
    expect(up.output).not.toMatch(/^\s+at /m);
  });

  it('has everything when started again, also what ended meanwhile, and tells nothing twice', async () => {
    const meanwhile = await cli('run', '--name', 'meanwhile', '--', 'sh', '-c', 'exit 4');
    up.startAgain();
    await greeted(2);
    await holds(() => expect(toldOf(sink, 'task.ended').map(({ task }) => task?.exit_code)).toEqual([3, 4]));

    expect(meanwhile.code).toBe(4);
    const { items } = JSON.parse((await cli('tasks', '--json')).stdout) as { items: TaskItem[] };
    expect(items.map(({ id, exit_code }) => [id === failed.id, exit_code])).toEqual([
      [false, 4],
      [true, 3],
    ]);
    expect(new Set(sink.ids).size).toBe(sink.ids.length);
    expect(toldOf(sink, 'node.unreachable')).toEqual([]);
  });

  it('leaves no orphan when it is killed itself', async () => {
    expect(processesOf(dataDir).length).toBeGreaterThanOrEqual(2);

    await up.end('SIGKILL');

    await holds(() => expect(processesOf(dataDir)).toEqual([]));
  });
});

/** Processes whose environment names the folder. */
function processesOf(dataDir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readOr(`/proc/${pid}/environ`).includes(`RUNNERWATCH_DATA_DIR=${dataDir}`))
    .map((pid) => `${pid} ${readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

/** Empty for a process that is gone. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
