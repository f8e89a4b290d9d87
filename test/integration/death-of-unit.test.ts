import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../agent/src/previous-death.ts';
import { findDeathOfUnit } from '../../agent/src/watchers/journal/death-of-unit.ts';
import { messageIds } from '../../agent/src/watchers/journal/lifecycle.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const journalctl = fileURLToPath(new URL('../support/fake-journalctl.mjs', import.meta.url));
const journal = fileURLToPath(new URL('../fixtures/journal/units.jsonl', import.meta.url));

const runOf = (end: string) => end.padStart(32, '0');

function ask(
  invocationId: string,
  { file = journal, signal = new AbortController().signal, clock = systemClock } = {},
) {
  return findDeathOfUnit({ invocationId, signal, clock, command: [process.execPath, journalctl, file] });
}

describe('F013 what systemd wrote down about the end of a unit', () => {
  it.each([
    ['a2', 'the agent was killed for want of memory, by the OOM killer (systemd: result oom-kill)'],
    ['b1', 'the agent crashed with exit code 7 (systemd: main process exited, status 7; result exit-code)'],
    ['b2', 'the agent crashed with SIGSEGV (systemd: main process dumped, status 11; result core-dump)'],
    ['a3', 'the agent did not stop in time and was killed by systemd (systemd: result timeout)'],
  ])('is found by its run and put into words: %s', async (end, words) => {
    expect(describeDeath(await ask(runOf(end)))).toBe(words);
  });

  it('counts as a want of memory also where only a process of the unit was said to be killed, at that moment', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const atUs = 1_700_000_000_000_000;
    const line = (afterMs: number, fields: object) =>
      JSON.stringify({
        __CURSOR: `s=1;i=${afterMs.toString(16)};b=1;m=1;t=1;x=1`,
        __REALTIME_TIMESTAMP: String(atUs + afterMs * 1000),
        _BOOT_ID: 'b',
        _PID: '1',
        UNIT: 'runnerwatch-agent.service',
        ...fields,
      });
    const deathAfter = (id: string, ms: number) => [
      line(1, { INVOCATION_ID: runOf(id), MESSAGE_ID: messageIds.outOfMemory }),
      line(ms, { INVOCATION_ID: runOf(id), MESSAGE_ID: messageIds.processExit, EXIT_CODE: 'killed', EXIT_STATUS: '9' }),
      line(ms, { INVOCATION_ID: runOf(id), MESSAGE_ID: messageIds.failed, UNIT_RESULT: 'signal' }),
    ];
    writeFileSync(file, `${[...deathAfter('c1', 2), ...deathAfter('c2', 60_000)].join('\n')}\n`);

    const [together, later] = await Promise.all([ask(runOf('c1'), { file }), ask(runOf('c2'), { file })]);

    expect(describeDeath(together)).toContain('by the OOM killer');
    expect(describeDeath(later)).toBe(
      'the agent was killed with SIGKILL (systemd: main process killed, status 9; result signal)',
    );
  });

  it('is looked for again while journald is behind, and given up soon', async () => {
    const file = join(await temporaryFolder(), 'journal.jsonl');
    const clock = new ManualClock();
    const asked = ask(runOf('b2'), { file, clock });
    await eventually(() => clock.sleeping === 1);
    writeFileSync(file, readFileSync(journal));
    await clock.advance(2000);

    expect(await asked).toMatchObject({ result: 'core-dump' });

    const unknown = ask(runOf('ee'), { file, clock });
    for (const _ of ['second', 'third']) {
      await eventually(() => clock.sleeping === 1);
      await clock.advance(2000);
    }
    expect(await unknown).toBeNull();
  });

  it('is unknown where the journal cannot be read, and whoever stops waits for nothing', async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const asked = findDeathOfUnit({
      invocationId: runOf('b2'),
      signal: stopping.signal,
      clock,
      command: ['/no/such/journalctl'],
    });
    await eventually(() => clock.sleeping === 1);
    stopping.abort();

    const death = await asked;

    expect(describeDeath(death)).toBe('the agent did not end by itself: it was killed, or it crashed');
  });
});
