import { describe, expect, it } from 'vitest';
import { parsePidfdInfo } from './pidfd.ts';

function info(mask: number, cgroupId: bigint, exitCode: number): DataView {
  const buffer = Buffer.alloc(72);
  buffer.writeBigUInt64LE(BigInt(mask), 0);
  buffer.writeBigUInt64LE(cgroupId, 8);
  buffer.writeInt32LE(exitCode, 60);
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

describe('what a pidfd tells', () => {
  it('is exit status and cgroup after the reap', () => {
    expect(parsePidfdInfo(info(0xc, 8_589_934_607n, 0x8b))).toEqual({ cgroupId: 8_589_934_607, waitStatus: 0x8b });
  });

  it('is no status before it, though the field reads 0', () => {
    expect(parsePidfdInfo(info(0x7, 15n, 0))).toEqual({ cgroupId: 15, waitStatus: null });
  });
});
