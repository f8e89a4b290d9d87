import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { PieceSender, pieceBytes } from './piece-sender.ts';

/** A WebSocket through a relay that notes what it is given at a time, and hands it on somewhat later. */
async function relayed() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxFragments: 512 });
  const received: string[] = [];
  server.on('connection', (socket) => socket.on('message', (data: Buffer) => received.push(data.toString('utf8'))));
  await once(server, 'listening');
  const chunks: number[] = [];
  const wires: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    wires.push(near, far);
    near.on('data', (chunk) => {
      chunks.push(chunk.length);
      setTimeout(() => far.write(chunk), 5);
    });
    far.pipe(near);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const socket = new WebSocket(`ws://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  await once(socket, 'open');
  onTestFinished(() => {
    for (const wire of wires) wire.destroy();
    relay.close();
    server.close();
  });
  return { socket, received, chunks: () => chunks.slice(1) };
}

function senderOver(socket: WebSocket) {
  const over = new AbortController();
  let onIdle: () => void = () => {};
  const idle = new Promise<void>((resolve) => {
    onIdle = resolve;
  });
  const sender = new PieceSender({ socket, clock: systemClock, signal: over.signal, onIdle });
  return { sender, over, idle };
}

it('brings messages whole and in order, with never more on the way than a small packet holds', async () => {
  const { socket, received, chunks } = await relayed();
  const { sender, idle } = senderOver(socket);
  const texts = ['short', 'ä€😀'.repeat(3000), '', 'x'.repeat(2 * pieceBytes), 'last'];

  for (const text of texts) sender.send(text);
  await idle;

  expect(received).toEqual(texts.filter((text) => text !== ''));
  // Its header of 8 bytes, and the ping.
  expect(Math.max(...chunks())).toBeLessThanOrEqual(pieceBytes + 40);
  expect(sender.isBusy).toBe(false);
});

it('sends nothing more after its session is over', async () => {
  const { socket, received, chunks } = await relayed();
  const { sender, over } = senderOver(socket);

  sender.send('x'.repeat(20 * pieceBytes));
  over.abort();
  await once(socket, 'pong');

  expect(received).toEqual([]);
  expect(chunks().reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(pieceBytes + 40);
});
