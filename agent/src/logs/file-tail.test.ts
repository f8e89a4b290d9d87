import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type LogFile, namedLogFiles, readLogFiles } from './file-tail.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-tail-'));
afterAll(() => rmSync(folder, { recursive: true }));

function known(name: string, { isStderr = false, at = name } = {}): LogFile {
  const { dev, ino } = statSync(join(folder, name), { bigint: true });
  return { isStderr, path: join(folder, at), dev: String(dev), ino: String(ino) };
}

function written(name: string, text: string | Buffer, of: { isStderr?: boolean } = {}): LogFile {
  writeFileSync(join(folder, name), text);
  return known(name, of);
}

describe('the last lines of files', () => {
  it('are those of stdout, then those of stderr, marked', async () => {
    const files = [written('a.out', 'one\ntwo\n'), written('a.err', 'oh\nno', { isStderr: true })];

    expect(await readLogFiles(files, 100)).toEqual(['one', 'two', 'stderr: oh', 'stderr: no']);
  });

  it('are shared so that neither stream hides the other', async () => {
    const many = Array.from({ length: 50 }, (_, at) => `${at}`).join('\n');
    const both = [written('b.out', many), written('b.err', many, { isStderr: true })];
    const littleOut = [written('c.out', 'x'), written('c.err', many, { isStderr: true })];

    const shared = await readLogFiles(both, 8);
    expect(shared).toEqual(['48', '49', ...['44', '45', '46', '47', '48', '49'].map((line) => `stderr: ${line}`)]);
    expect((await readLogFiles(littleOut, 8))?.filter((line) => line.startsWith('stderr: '))).toHaveLength(7);
  });

  it('F037 are read from the end of a huge file, whole lines only', async () => {
    const huge = written('huge.out', `${'x'.repeat(1000)}\n`.repeat(10_000));
    appendFileSync(huge.path, 'the end\n');
    const oneLine = written('line.out', `${'y'.repeat(500_000)} end`);

    const lines = await readLogFiles([huge], 10_000);
    expect(lines?.length).toBeLessThan(70);
    expect(lines?.at(-1)).toBe('the end');
    expect(lines?.slice(0, -1).every((line) => line === 'x'.repeat(1000))).toBe(true);
    expect((await readLogFiles([oneLine], 10))?.[0]).toMatch(/^…y+ end$/);
  });

  it('are none when the file is gone, empty or not what it was', async () => {
    const gone = written('gone.out', 'x');
    rmSync(gone.path);
    const replaced = written('replaced.out', 'mine');
    writeFileSync(join(folder, 'other'), 'of somebody else');
    renameSync(join(folder, 'other'), replaced.path);

    expect(await readLogFiles([gone], 10)).toBeNull();
    expect(await readLogFiles([replaced], 10)).toBeNull();
    expect(await readLogFiles([written('empty.out', '')], 10)).toEqual([]);
  });

  it('F116 are not read through a link, nor waited for at a pipe', async () => {
    written('target.out', 'secret of another');
    symlinkSync(join(folder, 'target.out'), join(folder, 'link.out'));
    execFileSync('mkfifo', [join(folder, 'pipe.out')]);

    expect(await readLogFiles([known('target.out', { at: 'link.out' })], 10)).toBeNull();
    expect(await readLogFiles([known('pipe.out')], 10)).toBeNull();
  });
});

describe('the files of a task by its id', () => {
  const templates = [join(folder, 'outputs/${task_id}.out'), join(folder, 'outputs/${task_id}/stderr.log')];

  it('are those that are there and were written to since it began', async () => {
    mkdirSync(join(folder, 'outputs/8'), { recursive: true });
    const [out, err] = [written('outputs/8.out', 'x'), written('outputs/8/stderr.log', 'y', { isStderr: true })];

    expect(await namedLogFiles(templates, { taskId: '8', sinceMs: Date.now() - 60_000 })).toEqual([out, err]);
    expect(await namedLogFiles(templates, { taskId: '8', sinceMs: Date.now() + 60_000 })).toEqual([]);
    expect(await namedLogFiles(templates, { taskId: '9', sinceMs: 0 })).toEqual([]);
  });

  it.each(['..', '../outputs/8', '8/../8', '', '/etc/passwd', '8\0'])(
    'F116 are none of an id like %j',
    async (taskId) => {
      expect(await namedLogFiles(templates, { taskId, sinceMs: 0 })).toEqual([]);
    },
  );
});
