import { describe, expect, it } from 'vitest';
import { linesOf, matchersOf } from './matcher-lines.ts';

describe('lines of matchers', () => {
  it('are what they were made of again', () => {
    const matchers = { node: ['gpu-*', 'cpu-1'], 'label.zone': ['b'] };

    expect(matchersOf(linesOf(matchers))).toEqual(matchers);
  });

  it('count for nothing while they are not filled in, and add up under one key', () => {
    const lines = [
      { key: '', patterns: 'x' },
      { key: 'job', patterns: ' , ' },
      { key: ' node', patterns: 'a,' },
      { key: 'node', patterns: 'b, c' },
    ];

    expect(matchersOf(lines)).toEqual({ node: ['a', 'b', 'c'] });
  });
});
