import { describe, expect, it } from 'vitest';
import { untilNext, whileOnTheWay } from './reread.ts';

const at = (ms: number) => new Date(ms).toISOString();

describe('what the live stream does not tell', () => {
  it('is read again just after the next instant, a day from now at the latest', () => {
    expect(untilNext([at(1000), null, at(9000), at(5000)], 2000)).toBe(3500);
    expect(untilNext([at(40 * 86_400_000)], 0)).toBe(86_400_500);
  });

  it('is not read again when nothing is to come or on its way', () => {
    expect(untilNext([null, at(1000)], 1000)).toBe(false);
    expect(whileOnTheWay([{ state: 'delivered' }, { state: 'dead' }])).toBe(false);
    expect(whileOnTheWay([{ state: 'delivered' }, { state: 'pending' }])).toBe(2000);
  });
});
