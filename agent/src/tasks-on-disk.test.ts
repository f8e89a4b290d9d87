import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { Confidence } from '@runnerwatch/shared/model/task.ts';
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

    const { ended, begun } = await tasksOnDisk(second, noon);
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
    expect(await tasksOnDisk(await spoolIn(await temporaryFolder()), noon)).toEqual({
      ended: new Set(),
      unproven: [],
      begun: [],
      containers: new Map(),
    });
  });

  it('are read in pages, each once', async () => {
    const spool = await spoolIn(await temporaryFolder());
    const tail = [`${'x'.repeat(60_000)} `];
    await Promise.all(Array.from({ length: 60 }, (_, index) => spool.append(taskEnded(`t${index}`, tail), noon)));

    expect((await tasksOnDisk(spool, noon)).ended.size).toBe(60);
  });

  it('F001 tell the next life which ends of the last minutes nobody could prove, as last told', async () => {
    const folder = await temporaryFolder();
    const first = await spoolIn(folder);
    const minute = 60_000;
    await first.append(judged('long ago', 'unknown'), noon - 11 * minute);
    await first.append(judged('unseen', 'unknown'), noon - minute);
    await first.append(judged('amended', 'unknown'), noon - minute);
    await first.append(judged('likely', 'unknown'), noon - minute);
    await first.append(judged('amended', 'proven'), noon);
    await first.append(judged('likely', 'likely'), noon);
    await first.read('ends', 0, 1e6);
    first.acknowledge('ends', 6);
    await first.close();

    const { unproven } = await tasksOnDisk(await spoolIn(folder), noon);

    expect(unproven).toEqual([judged('unseen', 'unknown'), judged('likely', 'likely')]);
  });

  it('name no more than 500 unproven ends, the newest', async () => {
    const spool = await spoolIn(await temporaryFolder());
    await Promise.all(Array.from({ length: 502 }, (_, index) => spool.append(judged(`t${index}`, 'unknown'), noon)));

    const { unproven } = await tasksOnDisk(spool, noon);

    expect([unproven.length, unproven[0]?.task.id]).toEqual([500, 't2']);
  });
});

function judged(id: string, confidence: Confidence): EventBody {
  const body = taskEnded(id);
  if (body.kind !== 'task_ended') return body;
  return { ...body, ending: { ...body.ending, verdict: { ...body.ending.verdict, confidence } } };
}
