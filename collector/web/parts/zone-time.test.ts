import { describe, expect, it } from 'vitest';
import { instantOf, isZone } from './zone-time.ts';

describe('what the clocks of a zone show', () => {
  it.each([
    ['2026-11-22T04:00', 'UTC', '2026-11-22T04:00:00.000Z'],
    ['2026-11-22T04:00', 'Europe/Berlin', '2026-11-22T03:00:00.000Z'],
    ['2026-07-01T04:00', 'Europe/Berlin', '2026-07-01T02:00:00.000Z'],
    ['2026-07-01T23:30', 'America/Los_Angeles', '2026-07-02T06:30:00.000Z'],
    ['2026-07-01T00:15', 'Asia/Kathmandu', '2026-06-30T18:30:00.000Z'],
  ])('%s in %s is %s', (shown, zone, instant) => {
    expect(instantOf(shown, zone)).toBe(instant);
  });

  it.each([
    ['2026-03-29T01:30', '2026-03-29T00:30:00.000Z'],
    ['2026-03-29T03:30', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T01:30', '2026-10-24T23:30:00.000Z'],
    ['2026-10-25T03:30', '2026-10-25T02:30:00.000Z'],
  ])('is right on both sides of a change of the clocks: %s', (shown, instant) => {
    expect(instantOf(shown, 'Europe/Berlin')).toBe(instant);
  });
});

it('a zone is what there is, by its old and its new name', () => {
  expect(['Europe/Berlin', 'UTC', 'Asia/Calcutta', 'Asia/Kolkata'].every(isZone)).toBe(true);
  expect(['', 'Berlin', 'Mars/Olympus'].some(isZone)).toBe(false);
});
