import { cpSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { allTasks, calm, holds, inDatabase, nodeBecomes, nodes, prepared, runShell } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import type { Installation, Program } from '../support/product.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { haveRight } from '../support/tool.ts';
import { readAll } from '../support/written-spool.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function installed(): Promise<Installation> {
  const installation = await prepared();
  opened.push(installation);
  return installation;
}

async function ownGaps(installation: Installation): Promise<{ cause: string; from: string; to: string }[]> {
  const [node] = await nodes(installation);
  const { items } = await installation.get<{ items: { source: string; cause: string; from: string; to: string }[] }>(
    `/nodes/${node?.id}/gaps?limit=100`,
  );
  return items.filter(({ source }) => source === 'agent');
}

/** A group of the memory controller: whom it counts, how much they have, and how much they may have. */
interface MemoryGroup extends Disposable {
  readonly procs: string;
  readonly usage: string;
  readonly limit: string;
}

function memoryGroup(): MemoryGroup | null {
  const isV1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes');
  const folder = join(isV1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', `rwtest-${process.pid}-${made++}`);
  const [usage, limit] = isV1 ? ['memory.usage_in_bytes', 'memory.limit_in_bytes'] : ['memory.current', 'memory.max'];
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, limit), String(1024 ** 3));
  } catch {
    return null;
  }
  return {
    procs: join(folder, 'cgroup.procs'),
    usage: join(folder, usage),
    limit: join(folder, limit),
    [Symbol.dispose]: () => rmdirSync(folder),
  };
}

let made = 0;
const canLimit = (() => {
  const group = memoryGroup();
  group?.[Symbol.dispose]();
  return haveRight(group !== null, 'right to limit memory: run the tests as root, with a memory controller');
})();

/** Leaves a group no more than it has, until the kernel ends who wants more. */
async function starve({ usage, limit }: MemoryGroup, program: Program): Promise<void> {
  await eventually(
    () => {
      try {
        writeFileSync(limit, readFileSync(usage, 'utf8').trim());
      } catch {
        // it grew in between (EBUSY)
      }
      return !program.isRunning;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
}

/** The tasks whose ends the spool holds, by the agent's own reading of a copy. */
async function acceptedBy({ dataDir }: Installation): Promise<string[]> {
  const copy = await temporaryFolder();
  cpSync(join(dataDir, 'agent', 'spool'), copy, { recursive: true });
  const { ids, problems } = await readAll(copy);
  expect(problems.filter(({ kind }) => kind !== 'stale_lock')).toEqual([]);
  return ids.filter((id) => id !== undefined);
}

async function storedEnds(installation: Installation): Promise<{ id: string; times: number }[]> {
  return inDatabase(
    installation,
    (sql) => sql<{ id: string; times: number }>`
    select body->'task'->>'id' as id, count(*)::int as times from events where kind = 'task_ended' group by 1`,
  );
}

const ends = 24;

describe.each(['the OOM killer', 'a signal'] as const)('an agent killed by %s', (by) => {
  it.skipIf(by === 'the OOM killer' && !canLimit)(
    'F013 loses no end that it accepted, and its next start says once that it was killed',
    async () => {
      const installation = await installed();
      using group = by === 'a signal' ? null : memoryGroup();
      const collector = await installation.collector();
      const under = group === null ? [] : ['/bin/sh', '-c', `echo $$ >${group.procs}; exec "$@"`, 'sh'];
      const agent = installation.agent(calm, {}, { under });
      await nodeBecomes(installation, 'online');
      await collector.end('SIGKILL');

      let code = 0;
      const load = async () => {
        while (code < ends) await runShell(installation, `exit ${++code}`);
      };
      const working = [load(), load()];
      await eventually(() => code > ends / 2, { timeoutMs: 60_000 });
      const killedAt = Date.now();
      if (group === null) await agent.end('SIGKILL');
      else await starve(group, agent);
      await Promise.all(working);
      const accepted = await acceptedBy(installation);
      expect(accepted.length).toBeGreaterThan(5);
      if (group !== null) writeFileSync(group.limit, String(1024 ** 3));
      agent.startAgain();
      collector.startAgain();
      await installation.ready(collector);

      await holds(async () =>
        expect((await allTasks(installation)).map((task) => task.exit_code ?? 0).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: code }, (_, index) => index + 1),
        ),
      );
      await holds(async () => expect(await ownGaps(installation)).toHaveLength(1));
      const [gap] = await ownGaps(installation);
      expect(gap?.cause).toBe('the agent did not end by itself: it was killed, or it crashed');
      expect(Math.abs(Date.parse(gap?.from ?? '') - killedAt)).toBeLessThan(60_000);
      expect(Date.parse(gap?.to ?? '')).toBeGreaterThan(Date.parse(gap?.from ?? ''));
      expect(agent.output.match(/the last run of this agent did not end by itself/g)).toHaveLength(1);

      await agent.end();
      await collector.end();
      const stored = await storedEnds(installation);
      expect(stored.filter(({ times }) => times !== 1)).toEqual([]);
      expect(accepted.filter((id) => !stored.some((one) => one.id === id))).toEqual([]);
    },
    180_000,
  );
});

describe('an agent that starts', () => {
  it('F013 says nothing after a stop, nor after a reboot, and each of two deaths once', async () => {
    const installation = await installed();
    const collector = await installation.collector();
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');
    const startsAgain = async () => {
      agent.startAgain();
      await nodeBecomes(installation, 'online');
    };

    await agent.end('SIGTERM');
    await nodeBecomes(installation, 'stopped');
    await startsAgain();
    await agent.end('SIGTERM');
    await nodeBecomes(installation, 'stopped');
    const life = join(installation.dataDir, 'agent', 'life.json');
    const mark = JSON.parse(readFileSync(life, 'utf8')) as object;
    writeFileSync(life, JSON.stringify({ ...mark, running: true, boot_id: '00000000-0000-4000-8000-000000000000' }));
    await startsAgain();
    await runShell(installation, 'exit 3');
    await holds(async () => expect(await allTasks(installation)).toHaveLength(1));
    expect(await ownGaps(installation)).toEqual([]);

    for (const deaths of [1, 2]) {
      await agent.end('SIGKILL');
      agent.startAgain();
      await holds(async () => expect(await ownGaps(installation)).toHaveLength(deaths));
    }
    await agent.end();
    await collector.end();
  }, 120_000);
});
