import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { exitCodes } from '@runnerwatch/shared/runtime/start-failure.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { allTasks, calm, holds, inDatabase, nodeBecomes, prepared, refusal, runShell } from '../support/end-to-end.ts';
import { canMount, mountTmpfs } from '../support/private-mount.ts';
import { freePort } from '../support/real-node/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const dist = resolve(import.meta.dirname, '../../dist');
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** Exactly one sentence on standard error, and nothing that only a programmer reads. */
function expectSentence({ stderr, stdout }: { stderr: string; stdout: string }): void {
  expect(stderr).toMatch(/^runnerwatch (agent|collector|up): [^\n]+\n$/);
  expect(stderr + stdout).not.toMatch(/\n\s+at |node:internal/);
}

async function withFile(name: string, text: string): Promise<{ folder: string; file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder, name);
  writeFileSync(file, text);
  return { folder, file };
}

describe('F086 a start that cannot go on says so in one sentence, with its own exit code', () => {
  it.each([
    {
      what: 'an unknown key',
      program: 'collector.mjs' as const,
      text: 'listen: 127.0.0.1:4777\nheartbeat_timout: 30s\n',
      says: /collector\.yaml:2:1: heartbeat_timout: unknown key; see "runnerwatch init config"/,
    },
    {
      what: 'a bad threshold',
      program: 'agent.cjs' as const,
      text: 'conditions:\n  disk_pressure_threshold: 900\n',
      says: /agent\.yaml:2:3: conditions\.disk_pressure_threshold: .*100/,
    },
    {
      what: 'a threshold that is no number',
      program: 'agent.cjs' as const,
      text: 'conditions:\n  memory_pressure_threshold: lots\n',
      says: /agent\.yaml:2:3: conditions\.memory_pressure_threshold: expected/,
    },
    {
      what: 'a clear level above its threshold',
      program: 'agent.cjs' as const,
      text: 'conditions:\n  disk_pressure_threshold: 80\n  disk_pressure_clear: 90\n',
      says: /agent\.yaml:3:3: conditions\.disk_pressure_clear: expected at most the threshold \(80\), found 90/,
    },
    {
      what: 'a wrong URL of the collector',
      program: 'agent.cjs' as const,
      text: 'collector_urls: [collector.example.org]\n',
      says: /agent\.yaml:1:\d+: collector_urls(\.0)?: expected/,
    },
    {
      what: 'a wrong URL of a webhook',
      program: 'collector.mjs' as const,
      text: 'notifications:\n  notifiers:\n    ops:\n      type: webhook\n      url: hooks.example.org\n',
      says: /collector\.yaml:5:7: notifications\.notifiers\.ops\.url: expected/,
    },
    {
      what: 'text that is no YAML',
      program: 'collector.mjs' as const,
      text: 'listen: [1\n',
      says: /collector\.yaml:\d+:\d+: not valid YAML/,
    },
    {
      what: 'a secret file that is not there',
      program: 'agent.cjs' as const,
      text: 'token_file: /nowhere/agent.token\n',
      says: /agent\.yaml:1:1: token_file: cannot read \/nowhere\/agent\.token \(ENOENT\)/,
    },
  ])('for $what', async ({ program, text, says }) => {
    const { folder, file } = await withFile(program === 'agent.cjs' ? 'agent.yaml' : 'collector.yaml', text);

    const said = await refusal(program, ['--config', file], { RUNNERWATCH_DATA_DIR: join(folder, 'data') });

    expectSentence(said);
    expect(said.stderr).toMatch(says);
    expect(said.code).toBe(exitCodes.config);
  });

  it('for a value in the environment, naming the variable', async () => {
    const said = await refusal('agent.cjs', [], { RUNNERWATCH_SAMPLE_INTERVAL: 'often' });

    expectSentence(said);
    expect(said.stderr).toContain('environment RUNNERWATCH_SAMPLE_INTERVAL: sample_interval: expected');
    expect(said.code).toBe(exitCodes.config);
  });

  it('for a configuration file that is not there, or is no file', async () => {
    const { file } = await withFile('collector.yaml', '');
    const missing = await refusal('collector.mjs', ['--config', `${file}.not`]);
    const folder = await refusal('collector.mjs', ['--config', join(file, '..')]);

    for (const said of [missing, folder]) expectSentence(said);
    expect(missing.stderr).toContain(`${file}.not: cannot read the configuration: there is no such file`);
    expect(folder.stderr).toContain('cannot read the configuration');
    expect([missing.code, folder.code]).toEqual([exitCodes.config, exitCodes.config]);
  });

  it('for an option that does not exist', async () => {
    const said = await refusal('agent.cjs', ['--colour']);

    expectSentence(said);
    expect(said.stderr).toContain('see "runnerwatch agent --help"');
    expect(said.code).toBe(exitCodes.usage);
  });

  it('for a port that is taken, naming the key to change', async () => {
    const installation = await prepared();
    opened.push(installation);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };

    const said = await refusal('collector.mjs', [], {
      RUNNERWATCH_LISTEN: `127.0.0.1:${port}`,
      RUNNERWATCH_DATA_DIR: installation.dataDir,
    });
    await new Promise((resolve) => other.close(resolve));

    expectSentence(said);
    expect(said.stderr).toContain(`listen: 127.0.0.1:${port}: the port is taken`);
    expect(said.code).toBe(exitCodes.unavailable);
  });

  it('for a port on which somebody else answers in place of our collector', async () => {
    const other = createHttpServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };

    const said = await refusal('up.mjs', ['--port', String(port), '--data-dir', await temporaryFolder()]);
    await new Promise((resolve) => other.close(resolve));

    expectSentence(said);
    expect(said.stderr).toContain(`port ${port} of this machine is taken; stop what uses it`);
    expect(said.code).toBe(exitCodes.unavailable);
  });

  it('for a data directory of a newer version, which it leaves as it is', async () => {
    const installation = await prepared();
    opened.push(installation);
    const migrations = () => inDatabase(installation, (sql) => sql`select tag from schema_migrations order by tag`);
    await inDatabase(
      installation,
      (sql) => sql`insert into schema_migrations (tag, sha256) values ('9999_future', 'x')`,
    );
    const before = await migrations();

    const said = await refusal('collector.mjs', [], {
      RUNNERWATCH_LISTEN: `127.0.0.1:${await freePort()}`,
      RUNNERWATCH_DATA_DIR: installation.dataDir,
    });

    expectSentence(said);
    expect(said.stderr).toMatch(/newer Runnerwatch .*9999_future.*; start that version/);
    expect(said.code).toBe(exitCodes.dataTooNew);
    expect(await migrations()).toEqual(before);
  });

  it('for a database server that cannot be reached', async () => {
    const said = await refusal('collector.mjs', [], {
      RUNNERWATCH_DATABASE_URL: `postgres://runnerwatch:hush@127.0.0.1:${await freePort()}/runnerwatch`,
      RUNNERWATCH_LISTEN: `127.0.0.1:${await freePort()}`,
      RUNNERWATCH_DATA_DIR: await temporaryFolder(),
    });

    expectSentence(said);
    expect(said.stderr).toContain('check that it runs and that database.url names it');
    expect(said.stderr).not.toContain('hush');
    expect(said.code).toBe(exitCodes.unavailable);
  });

  it('for a second agent or a second collector on the same folder', async () => {
    const installation = await prepared();
    opened.push(installation);
    await installation.collector();
    installation.agent(calm);
    await nodeBecomes(installation, 'online');
    const environment = {
      RUNNERWATCH_DATA_DIR: installation.dataDir,
      RUNNERWATCH_LISTEN: `127.0.0.1:${await freePort()}`,
    };

    const agent = await refusal('agent.cjs', [], environment);
    const collector = await refusal('collector.mjs', [], environment);

    for (const said of [agent, collector]) {
      expectSentence(said);
      expect(said.code).toBe(exitCodes.alreadyRunning);
    }
  });

  it.runIf(canMount())('for a disk that is full, and starts when there is room again', async () => {
    const disk = await mountTmpfs('size=2m');
    const said = await temporaryFolder();
    const port = await freePort();
    const start = async (program: 'agent' | 'collector', file: string) => {
      const environment = `RUNNERWATCH_DATA_DIR=/mnt RUNNERWATCH_LISTEN=127.0.0.1:${port} RUNNERWATCH_TOKEN=any`;
      const bundle = join(dist, file);
      await disk.run(
        `${environment} timeout 6 ${process.execPath} ${bundle} >${said}/out 2>${said}/err; echo $? >${said}/code`,
      );
      const [stdout = '', stderr = '', code = ''] = ['out', 'err', 'code'].map((name) =>
        readFileSync(join(said, name), 'utf8'),
      );
      return { program, stdout, stderr, code: Number(code) };
    };
    await disk.run('dd if=/dev/zero of=/mnt/filler bs=4k count=600 2>/dev/null || true');

    for (const one of [await start('collector', 'collector.mjs'), await start('agent', 'agent.cjs')]) {
      expectSentence(one);
      expect(one.stderr).toMatch(/(disk is full|ENOSPC).*free some space and start again/);
      expect([one.program, one.code]).toEqual([one.program, exitCodes.diskFull]);
    }
    await disk.run('rm /mnt/filler');
    const agent = await start('agent', 'agent.cjs');

    // Ended by the time limit, that is by SIGTERM: it had started.
    expect(agent).toMatchObject({ stderr: '', stdout: expect.stringContaining('agent started') as string });
  });
});

