import { fstatSync } from 'node:fs';
import { readKernelFile } from '../../proc/kernel-file.ts';
import { eventFilter } from './event-filter.ts';
import {
  encodeControl,
  PROC_CN_MCAST_IGNORE,
  PROC_CN_MCAST_LISTEN,
  type ProcessEvent,
  parseNetlinkDrops,
  parseProcessEvent,
} from './messages.ts';
import { EINTR, ENOBUFS, type Native } from './native.ts';

const AF_NETLINK = 16;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const NETLINK_CONNECTOR = 11;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
/** The kernel doubles it: about 20,000 waiting events. The 208 KiB it gives by itself hold 256. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** Batches of 128 read in one go; the event loop gets its turn between. */
const MAX_BATCHES = 64;

export interface DrainResult {
  readonly overran: boolean;
}

/** The socket of the kernel's process connector: FORK, EXEC and EXIT of every process in the initial pid namespace. */
export class ProcessConnector {
  readonly fd: number;
  readonly #native: Native;
  readonly #root: string;
  readonly #inode: number;
  #dropsSeen: number;
  #closed = false;

  private constructor(native: Native, root: string, fd: number) {
    this.#native = native;
    this.#root = root;
    this.fd = fd;
    this.#inode = fstatSync(fd).ino;
    this.#dropsSeen = this.#drops() ?? 0;
  }

  /** Subscribes, or says why it cannot. That it succeeds does not prove that events of this machine arrive: the probe does. */
  static open(native: Native, root: string): ProcessConnector | { readonly refused: string } {
    const fd = native.socket(AF_NETLINK, SOCK_DGRAM_NONBLOCK_CLOEXEC, NETLINK_CONNECTOR);
    if (fd < 0) return { refused: `netlink socket: ${native.errnoName(native.errno())}` };
    enlargeBuffer(native, fd);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(1, 8);
    if (native.bind(fd, address, address.length) < 0) return refuse(native, fd, 'bind');
    const connector = new ProcessConnector(native, root, fd);
    // Without it everything else arrives too, and is passed over here.
    native.attachFilter(fd, eventFilter({ withThreads: true }));
    return connector.#control(PROC_CN_MCAST_LISTEN) ? connector : refuse(native, fd, 'listen');
  }

  /** Threads that come and go are not told of from now on; false when the kernel refuses, and goes on telling. */
  passOverThreads(): boolean {
    return this.#native.attachFilter(this.fd, eventFilter({ withThreads: false }));
  }

  /**
   * Hands on what waits. After an overrun the kernel says so once; then come the messages from before it, and until the
   * last of these is read it silently drops every new one. So then it is read to the end, however long that takes.
   */
  drain(onEvent: (event: ProcessEvent) => void): DrainResult {
    const { receiver } = this.#native;
    let overran = false;
    for (let batch = 0; (batch < MAX_BATCHES || overran) && !this.#closed; batch++) {
      const count = receiver.receive(this.fd);
      if (count < 0) {
        const errno = this.#native.errno();
        if (errno === ENOBUFS) overran = true;
        if (errno === ENOBUFS || errno === EINTR) continue;
        break;
      }
      for (let slot = 0; slot < count; slot++) {
        const event = parseProcessEvent(receiver.data, slot * receiver.slotBytes, receiver.sizeOf(slot));
        if (event !== null) onEvent(event);
      }
      // Nothing more waited; what came since wakes us again.
      if (count < receiver.slots && !overran) break;
    }
    return { overran };
  }

  /** Messages dropped since this was last asked; null when the kernel does not say. */
  takeDrops(): number | null {
    const drops = this.#drops();
    if (drops === null) return null;
    const fresh = drops - this.#dropsSeen;
    this.#dropsSeen = drops;
    return fresh;
  }

  /** Tells the kernel that we no longer listen: one listener that leaves silently keeps it sending for ever. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#control(PROC_CN_MCAST_IGNORE);
    this.#native.close(this.fd);
  }

  #drops(): number | null {
    const text = readKernelFile(this.#root, '/proc/net/netlink');
    return text === null ? null : parseNetlinkDrops(text, this.#inode);
  }

  #control(operation: number): boolean {
    const message = encodeControl(operation);
    return Number(this.#native.send(this.fd, message, message.length, 0)) === message.length;
  }
}

function enlargeBuffer(native: Native, fd: number): void {
  const size = Buffer.alloc(4);
  size.writeInt32LE(BUFFER_BYTES, 0);
  // Without CAP_NET_ADMIN the second is capped by net.core.rmem_max; a smaller buffer only overruns sooner.
  if (native.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) < 0)
    native.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4);
}

const cures: Readonly<Record<string, string>> = {
  EPERM: 'before Linux 6.6 they need CAP_NET_ADMIN',
  ECONNREFUSED: 'they reach only the initial network namespace',
};

function refuse(native: Native, fd: number, step: string): { readonly refused: string } {
  const name = native.errnoName(native.errno());
  native.close(fd);
  return { refused: `kernel process events: ${step} says ${name}${name in cures ? ` (${cures[name]})` : ''}` };
}
