/* An agent that floods: arguments are the door's port, and `frames` or `pings`. Ends with the close code on its output. */
import { encode } from '@runnerwatch/shared/protocol/codec.ts';
import { WebSocket } from 'ws';
import { aHello } from './agent-client.ts';

const [, , port = '', kind = ''] = process.argv;
const socket = new WebSocket(`ws://127.0.0.1:${port}/agent/v1`, { headers: { authorization: 'Bearer good' } });
const ping = encode({ kind: 'ping', id: 1, at: '2026-11-22T04:00:00.000Z' });
socket.once('open', () => {
  const id = '99999999-9999-4999-8999-999999999999';
  socket.send(encode(aHello({ node_id: id, stream_id: id })));
});
socket.once('message', () => {
  process.stdout.write('flooding\n');
  const timer = setInterval(() => {
    for (let n = 0; n < 500 && socket.bufferedAmount < 1024 * 1024; n += 1) {
      if (kind === 'pings') socket.ping();
      else socket.send(ping);
    }
  }, 1);
  socket.once('close', (code) => {
    clearInterval(timer);
    process.stdout.write(`${code}\n`);
  });
});
