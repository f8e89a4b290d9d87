import { hasRoomFor } from '../../proc/descriptors.ts';
import type { Native } from './native.ts';

/** What PIDFD_GET_INFO tells (linux/pidfd.h, Linux 6.13). Null: not told. */
export interface PidfdInfo {
  /** Inode of the process's cgroup2 directory; also after the reap, also when the directory is gone. */
  readonly cgroupId: number | null;
  /** As wait(2) gives it, once the parent reaped the process (Linux 6.15); no right is needed. */
  readonly waitStatus: number | null;
}

/** The kernel's handles on processes: one names one process, never a later one with the same number. */
export interface Pidfds {
  /** A descriptor, -1 when there is no such process (any more), {@link NO_ROOM} when none is left for it. One that is closed soon may be among the last. */
  open(pid: number, use?: 'held' | 'brief'): number;
  /** Whether one of this number may be held on to. */
  hasRoom(fd: number): boolean;
  info(fd: number): PidfdInfo;
  /** The whole thread group has ended; the parent may not have noticed yet. */
  isDead(fd: number): boolean;
  /** Those of the descriptors whose process has ended. */
  dead(fds: readonly number[]): Set<number>;
  close(fd: number): void;
}

export const NO_ROOM = -2;

/** `_IOWR(0xFF, 11, 72 bytes)`; older kernels take the bytes they know. */
const PIDFD_GET_INFO = 0xc048ff0b;
const INFO_BYTES = 72;
const INFO_CGROUPID = 4;
const INFO_EXIT = 8;
const REQUEST = 1 | 2 | INFO_CGROUPID | INFO_EXIT;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const POLL_CHUNK = 1024;

const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

const nothing: PidfdInfo = { cgroupId: null, waitStatus: null };

/** Reads the kernel's `struct pidfd_info`: u64 mask at 0, u64 cgroup id at 8, s32 exit code at 60. */
export function parsePidfdInfo(info: DataView): PidfdInfo {
  const mask = info.getUint32(0, true);
  return {
    cgroupId: mask & INFO_CGROUPID ? info.getUint32(12, true) * 2 ** 32 + info.getUint32(8, true) : null,
    waitStatus: mask & INFO_EXIT ? info.getInt32(60, true) : null,
  };
}

/** As on a kernel before 6.15. */
export function withoutExit(pidfds: Pidfds): Pidfds {
  return { ...pidfds, info: (fd) => ({ ...pidfds.info(fd), waitStatus: null }) };
}

export function createPidfds(native: Native): Pidfds {
  const info = Buffer.alloc(INFO_BYTES);
  const infoView = new DataView(info.buffer, info.byteOffset, INFO_BYTES);
  const one = Buffer.alloc(POLLFD_BYTES);
  const oneView = new DataView(one.buffer, one.byteOffset, POLLFD_BYTES);
  const pollfds = Buffer.alloc(POLL_CHUNK * POLLFD_BYTES);
  const dead = (fds: readonly number[]) => {
    const found = new Set<number>();
    for (let from = 0; from < fds.length; from += POLL_CHUNK) {
      const chunk = fds.slice(from, from + POLL_CHUNK);
      for (const [at, fd] of chunk.entries()) {
        pollfds.writeInt32LE(fd, at * POLLFD_BYTES);
        pollfds.writeUInt32LE(POLLIN, at * POLLFD_BYTES + 4);
      }
      if (native.poll(pollfds, chunk.length, 0) <= 0) continue;
      for (const [at, fd] of chunk.entries()) {
        if (pollfds.readInt16LE(at * POLLFD_BYTES + 6) & POLLIN) found.add(fd);
      }
    }
    return found;
  };
  return {
    open: (pid, use = 'held') => {
      const fd = native.pidfdOpen(pid);
      if (fd < 0) return shortages.has(native.errnoName(native.errno())) ? NO_ROOM : -1;
      if (use === 'brief' || hasRoomFor(fd)) return fd;
      native.close(fd);
      return NO_ROOM;
    },
    hasRoom: hasRoomFor,
    info: (fd) => {
      infoView.setUint32(0, REQUEST, true);
      infoView.setUint32(4, 0, true);
      return native.ioctl(fd, PIDFD_GET_INFO, info) < 0 ? nothing : parsePidfdInfo(infoView);
    },
    isDead: (fd) => {
      oneView.setInt32(0, fd, true);
      oneView.setUint32(4, POLLIN, true);
      return native.poll(one, 1, 0) > 0 && (oneView.getInt16(6, true) & POLLIN) !== 0;
    },
    dead,
    close: (fd) => void native.close(fd),
  };
}
