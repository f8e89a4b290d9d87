import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createExecNotifier } from '@runnerwatch/collector/notifiers/exec/exec.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { samples } from '../support/notifications.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const signal = new AbortController().signal;
const env = { PATH: '/usr/bin:/bin', HOME: '/root', RUNNERWATCH_NOTIFICATIONS_SMTP_PASSWORD: 'canary' };

async function script(body: string, { args = [], timeout = 10_000 }: { args?: string[]; timeout?: number } = {}) {
  const folder = await temporaryFolder();
  const path = join(folder, 'program');
  await writeFile(path, `#!/bin/sh\ncd "${folder}"\n${body}\n`);
  await chmod(path, 0o755);
  const notifier = createExecNotifier(
    { type: 'exec', command: [path, ...args], timeout },
    { clock: systemClock, system: { env, kill: (pid, name) => process.kill(pid, name) } },
  );
  return { folder, deliver: (abort = signal) => notifier.deliver(samples.oom, { signal: abort }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const pidIn = (path: string) =>
  eventually(() => (existsSync(path) ? Number(readFileSync(path, 'utf8')) || undefined : undefined));

describe('the exec notifier', () => {
  it('gives the notification on standard input, the arguments as they are, and a small environment', async () => {
    const { folder, deliver } = await script('cat > body; printf "%s\\n" "$@" > args; env > env', {
      args: ['a b', '$(touch shell-was-here)', '*'],
    });

    expect(await deliver()).toEqual({ outcome: 'delivered' });

    expect(JSON.parse(readFileSync(join(folder, 'body'), 'utf8'))).toEqual(samples.oom);
    expect(readFileSync(join(folder, 'args'), 'utf8')).toBe('a b\n$(touch shell-was-here)\n*\n');
    expect(existsSync(join(folder, 'shell-was-here'))).toBe(false);
    expect(readFileSync(join(folder, 'env'), 'utf8')).not.toContain('canary');
    expect(readFileSync(join(folder, 'env'), 'utf8')).toContain('HOME=/root');
  });

  it('takes a program at its word that does not read its input', async () => {
    expect(await (await script('exec <&-; exit 0')).deliver()).toEqual({ outcome: 'delivered' });
  });

  it('passes on the first line of what it complains of, and not a flood of it', async () => {
    const { deliver } = await script('echo "no such channel" >&2; yes | head -c 5000000 >&2; exit 1');

    expect(await deliver()).toEqual({ outcome: 'refused', error: 'exit code 1: no such channel' });
  });

  it('tries again what says it may pass', async () => {
    expect(await (await script('echo later >&2; exit 75')).deliver()).toEqual({
      outcome: 'retry',
      error: 'exit code 75: later',
    });
  });

  it('refuses a program that is not there', async () => {
    const notifier = createExecNotifier(
      { type: 'exec', command: ['/no/such/program'], timeout: 1000 },
      { clock: systemClock, system: { env, kill: (pid, name) => process.kill(pid, name) } },
    );

    expect(await notifier.deliver(samples.oom, { signal })).toEqual({
      outcome: 'refused',
      error: 'the program could not be started (ENOENT)',
    });
  });

  it('ends a program that takes too long with all it started, also when that does not listen', async () => {
    const { folder, deliver } = await script("trap '' TERM; (trap '' TERM; sleep 60) & echo $! > child; wait", {
      timeout: 300,
    });

    expect(await deliver()).toEqual({ outcome: 'retry', error: 'the program took longer than 300 ms' });

    const pid = await pidIn(join(folder, 'child'));
    await eventually(() => !isAlive(pid));
  });

  it('leaves nothing behind when the collector stops', async () => {
    const { folder, deliver } = await script('sleep 60 & echo $! > child; wait');
    const stop = new AbortController();

    const delivering = deliver(stop.signal);
    const pid = await pidIn(join(folder, 'child'));
    stop.abort();

    expect(await delivering).toEqual({ outcome: 'retry', error: 'stopped' });
    await eventually(() => !isAlive(pid));
  });
});
