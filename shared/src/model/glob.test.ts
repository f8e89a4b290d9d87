import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from './glob.ts';

it('fits whole texts, a star any part and a question mark one character', () => {
  expect(matchesGlob('hakuriver-task-17', 'hakuriver-task-*')).toBe(true);
  expect(matchesGlob('hakuriver-task-17', 'hakuriver')).toBe(false);
  expect(matchesGlob('task-1', 'task-?')).toBe(true);
  expect(matchesGlob('task-12', 'task-?')).toBe(false);
  expect(matchesGlob('', '*')).toBe(true);
  expect(matchesGlob('a.b', 'a?b')).toBe(true);
  expect(matchesGlob('axb', 'a.b')).toBe(false);
});

it('agrees with a regular expression of the same meaning', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((found) => found.join(''));
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      const source = [...pattern].map((char) => ({ '*': '.*', '?': '.' })[char] ?? char).join('');

      expect(matchesGlob(text, pattern)).toBe(new RegExp(`^${source}$`, 's').test(text));
    }),
  );
});

it('F078 takes its time on no pattern', () => {
  const beganMs = performance.now();

  expect(matchesGlob('a'.repeat(10_000), `${'*a'.repeat(50)}*b`)).toBe(false);

  expect(performance.now() - beganMs).toBeLessThan(1_000);
});
