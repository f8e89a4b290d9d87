import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allTasks, calm, holds, nodeBecomes, prepared, runShell } from '../support/end-to-end.ts';
import type { Installation, Program } from '../support/product.ts';
import { haveTool } from '../support/tool.ts';

const canLimit = haveTool('prlimit', 'apt-get install util-linux');
/** What the agent needs for its work is hardly less. */
const openFilesMax = 64;

interface Source {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
}

async function sourceOf(installation: Installation, wanted: string): Promise<Source | undefined> {
  const { items } = await installation.get<{ items: { sources: Source[] }[] }>('/nodes');
  return items[0]?.sources.find(({ name }) => name === wanted);
}

/** The soft limit alone: to raise a hard one takes more than the rights of root in many a container. */
function setLimit({ pid }: Program, openFiles: number): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${openFiles}:`]);
  if (status !== 0) throw new Error(`prlimit: ${String(stderr)}`);
}

function crowd(size: number): void {
  const processes = Array.from({ length: size }, () => spawn('sleep', ['300'], { stdio: 'ignore' }));
  onTestFinished(() => {
    for (const one of processes) one.kill('SIGKILL');
  });
}

const reason: unknown = expect.stringMatching(
  new RegExp(
    `^out of file descriptors \\(${openFilesMax}\\): raise LimitNOFILE= of the agent's unit, or ulimit -n; the ends of \\d+ processes`,
  ),
);

const short = { state: 'degraded', reason };

describe('an agent out of file descriptors', () => {
  it.skipIf(!canLimit)(
    'F012 started so, tells every end once and soon, keeps its spool and its way to the collector, and says what it is short of',
    async () => {
      await using installation = await prepared();
      const collector = await installation.collector();
      const agent = installation.agent(calm, {}, { under: ['prlimit', `--nofile=${openFilesMax}`] });
      await nodeBecomes(installation, 'online');
      crowd(150);
      await holds(async () => expect(await sourceOf(installation, 'process-exits')).toMatchObject(short));

      await expectSoon(installation, 3);
      await collector.end('SIGKILL');
      collector.startAgain();
      await installation.ready(collector);
      await expectSoon(installation, 4);

      await expectWhole(installation, agent, ['run-3', 'run-4']);
    },
    120_000,
  );

  it.skipIf(!canLimit)(
    'F012 while it runs, gives up what it can do without, takes nothing for ended that is not, and sees whole again afterwards',
    async () => {
      await using installation = await prepared();
      await installation.collector();
      const agent = installation.agent(calm);
      await nodeBecomes(installation, 'online');
      const over = join(installation.dataDir, 'over');
      const long = runShell(installation, `until [ -e ${over} ]; do sleep 0.1; done; exit 5`, ['--name', 'run-5']);
      crowd(150);
      await holds(() => expect(openFilesOf(agent)).toBeGreaterThan(150));

      setLimit(agent, openFilesMax);
      await holds(async () => expect(await sourceOf(installation, 'process-exits')).toMatchObject(short));
      await holds(() => expect(openFilesOf(agent)).toBeLessThan(openFilesMax));
      await expectSoon(installation, 3);
      await holds(
        async () => expect(await ownAlert(installation)).toEqual({ severity: 'warning', title, reason: told }),
        {
          timeoutMs: 60_000,
        },
      );
      setLimit(agent, 4096);
      await holds(async () =>
        expect((await sourceOf(installation, 'process-exits'))?.reason ?? '').not.toContain('file descriptors'),
      );
      await holds(() => expect(openFilesOf(agent)).toBeGreaterThan(150));
      expect((await allTasks(installation)).find(({ name }) => name === 'run-5')?.status).toBe('running');
      writeFileSync(over, '');
      expect(await long).toBe(5);

      await expectWhole(installation, agent, ['run-3', 'run-5']);
      expect(agent.output).toContain('there are file descriptors for every process again');
    },
    180_000,
  );
});

const title: unknown = expect.stringMatching(/ hears less of process-exits$/);
const told: unknown = expect.stringMatching(
  /^ends may be seen late or stay unexplained: out of file descriptors \(64\): raise LimitNOFILE=/,
);

/** What people are told of the agent's want. */
async function ownAlert(installation: Installation): Promise<Record<string, string> | undefined> {
  const { items } = await installation.get<{
    items: { title: string; severity: string; alerts: { condition: string; reason: string }[] }[];
  }>('/incidents');
  const found = items.find(({ alerts }) => alerts.some(({ condition }) => condition === 'SourceBlind'));
  return found && { severity: found.severity, title: found.title, reason: found.alerts[0]?.reason ?? '' };
}

function openFilesOf({ pid }: Program): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Each of these ended with the number in its name and was told once; nothing was refused, doubted or lost. */
async function expectWhole(installation: Installation, agent: Program, names: readonly string[]): Promise<void> {
  await holds(async () => {
    const told = (await allTasks(installation)).map((task) => [task.name, task.exit_code, task.amendments]);
    expect(told.toSorted()).toEqual(names.map((name) => [name, Number(name.slice('run-'.length)), 0]));
  });
  expect((await sourceOf(installation, 'run'))?.state).toBe('seeing');
  expect(agent.output).toContain('out of file descriptors: raise LimitNOFILE= of the unit, or ulimit -n');
  expect(agent.output).not.toMatch(/"problem":"|file in the inbox refused/);
  const { id } = await nodeBecomes(installation, 'online');
  expect(await installation.get<unknown>(`/nodes/${id}/gaps`)).toMatchObject({ items: [] });
}

/** Within ten seconds. */
async function expectSoon(installation: Installation, code: number): Promise<void> {
  await runShell(installation, `exit ${code}`, ['--name', `run-${code}`]);
  const end: unknown = expect.objectContaining({ name: `run-${code}`, status: 'failed', exit_code: code });
  await holds(async () => expect(await allTasks(installation)).toContainEqual(end), { timeoutMs: 10_000 });
}
