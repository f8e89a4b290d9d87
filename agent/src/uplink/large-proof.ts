import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { WebSocket } from 'ws';
import { pieceBytes } from './piece-sender.ts';

/** A reading that is large comes once a second; what is known of the one before is good enough for so long. */
const askEveryMs = 5000;
const question = 'arrived?';

/**
 * Whether the large messages of one session arrive. A ping is sent behind them: the stream stands still at the first packet that does
 * not get through, so its pong comes only after all of them did.
 */
export class LargeProof {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  /** Something large was written since the last ping. */
  #isOwed = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isAsked = false;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('pong', (data) => {
      if (data.toString('utf8') === question) this.#isAsked = false;
    });
  }

  /** To be called after a message was written. */
  wrote(text: string): void {
    if (text.length <= pieceBytes) return;
    this.#isOwed = true;
    this.ask();
  }

  /** To be called now and then. */
  ask(): void {
    const now = this.#clock.monotonicMs();
    if (!this.#isOwed || this.#isAsked || now - this.#askedAt < askEveryMs) return;
    this.#isOwed = false;
    this.#isAsked = true;
    this.#askedAt = now;
    this.#socket.ping(question);
  }

  /** For how long nothing was heard since it asked, in milliseconds; 0 when it was answered. */
  silentMs(heardAt: number): number {
    return this.#isAsked ? this.#clock.monotonicMs() - Math.max(heardAt, this.#askedAt) : 0;
  }
}
