import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, neutralise, withoutHalfWord } from './neutralise.ts';

const cases: readonly (readonly [string, string, string])[] = [
  ['plain text', 'loss 0.31 ✓ 🚀 naïve', 'loss 0.31 ✓ 🚀 naïve'],
  ['colour', '\u001b[1;31merror\u001b[0m: no', 'error: no'],
  ['a title that ends with BEL', '\u001b]0;owned\u0007ok', 'ok'],
  ['a title that ends with ST', '\u001b]2;owned\u001b\\ok', 'ok'],
  ['a hyperlink', '\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\', 'click'],
  ['a device control string', '\u001bP+q544e\u001b\\ok', 'ok'],
  ['an application command', '\u001b_Gf=100;AAAA\u001b\\ok', 'ok'],
  ['eight-bit CSI and OSC', '\u009b31mred\u009d0;x\u009c!', 'red!'],
  ['a character set and a reset', '\u001b(0lqk\u001bc', 'lqk'],
  ['a cursor that goes up and clears', 'a\u001b[2A\u001b[2Kb', 'ab'],
  ['an escape that does not end', 'a\u001b]0;never ends', 'a0;never ends'],
  ['an escape within an escape', '\u001b\u001b[31m[31mx', '\ufffd[31mx'],
  ['a progress bar', ' 10%|█   |\r 50%|█▌  |\r100%|███ |', '100%|███ |'],
  ['a progress bar that goes on to the next line', '10%\r100%\r', '100%'],
  ['a progress bar that wipes itself out', '10%\r99%\r   \r', '99%'],
  ['bold by overstriking', 'N\bNA\bAM\bME\bE', 'NAME'],
  ['a tab', '\tat Foo', '    at Foo'],
  ['text turned round', 'user\u202egpj.exe\u2066', 'usergpj.exe'],
  ['what has no width', 'pass\u200bword\u2060\ufeff', 'password'],
  ['a line separator', 'a\u2028b\u2029c\nd', 'a b c d'],
  ['binary junk', 'ELF\u0000\u0001\u0002\ufffd\u0007x', 'ELF\ufffdx'],
  ['half a surrogate pair', 'a\ud83dz', 'a\ufffdz'],
];

describe('a line made harmless', () => {
  it.each(cases)('F116 %s', (_, line, shown) => {
    expect(neutralise(line)).toBe(shown);
  });

  it('F116 has no control character, whatever was written, and is left as it is the second time', () => {
    const hostile = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\u001b', '[', ']', ';', 'm', '\u0007', '\\', '\r', '\b', '\u009b', '\u202e', '\n', '\u0000'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(hostile, (line) => {
        const shown = neutralise(line);

        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(neutralise(shown)).toBe(shown);
      }),
    );
  });

  it('F037 costs no more than its length', () => {
    for (const part of [
      '\u001b]',
      '\u001bP',
      '\u001b[',
      '\u001b[1',
      '\u009b',
      '\u009d',
      '\u0090',
      '\r',
      'a\b',
      '\u200b',
    ]) {
      const began = performance.now();
      neutralise(part.repeat(100_000));
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });
});

describe('a text cut', () => {
  it('F077 ends between two characters and says what is missing', () => {
    expect(cutText('abc🚀def', 4)).toBe('abc… [5 more characters]');
    expect(cutText('abc', 3)).toBe('abc');
  });

  it('F125 loses the word that may be half a secret', () => {
    expect(withoutHalfWord('login with ghp_16C7e42F292c')).toBe('login with ');
  });
});
