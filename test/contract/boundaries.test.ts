import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const tree = realpathSync(mkdtempSync(join(tmpdir(), 'boundaries-')));
afterAll(() => rmSync(tree, { recursive: true, force: true }));

function cruise(files: Readonly<Record<string, string>>): string {
  for (const folder of ['agent', 'collector', 'shared']) rmSync(join(tree, folder), { recursive: true, force: true });
  for (const [path, content] of Object.entries({
    'tsconfig.json': '{}',
    'shared/src/model/task.ts': 'export type Task = string;',
    ...files,
  })) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      join(repository, '.dependency-cruiser.mjs'),
      '--output-type',
      'err',
      '.',
    ],
    { cwd: tree, encoding: 'utf8' },
  );
  return stdout + stderr;
}

describe('boundaries', () => {
  it('are kept by a tree that keeps them', () => {
    expect(
      cruise({
        'agent/src/proc/stat.ts': `import type { Task } from '../../../shared/src/model/task.ts';\nexport type T = Task;`,
      }),
    ).toContain('no dependency violations found');
  });

  it('catch a circle made of types only', () => {
    const output = cruise({
      'agent/src/proc/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;`,
      'agent/src/proc/b.ts': `import type { A } from './a.ts';\nexport type B = A | 2;`,
    });

    expect(output).toContain('no-circles');
  });

  it('catch the agent importing the collector, and a watcher that has heard of the spool', () => {
    const output = cruise({
      'collector/src/db/open.ts': 'export const open = 1;',
      'agent/src/spool/spool.ts': 'export type Spool = 1;',
      'agent/src/watchers/systemd.ts': `import type { Spool } from '../spool/spool.ts';\nimport { open } from '../../../collector/src/db/open.ts';\nexport const x: Spool = open;`,
    });

    expect(output).toContain('agent-and-collector-are-strangers');
    expect(output).toContain('watchers-know-proc');
  });
});
