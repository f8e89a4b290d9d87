import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { openRun } from './run.ts';
import { StateKeeper } from './state-keeper.ts';

const empty = { boot_id: null, saved_at: 0, stopping_since: null, gpu_faults: [], engines: [], runs: [] };

/** A keeper over a disk that takes its time: each write ends when it is told to. */
function keeperOf(heard = { socket_path: '/run/docker.sock', key: null as string | null, at: 0 }) {
  const writes: { savedAt: number; done: () => void; fail: () => void }[] = [];
  const settled: string[] = [];
  let takes = 0;
  const keeper = new StateKeeper({
    save: ({ saved_at }) =>
      new Promise((resolve, reject) => {
        writes.push({ savedAt: saved_at, done: resolve, fail: () => reject(new Error('disk full')) });
      }),
    take: () => ({ ...empty, engines: [{ ...heard }], saved_at: ++takes }),
    engines: () => [heard],
    settled: (_, handle) => settled.push(handle),
    log: pino({ level: 'silent' }),
  });
  return { keeper, writes, settled };
}

const run = (handle: string) =>
  openRun({
    key: `systemd:${handle}`,
    source: 'systemd',
    handle,
    startedAt: null,
    identity: {
      id: handle,
      task_id: handle,
      name: handle,
      job: null,
      project: null,
      owner: null,
      source: 'systemd',
      unit: handle,
      container_id: null,
      command: null,
      started_at: null,
    },
  });

describe('what runs, written down', () => {
  it('is not written when nothing has changed', async () => {
    const { keeper, writes } = keeperOf();

    await keeper.save();

    expect(writes).toEqual([]);
  });

  it('is written when only its engine was heard for a while, so that little is to be replayed', async () => {
    const heard = { socket_path: '/run/docker.sock', key: 'first', at: 60_000 };
    const { keeper, writes } = keeperOf(heard);
    const first = keeper.save();
    writes[0]?.done();
    await first;
    heard.at += 9_999;
    await keeper.save();
    const before = writes.length;
    heard.at += 1;
    const second = keeper.save();
    writes[1]?.done();
    await second;

    expect([before, writes.length]).toEqual([1, 2]);
  });

  it('is written when an engine began anew, so that the gap before it is told once', async () => {
    const heard = { socket_path: '/run/docker.sock', key: 'first' as string | null, at: 60_000 };
    const { keeper, writes } = keeperOf(heard);
    const first = keeper.save();
    writes[0]?.done();
    await first;

    heard.key = null;
    const second = keeper.save();
    writes[1]?.done();
    await second;
    await keeper.save();

    expect(writes).toHaveLength(2);
  });

  it('F011 is written once at a time on a disk that stalls, and again for what changed meanwhile', async () => {
    const { keeper, writes } = keeperOf();
    keeper.changed();
    const first = keeper.save();
    keeper.changed();
    const second = keeper.save();
    const third = keeper.save();

    expect(writes).toHaveLength(1);
    writes[0]?.done();
    await first;
    await Promise.resolve();
    expect(writes.map(({ savedAt }) => savedAt)).toEqual([1, 2]);
    writes[1]?.done();
    await Promise.all([second, third]);

    expect(writes).toHaveLength(2);
  });

  it('lets a source forget what is over only when it is out of the file, also after a failure', async () => {
    const { keeper, writes, settled } = keeperOf();
    keeper.over(run('a'));
    const failing = keeper.save();
    keeper.over(run('b'));
    writes[0]?.fail();
    await failing;
    expect(settled).toEqual([]);

    const again = keeper.save();
    expect(settled).toEqual([]);
    writes[1]?.done();
    await again;

    expect(settled).toEqual(['a', 'b']);
  });
});
