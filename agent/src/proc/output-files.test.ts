import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { haveRoot, haveTool } from '../../../test/support/tool.ts';
import { parseMountInfo } from './mountinfo.ts';
import { findOutputFiles, lastWrittenAt, translatePath } from './output-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'output-files-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function shell(line: string, stdio: (number | 'ignore' | 'pipe')[] = ['ignore', 'ignore', 'ignore']): number {
  const child = spawn('sh', ['-c', line], { stdio });
  children.push(child);
  return child.pid ?? 0;
}

function fileOf(path: string, isStderr: boolean) {
  const { dev, ino } = statSync(path, { bigint: true });
  return { isStderr, path, dev: String(dev), ino: String(ino) };
}

describe('the files a process writes to', () => {
  it('are found as a shell of HakuRiver redirects them', async () => {
    const [out, err] = [join(folder, '1.out'), join(folder, '1.err')];
    const pid = shell(`exec sleep 60 > ${out} 2> ${err}`);

    const found = await eventually(async () => {
      const files = await findOutputFiles('/', pid);
      return files.length === 2 ? files : null;
    });

    expect(found).toEqual([fileOf(out, false), fileOf(err, true)]);
  });

  it('are one when both streams go into the same', async () => {
    const path = join(folder, 'both.log');
    const fd = openSync(path, 'a');
    const pid = shell('exec sleep 60', ['ignore', fd, fd]);
    closeSync(fd);

    expect(await findOutputFiles('/', pid)).toEqual([fileOf(path, false)]);
  });

  it('are none of what is no file, is only read, or is deleted', async () => {
    const read = join(folder, 'read.log');
    writeFileSync(read, 'somebody else wrote this');
    const reading = openSync(read, 'r');
    const deleted = openSync(join(folder, 'deleted.log'), 'w');
    const pids = [
      shell('exec sleep 60', ['ignore', 'pipe', 'pipe']),
      shell('exec sleep 60'),
      shell('exec sleep 60', ['ignore', reading, reading]),
      shell('exec sleep 60', ['ignore', deleted, 'ignore']),
      2 ** 22 + 1,
    ];
    rmSync(join(folder, 'deleted.log'));
    closeSync(reading);
    closeSync(deleted);

    expect(await Promise.all(pids.map((pid) => findOutputFiles('/', pid)))).toEqual([[], [], [], [], []]);
  });

  it.skipIf(!haveRoot() || !haveTool('unshare', 'Debian: util-linux'))(
    'are called as on the node when a container calls them otherwise',
    async () => {
      const inside = join(folder, 'inside');
      const mount = `mkdir -p ${inside} ${folder}/shared && mount --bind ${folder}/shared ${inside}`;
      const child = spawn('unshare', ['--mount', 'sh', '-c', `${mount} && exec sleep 60 > ${inside}/stdout.log`], {
        stdio: 'ignore',
      });
      children.push(child);

      const [file] = await eventually(async () => {
        const files = await findOutputFiles('/', child.pid ?? 0);
        return files.length > 0 ? files : null;
      });

      expect(file).toEqual(fileOf(join(folder, 'shared/stdout.log'), false));
    },
  );
});

describe('a path in another mount name space', () => {
  const container = parseMountInfo(
    ['1 0 0:50 / / rw - overlay overlay rw', '2 1 0:60 /cluster/shared /shared rw - nfs4 host:/export rw'].join('\n'),
  );
  const node = parseMountInfo(
    [
      '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
      '2 1 0:60 / /mnt/nfs rw - nfs4 host:/export rw',
      '3 1 0:60 /cluster /mnt/cluster rw - nfs4 host:/export rw',
    ].join('\n'),
  );

  it('is found by the file system it lies on, at its nearest mount', () => {
    expect(translatePath('/shared/logs/7/stdout.log', container, node)).toBe('/mnt/cluster/shared/logs/7/stdout.log');
    expect(translatePath('/shared', container, node)).toBe('/mnt/cluster/shared');
    expect(translatePath('/app/out.log', container, node)).toBeNull();
    expect(translatePath('/var/log/x', node, node)).toBe('/var/log/x');
  });
});

describe('when processes last wrote something out', () => {
  it('is told by the files, named pipes and the like they write to, whichever of them it was', async () => {
    const before = Date.now() - 1000;
    const written = join(folder, 'growing.log');
    const quiet = join(folder, 'quiet.log');
    for (const path of [written, quiet]) {
      writeFileSync(path, 'first\n');
      utimesSync(path, 1_600_000_000, 1_600_000_000);
    }
    const pids = [shell(`exec sleep 60 >> ${quiet} 2>&1`), shell(`exec >> ${written}; while sleep 0.1; do echo; done`)];
    await eventually(async () => ((await lastWrittenAt('/', pids)) ?? 0) > before);

    expect(await lastWrittenAt('/', [pids[0] ?? 0])).toBe(1_600_000_000_000);
    expect(await lastWrittenAt('/', [2 ** 22 + 1])).toBeNull();
  });
});
