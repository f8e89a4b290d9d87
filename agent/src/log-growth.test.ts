import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { runningTask } from '../../test/support/running-task.ts';
import { createLogGrowth } from './log-growth.ts';
import { RedirectedOutput } from './redirected-output.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-growth-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a log has grown when the latest of all who know says so', async () => {
  const path = join(folder, 'out.log');
  const fd = openSync(path, 'a');
  const child = spawn('sleep', ['60'], { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  onTestFinished(() => void child.kill('SIGKILL'));
  utimesSync(path, 5000, 5000);
  const options = { root: '/', lines: 1, templates: [], clock: new ManualClock(), log: pino({ level: 'silent' }) };
  const wrapped: Record<string, number> = { 'said-later.scope': 6_000_000, 'said-earlier.scope': 4_000_000 };
  const grewAt = createLogGrowth({
    cgroupRoot: null,
    output: new RedirectedOutput(options),
    hearing: () => ({ containers: [], inbox: { outputAt: (id) => wrapped[id] ?? null } }),
  });
  const process = { pid: child.pid ?? 0, startTicks: null };
  const ask = (name: string, more: object = {}) => grewAt(runningTask(name, { source: 'run', ...more }), 0);

  expect(await ask('said-later', { process })).toBe(6_000_000);
  expect(await ask('said-earlier', { process })).toBe(5_000_000);
  expect(await ask('said-nothing', { process })).toBe(5_000_000);
  expect(await ask('unknown')).toBeNull();
});
