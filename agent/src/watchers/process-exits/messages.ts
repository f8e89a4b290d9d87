/*
 * The kernel's process connector on the wire: netlink header (16 bytes), connector header (20), then `struct proc_event`
 * (linux/netlink.h, linux/connector.h, linux/cn_proc.h). The timestamp lies unaligned at 44. Little-endian.
 */

/** One message of the process connector. Instants are CLOCK_MONOTONIC in milliseconds. */
export type ProcessEvent =
  | {
      readonly kind: 'fork';
      readonly atMs: number;
      /** Thread group of the parent as wait(2) will see it: with CLONE_PARENT not the process that forked. */
      readonly parentTgid: number;
      readonly childPid: number;
      /** Equal to `childPid` for a process, different for a thread. */
      readonly childTgid: number;
    }
  | { readonly kind: 'exec'; readonly atMs: number; readonly pid: number; readonly tgid: number }
  | {
      readonly kind: 'exit';
      readonly atMs: number;
      /** One thread ended; only `pid === tgid` may mean that the process did. */
      readonly pid: number;
      readonly tgid: number;
      /** As wait(2) gives it. */
      readonly waitStatus: number;
    }
  /** The answer to LISTEN or IGNORE: 0, or an errno. */
  | { readonly kind: 'ack'; readonly error: number };

export const PROC_CN_MCAST_LISTEN = 1;
export const PROC_CN_MCAST_IGNORE = 2;

const NLMSG_HEADER = 16;
const EVENT = NLMSG_HEADER + 20;
const DATA = EVENT + 16;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;

const NONE = 0;
const FORK = 1;
const EXEC = 2;
const EXIT = 0x80000000;
const dataBytes: ReadonlyMap<number, number> = new Map([
  [NONE, 4],
  [FORK, 16],
  [EXEC, 8],
  [EXIT, 16],
]);

/** The event in a datagram of `sizeBytes` at `offset`; null for what is none of ours (other events, other senders, cut off). */
export function parseProcessEvent(buffer: Buffer, offset: number, sizeBytes: number): ProcessEvent | null {
  if (sizeBytes < DATA + 4 || offset + sizeBytes > buffer.length) return null;
  const length = buffer.readUInt32LE(offset);
  if (length > sizeBytes || buffer.readUInt16LE(offset + 4) !== NLMSG_DONE) return null;
  if (buffer.readUInt32LE(offset + 16) !== CN_IDX_PROC || buffer.readUInt32LE(offset + 20) !== CN_VAL_PROC) return null;
  const what = buffer.readUInt32LE(offset + EVENT);
  const data = offset + DATA;
  const neededBytes = dataBytes.get(what);
  if (neededBytes === undefined || length < DATA + neededBytes) return null;
  if (what === NONE) return { kind: 'ack', error: buffer.readUInt32LE(data) };

  const atMs = (buffer.readUInt32LE(offset + EVENT + 12) * 2 ** 32 + buffer.readUInt32LE(offset + EVENT + 8)) / 1e6;
  const first = buffer.readInt32LE(data);
  const second = buffer.readInt32LE(data + 4);
  if (what === FORK) {
    return {
      kind: 'fork',
      atMs,
      parentTgid: second,
      childPid: buffer.readInt32LE(data + 8),
      childTgid: buffer.readInt32LE(data + 12),
    };
  }
  if (what === EXEC) return { kind: 'exec', atMs, pid: first, tgid: second };
  return { kind: 'exit', atMs, pid: first, tgid: second, waitStatus: buffer.readUInt32LE(data + 8) };
}

/**
 * LISTEN or IGNORE as the bare 4-byte operation. The longer form with an event mask (Linux 6.6) is silently ignored by
 * kernels before it: no events and no error.
 */
export function encodeControl(operation: number): Buffer {
  const message = Buffer.alloc(EVENT + 4);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(CN_VAL_PROC, 20);
  message.writeUInt16LE(4, 32);
  message.writeUInt32LE(operation, EVENT);
  return message;
}

/** How many messages the kernel dropped for the socket with this inode (`Drops` of /proc/net/netlink); null when not listed. */
export function parseNetlinkDrops(text: string, inode: number): number | null {
  const [head, ...lines] = text.trimEnd().split('\n');
  const columns = head?.trim().split(/\s+/) ?? [];
  const dropsAt = columns.indexOf('Drops');
  const inodeAt = columns.indexOf('Inode');
  if (dropsAt < 0 || inodeAt < 0) return null;
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    if (Number(fields[inodeAt]) === inode) return /^\d+$/.test(fields[dropsAt] ?? '') ? Number(fields[dropsAt]) : null;
  }
  return null;
}
