import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeResumption, readCursor, readPlace, writePlace } from './cursor.ts';

const now = Date.UTC(2026, 10, 22);
const cursor = (i: number, { s = 'aa', at = now - 1_000 } = {}) =>
  `s=${s};i=${i.toString(16)};b=bb;m=1f;t=${(at * 1000).toString(16)};x=99`;
const saved = (text: string) => ({ cursor: text, savedAt: now - 500 });

describe('going on in the journal', () => {
  it('misses nothing when the entry, or the one right after it, is there', () => {
    expect(judgeResumption(saved(cursor(10)), cursor(10), now)).toEqual({ kind: 'whole' });
    expect(judgeResumption(saved(cursor(10)), cursor(11), now)).toEqual({ kind: 'whole' });
  });

  it('F034 counts by sequence numbers what was removed meanwhile', () => {
    expect(judgeResumption(saved(cursor(10)), cursor(510), now)).toEqual({ kind: 'removed', lost: 499 });
  });

  it('F035 falls back to time for another journal, the future, nonsense', () => {
    expect(judgeResumption(saved(cursor(10)), cursor(10, { s: 'cc' }), now).kind).toBe('foreign');
    expect(judgeResumption(saved(cursor(10, { at: now + 3_600_000 })), cursor(11), now).kind).toBe('foreign');
    expect(judgeResumption(saved('nonsense'), cursor(11), now).kind).toBe('foreign');
    expect(judgeResumption(saved(cursor(10)), null, now).kind).toBe('foreign');
  });
});

describe('the saved place', () => {
  it('comes back as it was written', () => {
    expect(readPlace(writePlace(saved(cursor(7))))).toEqual(saved(cursor(7)));
    expect(readCursor(cursor(7))).toMatchObject({ sequenceId: 'aa', sequence: 7, bootId: 'bb', at: now - 1_000 });
  });

  it('is null for anything else', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readPlace(text) === null));
  });
});
