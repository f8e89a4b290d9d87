import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContainerOutput } from './containers-log-tail.ts';

function framed(text: string | Buffer, stream = 1): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function tailOf(chunks: readonly Buffer[], { lines = 100, hasTerminal = false } = {}): string[] {
  const output = new ContainerOutput({ hasTerminal, lines });
  for (const chunk of chunks) output.append(chunk);
  return output.finish();
}

describe('the end of an output', () => {
  it('is the last lines of both streams in their order, those of stderr marked', () => {
    expect(tailOf([framed('a\nb\n'), framed('c\r\n', 2), framed('d')], { lines: 3 })).toEqual(['b', 'stderr: c', 'd']);
  });

  it('keeps a line of one stream whole that the other interrupts', () => {
    expect(tailOf([framed('half '), framed('oh\n', 2), framed('a line\n')])).toEqual(['stderr: oh', 'half a line']);
  });

  it('is the same however the bytes are cut into pieces', () => {
    const whole = Buffer.concat([framed('erste Zeile: ä\n'), framed('zweite\n', 2), framed('dritte: 🚀')]);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const chunks = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));

        expect(tailOf(chunks)).toEqual(['erste Zeile: ä', 'stderr: zweite', 'dritte: 🚀']);
      }),
    );
  });

  it('of a terminal comes without frames', () => {
    expect(tailOf([Buffer.from('a\r\nb\r\n')], { hasTerminal: true })).toEqual(['a', 'b']);
  });

  it('F037 stays within its bound and begins with a whole line', () => {
    const many = tailOf(
      Array.from({ length: 5_000 }, (_, index) => framed(`${'='.repeat(100)} ${index}\n`)),
      { lines: 10_000 },
    );

    expect(Buffer.byteLength(many.join('\n'))).toBeLessThanOrEqual(66 * 1024);
    expect(many.at(-1)).toMatch(/ 4999$/);
    expect(many.every((line) => /^=+ \d+$/.test(line))).toBe(true);
  });

  it('F037 of one endless line is its beginning, with a mark', () => {
    const [line, ...rest] = tailOf([framed('é '.repeat(1024 * 1024))]);

    expect(rest).toEqual([]);
    expect(line).toMatch(/^(?:é )+… \[\d+ more bytes\]$/);
  });

  it('is empty without any output, and when no line is wanted', () => {
    expect(tailOf([])).toEqual([]);
    expect(tailOf([framed('a\n')], { lines: 0 })).toEqual([]);
  });
});
