import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeControl, PROC_CN_MCAST_LISTEN, parseNetlinkDrops, parseProcessEvent } from './messages.ts';

/** As the kernel sends it: 76 bytes, whatever the event. */
function message(what: number, data: readonly number[]): Buffer {
  const buffer = Buffer.alloc(76);
  buffer.writeUInt32LE(76, 0);
  buffer.writeUInt16LE(3, 4);
  buffer.writeUInt32LE(1, 16);
  buffer.writeUInt32LE(1, 20);
  buffer.writeUInt16LE(40, 32);
  buffer.writeUInt32LE(what, 36);
  for (const [at, value] of data.entries()) buffer.writeInt32LE(value | 0, 52 + at * 4);
  return buffer;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);
const parse = (buffer: Buffer) => parseProcessEvent(viewOf(buffer), 0, buffer.length);

describe('messages of the process connector', () => {
  it('tell forks of processes and of threads apart', () => {
    expect(parse(message(1, [10, 9, 20, 20]))).toEqual({
      kind: 'fork',
      parentTgid: 9,
      childPid: 20,
      childTgid: 20,
    });
    expect(parse(message(1, [9, 9, 21, 9]))).toMatchObject({ childPid: 21, childTgid: 9 });
  });

  it('tell an exec', () => {
    expect(parse(message(2, [20, 20]))).toEqual({ kind: 'exec', pid: 20, tgid: 20 });
  });

  it.each([
    ['exit 137', 137 << 8],
    ['SIGKILL', 9],
    ['SIGSEGV with a core', 0x8b],
    ['SIGSEGV without', 0x0b],
  ])('keep the wait status of %s as it is', (_, waitStatus) => {
    expect(parse(message(0x80000000, [20, 20, waitStatus, 17, 1, 1]))).toMatchObject({
      kind: 'exit',
      pid: 20,
      tgid: 20,
      waitStatus,
    });
  });

  it('tell the answer to a request', () => {
    expect(parse(message(0, [1]))).toEqual({ kind: 'ack', error: 1 });
  });

  it('pass over events we have no use for, other senders and what is cut off', () => {
    expect(parse(message(0x200, [20, 20]))).toBeNull();
    const other = message(1, [1, 1, 2, 2]);
    other.writeUInt32LE(7, 16);
    expect(parse(other)).toBeNull();
    expect(parse(message(1, [1, 1, 2, 2]).subarray(0, 60))).toBeNull();
  });

  it('never throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), fc.nat(200), (bytes, size) => {
        const event = parseProcessEvent(viewOf(bytes), 0, size);
        expect(event === null || typeof event.kind === 'string').toBe(true);
      }),
    );
  });

  it('read back every fork and exit', () => {
    const pid = fc.integer({ min: 1, max: 2 ** 22 });
    fc.assert(
      fc.property(fc.record({ tgid: pid, child: pid, waitStatus: fc.integer({ min: 0, max: 0xffff }) }), (one) => {
        const { tgid, child, waitStatus } = one;
        expect(parse(message(1, [tgid, tgid, child, child]))).toMatchObject({ parentTgid: tgid, childPid: child });
        expect(parse(message(0x80000000, [tgid, tgid, waitStatus]))).toMatchObject({ tgid, waitStatus });
      }),
    );
  });

  it('ask to listen in the short form that every kernel takes', () => {
    const control = encodeControl(PROC_CN_MCAST_LISTEN);

    expect(control).toHaveLength(40);
    expect([
      control.readUInt32LE(0),
      control.readUInt16LE(4),
      control.readUInt16LE(32),
      control.readUInt32LE(36),
    ]).toEqual([40, 3, 4, 1]);
  });
});

describe('the kernel count of dropped messages', () => {
  const text = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000287c0b1f 0   0          00000000 0        0        0     2        0        4
00000000287c0b1f 11  4242       00000001 8832     0        0     2        50050    7766
`;
  it('is found by the inode of our socket', () => {
    expect(parseNetlinkDrops(text, 7766)).toBe(50_050);
    expect(parseNetlinkDrops(text, 4)).toBe(0);
  });

  it('is unknown when we are not listed', () => {
    expect(parseNetlinkDrops(text, 1)).toBeNull();
    expect(parseNetlinkDrops('', 1)).toBeNull();
  });
});
