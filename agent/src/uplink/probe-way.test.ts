import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { expect, it, onTestFinished } from 'vitest';
import { probeWay } from './probe-way.ts';

async function doorOf(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/agent/v1`);
}

const widthOf = (url: URL, signal = new AbortController().signal) =>
  probeWay({ url, ca: undefined, timeoutMs: 300, clock: systemClock, signal });
const isLarge: (request: Parameters<RequestListener>[0]) => boolean = ({ headers }) =>
  JSON.stringify(headers).length > 9000;

it('finds wide whatever answers a large request, also with a refusal', async () => {
  const url = await doorOf((_, response) => response.writeHead(404).end());

  expect(await widthOf(url)).toBe('wide');
});

it('finds narrow what answers only a small one', async () => {
  const url = await doorOf((request, response) => {
    if (!isLarge(request)) response.writeHead(404).end();
  });

  expect(await widthOf(url)).toBe('narrow');
});

it('concludes nothing from silence, from a cut, or when it is stopped', async () => {
  const silent = await doorOf(() => {});
  const cutting = await doorOf((request, response) =>
    isLarge(request) ? request.socket.destroy() : response.writeHead(404).end(),
  );

  expect([await widthOf(silent), await widthOf(cutting), await widthOf(silent, AbortSignal.abort())]).toEqual([
    'unknown',
    'unknown',
    'unknown',
  ]);
});
