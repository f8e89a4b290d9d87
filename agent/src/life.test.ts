import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastWriteIn, openLife } from './life.ts';

const bootId = '5b1d6b0c-8f0e-4a53-9a39-3a4de02a9c1f';
const invocation = 'a'.repeat(32);

describe('the mark of a life', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runnerwatch-life-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (env: Record<string, string> = {}, { boot = bootId, ppid = 1 }: { boot?: string; ppid?: number } = {}) =>
    openLife(folder, { bootId: boot, system: { pid: 42, ppid, env }, lastWroteAt: null });

  it('tells a first start, a stop, a death and a reboot apart', () => {
    const first = open();
    const afterDeath = open();
    afterDeath.end();
    const afterStop = open();
    const afterReboot = open({}, { boot: '00000000-0000-4000-8000-000000000000' });

    const ends = [first, afterDeath, afterStop, afterReboot].map(({ previous }) => previous.ended);
    expect(ends).toEqual(['none', 'killed', 'clean', 'rebooted']);
  });

  it('reads the mark of an agent that did not know of units, and takes a damaged one for none', () => {
    writeFileSync(join(folder, 'life.json'), `{"running":true,"boot_id":"${bootId}"}\n`);
    const old = open().previous;
    writeFileSync(join(folder, 'life.json'), '{"runn');

    expect([old.ended, old.invocationId]).toEqual(['killed', null]);
    expect(open().previous.ended).toBe('none');
  });

  it.each([
    { who: 'the main process of a unit', env: { INVOCATION_ID: invocation, SYSTEMD_EXEC_PID: '42' }, isKept: true },
    { who: 'a child of that', env: { INVOCATION_ID: invocation, SYSTEMD_EXEC_PID: '41' }, ppid: 41, isKept: false },
    { who: 'a unit of an old systemd', env: { INVOCATION_ID: invocation }, isKept: true },
    { who: 'a shell in such a unit', env: { INVOCATION_ID: invocation }, ppid: 900, isKept: false },
    { who: 'no unit', env: {}, isKept: false },
  ])("keeps the unit's run only for its main process: $who", ({ env, ppid = 1, isKept }) => {
    open(env, { ppid });

    expect(open().previous.invocationId).toBe(isKept ? invocation : null);
  });

  it('knows when anything was last written, also below', () => {
    expect(lastWriteIn(folder)).toBeNull();
    mkdirSync(join(folder, 'spool'));
    for (const [name, at] of [
      ['ledger.json', 1000],
      ['spool/segment', 2000],
    ] as const) {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), at, at);
    }

    expect(lastWriteIn(folder)).toBe(2_000_000);
    expect(lastWriteIn(join(folder, 'nowhere'))).toBeNull();
  });
});
