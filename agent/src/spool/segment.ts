import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Lane } from '@runnerwatch/shared/model/event.ts';
import { lanes } from '@runnerwatch/shared/model/event.ts';
import { sparingLater } from '../proc/descriptors.ts';
import { readUpTo } from './files.ts';
import { type Piece, splitRecords } from './record.ts';

/*
 * A segment is a file `<first number, 16 digits>.seg` in its lane's folder: 64 bytes of header, then records. Little-endian.
 *
 *    0  magic       8   "RWSPOOL" and a line feed
 *    8  version     2   1
 *   10  lane        1   0 ends, 1 facts
 *   16  first seq   8
 *   24  created at  8   milliseconds since the epoch
 *   32  stream id  16
 *   60  crc         4   CRC-32 of bytes 0…59; all other bytes are zero
 */
export const segmentHeaderBytes = 64;
export const segmentVersion = 1;

const magic = Buffer.from('RWSPOOL\n', 'latin1');
const chunkBytes = 64 * 1024;

export interface SegmentHeader {
  readonly lane: Lane;
  readonly firstSeq: number;
  readonly createdAt: number;
  readonly streamId: string;
}

export type HeaderReading =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  | { readonly kind: 'unknown_version' }
  /** Fails its checksum: flipped bytes, or not ours at all. */
  | { readonly kind: 'damaged' };

export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, '0')}.seg`;
}

/** The first number in a segment's name; undefined when the name is not one of ours. */
export function parseSegmentName(name: string): number | undefined {
  const [, digits] = /^(\d{16})\.seg$/.exec(name) ?? [];
  const firstSeq = Number(digits);
  return Number.isSafeInteger(firstSeq) && firstSeq >= 1 ? firstSeq : undefined;
}

export function encodeSegmentHeader({ lane, firstSeq, createdAt, streamId }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  magic.copy(header, 0);
  header.writeUInt16LE(segmentVersion, 8);
  header.writeUInt8(lanes.indexOf(lane), 10);
  header.writeBigUInt64LE(BigInt(firstSeq), 16);
  header.writeBigInt64LE(BigInt(Math.trunc(createdAt)), 24);
  Buffer.from(streamId.replaceAll('-', ''), 'hex').copy(header, 32);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return header;
}

export function readSegmentHeader(bytes: Buffer): HeaderReading {
  if (bytes.length < segmentHeaderBytes || bytes.compare(magic, 0, 8, 0, 8) !== 0) return { kind: 'damaged' };
  if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) return { kind: 'damaged' };
  const lane = lanes[bytes.readUInt8(10)];
  if (bytes.readUInt16LE(8) !== segmentVersion || lane === undefined) return { kind: 'unknown_version' };
  const hex = bytes.toString('hex', 32, 48);
  return {
    kind: 'header',
    header: {
      lane,
      firstSeq: Number(bytes.readBigUInt64LE(16)),
      createdAt: Number(bytes.readBigInt64LE(24)),
      streamId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    },
  };
}

/** Opens without following a symbolic link put in its place. */
export function openSegment(path: string, flags: 'read' | 'write'): Promise<FileHandle> {
  return sparingLater(() =>
    open(path, (flags === 'read' ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NOFOLLOW),
  );
}

/** Fails with EEXIST rather than touch what is there. */
export function createSegment(path: string): Promise<FileHandle> {
  return sparingLater(() =>
    open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600),
  );
}

/** What a segment holds from one offset to another, in order, reading a chunk at a time. Offsets are the file's. */
export async function* walk(handle: FileHandle, fromOffset: number, toOffset: number): AsyncGenerator<Piece> {
  let offset = fromOffset;
  let wantBytes = chunkBytes;
  while (offset < toOffset) {
    const sizeBytes = Math.min(wantBytes, toOffset - offset);
    const buffer = await readUpTo(handle, offset, sizeBytes);
    const isEnd = buffer.length < sizeBytes || offset + buffer.length >= toOffset;
    const { pieces, usedBytes, needBytes } = splitRecords(buffer, isEnd);
    for (const piece of pieces) yield { ...piece, offset: offset + piece.offset };
    if (isEnd) return;
    offset += usedBytes;
    wantBytes = needBytes === 'rest' ? toOffset - offset : Math.max(chunkBytes, needBytes);
  }
}
