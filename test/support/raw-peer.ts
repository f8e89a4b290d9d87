import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

export interface RawFrame {
  /** RFC 6455 section 5.2; the default is one whole text frame. */
  readonly opcode?: number;
  readonly isFinal?: boolean;
  /** RSV1 to RSV3, as they stand in the first byte: 0x40, 0x20, 0x10. */
  readonly reserved?: number;
  readonly isMasked?: boolean;
  readonly payload?: Buffer | string;
  /** What the header claims, when it lies. */
  readonly claimedBytes?: bigint;
}

/** A peer that speaks WebSocket byte by byte, and therefore also wrongly. */
export class RawPeer implements Disposable {
  readonly #socket: Socket;
  #heard = Buffer.alloc(0);
  #isOver = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isOver = true;
    });
  }

  /** Connected, nothing said. */
  static async connect(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1');
    const peer = new RawPeer(socket);
    await once(socket, 'connect');
    return peer;
  }

  /** Asks for the upgrade; further headers by name. */
  upgrade(path: string, headers: Readonly<Record<string, string>>): void {
    const lines = {
      host: 'localhost',
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
    this.write(`GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  }

  /** An upgraded connection of an agent with the token `good`. */
  static async agent(port: number): Promise<RawPeer> {
    const peer = await RawPeer.connect(port);
    peer.upgrade('/agent/v1', { authorization: 'Bearer good' });
    await eventually(() => peer.text.includes('\r\n\r\n'));
    return peer;
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  send(frame: RawFrame): void {
    this.write(frameBytes(frame));
  }

  /** Stops reading; what the other side writes piles up there. */
  pause(): void {
    this.#socket.pause();
  }

  get text(): string {
    return this.#heard.toString('latin1');
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Of the HTTP answer; null before it. */
  get status(): number | null {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? Number.NaN) || null;
  }

  /** The code of the close frame that came, when it came. */
  async closeCode(): Promise<number> {
    return eventually(() => closeCodeIn(this.#heard.subarray(this.#heard.indexOf('\r\n\r\n') + 4)));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function frameBytes({ opcode = 1, isFinal = true, reserved = 0, isMasked = true, ...rest }: RawFrame): Buffer {
  const payload = Buffer.from(rest.payload ?? '');
  const claimed = rest.claimedBytes ?? BigInt(payload.length);
  const mask = isMasked ? 0x80 : 0;
  const first = (isFinal ? 0x80 : 0) | reserved | opcode;
  const head = Buffer.alloc(claimed < 126n ? 2 : claimed < 65_536n ? 4 : 10);
  head[0] = first;
  if (head.length === 2) head[1] = mask | Number(claimed);
  else if (head.length === 4) {
    head[1] = mask | 126;
    head.writeUInt16BE(Number(claimed), 2);
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(claimed, 2);
  }
  // A mask of zeros changes nothing.
  return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

/** Of frames from a server: unmasked, and short enough here for one or three bytes of length. */
function closeCodeIn(frames: Buffer): number | undefined {
  for (let at = 0; at + 2 <= frames.length; ) {
    const length = (frames[at + 1] ?? 0) & 0x7f;
    const start = at + (length === 126 ? 4 : 2);
    const size = length === 126 ? frames.readUInt16BE(at + 2) : length;
    if (((frames[at] ?? 0) & 0x0f) === 8) return start + 2 <= frames.length ? frames.readUInt16BE(start) : undefined;
    at = start + size;
  }
  return undefined;
}
