import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { allTasks, calm, holds, nodeBecomes, prepared } from '../support/end-to-end.ts';
import type { Installation } from '../support/product.ts';

const opened: AsyncDisposable[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGTERM');
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** A task without CPU and IO worth a word, that says whatever it is given. */
function echoing(installation: Installation, name: string, to = ''): ChildProcess {
  const line = `${to} while read line; do echo "$line"; done`;
  const bundle = resolve(import.meta.dirname, '../../dist/run.cjs');
  const child = spawn(process.execPath, [bundle, '--name', name, '--', 'sh', '-c', line], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, RUNNERWATCH_DATA_DIR: installation.dataDir },
  });
  children.push(child);
  return child;
}

it('a task that does nothing but log has not stalled, wherever its output goes; a silent one has', {
  timeout: 120_000,
}, async () => {
  const installation = await prepared();
  opened.push(installation);
  await installation.collector({ log: { level: 'warn' } });
  installation.agent({
    ...calm,
    conditions: { ...calm.conditions, task_stalled_for: '12s' },
    log: { level: 'warn' },
    tasks: { systemd: { include: ['none-*'] }, containers: { sockets: [] } },
  });
  await nodeBecomes(installation, 'online');
  echoing(installation, 'silent');
  const chatty = [
    echoing(installation, 'chatty'),
    echoing(installation, 'chatty-in-a-file', `exec >${join(installation.dataDir, 'own.log')};`),
  ];
  await holds(async () => expect(await allTasks(installation)).toHaveLength(3));
  const stalled = async () => {
    const { items } = await installation.get<{ items: { alerts: { condition: string; reason: string }[] }[] }>(
      '/incidents?all=true',
    );
    return items.flatMap(({ alerts }) =>
      alerts.flatMap(({ condition, reason }) => (condition === 'TaskStalled' ? [reason.split(':')[0]] : [])),
    );
  };
  const talking = setInterval(() => {
    for (const child of chatty) child.stdin?.write('epoch\n');
  }, 500);

  try {
    await holds(async () => expect(await stalled()).toEqual(['task silent']));
    // As long again: their logs are asked for a second time.
    const beganAt = performance.now();
    await holds(() => expect(performance.now() - beganAt).toBeGreaterThan(14_000));
    expect(await stalled()).toEqual(['task silent']);
  } finally {
    clearInterval(talking);
  }
});
