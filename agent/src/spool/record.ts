import { crc32 } from 'node:zlib';

/*
 * A record: 32 bytes of header, then the event's body as JSON text in UTF-8. Little-endian.
 *
 *    0  magic       4   FF 52 45 FE; FF and FE occur in no UTF-8 text, so a body never looks like a header
 *    4  body bytes  4
 *    8  seq         8
 *   16  at          8   milliseconds since the epoch, node's clock
 *   24  body crc    4   CRC-32 of the body
 *   28  header crc  4   CRC-32 of bytes 0…27
 *
 * The header has its own checksum so that a damaged body still says how long it was and which number it held.
 */
export const recordHeaderBytes = 32;

/** The shortest body of all (`agent_started`, empty version) has 72 bytes. */
export const minRecordBytes = recordHeaderBytes + 64;

/** Largest body; with the event's own fields around it a record always fits into one frame. */
export const maxBodyBytes = 512 * 1024;

const magic = Buffer.from([0xff, 0x52, 0x45, 0xfe]);

export interface RecordHead {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a stretch of a segment holds. Offsets count from the start of the buffer that was split. */
export type Piece =
  | (RecordHead & {
      readonly kind: 'record';
      readonly offset: number;
      readonly sizeBytes: number;
      readonly body: Buffer;
    })
  /** Bytes that are no record. `head` is there when only the body is damaged: then exactly that one record is lost. */
  | {
      readonly kind: 'damaged';
      readonly offset: number;
      readonly sizeBytes: number;
      readonly head: RecordHead | undefined;
    }
  /** The file ends inside a record: the writer died before it was promised to anybody. */
  | { readonly kind: 'torn'; readonly offset: number; readonly sizeBytes: number };

export interface Split {
  readonly pieces: readonly Piece[];
  /** Bytes of the buffer that are dealt with. */
  readonly usedBytes: number;
  /** How many bytes from `usedBytes` on are needed to go on; 'rest' asks for everything up to the end of the file. */
  readonly needBytes: number | 'rest';
}

export function encodeRecord({ seq, at }: RecordHead, body: Buffer): Buffer {
  const record = Buffer.allocUnsafe(recordHeaderBytes + body.length);
  magic.copy(record, 0);
  record.writeUInt32LE(body.length, 4);
  record.writeBigUInt64LE(BigInt(seq), 8);
  record.writeBigInt64LE(BigInt(Math.trunc(at)), 16);
  record.writeUInt32LE(crc32(body), 24);
  record.writeUInt32LE(crc32(record.subarray(0, 28)), 28);
  body.copy(record, recordHeaderBytes);
  return record;
}

/**
 * Tells the records, the damaged stretches and a torn end of a buffer apart. `isEnd` says that the file ends with the buffer.
 * After a damaged header the next sound header is looked for; nothing is guessed from a length that fails its checksum.
 */
export function splitRecords(buffer: Buffer, isEnd: boolean): Split {
  const pieces: Piece[] = [];
  let offset = 0;
  while (offset < buffer.length) {
    const step = nextPiece(buffer, offset, isEnd);
    if (typeof step !== 'object') return { pieces, usedBytes: offset, needBytes: step };
    pieces.push(step);
    offset += step.sizeBytes;
  }
  return { pieces, usedBytes: offset, needBytes: recordHeaderBytes };
}

function nextPiece(buffer: Buffer, offset: number, isEnd: boolean): Piece | number | 'rest' {
  const left = buffer.length - offset;
  if (left < recordHeaderBytes) return isEnd ? { kind: 'torn', offset, sizeBytes: left } : recordHeaderBytes;
  const head = readHead(buffer, offset);
  if (head === undefined) {
    if (!isEnd) return 'rest';
    return { kind: 'damaged', offset, sizeBytes: nextHead(buffer, offset + 1) - offset, head: undefined };
  }
  const sizeBytes = recordHeaderBytes + head.bodyBytes;
  if (left < sizeBytes) return isEnd ? { kind: 'torn', offset, sizeBytes: left } : sizeBytes;
  const body = buffer.subarray(offset + recordHeaderBytes, offset + sizeBytes);
  const { seq, at } = head;
  if (crc32(body) !== head.bodyCrc) return { kind: 'damaged', offset, sizeBytes, head: { seq, at } };
  return { kind: 'record', offset, sizeBytes, seq, at, body };
}

function readHead(buffer: Buffer, offset: number): (RecordHead & { bodyBytes: number; bodyCrc: number }) | undefined {
  if (buffer.compare(magic, 0, 4, offset, offset + 4) !== 0) return undefined;
  if (crc32(buffer.subarray(offset, offset + 28)) !== buffer.readUInt32LE(offset + 28)) return undefined;
  return {
    bodyBytes: buffer.readUInt32LE(offset + 4),
    seq: Number(buffer.readBigUInt64LE(offset + 8)),
    at: Number(buffer.readBigInt64LE(offset + 16)),
    bodyCrc: buffer.readUInt32LE(offset + 24),
  };
}

function nextHead(buffer: Buffer, from: number): number {
  for (let at = buffer.indexOf(magic, from); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (at + recordHeaderBytes <= buffer.length && readHead(buffer, at) !== undefined) return at;
  }
  return buffer.length;
}
