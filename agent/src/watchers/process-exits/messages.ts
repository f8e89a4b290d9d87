/*
 * The kernel's process connector on the wire: netlink header (16 bytes), connector header (20), then `struct proc_event`
 * (linux/netlink.h, linux/connector.h, linux/cn_proc.h). Little-endian.
 */

/** One message of the process connector. */
export type ProcessEvent =
  | {
      readonly kind: 'fork';
      /** Thread group of the parent as wait(2) will see it: with CLONE_PARENT not the process that forked. */
      readonly parentTgid: number;
      readonly childPid: number;
      /** Equal to `childPid` for a process, different for a thread. */
      readonly childTgid: number;
    }
  | { readonly kind: 'exec'; readonly pid: number; readonly tgid: number }
  | {
      readonly kind: 'exit';
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
export const EVENT_OFFSET = NLMSG_HEADER + 20;
const DATA = EVENT_OFFSET + 16;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;

/** What happened, and NONE for the kernel's answer to us. */
export const NONE = 0;
export const FORK = 1;
export const EXEC = 2;
export const EXIT = 0x80000000;
const dataBytes: ReadonlyMap<number, number> = new Map([
  [NONE, 4],
  [FORK, 16],
  [EXEC, 8],
  [EXIT, 16],
]);

/**
 * The event in a datagram of `sizeBytes` at `offset`; null for what is none of ours (other events, other senders, cut off).
 * Read through a DataView: three of these come with every process of the machine.
 */
export function parseProcessEvent(view: DataView, offset: number, sizeBytes: number): ProcessEvent | null {
  if (sizeBytes < DATA + 4 || offset + sizeBytes > view.byteLength) return null;
  const length = view.getUint32(offset, true);
  if (length > sizeBytes || view.getUint16(offset + 4, true) !== NLMSG_DONE) return null;
  if (view.getUint32(offset + 16, true) !== CN_IDX_PROC || view.getUint32(offset + 20, true) !== CN_VAL_PROC)
    return null;
  const what = view.getUint32(offset + EVENT_OFFSET, true);
  const data = offset + DATA;
  const neededBytes = dataBytes.get(what);
  if (neededBytes === undefined || length < DATA + neededBytes) return null;
  const first = view.getInt32(data, true);
  if (what === NONE) return { kind: 'ack', error: first };

  const second = view.getInt32(data + 4, true);
  if (what === EXEC) return { kind: 'exec', pid: first, tgid: second };
  const third = view.getInt32(data + 8, true);
  if (what === EXIT) return { kind: 'exit', pid: first, tgid: second, waitStatus: third };
  return { kind: 'fork', parentTgid: second, childPid: third, childTgid: view.getInt32(data + 12, true) };
}

/**
 * LISTEN or IGNORE as the bare 4-byte operation. The longer form with an event mask (Linux 6.6) is silently ignored by
 * kernels before it: no events and no error.
 */
export function encodeControl(operation: number): Buffer {
  const message = Buffer.alloc(EVENT_OFFSET + 4);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(CN_VAL_PROC, 20);
  message.writeUInt16LE(4, 32);
  message.writeUInt32LE(operation, EVENT_OFFSET);
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
