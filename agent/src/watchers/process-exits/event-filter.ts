import { EVENT_OFFSET, EXEC, EXIT, FORK, NONE } from './messages.ts';

/*
 * Socket filters in classic BPF (linux/filter.h; Documentation/networking/filter.rst): the kernel runs one on each message
 * before it is queued, so that a message nobody needs wakes nobody and takes no room. 'accept' and 'refuse' stand for the
 * two last instructions. Loads read the message as if it were big-endian.
 */

/** `what`: messages that this machine's table reads; of threads only where their coming and going must be counted. */
export function eventFilter({ withThreads }: { readonly withThreads: boolean }): Buffer {
  const data = EVENT_OFFSET + 16;
  const [fork, exit] = ['fork', 'exit'] as const;
  const steps: Step[] = [
    { op: LOAD, value: EVENT_OFFSET },
    { op: IF_EQUAL, value: swapped(NONE), then: 'accept' },
    { op: IF_EQUAL, value: swapped(EXEC), then: 'accept' },
    { op: IF_EQUAL, value: swapped(FORK), then: withThreads ? 'accept' : fork },
    { op: IF_EQUAL, value: swapped(EXIT), then: withThreads ? 'accept' : exit, otherwise: 'refuse' },
    // A process is its own thread group: child pid and tgid of a fork, pid and tgid of an exit.
    { name: fork, op: LOAD, value: data + 8 },
    { op: COPY_TO_X, value: 0 },
    { op: LOAD, value: data + 12 },
    { op: IF_EQUALS_X, value: 0, then: 'accept', otherwise: 'refuse' },
    { name: exit, op: LOAD, value: data },
    { op: COPY_TO_X, value: 0 },
    { op: LOAD, value: data + 4 },
    { op: IF_EQUALS_X, value: 0, then: 'accept', otherwise: 'refuse' },
    { name: 'accept', op: RETURN, value: 0xffff },
    { name: 'refuse', op: RETURN, value: 0 },
  ];
  return assemble(steps);
}

type Label = 'fork' | 'exit' | 'accept' | 'refuse';

interface Step {
  readonly name?: Label;
  readonly op: number;
  readonly value: number;
  readonly then?: Label;
  readonly otherwise?: Label;
}

/** BPF_LD | BPF_W | BPF_ABS */
const LOAD = 0x20;
/** BPF_JMP | BPF_JEQ | BPF_K, and BPF_X */
const IF_EQUAL = 0x15;
const IF_EQUALS_X = 0x1d;
/** BPF_MISC | BPF_TAX */
const COPY_TO_X = 0x07;
/** BPF_RET | BPF_K: how many bytes of the message to keep */
const RETURN = 0x06;
/** struct sock_filter: u16 code, u8 steps to skip when true, u8 when false, u32 value. */
const STEP_BYTES = 8;

function assemble(steps: readonly Step[]): Buffer {
  const program = Buffer.alloc(steps.length * STEP_BYTES);
  const skip = (from: number, to: Label | undefined) =>
    to === undefined ? 0 : steps.findIndex(({ name }) => name === to) - from - 1;
  for (const [index, { op, value, then, otherwise }] of steps.entries()) {
    program.writeUInt16LE(op, index * STEP_BYTES);
    program.writeUInt8(skip(index, then), index * STEP_BYTES + 2);
    program.writeUInt8(skip(index, otherwise), index * STEP_BYTES + 3);
    program.writeUInt32LE(value, index * STEP_BYTES + 4);
  }
  return program;
}

/** As a load of a little-endian word finds it. */
function swapped(word: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word);
  return bytes.readUInt32BE();
}
