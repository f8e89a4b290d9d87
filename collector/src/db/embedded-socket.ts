import { createServer, type Server, type Socket } from 'node:net';

/** Runs what a client has sent and gives what the engine answers. */
export type Run = (request: Uint8Array) => Buffer;

/** Types of messages (PostgreSQL manual, section "Message Formats"). */
const terminate = 'X'.charCodeAt(0);
/** Ends a half-told statement, then whatever transaction is open. */
const abandon = Buffer.from('S\0\0\0\x04Q\0\0\0\x0drollback\0', 'latin1');

/**
 * The engine's socket. It speaks for one session, so there is one client at a time: the next one takes over, and what the
 * one before left open is rolled back.
 *
 * Whatever whole messages have arrived run in one go and are answered in one write. Statements that a client sends without
 * waiting in between thus cost one wake-up of each side, which for small statements is most of their price.
 */
export function serveEngine(run: Run, path: string): Promise<Server> {
  let current: Socket | undefined;
  const server = createServer((socket) => {
    if (current !== undefined) {
      current.destroy();
      run(abandon);
    }
    current = socket;
    socket.on('error', () => socket.destroy());
    converse(socket, run);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function converse(socket: Socket, run: Run): void {
  let rest: Buffer = Buffer.alloc(0);
  let isGreeted = false;
  socket.on('data', (chunk: Buffer) => {
    if (socket.destroyed) return;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const { requests, isOver, end } = wholeMessages(rest, isGreeted);
    rest = rest.subarray(end);
    isGreeted ||= requests.length > 0;
    for (const request of requests) socket.write(run(request));
    if (isOver) socket.end();
  });
}

/**
 * The whole messages at the start of the bytes: the greeting by itself, all others together. A message begins with its type
 * and its length; the greeting, which is the first, only with its length.
 */
function wholeMessages(bytes: Buffer, isGreeted: boolean): { requests: Buffer[]; isOver: boolean; end: number } {
  const requests: Buffer[] = [];
  let start = 0;
  if (!isGreeted) {
    if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0)) return { requests, isOver: false, end: 0 };
    start = bytes.readInt32BE(0);
    requests.push(bytes.subarray(0, start));
  }
  let end = start;
  let isOver = false;
  while (!isOver && end + 5 <= bytes.length && end + 1 + bytes.readInt32BE(end + 1) <= bytes.length) {
    isOver = bytes[end] === terminate;
    if (!isOver) end += 1 + bytes.readInt32BE(end + 1);
  }
  if (end > start) requests.push(bytes.subarray(start, end));
  return { requests, isOver, end };
}
