import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineCutter } from './containers-events.ts';

function cut(chunks: readonly Buffer[], maxLineBytes = 1_000): { lines: string[]; lost: number } {
  const lines: string[] = [];
  let lost = 0;
  const take = createLineCutter({ onLine: (line) => lines.push(line), onLost: () => (lost += 1) }, maxLineBytes);
  for (const chunk of chunks) take(chunk);
  return { lines, lost };
}

it('gives every whole line, however the stream is cut', () => {
  const texts = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\n')),
  );
  fc.assert(
    fc.property(texts, fc.array(fc.nat(400)), (lines, cuts) => {
      const whole = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const edges = [0, ...cuts.filter((at) => at < whole.length).toSorted((a, b) => a - b), whole.length];
      const chunks = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));

      expect(cut(chunks)).toEqual({ lines, lost: 0 });
    }),
  );
});

it('keeps back what is not ended and passes over blank lines', () => {
  expect(cut([Buffer.from('a\n\n'), Buffer.from('half')])).toEqual({ lines: ['a'], lost: 0 });
});

it('F041 counts a line over the limit as lost and goes on with the next', () => {
  expect(cut([Buffer.from('x'.repeat(9)), Buffer.from('x\nok\n')], 8)).toEqual({ lines: ['ok'], lost: 1 });
});
