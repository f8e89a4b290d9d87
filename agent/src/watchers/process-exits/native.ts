import { arch, endianness } from 'node:os';
import type koffiModule from 'koffi';

/*
 * The few system calls Node has no function for, through koffi. Every call is synchronous and never blocks (callers pass
 * MSG_DONTWAIT or a timeout of zero), so no thread of the pool is held: a pool thread stuck in a read stops the whole
 * process from exiting. All layouts below are those of 64-bit little-endian Linux; `loadNative` refuses anything else.
 */
export interface Native {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Buffer, sizeBytes: number) => number;
  readonly send: Call<[fd: number, data: Buffer, sizeBytes: number, flags: number]>;
  readonly setsockopt: Call<[fd: number, level: number, option: number, value: Buffer, sizeBytes: number]>;
  /** Runs this classic BPF program on every message to the socket from now on (SO_ATTACH_FILTER), in place of the one before. */
  readonly attachFilter: (fd: number, program: Buffer) => boolean;
  readonly close: (fd: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Buffer) => number;
  readonly poll: (fds: Buffer, count: number, timeoutMs: number) => number;
  readonly pidfdOpen: (pid: number) => number;
  readonly epollCreate: () => number;
  readonly epollCtl: Call<[epoll: number, operation: number, fd: number, event: Buffer]>;
  readonly epollWait: Call<[epoll: number, events: Buffer, count: number, timeoutMs: number]>;
  /** CLOCK_MONOTONIC, the clock the kernel stamps process events with. */
  readonly monotonicMs: () => number;
  readonly errno: () => number;
  readonly errnoName: (errno: number) => string;
  readonly receiver: MessageReceiver;
  /** Calls back whenever the descriptor is readable, until closed. */
  readonly watchReadable: (fd: number, onReadable: () => void) => { close(): void };
}

/** A C function of these arguments; -1 and errno when it fails. */
type Call<Arguments extends readonly unknown[]> = (...argument: Arguments) => number;

/** Receives many datagrams with one call into memory that stays where it is. */
export interface MessageReceiver {
  /** As recvmmsg(2): how many datagrams lie in `data`, each at a multiple of `slotBytes`; -1 and errno. */
  receive(fd: number): number;
  readonly data: DataView;
  readonly slots: number;
  readonly slotBytes: number;
  sizeOf(slot: number): number;
}

export const ENOBUFS = 105;
export const EINTR = 4;
const SYS_PIDFD_OPEN = 434;
const EPOLL_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const CLOCK_MONOTONIC = 1;

/** Loads the native part; throws with the reason where it cannot work (no binary for this platform, other word size). */
export async function loadNative(): Promise<Native> {
  if (endianness() !== 'LE' || !['x64', 'arm64', 'riscv64', 'loong64'].includes(arch())) {
    throw new Error(`kernel process events are not supported on ${arch()}`);
  }
  // Its module and its CommonJS form have only the default export in common.
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const epollCreate1 = library.func('int epoll_create1(int)');
  const syscall = library.func('long syscall(long, long, long)');
  const clockGettime = library.func('int clock_gettime(int, void*)');
  const timespec = Buffer.alloc(16);
  const setsockopt: Native['setsockopt'] = library.func('int setsockopt(int, int, int, void*, uint)');
  const names = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, void*, uint)'),
    send: library.func('long send(int, void*, size_t, int)'),
    setsockopt,
    attachFilter: createAttachFilter(koffi, setsockopt),
    close: library.func('int close(int)'),
    ioctl: library.func('int ioctl(int, ulong, void*)'),
    poll: library.func('int poll(void*, ulong, int)'),
    pidfdOpen: (pid) => Number(syscall(SYS_PIDFD_OPEN, pid, 0)),
    epollCreate: () => Number(epollCreate1(EPOLL_CLOEXEC)),
    epollCtl: library.func('int epoll_ctl(int, int, int, void*)'),
    epollWait: library.func('int epoll_wait(int, void*, int, int)'),
    monotonicMs: () => {
      clockGettime(CLOCK_MONOTONIC, timespec);
      return Number(timespec.readBigInt64LE(0)) * 1000 + timespec.readInt32LE(8) / 1e6;
    },
    errno: () => koffi.errno(),
    errnoName: (errno) => names.get(errno) ?? `errno ${errno}`,
    receiver: createReceiver(koffi, library.func('int recvmmsg(int, void*, uint, int, void*)')),
    watchReadable: (fd, onReadable) => watchReadable(koffi, fd, onReadable),
  };
}

