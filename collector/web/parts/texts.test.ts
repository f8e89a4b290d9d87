import { describe, expect, it } from 'vitest';
import { agoText, bytesText, dash, durationText, instantText, percentText, visible } from './texts.ts';

describe('values as people read them', () => {
  it('shows a dash for what is not known, never 0', () => {
    expect([durationText(null), bytesText(undefined), percentText(null), agoText(null, 0)]).toEqual(
      Array.from({ length: 4 }, () => dash),
    );
    expect([durationText(0), bytesText(0), percentText(0)]).toEqual(['0 ms', '0 B', '0 %']);
  });

  it('keeps two units of a duration', () => {
    expect([940, 59_949, 59_950, 3_599_400, 86_399_000, 180_000_000].map(durationText)).toEqual([
      '940 ms',
      '59.9 s',
      '1 m 00 s',
      '59 m 59 s',
      '23 h 59 m',
      '2 d 2 h',
    ]);
  });

  it('shows sizes in powers of 1024', () => {
    expect([1023, 1024, 1536, 268_435_456, 1.5 * 1024 ** 4].map(bytesText)).toEqual([
      '1023 B',
      '1 KiB',
      '1.5 KiB',
      '256 MiB',
      '1.5 TiB',
    ]);
  });

  it('shows an instant in UTC when asked', () => {
    expect(instantText('2020-02-01T23:59:58.000Z', { zone: 'utc' })).toBe('1 Feb 2020, 23:59:58');
  });

  it('F115: shows what would turn or hide the text as one mark', () => {
    expect(visible('safe\u202Egnp.exe\u0007')).toBe('safe\uFFFDgnp.exe\uFFFD');
  });
});
