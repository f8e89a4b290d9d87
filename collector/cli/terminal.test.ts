import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortIds } from './short-ids.ts';
import { renderTable } from './table.ts';
import { clip, displayWidth, neutralise, wrap } from './terminal.ts';
import { agoText, bytesText, durationText } from './words.ts';

const anyText = fc.string({ unit: 'binary' });

describe('words for a terminal', () => {
  it('F116 never lets through a control, a turn of direction, or a line break', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(neutralise(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      }),
    );
    expect(neutralise('a\u001b[31mb\tc\r\nd\u202ee')).toBe('a␛[31mb c  d\ufffde');
  });

  it('keeps ordinary text as it is, in any script', () => {
    expect(neutralise('Größe 大きさ 🙂 résumé')).toBe('Größe 大きさ 🙂 résumé');
  });

  it('clips to the width asked for, counting wide characters twice', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(displayWidth(clip(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
    expect(clip('大きさ', 5)).toBe('大き…');
    expect(clip('short', 5)).toBe('short');
  });

  it('wraps without losing a word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 5, max: 60 }), (words, columns) => {
        expect(wrap(words.join(' '), columns).join(' ')).toBe(words.join(' '));
      }),
    );
  });
});

describe('tables', () => {
  it('F116 keeps one record on one line', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { minLength: 1 }), (records) => {
        const text = renderTable(
          [{ title: 'a' }, { title: 'b', shrinks: true }],
          records.map(([a, b]) => [{ text: a }, { text: b, paint: 'red' }]),
          { columns: 40, hasColour: false },
        );

        expect(text.split('\n')).toHaveLength(records.length + 2);
      }),
    );
  });

  it('gives up width, then optional columns, and cuts nothing without a terminal', () => {
    const columns = [{ title: 'id' }, { title: 'name', shrinks: true }, { title: 'extra', optional: true }];
    const rows = [[{ text: '12345678' }, { text: 'a-rather-long-name' }, { text: 'x'.repeat(12) }]];

    expect(renderTable(columns, rows, { columns: 40, hasColour: false })).toBe(
      `ID        NAME              EXTRA\n12345678  a-rather-long-n…  xxxxxxxxxxxx\n`,
    );
    expect(renderTable(columns, rows, { columns: 20, hasColour: false })).toBe(
      `ID        NAME\n12345678  a-rather-…\n`,
    );
    expect(renderTable(columns, rows, { columns: null, hasColour: false })).toContain(
      `a-rather-long-name  ${'x'.repeat(12)}`,
    );
  });
});

describe('values', () => {
  it.each([
    [0, '0ms'],
    [999, '999ms'],
    [59_949, '59.9s'],
    [59_999, '1m 00s'],
    [3_599_999, '1h 00m'],
    [90_000_000, '1d 1h'],
    [null, '–'],
    [-1, '–'],
  ])('%s ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('says bytes in binary units, and nothing when nothing is known', () => {
    expect([bytesText(512), bytesText(2 * 1024 ** 3), bytesText(1536), bytesText(null)]).toEqual([
      '512 B',
      '2 GiB',
      '1.5 KiB',
      '–',
    ]);
  });

  it('says how long ago, and does not invent a past for a clock that is ahead', () => {
    const now = Date.parse('2026-11-22T04:00:00.000Z');

    expect(
      ['2026-11-22T03:59:58.000Z', '2026-11-22T03:48:00.000Z', '2026-11-22T04:05:00.000Z', null].map((at) =>
        agoText(at, now),
      ),
    ).toEqual(['just now', '12m ago', 'in the future', '–']);
  });

  it('shortens ids to what tells them apart', () => {
    expect(['abcdefgh1', 'abcdefgh2x'].map(shortIds(['abcdefgh1', 'abcdefgh2x']))).toEqual(['abcdefgh1', 'abcdefgh2']);
    expect(shortIds(['0123456789'])('0123456789')).toBe('01234567');
  });
});
