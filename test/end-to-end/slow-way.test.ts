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
import { TcpProxy } from '../support/tcp-proxy.ts';

it('F060 a way of 64 kbit/s with half a second of delay carries what is large, and nobody is held for dead meanwhile', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  await installation.collector({ ...telling(sink, { events: ['fail', 'unreachable'] }), heartbeat_timeout: '10s' });
  await using proxy = await TcpProxy.start(Number(new URL(installation.url).port));
  const agent = installation.agent({ ...calm, collector_urls: [proxy.url] });
  await nodeBecomes(installation, 'online');
  proxy.latencyMs = 250;
  proxy.bytesPerSecond = 8000;

  const line = 'w'.repeat(1000);
  await Promise.all(
    ['one', 'two'].map((name) =>
      runShell(installation, `for n in $(seq 100); do echo $n ${line}; done; exit 3`, ['--name', name]),
    ),
  );

  await holds(
    async () => expect((await allTasks(installation)).filter(({ status }) => status === 'failed')).toHaveLength(2),
    { timeoutMs: 110_000 },
  );

  expect(toldOf(sink, 'node.unreachable')).toEqual([]);
  expect(await nodes(installation)).toMatchObject([{ status: 'online' }]);
  expect(agent.output.match(/"connected"/g)).toHaveLength(1);
});
