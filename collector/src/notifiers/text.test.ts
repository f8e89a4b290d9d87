import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileTexts } from '../../../test/support/messages.ts';
import { bytes, defuse, fit, fitLastLines, fitList, jsonBytes, oneLine } from './text.ts';

const anyText = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'grapheme' })).map(oneLine);
const anyFitting = fc.record({
  max: fc.integer({ min: 40, max: 400 }),
  escape: fc.constantFrom(
    (character: string) => character,
    (character: string) => (character === '<' ? '&lt;' : character),
    defuse('@`'),
  ),
  size: fc.constantFrom((text: string) => text.length, bytes, jsonBytes),
});

describe('text that has to fit', () => {
  it('F109 is cut at a whole character, with a mark, after it was escaped', () => {
    expect(fit('gpu-7', { max: 5 })).toBe('gpu-7');
    expect(fit('gpu-77', { max: 5 })).toBe('gpu-…');
    expect(fit('😀😀😀', { max: 5 })).toBe('😀😀…');
    expect(fit('ab<<', { max: 6, escape: (character) => (character === '<' ? '&lt;' : character) })).toBe('ab…');
    expect(fit('жжж', { max: 5, size: bytes })).toBe('ж…');
  });

  it('F109 is never longer than it may be, nor broken', () => {
    fc.assert(
      fc.property(anyText, anyFitting, (text, fitting) => {
        const fitted = fit(text, fitting);
        expect(fitting.size(fitted)).toBeLessThanOrEqual(fitting.max);
        expect(fitted.isWellFormed()).toBe(true);
      }),
    );
  });

  it('F109 as a list says how many were left out', () => {
    const items = Array.from({ length: 100 }, (_, index) => `task-${index}`);

    expect(fitList(items.slice(0, 3), { max: 100 })).toEqual(['task-0', 'task-1', 'task-2']);
    expect(fitList(items, { max: 40 })).toEqual(['task-0', 'task-1', 'task-2', '… and 97 more']);
    expect(fitList([], { max: 40 })).toEqual([]);
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 50 }), anyFitting, (texts, fitting) => {
        expect(fitting.size(fitList(texts, fitting).join('\n'))).toBeLessThanOrEqual(fitting.max);
      }),
    );
  });

  it('F109 as lines keeps the last of them', () => {
    expect(fitLastLines(['a', 'b', 'c'], { max: 10 })).toBe('a\nb\nc');
    expect(fitLastLines(['first', 'second', 'third'], { max: 10 })).toBe('…\nthird');
    expect(fitLastLines(['x', 'far too long'], { max: 6 })).toBe('far t…');
    expect(fitLastLines([], { max: 10 })).toBeNull();
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 50 }), anyFitting, (lines, fitting) => {
        expect(fitting.size(fitLastLines(lines, fitting) ?? '')).toBeLessThanOrEqual(fitting.max);
      }),
    );
  });

  it('F116 has no control character, no turned direction and no half of a character', () => {
    for (const text of hostileTexts) {
      expect(oneLine(text)).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
      expect(oneLine(text).isWellFormed()).toBe(true);
    }
  });
});
