import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from './size.ts';

describe('sizes', () => {
  it.each([
    ['512MiB', 536_870_912],
    ['1GiB', 1_073_741_824],
    ['1.5KiB', 1536],
    ['10MB', 10_000_000],
    ['42', 42],
    [42, 42],
  ])('reads %s', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });

  it.each(['', 'MiB', '-1', '1XiB', -5, 1.5])('refuses %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it('prints a size with the unit people expect', () => {
    expect([80, 1536, 641_728_512, 3 * 1024 ** 3].map(formatSize)).toEqual(['80 B', '1.5 KiB', '612 MiB', '3.0 GiB']);
  });
});
