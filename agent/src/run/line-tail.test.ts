import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineTail } from './line-tail.ts';

function tailOf(chunks: Buffer[], maxLines = 5, maxLineBytes = 100): string[] {
  const tail = new LineTail({ maxLines, maxLineBytes });
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

  it('keep the head of a long line and say how much is missing', () => {
    expect(tailOf([Buffer.alloc(1_000_000, 'x'), Buffer.from('\nend')])).toEqual([
      `${'x'.repeat(100)}… [999900 more bytes]`,
      'end',
    ]);
  });

  it('keep what a progress bar showed last', () => {
    expect(tailOf([Buffer.from('10%\r50%\r100%\r\ndone\r\n')])).toEqual(['100%', 'done']);
  });

  it('mark the stream, in order of arrival', () => {
    const tail = new LineTail({ maxLines: 3, maxLineBytes: 100 });
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
