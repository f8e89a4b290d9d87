import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord, type Piece, splitRecords } from './record.ts';

const records = fc.array(
  fc.record({ at: fc.integer({ min: -1e12, max: 4e12 }), body: fc.string({ unit: 'binary', maxLength: 200 }) }),
  { minLength: 1, maxLength: 12 },
);

const encodeAll = (items: readonly { at: number; body: string }[]) =>
  items.map(({ at, body }, index) => encodeRecord({ seq: index + 1, at }, Buffer.from(body)));
const kept = (pieces: readonly Piece[]) =>
  pieces.flatMap((piece) =>
    piece.kind === 'record' ? [{ seq: piece.seq, at: piece.at, body: piece.body.toString() }] : [],
  );
const wanted = (items: readonly { at: number; body: string }[]) =>
  items.map(({ at, body }, index) => ({ seq: index + 1, at, body: Buffer.from(body).toString() }));

describe('records', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(records, (items) => {
        expect(kept(splitRecords(Buffer.concat(encodeAll(items)), true).pieces)).toEqual(wanted(items));
      }),
    );
  });

  it('F002 cut anywhere keep every whole record and call the rest torn', () => {
    fc.assert(
      fc.property(records, fc.nat(), (items, place) => {
        const encoded = encodeAll(items);
        const bytes = Buffer.concat(encoded);
        const cut = place % bytes.length;
        let end = 0;
        const whole = encoded.filter((record) => (end += record.length) <= cut).length;

        const { pieces } = splitRecords(bytes.subarray(0, cut), true);

        expect(kept(pieces)).toEqual(wanted(items).slice(0, whole));
        expect(pieces.slice(whole).every((piece) => piece.kind === 'torn')).toBe(true);
      }),
    );
  });

  it('F003 with any one byte changed lose only the record that holds it', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (items, place, change) => {
        const encoded = encodeAll(items);
        const bytes = Buffer.concat(encoded);
        const at = place % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(at) ^ change, at);
        let end = 0;
        const hit = encoded.findIndex((record) => (end += record.length) > at);

        const { pieces, usedBytes } = splitRecords(bytes, true);

        expect(kept(pieces)).toEqual(wanted(items).filter((_, index) => index !== hit));
        expect(usedBytes).toBe(bytes.length);
      }),
    );
  });

  it('are never seen in bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { pieces } = splitRecords(Buffer.from(bytes), true);
        expect(kept(pieces)).toEqual([]);
        expect(pieces.reduce((sum, piece) => sum + piece.sizeBytes, 0)).toBe(bytes.length);
      }),
    );
  });

  it('ask for more bytes rather than judge a record that goes on in the next chunk', () => {
    const record = encodeRecord({ seq: 1, at: 0 }, Buffer.from('body'));

    expect(splitRecords(record.subarray(0, 10), false)).toEqual({ pieces: [], usedBytes: 0, needBytes: 32 });
    expect(splitRecords(record.subarray(0, 34), false)).toEqual({ pieces: [], usedBytes: 0, needBytes: 36 });
    expect(splitRecords(Buffer.alloc(40), false)).toEqual({ pieces: [], usedBytes: 0, needBytes: 'rest' });
  });
});
