import { describe, expect, it } from 'vitest';
import { WrongTokens } from './wrong-tokens.ts';

const now = Date.UTC(2026, 10, 22, 12);

/** So many different guesses, as far as they are judged; returns how many were. */
function guess(tokens: WrongTokens, count: number, { from = '203.0.113.9', at = now } = {}): number {
  return Array.from({ length: count }, (_, number) => {
    if (tokens.waitMs(from, at) > 0) return 0;
    tokens.note(from, `${from} ${at} ${number}`, at);
    return 1;
  }).reduce((sum: number, one) => sum + one, 0);
}

describe('the limit of wrong tokens', () => {
  it('F120 judges ten different ones of an address within a minute as wrong, and then as too many until it is over', () => {
    const tokens = new WrongTokens();

    expect(guess(tokens, 100)).toBe(10);
    expect(tokens.waitMs('203.0.113.9', now + 59_999)).toBe(1);
    expect(guess(tokens, 100, { at: now + 60_000 })).toBe(10);
  });

  it('F120 leaves other addresses alone', () => {
    const tokens = new WrongTokens();
    guess(tokens, 100);

    expect(tokens.waitMs('203.0.113.10', now)).toBe(0);
    expect(guess(tokens, 3, { from: '203.0.113.10' })).toBe(3);
  });

  it('F120 locks nobody out for one old token that is shown again and again', () => {
    const tokens = new WrongTokens();

    const told = Array.from({ length: 100 }, () => tokens.note('203.0.113.9', 'the same', now));

    expect(tokens.waitMs('203.0.113.9', now)).toBe(0);
    expect(told).not.toContain(true);
  });

  it('says once in a minute that there were too many', () => {
    const tokens = new WrongTokens();

    const told = Array.from({ length: 12 }, (_, number) => tokens.note('203.0.113.9', `${number}`, now));

    expect(told.map(Number)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:DB8:1:2:aaaa:bbbb:cccc:dddd', true],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5::', true],
    ['::1', '::2', true],
    ['::ffff:10.0.0.7', '10.0.0.7', true],
    ['::ffff:10.0.0.7', '::ffff:10.0.0.8', false],
  ])('takes %s and %s for one source: %s', (one, other, isSame) => {
    const tokens = new WrongTokens();
    guess(tokens, 10, { from: one });

    expect(tokens.waitMs(other, now) > 0).toBe(isSame);
  });

  it('remembers a bounded number of addresses, and forgets the oldest', () => {
    const tokens = new WrongTokens();
    guess(tokens, 10, { from: '203.0.113.9' });

    for (let number = 0; number < 10_000; number += 1) tokens.note(`10.1.${number >> 8}.${number & 255}`, 'guess', now);

    expect(tokens.waitMs('203.0.113.9', now)).toBe(0);
  });
});
