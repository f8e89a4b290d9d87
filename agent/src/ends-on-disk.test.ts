import { describe, expect, it, onTestFinished } from 'vitest';
import { noon, taskEnded, taskStarted } from '../../test/support/events.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { endsOnDisk } from './ends-on-disk.ts';
import { openSpool, type Spool } from './spool/spool.ts';

async function spoolIn(folder: string): Promise<Spool> {
  const spool = await openSpool({ folder, report: () => {}, now: () => noon, reserveBytes: 0 });
  onTestFinished(() => spool.close());
  return spool;
}

describe('the ends that are on disk', () => {
  it('F001 are all that were written, acknowledged or not, in the life before', async () => {
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

    expect([...(await endsOnDisk(second))].toSorted()).toEqual(['a', 'b', 'c']);
    expect(second.acknowledged.ends).toBe(2);
  });

  it('are none in a new spool', async () => {
    expect((await endsOnDisk(await spoolIn(await temporaryFolder()))).size).toBe(0);
  });

  it('are read in pages, each end once', async () => {
    const spool = await spoolIn(await temporaryFolder());
    const tail = [`${'x'.repeat(60_000)} `];
    await Promise.all(Array.from({ length: 60 }, (_, index) => spool.append(taskEnded(`t${index}`, tail), noon)));

    expect((await endsOnDisk(spool)).size).toBe(60);
  });
});
