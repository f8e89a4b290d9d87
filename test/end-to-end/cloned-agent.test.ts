import { cpSync } from 'node:fs';
import { join } from 'node:path';
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
import type { Installation } from '../support/product.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

it('F048 finds two machines of one image, tells it once with both addresses, and loses nothing of either', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  await installation.collector(telling(sink));
  await using elsewhere = await TcpProxy.start(Number(new URL(installation.url).port));
  elsewhere.from = '127.0.0.2';
  const dataDir = (name: string) => join(installation.dataDir, name);
  const startOriginal = () => installation.agent({ ...calm, data_dir: dataDir('original') });
  const run = (name: string, at: string) =>
    runShell({ dataDir: dataDir(at) } as Installation, 'exit 3', ['--name', name]);
  const hasTold = (...names: string[]) =>
    holds(async () => expect((await allTasks(installation)).map(({ name }) => name).toSorted()).toEqual(names));

  const image = startOriginal();
  await nodeBecomes(installation, 'online');
  await run('1 before', 'original');
  await hasTold('1 before');
  await image.end();
  cpSync(dataDir('original'), dataDir('copy'), { recursive: true });

  // The copy comes first: its events get the numbers that the original gives as well.
  const copy = installation.agent({ ...calm, data_dir: dataDir('copy'), collector_urls: [elsewhere.url] });
  await nodeBecomes(installation, 'online');
  await run('2 of the copy', 'copy');
  await hasTold('1 before', '2 of the copy');
  const startedAt = performance.now();
  const original = startOriginal();
  await run('3 of the original', 'original');
  await holds(() =>
    expect(toldOf(sink, 'condition.fired').map(({ condition }) => condition?.type)).toEqual(['AgentCloned']),
  );
  const foundWithinMs = performance.now() - startedAt;
  await copy.end();
  await hasTold('1 before', '2 of the copy', '3 of the original');

  expect(foundWithinMs).toBeLessThan(60_000);
  expect(toldOf(sink, 'condition.fired')[0]?.condition?.reason).toMatch(/127\.0\.0\.2, and 127\.0\.0\.1/);
  expect(original.output).toMatch(/another agent that is alive speaks for this node/);
  expect(await nodes(installation)).toMatchObject([{ status: 'online' }]);
});
