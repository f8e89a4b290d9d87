import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { allTasks, calm, inDatabase, nodeBecomes, pass, prepared } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

const ends = 10_000;
const stormMs = 10_000;
const sliceMs = 50;

describe('a storm of ends', () => {
  it('F027 stores each of 10,000 ends that came within 10 s, once, with its own code', async () => {
    const installation = await prepared();
    opened.push(installation);
    const collector = await installation.collector({ log: { level: 'warn' }, heartbeat_timeout: '60s' });
    const agent = installation.agent({ ...calm, log: { level: 'warn' } });
    await nodeBecomes(installation, 'online');
    const inbox = join(installation.dataDir, 'agent', 'inbox');

    const beganAt = performance.now();
    for (let slice = 0; slice < stormMs / sliceMs; slice += 1) {
      const each = ends / (stormMs / sliceMs);
      for (let index = slice * each; index < (slice + 1) * each; index += 1) leaveEnd(inbox, index);
      await pass(Math.max(0, (slice + 1) * sliceMs - (performance.now() - beganAt)));
    }
    const stormTookMs = performance.now() - beganAt;
    await eventually(
      async () => (await allTasks(installation)).filter(({ status }) => status !== 'running').length === ends,
      { timeoutMs: 400_000, everyMs: 3000 },
    );
    const storedMs = performance.now() - beganAt;
    process.stdout.write(
      `storm: ${ends} ends in ${(stormTookMs / 1000).toFixed(1)} s, all stored after ${(storedMs / 1000).toFixed(1)} s\n`,
    );

    const tasks = await allTasks(installation);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(ends);
    const wrong = tasks.filter(({ name, exit_code }) => exit_code !== codeOf(Number(name.slice('storm-'.length))));
    expect(wrong).toEqual([]);
    await agent.end();
    await collector.end();
    const [stored] = await inDatabase(
      installation,
      (sql) => sql<{ ends: number; gaps: number }>`
      select count(*) filter (where kind = 'task_ended')::int as ends,
        count(*) filter (where kind = 'gap' and body -> 'gap' ->> 'source' <> 'process-exits')::int as gaps
      from events`,
    );
    // These ends come through the inbox; a busy machine may overrun the kernel's events of its other processes.
    expect(stored).toEqual({ ends, gaps: 0 });
  }, 600_000);
});

function codeOf(index: number): number {
  return index % 256;
}

/** As `runnerwatch run` leaves it, whole or not at all. */
function leaveEnd(inbox: string, index: number): void {
  const at = new Date().toISOString();
  const runId = `storm-run-${index}`;
  const fact = {
    version: 1,
    run_id: runId,
    boot_id: null,
    wrapper_pid: process.pid,
    wrapper_start_ticks: null,
    begun: {
      name: `storm-${index}`,
      job: null,
      project: null,
      owner: null,
      command: 'false',
      pid: process.pid,
      start_ticks: null,
      cgroup: null,
      timeout_ms: null,
      started_at: at,
    },
    ended: {
      wait_status: codeOf(index) << 8,
      timed_out: false,
      start_error: null,
      cpu_ms: 1,
      memory_peak_bytes: null,
      at,
      log_tail: [`last words of ${index}`],
    },
  };
  const aside = join(inbox, `.${runId}.tmp`);
  writeFileSync(aside, JSON.stringify(fact));
  renameSync(aside, join(inbox, `${runId}.end.json`));
}
