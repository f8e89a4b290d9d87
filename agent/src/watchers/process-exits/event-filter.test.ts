import koffi from 'koffi';
import { afterAll, describe, expect, it } from 'vitest';
import { eventFilter } from './event-filter.ts';
import { loadNative } from './native.ts';

const native = await loadNative();
const library = koffi.load(null);
const socketpair: (...passed: [domain: number, type: number, protocol: number, fds: Int32Array]) => number =
  library.func('int socketpair(int, int, int, void*)');
const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const fds = new Int32Array(2);
socketpair(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0, fds);
const [near = -1, far = -1] = fds;
afterAll(() => fds.forEach((fd) => native.close(fd)));

/** The numbers of the messages that this machine's kernel lets through, of those sent. */
function passed(messages: readonly Buffer[]): number[] {
  for (const [index, message] of messages.entries()) {
    message.writeUInt32LE(index, 8);
    native.send(near, message, message.length, 0);
  }
  const { receiver } = native;
  const count = Math.max(0, receiver.receive(far));
  return Array.from({ length: count }, (_, slot) => receiver.data.getUint32(slot * receiver.slotBytes + 8, true));
}

function event(what: number, ...data: readonly number[]): Buffer {
  const buffer = Buffer.alloc(76);
  buffer.writeUInt32LE(what, 36);
  for (const [at, value] of data.entries()) buffer.writeUInt32LE(value, 52 + at * 4);
  return buffer;
}

const [none, fork, exec, uid, comm, exit] = [0, 1, 2, 4, 0x200, 0x80000000];
const events = [
  event(none, 0),
  event(fork, 10, 10, 70_000, 70_000),
  event(fork, 10, 10, 11, 10),
  event(exec, 10, 10),
  event(exec, 11, 10),
  event(uid, 10, 10),
  event(comm, 10, 10),
  event(exit, 11, 10, 0),
  event(exit, 10, 10, 0),
];

describe('the filter of process events, run by the kernel', () => {
  it('lets through what the table reads, and nothing of users and names', () => {
    expect(native.attachFilter(far, eventFilter({ withThreads: true }))).toBe(true);

    expect(passed(events)).toEqual([0, 1, 2, 3, 4, 7, 8]);
  });

  it('keeps back threads that begin and end', () => {
    expect(native.attachFilter(far, eventFilter({ withThreads: false }))).toBe(true);

    expect(passed(events)).toEqual([0, 1, 3, 4, 8]);
  });

  it('keeps back what is cut off', () => {
    expect(passed([event(fork, 10, 10, 20, 20).subarray(0, 40), event(exec, 1, 1)])).toEqual([1]);
  });

  it('is refused by what is no socket', () => {
    expect(native.attachFilter(-1, eventFilter({ withThreads: true }))).toBe(false);
  });
});
