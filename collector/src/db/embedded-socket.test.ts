import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { serveEngine } from './embedded-socket.ts';

const greeting = Buffer.from('\0\0\0\x0dgreetings', 'latin1');
const message = (type: string, body: string) => {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body, 'latin1')]);
};

describe('the socket of the embedded engine', () => {
  let folder: string;
  let server: Server;
  let requests: string[];
  const sockets: Socket[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'runnerwatch-socket-'));
    requests = [];
    const run = (request: Uint8Array) => {
      requests.push(Buffer.from(request).toString('latin1'));
      return Buffer.from(`<${request.length}>`);
    };
    server = await serveEngine(run, join(folder, 's'));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const client = async () => {
    const socket = connect(join(folder, 's'));
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  /** Says it in these pieces, and reads until so many bytes are answered. */
  const say = async (socket: Socket, pieces: readonly Buffer[], answerTo: number) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => answered(heard) >= answerTo, { everyMs: 1 });
    return heard;
  };
  const answered = (heard: string) => [...heard.matchAll(/<(\d+)>/g)].reduce((sum, [, size]) => sum + Number(size), 0);

  it('runs the greeting by itself, and all messages that came together in one go', async () => {
    const together = Buffer.concat([message('B', 'bind'), message('E', ''), message('S', '')]);

    const heard = await say(await client(), [Buffer.concat([greeting, together])], greeting.length + together.length);

    expect(requests).toEqual([greeting.toString('latin1'), together.toString('latin1')]);
    expect(heard).toBe(`<${greeting.length}><${together.length}>`);
  });

  it('runs whole messages only, however they are cut on the way', async () => {
    const whole = [greeting, message('P', 'a statement'), message('B', ''), message('S', '')];
    const said = Buffer.concat(whole);
    const ends = whole.map((_, index) => Buffer.concat(whole.slice(0, index + 1)).length);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: said.length - 1 }), { maxLength: 6 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), said.length];
        const pieces = at.slice(1).map((end, index) => said.subarray(at[index], end));
        const socket = await client();
        requests.length = 0;

        await say(socket, pieces, said.length);

        const taken = requests.filter((request) => !request.includes('rollback'));
        expect(taken.join('')).toBe(said.toString('latin1'));
        for (const [index] of taken.entries()) expect(ends).toContain(taken.slice(0, index + 1).join('').length);
      }),
      { numRuns: 30 },
    );
  });

  it('answers what came before a goodbye, and keeps the goodbye from the engine', async () => {
    const socket = await client();
    const ended = once(socket, 'end');

    const heard = await say(
      socket,
      [Buffer.concat([greeting, message('S', ''), message('X', '')])],
      greeting.length + 5,
    );

    await ended;
    expect(heard).toBe(`<${greeting.length}><5>`);
    expect(requests).toEqual([greeting.toString('latin1'), message('S', '').toString('latin1')]);
  });

  it('lets the next client take over, and rolls back what the one before left open', async () => {
    const first = await client();
    await say(first, [greeting], greeting.length);
    const gone = once(first, 'close');

    await say(await client(), [greeting], greeting.length);

    await gone;
    expect(requests.map((request) => request.includes('rollback'))).toEqual([false, true, false]);
  });
});
