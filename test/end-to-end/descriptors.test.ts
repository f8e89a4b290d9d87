import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
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
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import type { Program } from '../support/product.ts';
import { haveTool } from '../support/tool.ts';

const canLimit = haveTool('prlimit', 'apt-get install util-linux');
/** Of which the embedded database may take half. */
const openFilesMax = 512;

describe.each(['embedded', 'server'] as const)('a collector out of file descriptors, %s', (kind) => {
  it.skipIf(!canLimit || (kind === 'server' && !havePostgres()))(
    'F083 serves who is connected, says so at once, and takes connections again',
    async () => {
      await using sink = await HttpSink.open();
      await using installation = await prepared();
      await using cluster = kind === 'server' ? await PostgresCluster.start() : null;
      const collector = await installation.collector(
        {
          ...(cluster === null ? {} : { database: { url: cluster.createDatabase('descriptors') } }),
          ...telling(sink, { events: ['fail', 'unreachable'] }),
        },
        {},
        { under: ['prlimit', `--nofile=${openFilesMax}`] },
      );
      const agent = installation.agent(calm);
      await nodeBecomes(installation, 'online');
      const port = Number(new URL(installation.url).port);

      const sockets = Array.from({ length: openFilesMax }, () => connect(port, '127.0.0.1').on('error', () => {}));
      await holds(() => expect(collector.output).toContain('out of file descriptors'));
      await runShell(installation, 'exit 3', ['--name', 'meanwhile']);
      await holds(() => expect(toldOf(sink, 'task.ended')).toHaveLength(1));
      expect(collector.output).not.toContain('there are file descriptors again');
      expect(openFilesOf(collector)).toBeLessThan(openFilesMax - 64);
      for (const socket of sockets) socket.destroy();

      await holds(() => expect(collector.output).toContain('there are file descriptors again'));
      await holds(async () => expect((await allTasks(installation)).map(({ name }) => name)).toEqual(['meanwhile']));
      expect(await nodes(installation)).toMatchObject([{ status: 'online' }]);
      expect(toldOf(sink, 'node.unreachable')).toEqual([]);
      expect(agent.output.match(/"connected"/g)).toHaveLength(1);
      expect(collector.output).not.toMatch(/EMFILE|could not (create|open) file/);
    },
  );
});

function openFilesOf({ pid }: Program): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
