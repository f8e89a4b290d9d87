import { describe, expect, it } from 'vitest';
import { lastLines } from './facts.ts';

describe('the end of a log', () => {
  it('is whole when it fits, else its last whole lines', () => {
    expect(lastLines(['a', 'b'], 100)).toEqual(['a', 'b']);
    expect(lastLines(['aaaa', 'bbbb', 'cccc'], 11)).toEqual(['bbbb', 'cccc']);
    expect(lastLines([], 10)).toEqual([]);
  });

  it('is the end of the last line when that alone is too long', () => {
    expect(lastLines(['x', `${'ä'.repeat(100)}end`], 40)).toEqual(['äääääääend']);
  });
});
