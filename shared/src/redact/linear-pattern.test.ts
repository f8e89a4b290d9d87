import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatternError, readLinearPattern } from './linear-pattern.ts';

function matchesOf(source: string, text: string): string[] {
  return [...readLinearPattern(source).matcher.matches(text)].map(([start, end]) => text.slice(start, end));
}

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['PROJ-[0-9]{4,6}', 'PROJ-12 PROJ-1234 PROJ-1234567', ['PROJ-1234', 'PROJ-123456']],
  [String.raw`\bcorp_\w+\b`, 'corp_a1 xcorp_b corp_c', ['corp_a1', 'corp_c']],
  ['(?i)internal-(key|id)=[^ ]+', 'Internal-Key=abc INTERNAL-ID=x y', ['Internal-Key=abc', 'INTERNAL-ID=x']],
  ['^user: .*$', 'user: joe', ['user: joe']],
  ['^joe', 'user: joe', []],
  ['a{2}(?:b|cd)?', 'aab aacd aa', ['aab', 'aacd', 'aa']],
  [String.raw`[\w.-]+@[a-z]+\.example`, 'to joe.d@corp.example now', ['joe.d@corp.example']],
  ['[^a-c]+', 'abcxyz', ['xyz']],
  [String.raw`\x41\u0042\.`, 'AB. ABx', ['AB.']],
  ['x{0}y', 'xy', ['y']],
  [String.raw`\B-\S\D\W`, 'a --b!', ['--b!']],
];

describe('a pattern matched in linear time', () => {
  it.each(cases)('finds with %j in %j', (source, text, found) => {
    expect(matchesOf(source, text)).toEqual(found);
  });

  it('finds what a regular expression finds, where the longest is meant', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', String.raw`\w`, '(?:ab)', '(?:(?:ab)+)', '(?:a|bb)');
    const piece = fc
      .tuple(atom, fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,3}'))
      .map(([one, times]) => one + times);
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.stringMatching(/^[abc]{0,8}$/),
        (pieces, text) => {
          const source = pieces.join('');
          const starts = [...text].map((_, at) => at).filter((at) => new RegExp(source, 'y').test(text.slice(at)));
          const ends = starts.map((at) => {
            const rest = text.slice(at);
            return (
              at + [...rest, ''].findLastIndex((_, length) => new RegExp(`^(?:${source})$`).test(rest.slice(0, length)))
            );
          });
          const [start] = starts.filter((at, index) => ends[index] !== at);
          if (new RegExp(`^(?:${source})$`).test('')) {
            expect(() => readLinearPattern(source)).toThrow(PatternError);
            return;
          }
          const [first] = readLinearPattern(source).matcher.matches(text);
          expect(first).toEqual(start === undefined ? undefined : [start, ends[starts.indexOf(start)]]);
        },
      ),
    );
  });

  it.each([
    ['(a+)+$', 'a'],
    ['(?:a|a)*b', 'a'],
    ['(?:a|aa)+$', 'a'],
    ['a*a*a*a*a*b', 'a'],
    ['(?:.*,){20}P', ','],
    [String.raw`(?:\w+\s?)*!`, 'aaa '],
  ])('F078 takes no longer for %s than its length times the text', (source, part) => {
    const text = `${part.repeat(2_000)}x`;
    const began = performance.now();

    matchesOf(source, text);

    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it.each([
    ['(?=a)b', 'look-around'],
    ['(?<name>a)', 'named groups'],
    [String.raw`(a)\1`, 'references'],
    ['a*', 'empty text'],
    ['^', 'empty text'],
    [String.raw`\b`, 'empty text'],
    ['(a', 'never closed'],
    ['a)', 'closes nothing'],
    ['[a', 'never closed'],
    ['[b-a]', 'from more to less'],
    ['*a', 'repeats nothing'],
    ['a{3,2}', 'more to fewer'],
    ['a{2000}', 'more than 1000'],
    ['(?:(?:a{100}){100}){100}', 'too large'],
    ['a\\', 'in the middle'],
    [String.raw`\p`, 'not known'],
  ])('refuses %s and says why', (source, why) => {
    expect(() => readLinearPattern(source)).toThrow(why);
  });
});
