import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { firstPidIn, pickVariables, readEnvironment } from './environment.ts';

const names = new Set(['SLURM_JOB_ID', 'CI_JOB_NAME']);
const pick = (...entries: string[]) => pickVariables(Buffer.from(`${entries.join('\0')}\0`), names);

it('reads the named variables of a process and nothing else of its environment', async () => {
  const child = spawn('sleep', ['60'], { env: { SLURM_JOB_ID: '71', API_KEY: 'canary', PATH: process.env['PATH'] } });
  try {
    const read = readEnvironment('/', child.pid ?? 0, names);

    expect(read).toEqual({ SLURM_JOB_ID: '71' });
  } finally {
    child.kill('SIGKILL');
  }
});

it('F044 has nothing of a process that is gone', () => {
  expect(readEnvironment('/nowhere', 4711, names)).toEqual({});
});

it.each<[string, string[], Record<string, string>]>([
  ['a name that only begins so', ['SLURM_JOB_ID_OLD=1', 'XSLURM_JOB_ID=2'], {}],
  ['an empty value', ['SLURM_JOB_ID='], {}],
  ['a value with an equals sign', ['CI_JOB_NAME=a=b'], { CI_JOB_NAME: 'a=b' }],
  ['a name without a value', ['SLURM_JOB_ID', 'CI_JOB_NAME=x'], { CI_JOB_NAME: 'x' }],
  ['a name that comes twice', ['CI_JOB_NAME=x', 'CI_JOB_NAME=y'], { CI_JOB_NAME: 'x' }],
  ['control characters', ['CI_JOB_NAME=\u001b[2Jte\nst\u0007 '], { CI_JOB_NAME: '[2Jtest' }],
  ['a long value', [`CI_JOB_NAME=${'x'.repeat(5000)}`], { CI_JOB_NAME: 'x'.repeat(256) }],
  ['a name out of every object', ['__proto__=1', 'constructor=2'], {}],
])('judges %s', (_, entries, expected) => {
  expect(pick(...entries)).toEqual(expected);
});

it('takes whatever bytes a process has put there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const picked = pickVariables(Buffer.from(bytes), names);

      expect(Object.keys(picked).every((name) => names.has(name))).toBe(true);
    }),
  );
});

it('finds the first process of a cgroup', () => {
  const folder = temporaryFolderSync();
  mkdirSync(join(folder, 'a.scope'));
  writeFileSync(join(folder, 'a.scope/cgroup.procs'), '812\n900\n');
  mkdirSync(join(folder, 'b.scope'));
  writeFileSync(join(folder, 'b.scope/cgroup.procs'), '');

  expect(firstPidIn(folder, '/a.scope')).toBe(812);
  expect(firstPidIn(folder, '/b.scope')).toBeNull();
  expect(firstPidIn(folder, '/c.scope')).toBeNull();
});