describe('what a running program makes of bad input', () => {
  it('keeps trying with a token that is not admitted, names it in the log, and loses nothing until it is right', async () => {
    const installation = await prepared();
    opened.push(installation);
    await installation.collector();
    const agent = installation.agent({ ...calm, token_file: undefined, token: 'wrong-token' });
    await holds(() => expect(agent.output).toMatch(/does not admit this agent's token \(HTTP 401\)/));
    expect(await runShell(installation, 'exit 3')).toBe(3);
    expect(agent.isRunning).toBe(true);
    expect(agent.output).not.toContain('wrong-token');

    await agent.end();
    installation.agent(calm);

    await holds(async () => expect((await allTasks(installation)).map(({ exit_code }) => exit_code)).toEqual([3]));
  });

  it('asks for a token as soon as it listens beyond this machine', async () => {
    const installation = await prepared();
    opened.push(installation);
    const first = await installation.collector();
    const { port } = new URL(installation.url);
    expect((await fetch(`${installation.url}/api/v1/nodes`)).status).toBe(200);
    await first.end();

    await installation.collector({ listen: `0.0.0.0:${port}` });
    const token = readFileSync(join(installation.dataDir, 'collector', 'api.token'), 'utf8').trim();
    const lan = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

    for (const host of ['127.0.0.1', ...(lan === undefined ? [] : [lan])]) {
      const ask = (headers: Record<string, string>) => fetch(`http://${host}:${port}/api/v1/nodes`, { headers });
      const without = await ask({});
      expect(without.status).toBe(401);
      expect(await without.json()).toMatchObject({ error: { code: 'unauthorized' } });
      expect((await ask({ authorization: 'Bearer wrong' })).status).toBe(401);
      expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(200);
    }
    const command = await installation.cli(['nodes']);
    expect([command.code, command.stderr]).toEqual([0, '']);
  });
});
