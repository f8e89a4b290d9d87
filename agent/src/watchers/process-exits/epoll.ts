import { arch } from 'node:os';
import type { Native } from './native.ts';

const EPOLLIN = 1;
const EPOLLET = 0x80000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const WAIT_EVENTS = 256;

/**
 * When a descriptor is worth a look: `readable` as long as something waits; `ended` once, when a pidfd's process has
 * ended; `reaped` when its parent has also fetched the status (HUP, which needs no asking for). A plain wait for
 * readability would spin for as long as a zombie waits for its parent.
 */
export type Interest = 'readable' | 'ended' | 'reaped';

const interests: Readonly<Record<Interest, number>> = {
  readable: EPOLLIN,
  ended: (EPOLLIN | EPOLLET) >>> 0,
  reaped: 0,
};

/** Many descriptors behind the one that the event loop watches. */
export class Epoll {
  readonly #native: Native;
  readonly #fd: number;
  /** struct epoll_event is packed on x86-64 only. */
  readonly #eventBytes = arch() === 'x64' ? 12 : 16;
  readonly #event: Buffer;
  readonly #events: Buffer;
  #watch: { close(): void } | undefined;
  #closed = false;

  constructor(native: Native) {
    this.#native = native;
    this.#fd = native.epollCreate();
    if (this.#fd < 0) throw new Error(`epoll: ${native.errnoName(native.errno())}`);
    this.#event = Buffer.alloc(this.#eventBytes);
    this.#events = Buffer.alloc(this.#eventBytes * WAIT_EVENTS);
  }

  add(fd: number, interest: Interest): void {
    this.#event.writeUInt32LE(interests[interest], 0);
    this.#event.writeInt32LE(fd, this.#eventBytes - 8);
    this.#native.epollCtl(this.#fd, EPOLL_CTL_ADD, fd, this.#event);
  }

  /** Closing a descriptor removes it as well; this is for one that stays open. */
  remove(fd: number): void {
    this.#native.epollCtl(this.#fd, EPOLL_CTL_DEL, fd, this.#event);
  }

  /** The descriptors that are ready now, without waiting. */
  ready(): number[] {
    const count = this.#closed ? 0 : this.#native.epollWait(this.#fd, this.#events, WAIT_EVENTS, 0);
    const fds: number[] = [];
    for (let at = 0; at < count; at += 1)
      fds.push(this.#events.readInt32LE(at * this.#eventBytes + this.#eventBytes - 8));
    return fds;
  }

  watch(onReady: () => void): void {
    this.#watch = this.#native.watchReadable(this.#fd, onReady);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.close();
    this.#native.close(this.#fd);
  }
}
