import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineTail } from './line-tail.ts';

function tailOf(chunks: Buffer[], maxLines = 5, maxLineBytes = 300): string[] {
  const tail = new LineTail({ maxLines, maxLineBytes, maxBytes: 10_000 });
  const sink = tail.sink('');
  for (const chunk of chunks) sink.push(chunk);
  sink.end();
  return tail.lines();
}

describe('the last lines', () => {
  it('are the same however the bytes were cut', () => {
    const lines = fc.array(fc.stringMatching(/^[ -~é]{0,20}$/), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (said, cuts) => {
        const bytes = Buffer.from(`${said.join('\n')}\n`);
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(tailOf(chunks)).toEqual(said.slice(-5));
      }),
    );
  });

  it('F037 keep the head of a long line, without half a word at its end, and say how much is missing', () => {
    expect(tailOf([Buffer.alloc(1_000_000, 'x'), Buffer.from('\nend')])).toEqual([
      `${'x'.repeat(100)}… [999700 more bytes]`,
      'end',
    ]);
    expect(tailOf([Buffer.from(`say ${'y'.repeat(50)} ${'z'.repeat(400)}`)])).toEqual([
      `say ${'y'.repeat(50)} ${'z'.repeat(45)}… [155 more bytes]`,
    ]);
  });

  it('F037 are no more bytes than allowed, the newest', () => {
    const tail = tailOf(Array.from({ length: 5 }, (_, at) => Buffer.from(`${at}`.repeat(290).concat('\n'))));
    const few = new LineTail({ maxLines: 100, maxLineBytes: 300, maxBytes: 700 });
    const sink = few.sink('');
    for (const line of tail) sink.push(Buffer.from(`${line}\n`));

    expect(few.lines()).toEqual(tail.slice(-2));
  });

  it('mark the stream, in order of arrival', () => {
    const tail = new LineTail({ maxLines: 3, maxLineBytes: 100, maxBytes: 10_000 });
    const [out, err] = [tail.sink(''), tail.sink('stderr: ')];

    out.push(Buffer.from('one\ntwo'));
    err.push(Buffer.from('oh\n'));
    out.push(Buffer.from('\n'));

    expect(tail.lines()).toEqual(['one', 'stderr: oh', 'two']);
  });

  it('survive bytes that are no text', () => {
    expect(tailOf([Buffer.from([0xff, 0, 0x80, 0x0a, 0xc3])])).toHaveLength(2);
  });
});
