import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { WebSocket } from 'ws';

/**
 * IPv6 carries packets of 1,280 bytes everywhere (RFC 8200, section 5). Less 72 for IP and TCP, and up to 80 for the headers of a
 * fragment, of the ping behind it, and of TLS around both.
 */
export const pieceBytes = 1100;
/** A round trip on a local network takes less; more pieces a second than this leaves are more than a collector likes of one agent. */
const pauseMs = 2;

export interface PieceSenderOptions {
  readonly socket: WebSocket;
  readonly clock: Clock;
  /** Nothing is sent after it. */
  readonly signal: AbortSignal;
  /** All that was given has arrived. */
  readonly onIdle: () => void;
}

/**
 * Sends messages as WebSocket fragments that fit into small packets.
 *
 * TCP fills its packets up with whatever waits to be sent, so small writes alone are no small packets: the next piece is written when
 * the one before has arrived, which the pong to the ping behind it says. Messages go in the order in which they were given.
 */
export class PieceSender {
  readonly #options: PieceSenderOptions;
  readonly #waiting: string[] = [];
  #isSending = false;
  #arrivedAt: number | undefined;
  #pinged = 0;
  #onPong: () => void = () => {};

  constructor(options: PieceSenderOptions) {
    this.#options = options;
    options.socket.on('pong', (data) => {
      if (data.toString('utf8') === this.#name) this.#onPong();
    });
    options.signal.addEventListener('abort', () => this.#onPong(), { once: true });
  }

  /** A ping is on its way, or a piece about to be. */
  get isBusy(): boolean {
    return this.#isSending;
  }

  /** When a piece last arrived, in monotonic milliseconds. */
  get arrivedAt(): number | undefined {
    return this.#arrivedAt;
  }

  send(text: string): void {
    this.#waiting.push(text);
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { signal, onIdle } = this.#options;
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      const bytes = Buffer.from(text);
      for (let from = 0; from < bytes.length && !signal.aborted; from += pieceBytes) {
        const to = from + pieceBytes;
        await this.#sendPiece(bytes.subarray(from, to), to >= bytes.length);
      }
    }
    this.#isSending = false;
    if (!signal.aborted) onIdle();
  }

  async #sendPiece(piece: Buffer, isLast: boolean): Promise<void> {
    const { socket, clock, signal } = this.#options;
    this.#pinged++;
    const arrived = new Promise<void>((resolve) => {
      this.#onPong = resolve;
    });
    socket.send(piece, { binary: false, fin: isLast });
    socket.ping(this.#name);
    await arrived;
    this.#arrivedAt = clock.monotonicMs();
    await clock.sleep(pauseMs, signal);
  }

  get #name(): string {
    return `piece ${this.#pinged}`;
  }
}
