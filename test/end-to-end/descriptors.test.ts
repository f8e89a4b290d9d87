import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
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
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import { haveTool } from '../support/tool.ts';

const isPossible = [haveTool('prlimit', 'apt-get install util-linux'), havePostgres()].every(Boolean);

// A server has descriptors of its own; the embedded database would compete for the last ones.
it.skipIf(!isPossible)(
  'F083 a collector out of file descriptors serves who is connected, says so, and takes connections again',
  async () => {
    await using sink = await HttpSink.open();
    await using installation = await prepared();
    await using cluster = await PostgresCluster.start();
    const collector = await installation.collector({
      database: { url: cluster.createDatabase('descriptors') },
      ...telling(sink, { events: ['fail', 'unreachable'] }),
    });
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');
    const open = () => readdirSync(`/proc/${collector.pid}/fd`).length;
    const port = Number(new URL(installation.url).port);

    const limit = open() + 10;
    execFileSync('prlimit', ['--pid', String(collector.pid), `--nofile=${limit}:`]);
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await holds(() => expect(collector.output).toContain('out of file descriptors'));
    expect(open()).toBeGreaterThanOrEqual(limit - 1);
    expect(sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThan(20);
    await runShell(installation, 'exit 3', ['--name', 'meanwhile']);
    for (const socket of sockets) socket.destroy();

    await holds(() => expect(collector.output).toContain('there are file descriptors again'));
    await holds(async () => expect((await allTasks(installation)).map(({ name }) => name)).toEqual(['meanwhile']));
    await holds(() => expect(toldOf(sink, 'task.ended')).toHaveLength(1));
    expect(await nodes(installation)).toMatchObject([{ status: 'online' }]);
    expect(toldOf(sink, 'node.unreachable')).toEqual([]);
    expect(agent.output.match(/"connected"/g)).toHaveLength(1);
  },
);
