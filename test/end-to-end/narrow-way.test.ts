import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  allTasks,
  calm,
  holds,
  nodeBecomes,
  nodes,
  prepared,
  runShell,
  telling,
  toldOf,
} from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import { canMakeNetworks, NarrowWay } from '../support/narrow-way.ts';
import type { Installation } from '../support/product.ts';

const isLost =
  /large packets are lost on the way[^\n]*ICMP[^\n]*MTU|large packets are lost on the way[^\n]*MTU[^\n]*ICMP/g;
const isFound = /large packets reach the collector again/g;
const lines = 100;

/** Tasks that fail; with what escapes do to their last lines, each is an event of some 120 KiB. */
const fail = (installation: Installation, names: readonly string[]) =>
  Promise.all(
    names.map((name) =>
      runShell(installation, `for n in $(seq ${lines}); do printf '%0600d\\n' $n | tr 0 '"'; done; exit 3`, [
        '--name',
        name,
      ]),
    ),
  );

async function arrived(installation: Installation, names: readonly string[]): Promise<void> {
  await holds(
    async () => {
      const tasks = await allTasks(installation);
      expect(tasks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(
        expect.arrayContaining([...names]),
      );
    },
    { timeoutMs: 60_000 },
  );
}

/** What `runnerwatch doctor` says of large packets on this way. */
async function examined(installation: Installation, way: NarrowWay): Promise<object | undefined> {
  const args = ['doctor', '--runner', '--runner-config', join(installation.dataDir, 'agent.yaml'), '--json'];
  const { stdout } = await installation.cli(args, {}, { under: way.enter });
  const { parts } = JSON.parse(stdout) as { parts: { findings: { check: string }[] }[] };
  return parts[0]?.findings.find(({ check }) => check === 'large packets');
}

describe.runIf(canMakeNetworks())('a way that loses packets of more than 1,400 bytes and says nothing of it', () => {
  it('F061 is named once in the log, and carries all in small pieces until it is cured', async () => {
    await using sink = await HttpSink.open();
    await using installation = await prepared();
    await installation.collector(telling(sink, { events: ['unreachable'] }));
    await using way = await NarrowWay.open(Number(new URL(installation.url).port));
    const agent = installation.agent({ ...calm, collector_urls: [way.url] }, {}, { under: way.enter });
    const said = (what: RegExp) => agent.output.match(what)?.length ?? 0;
    await nodeBecomes(installation, 'online');
    await fail(installation, ['before']);
    await arrived(installation, ['before']);
    expect(await examined(installation, way)).toMatchObject({ result: 'ok' });
    expect([way.lostPackets, said(isLost)]).toEqual([0, 0]);

    way.narrow();
    await fail(installation, ['one', 'two', 'three']);
    await arrived(installation, ['one', 'two', 'three']);
    await agent.end();
    agent.startAgain();
    await fail(installation, ['four']);
    await arrived(installation, ['four']);

    expect(await examined(installation, way)).toMatchObject({
      result: 'warning',
      fix: expect.stringContaining('ICMP'),
    });
    expect(way.lostPackets).toBeGreaterThan(0);
    // Once by each life of the agent: the second finds it at its hello.
    expect([said(isLost), said(isFound)]).toEqual([2, 0]);

    way.widen();
    await holds(() => expect(said(isFound)).toBe(1), { timeoutMs: 60_000 });
    await fail(installation, ['five']);
    await arrived(installation, ['five']);

    const tasks = (await allTasks(installation)).filter(({ source }) => source === 'run');
    const tails = await Promise.all(
      tasks.map(({ task_id: id }) => installation.get<{ log_tail: string[] }>(`/tasks/${encodeURIComponent(id)}`)),
    );
    expect(tasks.map(({ name }) => name).sort()).toEqual(['before', 'five', 'four', 'one', 'three', 'two']);
    expect(tails.map(({ log_tail: tail }) => tail.length)).toEqual(tasks.map(() => lines));
    expect(Math.min(...tails.map(({ log_tail: tail }) => tail.join('').length))).toBe(600 * lines);
    expect(said(isLost)).toBe(2);
    expect(toldOf(sink, 'node.unreachable')).toEqual([]);
    expect(await nodes(installation)).toMatchObject([{ status: 'online' }]);
  }, 200_000);
});
