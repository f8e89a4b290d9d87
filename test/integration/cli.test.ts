import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '@runnerwatch/collector/cli/program.ts';
import type { FastifyPluginAsync } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestApiOptions } from '../support/api-server.ts';
import { admitting } from '../support/people.ts';
import { recordedRoutes } from '../support/recorded-fleet.ts';

const now = Date.parse('2026-11-22T04:00:00.000Z');

let api: TestApi | undefined;
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cli-'));
});
afterEach(async () => {
  await api?.[Symbol.asyncDispose]();
  api = undefined;
  await rm(home, { recursive: true });
});

const posted: { path: string; body: unknown }[] = [];
const start = async (options: TestApiOptions = {}) => {
  posted.length = 0;
  api = await startApi({ routes: [recordedRoutes(now, { posted })], ...options });
  return api.url;
};

async function run(
  args: readonly string[],
  {
    url = api?.url,
    env = {},
    columns = null,
  }: { url?: string | undefined; env?: Record<string, string>; columns?: number | null } = {},
) {
  let out = '';
  let err = '';
  const program = buildProgram({
    io: { out: (text) => (out += text), err: (text) => (err += text), isTerminal: columns !== null, columns },
    env: { ...(url === undefined ? {} : { RUNNERWATCH_URL: url }), ...env },
    home,
    uid: 1000,
    fetch,
    now: () => now,
    version: '0.1.0',
  });
  const code = await program.run(args);
  return { code, out, err };
}

describe('listings', () => {
  it('shows tasks newest first with why they ended, over several pages of the API', async () => {
    await start();

    const { code, out, err } = await run(['tasks']);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toMatch(/^ID +STATUS +NAME +NODE +TOOK +ENDED +WHY$/);
    expect(out).toContain('train-llm-shard-4');
    expect(out).toContain('36m 00s');
    expect(out).toContain('Killed by the kernel because it reached its own memory limit of 2 GiB');
    expect(out.trimEnd().split('\n')).toHaveLength(9);
  });

  it('stops at --limit and passes filters on', async () => {
    await start();

    const limited = await run(['tasks', '--limit', '4', '--json']);
    const failed = await run(['tasks', '--status', 'failed', '--json']);
    const recent = await run(['tasks', '--since', '15m', '--json']);

    expect(JSON.parse(limited.out).items).toHaveLength(4);
    expect(JSON.parse(failed.out).items.map(({ name }: { name: string }) => name)).toEqual(['preprocess']);
    expect(JSON.parse(recent.out).items).toHaveLength(3);
  });

  it('fits a terminal: no line is wider than it, ids are short enough to type', async () => {
    await start();

    for (const columns of [60, 80, 120]) {
      const answers = await Promise.all([
        run(['tasks'], { columns, env: { NO_COLOR: '1' } }),
        run(['nodes'], { columns, env: { NO_COLOR: '1' } }),
      ]);
      const widths = answers.flatMap(({ out }) => out.split('\n').map((line) => line.length));

      expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    }
  });

  it('colours for a terminal only, and not under NO_COLOR', async () => {
    await start();

    const terminal = await run(['nodes'], { columns: 100 });
    const quiet = await run(['nodes'], { columns: 100, env: { NO_COLOR: '1' } });
    const pipe = await run(['nodes']);

    expect(terminal.out).toContain('\u001b[31moffline');
    expect(quiet.out).not.toContain('\u001b');
    expect(pipe.out).not.toContain('\u001b');
  });

  it('F116 makes escapes and line breaks in names harmless: one task is one line', async () => {
    await start();

    const { out } = await run(['tasks'], { columns: 200, env: { NO_COLOR: '1' } });
    const report = await run(['check', 'tasks']);

    expect(out).not.toContain('\u001b');
    expect(out).toContain('render␛[2Jforged line');
    expect(out.trimEnd().split('\n')).toHaveLength(9);
    expect(report.out).not.toContain('\u001b');
  });

  it('says why once, when the verdict repeats what the program said', async () => {
    const refused: FastifyPluginAsync = async (app) => {
      const said = '/opt/train: not found';
      const verdict = { summary: `The command could not be started: ${said}.` };
      const item = { id: 't1', name: 'train', status: 'failed', error_message: said, verdict };
      app.get('/tasks', { config: { role: 'viewer' } }, async () => ({ items: [item], next_cursor: null }));
    };
    await start({ routes: [refused] });

    const { out } = await run(['tasks']);

    expect(out.match(/not found/g)).toHaveLength(1);
  });

  it('teaches when there is nothing', async () => {
    const nothing: FastifyPluginAsync = async (app) => {
      for (const path of ['/nodes', '/tasks', '/incidents'])
        app.get(path, { config: { role: 'viewer' } }, async () => ({ items: [], next_cursor: null }));
    };
    await start({ routes: [nothing] });

    expect((await run(['tasks'])).out).toContain("npx runnerwatch run -- sh -c 'exit 3'");
    expect((await run(['nodes'])).out).toContain('runnerwatch agent');
    expect((await run(['incidents'])).out).toContain('Nothing is wrong now');
    expect(JSON.parse((await run(['tasks', '--json'])).out)).toEqual({ items: [] });
  });
});

