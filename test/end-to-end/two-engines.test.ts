import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { allTasks, calm, holds, nodeBecomes, prepared, type TaskItem } from '../support/end-to-end.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import type { Installation, Program } from '../support/product.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/* Two engines of one kind on a node: Docker of the machine, and a user's own. */
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function startEngine(): Promise<FakeEngine> {
  const engine = new FakeEngine(join(await temporaryFolder(), 'docker.sock'));
  await engine.start();
  opened.push({ [Symbol.asyncDispose]: () => engine.stop() });
  return engine;
}

async function watching(engines: readonly FakeEngine[]): Promise<{ installation: Installation; agent: Program }> {
  const installation = await prepared();
  opened.push(installation);
  await installation.collector({ log: { level: 'warn' } });
  const agent = installation.agent({
    ...calm,
    log: { level: 'info' },
    tasks: {
      systemd: { include: ['none-*'] },
      containers: { sockets: engines.map(({ socketPath }) => socketPath) },
    },
  });
  await nodeBecomes(installation, 'online');
  return { installation, agent };
}

const statuses = async (installation: Installation) =>
  Object.fromEntries((await allTasks(installation)).map(({ name, status }) => [name, status]));

const named = (tasks: readonly TaskItem[], name: string) => tasks.find((task) => task.name === name);

it('F038 after a restart of the agent each engine is asked only of its own containers', {
  timeout: 120_000,
}, async () => {
  const [machine, user] = [await startEngine(), await startEngine()];
  const { installation, agent } = await watching([machine, user]);
  machine.run({ name: 'of-machine' });
  user.run({ name: 'of-user' });
  const brief = user.run({ name: 'brief', autoRemove: true });
  await holds(async () => expect(Object.keys(await statuses(installation))).toHaveLength(3));
  const before = await allTasks(installation);
  await agent.end();

  await user.stop();
  user.die(brief, 5);
  await user.start();
  const after = user.run({ name: 'after' });
  agent.startAgain();

  await holds(async () =>
    expect(await statuses(installation)).toEqual({
      'of-machine': 'running',
      'of-user': 'running',
      brief: 'unknown',
      after: 'running',
    }),
  );
  user.die(after, 3);
  await holds(async () => expect((await statuses(installation))['after']).toBe('failed'));
  const now = await allTasks(installation);
  expect(now).toHaveLength(4);
  for (const task of before) expect(named(now, task.name)?.id).toBe(task.id);
});

it('F038 a container of an engine that is away is not gone because another one answers', {
  timeout: 120_000,
}, async () => {
  const [machine, user] = [await startEngine(), await startEngine()];
  const { installation, agent } = await watching([machine, user]);
  const kept = user.run({ name: 'of-user' });
  await holds(async () => expect(await statuses(installation)).toEqual({ 'of-user': 'running' }));
  await agent.end();
  await user.stop();

  agent.startAgain();
  await nodeBecomes(installation, 'online');
  const witness = machine.run({ name: 'witness' });
  // Longer than a belief is doubted that a source which sees does not bear out.
  await holds(async () => expect((await statuses(installation))['witness']).toBe('running'));
  const beganAt = performance.now();
  await holds(() => expect(performance.now() - beganAt).toBeGreaterThan(4000));
  machine.die(witness, 1);
  await holds(async () => expect(await statuses(installation)).toEqual({ 'of-user': 'running', witness: 'failed' }));

  user.die(kept, 7);
  await user.start();
  await holds(async () => expect(named(await allTasks(installation), 'of-user')?.exit_code).toBe(7));
  const [node] = (await installation.get<{ items: { sources: { name: string; state: string }[] }[] }>('/nodes')).items;
  const engines = node?.sources.filter(({ name }) => name.startsWith('docker'));
  expect(engines).toMatchObject([
    { name: 'docker', state: 'seeing' },
    { name: `docker:${user.socketPath}`, state: 'seeing' },
  ]);
});
