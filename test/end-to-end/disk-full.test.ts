import { execFile } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { copyTemplate } from '../support/database.ts';
import { allTasks, calm, holds, nodeBecomes, runShell, telling, toldOf } from '../support/end-to-end.ts';
import type { FullDiskCourse } from '../support/full-disk-program.ts';
import { HttpSink } from '../support/http-sink.ts';
import { canMount, mountTmpfs } from '../support/private-mount.ts';
import { Installation } from '../support/product.ts';

const canFill = canMount();
const failures = 12;
const program = resolve(import.meta.dirname, '../support/full-disk-program.ts');

it.skipIf(!canFill)(
  'F083 F093 a collector whose disk is full says so, acknowledges nothing, and loses nothing when there is space again',
  async () => {
    await using sink = await HttpSink.open();
    await using installation = new Installation();
    const mount = await mountTmpfs('size=100m');
    await copyTemplate(join(mount.folder, 'collector'));
    const collector = await installation.collector(
      { data_dir: '/mnt', ...telling(sink, { events: ['fail', 'unreachable'] }) },
      {},
      { under: mount.enter },
    );
    const agent = installation.agent({ ...calm, token_file: join(mount.folder, 'collector/agent.token') });
    await nodeBecomes(installation, 'online');
    await runShell(installation, 'exit 3', ['--name', 'before']);
    await holds(() => expect(toldOf(sink, 'task.ended')).toHaveLength(1));
    await holds(() => expect(existsSync(join(mount.folder, 'collector/database/reserve'))).toBe(true));

    await mount.run('cat /dev/zero > /mnt/filler 2>/dev/null || true');
    expect(freeBytes(mount.folder)).toBe(0);
    await holds(async () => {
      const ready = await fetch(`${installation.url}/readyz`);
      expect(await ready.text()).toContain('the disk is full');
      expect(ready.status).toBe(503);
    });
    for (let n = 0; n < failures; n++) await runShell(installation, 'exit 3', ['--name', `full-${n}`]);
    await holds(() => expect(collector.output).toContain('their acks are withheld'));
    expect((await allTasks(installation)).map(({ name }) => name)).toEqual(['before']);
    await mount.run('rm /mnt/filler');

    await holds(() => expect(toldOf(sink, 'task.ended')).toHaveLength(failures + 1));
    expect((await allTasks(installation)).map(({ name }) => name)).toHaveLength(failures + 1);
    expect(new Set(toldOf(sink, 'task.ended').map(({ task }) => task?.name)).size).toBe(failures + 1);
    await holds(async () => expect((await fetch(`${installation.url}/readyz`)).status).toBe(200));
    expect(collector.output.match(/"the disk is full:/g)).toHaveLength(1);
    expect(collector.output.match(/there is space on the disk again/g)).toHaveLength(1);
    expect(collector.output).not.toContain('starting it again');
    expect(toldOf(sink, 'node.unreachable')).toEqual([]);
    expect(agent.output.match(/"connected"/g)).toHaveLength(1);
  },
);

it.skipIf(!canFill)(
  'F093 an embedded database whose log does not fit on the disk any more takes no writes, answers, and has what it committed',
  async () => {
    const mount = await mountTmpfs('size=100m');
    const [command, ...rest] = [...mount.enter, process.execPath, '--import', 'tsx', program];
    const { stdout } = await promisify(execFile)(command, rest, { timeout: 90_000 });

    const course = JSON.parse(stdout) as FullDiskCourse;
    expect(course.problemsWhileFull).toEqual(['read_only']);
    expect(course.healthWhileFull).toContain('the disk is full');
    expect(course.hadReserve).toBe(false);
    expect(course.committed.at(-1)).toBe(61);
    expect(course.stored).toEqual(course.committed);
  },
);

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