describe('one thing', () => {
  it('tells a task verdict first, then evidence, advice and log', async () => {
    await start();

    const { code, out } = await run(['tasks', 'show', 'b7c20d11a9f3']);

    expect(code).toBe(0);
    const positions = [
      'Killed by the kernel',
      'memory.events of',
      'What to do',
      'Raise MemoryMax=',
      'Last 4 lines of its log',
      'saving checkpoint',
    ].map((text) => out.indexOf(text));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
    expect(out).toContain('2 GiB of 2 GiB allowed');
  });

  it("finds a task by the beginning of its id and by its scheduler's id", async () => {
    await start();

    expect((await run(['tasks', 'show', 'b7c20', '--json'])).out).toContain('train-llm-shard-4');
    expect((await run(['tasks', 'show', '7718-4'])).out).toContain('train-llm-shard-4');
    expect(await run(['tasks', 'show', 'nope'])).toMatchObject({
      code: 1,
      err: 'runnerwatch: there is no task nope; `runnerwatch tasks` lists the newest\n',
    });
  });

  it('tells what a node sees, and what it does not and why', async () => {
    await start();

    const { out } = await run(['nodes', 'show', 'gpu-2']);

    expect(out).toContain('no right to open /run/docker.sock');
    expect(out).toMatch(/DiskPressure +firing +\/data 97% used/);
    expect(out).toMatch(/InodePressure +unknown/);
  });

  it('prints what the collector answers to a change when asked for JSON', async () => {
    await start();

    const drained = await run(['nodes', 'drain', 'gpu-2', '--json']);
    const acked = await run(['incidents', 'ack', '019ab3c2-f001-7000-8000-000000000002', '--note', 'on it', '--json']);

    expect(JSON.parse(drained.out)).toEqual({ ok: true });
    expect(JSON.parse(acked.out)).toEqual({ ok: true });
  });

  it('drains, undrains and acknowledges', async () => {
    await start();

    await run(['nodes', 'drain', 'gpu-2']);
    await run(['nodes', 'undrain', 'gpu-2']);
    const acked = await run([
      'incidents',
      'ack',
      '019ab3c2-f001-7000-8000-000000000002',
      '--note',
      'on it',
      '--by',
      'ada',
      '--for',
      '2h',
    ]);

    expect(acked.out).toBe('acknowledged: DiskPressure on gpu-2\n');
    expect(posted).toEqual([
      { path: '/api/v1/nodes/5f0c2a9e-0000-4000-8000-000000000002/drain', body: null },
      { path: '/api/v1/nodes/5f0c2a9e-0000-4000-8000-000000000002/undrain', body: null },
      {
        path: '/api/v1/incidents/019ab3c2-f001-7000-8000-000000000002/ack',
        body: { note: 'on it', by: 'ada', for: '2h' },
      },
    ]);
  });

  it('refuses a beginning that fits two', async () => {
    await start();

    expect(await run(['incidents', 'show', '019ab3c2'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('2 incidents'),
    });
  });
});

describe('check', () => {
  it('reports failed tasks in blocks and exits 1', async () => {
    await start();

    const { code, out, err } = await run(['check', 'tasks', '--since', '15m']);

    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toContain(
      'Runnerwatch Task Failures Detected:\n--- Task ID: 7718-4 ---\nStatus: killed_oom\nCommand: python train.py --shard 4 --batch-size 64 --data /data/corpus\nAssigned Node: gpu-1\nError: killed by the OOM killer at its memory limit\n',
    );
    expect(out).toContain('Error: N/A\n');
    expect(out).not.toContain('nightly-eval');
  });

  it('exits 0 and says nothing when nothing is wrong', async () => {
    await start();

    expect(await run(['check', 'tasks', '--since', '1m'])).toEqual({ code: 0, out: '', err: '' });
  });

  it('reports nodes that are away and conditions that fire', async () => {
    await start();

    const { code, out } = await run(['check', 'nodes']);

    expect(code).toBe(1);
    expect(out).toContain('--- Node: cpu-12 ---\nStatus: offline\n');
    expect(out).toContain('DiskPressure: /data 97% used (threshold 90%)');
    expect(out).not.toContain('gpu-1 ');
  });

  it('R7 R19 R20 R26 tells with --state only what is new: a failure once, and nodes by how they were and are', async () => {
    await start();
    const [tasks, nodes] = [join(home, 'tasks.json'), join(home, 'nodes.json')];

    const first = await run(['check', 'tasks', '--since', '15m', '--state', tasks]);
    const again = await run(['check', 'tasks', '--since', '15m', '--state', tasks]);
    const look = await run(['check', 'nodes', '--state', nodes]);
    const same = await run(['check', 'nodes', '--state', nodes]);
    const known = JSON.parse(await readFile(nodes, 'utf8')) as Record<string, { name: string; state: string }>;
    const away = Object.entries(known).find(([, { name }]) => name === 'cpu-12')?.[0] ?? '';
    await writeFile(
      nodes,
      JSON.stringify({ ...known, [away]: { name: 'cpu-12', state: 'online' }, x: { name: 'old', state: 'online' } }),
    );
    const changed = await run(['check', 'nodes', '--state', nodes]);
    await writeFile(nodes, '{"not": "ours"}');
    const foreign = await run(['check', 'nodes', '--state', nodes]);

    expect(first).toMatchObject({ code: 1, out: expect.stringContaining('Task ID: 7718-4') });
    expect(again).toEqual({ code: 0, out: '', err: '' });
    expect([look.code, same.code]).toEqual([1, 0]);
    expect(changed).toMatchObject({
      code: 1,
      out: 'Runnerwatch Node Status Change Detected:\n- Node cpu-12: online -> offline\n- Node old: online -> unknown\n',
    });
    expect(foreign).toMatchObject({ code: 2, out: '', err: expect.stringContaining('name another') });
    expect(await readFile(nodes, 'utf8')).toBe('{"not": "ours"}');
  });

  it('exits 2 when it cannot see: nobody there, refused, failing, or not a collector', async () => {
    const nobody = await run(['check', 'tasks'], { url: 'http://127.0.0.1:9' });
    await start({ auth: { requireToken: true } });
    const refused = await run(['check', 'tasks']);
    const other = await otherServer();
    const stranger = await run(['check', 'nodes'], { url: other.url });
    await other.close();

    expect([nobody.code, refused.code, stranger.code]).toEqual([2, 2, 2]);
    expect([nobody.out, refused.out, stranger.out]).toEqual(['', '', '']);
    expect(nobody.err).toMatch(/^runnerwatch: no collector answers at .*RUNNERWATCH_URL.*\n$/);
    expect(refused.err).toContain('RUNNERWATCH_API_TOKEN');
    expect(stranger.err).toContain('is not a Runnerwatch collector');
  });
});

describe('which collector, and as whom', () => {
  it('uses the token of the environment, of cli.yaml, or the local credential when asked for one', async () => {
    await start({ auth: { requireToken: true, findAsker: admitting('right-token') } });
    const asked = async (env: Record<string, string> = {}) => (await run(['status', '--json'], { env })).code;

    const without = await asked();
    const fromEnvironment = await asked({ RUNNERWATCH_API_TOKEN: 'right-token' });
    await mkdir(join(home, 'data', 'collector'), { recursive: true });
    await writeFile(join(home, 'data', 'collector', 'api.token'), 'right-token\n');
    const local = await asked({ RUNNERWATCH_DATA_DIR: join(home, 'data') });
    await mkdir(join(home, '.config', 'runnerwatch'), { recursive: true });
    await writeFile(join(home, '.config', 'runnerwatch', 'cli.yaml'), `url: ${api?.url}\ntoken: right-token\n`);
    const fromFile = (await run(['status'], { url: undefined })).out;

    expect([without, fromEnvironment, local]).toEqual([1, 0, 0]);
    expect(fromFile).toContain(api?.url);
  });

  it('works with a stale local credential while none is needed', async () => {
    await start();
    await mkdir(join(home, '.local', 'state', 'runnerwatch', 'collector'), { recursive: true });
    await writeFile(join(home, '.local', 'state', 'runnerwatch', 'collector', 'api.token'), 'stale\n');

    expect((await run(['nodes'])).code).toBe(0);
  });

  it('never sends the local credential to another machine', async () => {
    await mkdir(join(home, 'data', 'collector'), { recursive: true });
    await writeFile(join(home, 'data', 'collector', 'api.token'), 'secret\n');
    const sent: (string | null)[] = [];
    const program = buildProgram({
      io: { out: () => undefined, err: () => undefined, isTerminal: false, columns: null },
      env: { RUNNERWATCH_URL: 'https://watch.example.org', RUNNERWATCH_DATA_DIR: join(home, 'data') },
      home,
      uid: 1000,
      fetch: async (_url, init) => {
        sent.push(new Headers(init?.headers).get('authorization'));
        return Response.json({ error: { code: 'unauthorized', message: 'no' } }, { status: 401 });
      },
      now: () => now,
      version: '0.1.0',
    });

    expect(await program.run(['nodes'])).toBe(1);
    expect(sent).toEqual([null]);
  });

  it('says which key of cli.yaml is wrong', async () => {
    await mkdir(join(home, '.config', 'runnerwatch'), { recursive: true });
    await writeFile(join(home, '.config', 'runnerwatch', 'cli.yaml'), 'url: http://x\ntokn: y\n');

    expect(await run(['nodes'], { url: undefined })).toMatchObject({
      code: 64,
      err: expect.stringMatching(/cli\.yaml:2:1: tokn/),
    });
  });

  it('tells a token that is not known from none at all', async () => {
    await start({ auth: { requireToken: true } });

    expect((await run(['nodes'])).err).toContain('asks for an API token; set RUNNERWATCH_API_TOKEN');
    expect((await run(['nodes'], { env: { RUNNERWATCH_API_TOKEN: 'rwp_other' } })).err).toContain(
      'does not know this API token; mend RUNNERWATCH_API_TOKEN',
    );
  });

  it('asks without a credential that it may not read', async () => {
    await start();
    await mkdir(join(home, 'data', 'collector'), { recursive: true });
    await writeFile(join(home, 'data', 'collector', 'api.token'), 'x');
    await chmod(join(home, 'data', 'collector', 'api.token'), 0o000);

    expect((await run(['nodes'], { env: { RUNNERWATCH_DATA_DIR: join(home, 'data') } })).code).toBe(0);
  });
});

describe('the command line itself', () => {
  it('suggests the command that was meant, and exits 64', async () => {
    const { code, err } = await run(['taks']);

    expect(code).toBe(64);
    expect(err).toContain('Did you mean tasks?');
  });

  it.each([
    [['tasks', '--status', 'broken']],
    [['tasks', '--since', 'yesterdayish']],
    [['tasks', '--limit', '0']],
    [['incidents', 'ack', 'x']],
    [['nodes', 'gpu-1']],
  ])('exits 64 for %j, and says what was expected', async (args) => {
    const { code, err, out } = await run(args, { url: 'http://127.0.0.1:9' });

    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).not.toBe('');
    expect(err).not.toContain('    at ');
  });

  it('teaches with examples', async () => {
    const { code, out } = await run(['--help']);

    expect(code).toBe(0);
    expect(out).toContain("runnerwatch run -- sh -c 'exit 3'");
    expect(out).toContain('Exit codes: 0 done');
    expect((await run(['tasks', '--help'])).out).toContain('Examples:');
    expect((await run(['--version'])).out).toBe('0.1.0\n');
  });

  it('takes commands of the assembly, which fail and speak in the same way', async () => {
    let out = '';
    let err = '';
    const program = buildProgram({
      io: { out: (text) => (out += text), err: (text) => (err += text), isTerminal: false, columns: null },
      env: {},
      home,
      uid: 1000,
      fetch,
      now: () => now,
      version: '0.1.0',
    });
    program.command.command('greet').option('--port <port>').description('says hello');

    expect(await program.run(['greet', '--prot', '1'])).toBe(64);
    expect(err).toContain('--port');
    expect(await program.run(['--help'])).toBe(0);
    expect(out).toContain('says hello');
  });
});

async function otherServer(): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((_request, answer) => answer.end('<html>hello</html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
