import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonItems, NotAnArrayError, quoteLongIntegers } from './json-items.ts';

function itemsOf(text: string, pieceLength: number): { items: string[]; isComplete: boolean } {
  const items: string[] = [];
  const cutter = new JsonItems((item) => items.push(item));
  for (let at = 0; at < text.length; at += pieceLength) cutter.push(text.slice(at, at + pieceLength));
  return { items, isComplete: cutter.isComplete };
}

it('cuts a list of objects wherever its pieces end', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());

  fc.assert(
    fc.property(fc.array(object), fc.integer({ min: 1, max: 20 }), fc.nat(3), (list, pieceLength, indent) => {
      const { items, isComplete } = itemsOf(JSON.stringify(list, null, indent), pieceLength);

      expect(items.map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(JSON.stringify(list)));
      expect(isComplete).toBe(true);
    }),
  );
});

it.each([['{"detail":"no"}'], ['<html>'], ['[1]'], ['["a"]'], ['[{}] x'], ['[[{}]]'], ['null'], [']']])(
  'does not take %s for a list of objects',
  (text) => {
    expect(() => itemsOf(text, 3)).toThrow(NotAnArrayError);
  },
);

it('F041 knows a list that ends in the middle, and gives up on an item without an end', () => {
  expect(itemsOf('[{"a":1},{"b":"', 4)).toEqual({ items: ['{"a":1}'], isComplete: false });
  expect(itemsOf('', 1).isComplete).toBe(false);
  expect(() => itemsOf(`[{"a":"${'x'.repeat(2 * 1024 * 1024)}`, 65_536)).toThrow(NotAnArrayError);
});

it.each([
  ['{"task_id":7123456789012345678}', '{"task_id":"7123456789012345678"}'],
  ['{"a":-9007199254740993}', '{"a":"-9007199254740993"}'],
  ['{"a":"7123456789012345678"}', '{"a":"7123456789012345678"}'],
  ['{"a":"\\" 7123456789012345678"}', '{"a":"\\" 7123456789012345678"}'],
  ['[1,123456789012345,1.5e300,12345678901234567890.5]', '[1,123456789012345,1.5e300,12345678901234567890.5]'],
])('keeps every digit of %s', (json, expected) => {
  expect(quoteLongIntegers(json)).toBe(expected);
});

it('changes nothing else about any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      const read = JSON.parse(quoteLongIntegers(json), (_, inner: unknown) =>
        typeof inner === 'string' && /^-?\d{16,}$/.test(inner) ? Number(inner) : inner,
      ) as unknown;

      expect(JSON.stringify(read)).toBe(
        JSON.stringify(
          JSON.parse(json, (_, inner: unknown) =>
            typeof inner === 'string' && /^-?\d{16,}$/.test(inner) ? Number(inner) : inner,
          ),
        ),
      );
    }),
  );
});