type Koffi = typeof koffiModule;

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const MAX_FILTER_BYTES = 256;
/** struct sock_fprog: u16 number of steps (8 bytes each), and at 8 their address. The kernel makes a copy. */
const FPROG_BYTES = 16;

function createAttachFilter(koffi: Koffi, setsockopt: Native['setsockopt']): Native['attachFilter'] {
  const steps = allocate(koffi, MAX_FILTER_BYTES);
  const fprog = Buffer.alloc(FPROG_BYTES);
  fprog.writeBigUInt64LE(steps.address, 8);
  return (fd, program) => {
    steps.bytes.set(program);
    fprog.writeUInt16LE(program.length / 8, 0);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, FPROG_BYTES) === 0;
  };
}

/** Memory that stays where it is for the life of the process, never freed: nothing can point into what is gone. */
function allocate(koffi: Koffi, sizeBytes: number) {
  const pointer: unknown = koffi.alloc('uint8', sizeBytes);
  const memory = koffi.view(pointer, sizeBytes);
  const bytes = Buffer.from(memory).fill(0);
  return { pointer, address: koffi.address(pointer), bytes, view: new DataView(memory) };
}

const SLOTS = 128;
const SLOT_BYTES = 128;
/** struct mmsghdr: msghdr (56 bytes: iov pointer at 16, iov count at 24) and u32 length at 56, padded to 64. */
const HEADER_BYTES = 64;
/** struct iovec: base, length. */
const IOVEC_BYTES = 16;

function createReceiver(
  koffi: Koffi,
  recvmmsg: Call<[fd: number, headers: unknown, count: number, flags: number, timeout: null]>,
): MessageReceiver {
  const headers = allocate(koffi, SLOTS * HEADER_BYTES);
  const vectors = allocate(koffi, SLOTS * IOVEC_BYTES);
  const arena = allocate(koffi, SLOTS * SLOT_BYTES);
  for (let slot = 0; slot < SLOTS; slot++) {
    vectors.bytes.writeBigUInt64LE(arena.address + BigInt(slot * SLOT_BYTES), slot * IOVEC_BYTES);
    vectors.bytes.writeBigUInt64LE(BigInt(SLOT_BYTES), slot * IOVEC_BYTES + 8);
    headers.bytes.writeBigUInt64LE(vectors.address + BigInt(slot * IOVEC_BYTES), slot * HEADER_BYTES + 16);
    headers.bytes.writeBigUInt64LE(1n, slot * HEADER_BYTES + 24);
  }
  return {
    receive: (fd) => recvmmsg(fd, headers.pointer, SLOTS, MSG_DONTWAIT, null),
    data: arena.view,
    slots: SLOTS,
    slotBytes: SLOT_BYTES,
    sizeOf: (slot) => headers.view.getUint32(slot * HEADER_BYTES + 56, true),
  };
}

const FALLBACK_POLL_MS = 5;

/** `koffi.node.poll` hands the descriptor to the event loop; its author calls it subject to change, so a timer stands in. */
function watchReadable(koffi: Koffi, fd: number, onReadable: () => void): { close(): void } {
  try {
    const handle = koffi.node.poll(fd, { readable: true }, onReadable);
    return {
      close: () => {
        handle.stop();
        handle.close();
      },
    };
  } catch {
    const timer = setInterval(onReadable, FALLBACK_POLL_MS);
    return { close: () => clearInterval(timer) };
  }
}
