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
  /** A descriptor, or -1 when there is no such process (any more) or no room. */
  open(pid: number): number;
  info(fd: number): PidfdInfo;
  /** The whole thread group has ended; the parent may not have noticed yet. */
  isDead(fd: number): boolean;
  /** Those of the descriptors whose process has ended. */
  dead(fds: readonly number[]): Set<number>;
  close(fd: number): void;
}

/** `_IOWR(0xFF, 11, 72 bytes)`; older kernels take the bytes they know. */
const PIDFD_GET_INFO = 0xc048ff0b;
const INFO_BYTES = 72;
const INFO_CGROUPID = 4;
const INFO_EXIT = 8;
const REQUEST = 1 | 2 | INFO_CGROUPID | INFO_EXIT;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const POLL_CHUNK = 1024;

const nothing: PidfdInfo = { cgroupId: null, waitStatus: null };

/** Reads the kernel's `struct pidfd_info`: u64 mask at 0, u64 cgroup id at 8, s32 exit code at 60. */
export function parsePidfdInfo(info: Buffer): PidfdInfo {
  const mask = info.readUInt32LE(0);
  return {
    cgroupId: mask & INFO_CGROUPID ? info.readUInt32LE(12) * 2 ** 32 + info.readUInt32LE(8) : null,
    waitStatus: mask & INFO_EXIT ? info.readInt32LE(60) : null,
  };
}

export function createPidfds(native: Native): Pidfds {
  const info = Buffer.alloc(INFO_BYTES);
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
    open: (pid) => native.pidfdOpen(pid),
    info: (fd) => {
      info.fill(0);
      info.writeUInt32LE(REQUEST, 0);
      return native.ioctl(fd, PIDFD_GET_INFO, info) < 0 ? nothing : parsePidfdInfo(info);
    },
    isDead: (fd) => dead([fd]).size > 0,
    dead,
    close: (fd) => void native.close(fd),
  };
}
