import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { calm } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';
import { canary, RiverHost } from '../support/river-host.ts';

const taskId = '7123456789012345679';

interface Task {
  readonly id: string;
  readonly status: string;
  readonly owner: string | null;
  readonly job: string | null;
  readonly exit_code: number | null;
  readonly scheduler: { readonly status: string; readonly note: string | null } | null;
}

it('joins a task that is known by its environment with what its scheduler says, corrects it, and runs a hook', async () => {
  await using here = new Installation();
  await using river = await RiverHost.open('kohakuriver');
  river.set({ task_id: taskId, status: 'running', assigned_node: 'gpu-1', name: 'fit', owner_username: 'ada' });
  const told = join(here.dataDir, 'told');
  await here.collector({ schedulers: [{ type: 'kohakuriver', url: river.url, poll_interval: '1s' }] });
  here.agent({
    ...calm,
    node: { name: 'gpu-1' },
    hooks: [{ events: ['fail'], exec: ['/bin/sh', '-c', `cat > ${told}.new && mv ${told}.new ${told}`] }],
  });
  await eventually(async () => (await here.get<{ items: object[] }>('/nodes')).items.length === 1, {
    timeoutMs: 60_000,
  });
  await eventually(
    async () => (await here.get<{ schedulers: { state: string }[] }>('/status')).schedulers[0]?.state === 'reading',
  );

  const ran = await here.cli(['run', '--', 'sh', '-c', 'sleep 2; exit 137'], { KOHAKURIVER_TASK_ID: taskId });
  river.set({ task_id: taskId, status: 'killed_oom', exit_code: 137, error_message: 'likely out of memory' });

  expect(ran.code).toBe(137);
  const task = await eventually(
    async () => {
      const found = await here.get<Task>(`/tasks/${taskId}`);
      return found.scheduler?.status === 'killed_oom' ? found : null;
    },
    { timeoutMs: 30_000 },
  );
  expect(task).toMatchObject({
    status: 'failed',
    exit_code: 137,
    owner: 'ada',
    job: 'fit',
    scheduler: {
      corrected: true,
      note: 'kohakuriver said killed_oom (exit code 137); the node proved failed (exit code 137)',
    },
  });
  const document = await eventually(() => JSON.parse(readFileSync(told, 'utf8')) as { task: object });
  expect(document.task).toMatchObject({ task_id: taskId, status: 'failed', exit_code: 137, node: 'gpu-1' });
  const shown = await here.cli(['tasks', 'show', taskId]);
  expect(shown.stdout).toContain('kohakuriver says killed_oom, exit code 137: likely out of memory');
  expect(shown.stdout).toContain('kohakuriver said killed_oom (exit code 137); the node proved failed (exit code 137)');
  const status = await here.cli(['status']);
  expect(status.stdout).toContain('kohakuriver: read, 0 tasks running');
  expect(here.programs.map(({ output }) => output).join('')).not.toContain(canary);
});
