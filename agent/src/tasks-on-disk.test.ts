import { describe, expect, it, onTestFinished } from 'vitest';
import { noon, taskEnded, taskStarted } from '../../test/support/events.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';

import { openSpool, type Spool } from './spool/spool.ts';
import { tasksOnDisk } from './tasks-on-disk.ts';

async function spoolIn(folder: string): Promise<Spool> {
  const spool = await openSpool({ folder, report: () => {}, now: () => noon, reserveBytes: 0 });
  onTestFinished(() => spool.close());
  return spool;
}

describe('the tasks that are on disk', () => {
  it('F001 are all that ended or began, acknowledged or not, in the life before', async () => {
    const folder = await temporaryFolder();
    const first = await spoolIn(folder);
    for (const id of ['a', 'b', 'c']) {
      await first.append(taskStarted(id), noon);
      await first.append(taskEnded(id), noon);
    }
    await first.append(taskStarted('runs'), noon);
    await first.read('ends', 0, 1e6);
    first.acknowledge('ends', 2);
    await first.close();

    const second = await spoolIn(folder);

    const { ended, begun } = await tasksOnDisk(second);
    expect([...ended].toSorted()).toEqual(['a', 'b', 'c']);
    expect(begun.map(({ identity, at }) => [identity.id, at])).toEqual([
      ['a', noon],
      ['b', noon],
      ['c', noon],
      ['runs', noon],
    ]);
    expect(second.acknowledged.ends).toBe(2);
  });

  it('are none in a new spool', async () => {
    expect(await tasksOnDisk(await spoolIn(await temporaryFolder()))).toEqual({
      ended: new Set(),
      begun: [],
      containers: new Map(),
    });
  });

  it('are read in pages, each once', async () => {
    const spool = await spoolIn(await temporaryFolder());
    const tail = [`${'x'.repeat(60_000)} `];
    await Promise.all(Array.from({ length: 60 }, (_, index) => spool.append(taskEnded(`t${index}`, tail), noon)));

    expect((await tasksOnDisk(spool)).ended.size).toBe(60);
  });
});
