import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskRecording } from '@runnerwatch/shared/model/recording.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allTasks, calm, closed, prepared, runCommand, type TaskItem } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import type { Installation, Program } from '../support/product.ts';

const MiB = 1024 * 1024;

/** Grows by some 10 MiB a second, up to 400 MiB, until the file is there, then fails. */
const grow = (file: string) => `
  const held = [];
  setInterval(() => {
    if (held.length < 400) held.push(Buffer.alloc(${MiB}, 1));
    if (require('node:fs').existsSync(${JSON.stringify(file)})) process.exit(4);
  }, 100);`;

describe('the last minutes of a task', () => {
  let installation: Installation;
  let agent: Program;
  const begun: { end: () => Promise<unknown> }[] = [];

  beforeAll(async () => {
    installation = await prepared();
    await installation.collector();
    agent = installation.agent(calm);
    await eventually(() =>
      installation.get<{ items: { status: string }[] }>('/nodes').then(({ items }) => items[0]?.status === 'online'),
    );
  });
  afterAll(async () => {
    await Promise.all(begun.map(({ end }) => end()));
    await installation[Symbol.asyncDispose]();
  });

  /** A growing task; `end` lets it fail. */
  function begin(name: string) {
    const file = join(installation.dataDir, `end-of-${name}`);
    const child = runCommand(installation, [process.execPath, '-e', grow(file)], ['--name', name]);
    const over = closed(child);
    const task = {
      end: () => {
        writeFileSync(file, '');
        return over;
      },
    };
    begun.push(task);
    return task;
  }
  const named = (name: string) =>
    eventually(async () =>
      (await allTasks(installation)).find((task) => task.name === name && task.status === 'failed'),
    );
  const recordingOf = ({ id }: TaskItem) =>
    eventually(() => installation.get<TaskRecording>(`/tasks/${id}/recording`), { timeoutMs: 20_000, everyMs: 100 });
  const known = (values: readonly (number | null)[] = []) => values.filter((value) => value !== null);

  it('is there when it failed: its memory rises, and it ends within two seconds of the end', async () => {
    const growing = begin('grows');
    const running = await eventually(async () => (await allTasks(installation)).find(({ name }) => name === 'grows'));
    await expect(installation.get(`/tasks/${running.id}/recording`)).rejects.toThrow(/404 .*still runs/);
    await eventually(() => Date.now() - Date.parse(running.started_at ?? '') > 5000, {
      timeoutMs: 20_000,
      everyMs: 100,
    });

    expect(await growing.end()).toBe(4);
    const task = await named('grows');
    const recording = await recordingOf(task);

    const memory = known(recording.task['memory_bytes']);
    expect(memory.length).toBeGreaterThanOrEqual(4);
    expect(memory).toEqual(memory.toSorted((a, b) => a - b));
    expect((memory.at(-1) ?? 0) - (memory[0] ?? 0)).toBeGreaterThan(15 * MiB);
    const endedAt = Date.parse((task as TaskItem & { ended_at: string }).ended_at);
    expect(Math.abs(Date.parse(recording.until) - endedAt)).toBeLessThanOrEqual(2000);
    expect(recording.complete_until).toBe(recording.until);
    expect(known(recording.node['cpu_percent']).length).toBeGreaterThanOrEqual(4);
    expect((await installation.cli(['tasks', 'show', task.id])).stdout).toMatch(/^ {2}memory +\d/m);
  });

  it('F001 is there as far as it had reached the disk, when the agent was killed meanwhile', async () => {
    const folder = join(installation.dataDir, 'agent', 'recorder');
    const onDisk = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const before = existsSync(folder) ? onDisk() : 0;
    const meanwhile = begin('meanwhile');
    const lasting = begin('lasting');
    await eventually(() => onDisk() > before + 2000, { timeoutMs: 30_000, everyMs: 100 });
    const killedAt = Date.now();
    await agent.end('SIGKILL');

    expect(await meanwhile.end()).toBe(4);
    agent.startAgain();
    const ended = await recordingOf(await named('meanwhile'));
    await eventually(() => onDisk() > 0 && Date.now() - killedAt > 6000, { timeoutMs: 20_000, everyMs: 100 });
    expect(await lasting.end()).toBe(4);
    const goneOn = await recordingOf(await named('lasting'));

    const memory = known(ended.task['memory_bytes']);
    expect((memory.at(-1) ?? 0) - (memory[0] ?? 0)).toBeGreaterThan(15 * MiB);
    expect(Date.parse(ended.complete_until)).toBeLessThanOrEqual(killedAt);
    expect(killedAt - Date.parse(ended.complete_until)).toBeLessThanOrEqual(15_000);
    expect(goneOn.complete_until).toBe(ended.complete_until);
    expect(Date.parse(goneOn.until)).toBeGreaterThan(killedAt);
    expect(goneOn.task['memory_bytes']).toContain(null);
    expect(known(goneOn.task['memory_bytes']).at(-1)).toBeGreaterThan(memory.at(-1) ?? Infinity);
  });
});
