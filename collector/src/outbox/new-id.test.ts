import { expect, it } from 'vitest';
import { newId } from './new-id.ts';

it('makes ids that sort by time and order, also in one millisecond and when the clock steps back', () => {
  const ids = [...Array.from({ length: 70_000 }, () => newId(1_000_000)), newId(1_000_500), newId(900_000)];

  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
});
